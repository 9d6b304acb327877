"""Quadratic bowls, on which every step of SAM is known in closed form.

L(w) = ½ wᵀHw with H = Q diag(λ) Qᵀ. The gradient is Hw, the climb ρ Hw/‖Hw‖, and one step

    w' = w − ηHw − ηρ H²w/‖Hw‖,

which in the eigenvectors' coordinates is wᵢ' = wᵢ (1 − ηλᵢ − ηρλᵢ²/‖Hw‖). The third term does not
shrink as w does. So SAM never comes to rest at the minimum: it bounces across it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import autograd.numpy as anp
import numpy as np

from minisam.landscapes.landscape import Landscape, Minimum


def quadratic(spectrum: Sequence[float], rotation: np.ndarray | None = None) -> Landscape:
    """Return L(w) = ½ Σ λᵢ (qᵢᵀw)², with curvature λᵢ along the i-th column of the rotation.

    Minimum: the origin, of value 0 and curvatures λ, if no λᵢ is negative.

    Args:
        spectrum: the curvatures λ, of any sign.
        rotation: orthogonal (n, n) matrix Q whose columns are the eigenvectors; None for the axes.

    Example:
        >>> bowl = quadratic([100.0, 1.0])
        >>> float(bowl.loss(np.array([0.1, 1.0]))), bowl.minima[0].point
        (1.0, array([0., 0.]))
    """
    curvature = np.asarray(spectrum, dtype=float)
    if curvature.ndim != 1 or not np.all(np.isfinite(curvature)):
        raise ValueError(f"spectrum must be a list of finite numbers, got {spectrum!r}")
    n = len(curvature)
    if rotation is not None and np.shape(rotation) != (n, n):
        raise ValueError(f"rotation must have shape {(n, n)}, got {np.shape(rotation)}")

    def loss(w: Any) -> Any:
        coordinates = w if rotation is None else anp.dot(w, rotation)
        return 0.5 * anp.sum(curvature * coordinates**2, axis=-1)

    return Landscape(
        loss=loss,
        slope=lambda w: hessian_product(w, curvature, rotation),
        minima=(Minimum(np.zeros(n), curvature),) if np.all(curvature >= 0) else (),
    )


def hessian_product(w: Any, spectrum: np.ndarray, rotation: np.ndarray | None = None) -> Any:
    """Return Hw, the gradient of a quadratic at w, with H = Q diag(λ) Qᵀ.

    Args:
        w: points of shape (..., n), or one that carries its rounding error.
        spectrum: λ.
        rotation: Q; None for the axes.

    Example:
        >>> hessian_product(np.array([1.0, 2.0]), np.array([4.0, 1.0]))
        array([4., 2.])
    """
    return spectrum * w if rotation is None else (spectrum * (w @ rotation)) @ rotation.T


def sam_step_on_quadratic(
    coordinates: np.ndarray, spectrum: Sequence[float], lr: float, rho: float
) -> np.ndarray:
    """Return wᵢ' = wᵢ (1 − ηλᵢ − ηρλᵢ²/G), G = ‖Hw‖: a step of SAM along the eigenvectors.

    Args:
        coordinates: Qᵀw, of shape (n,), with a gradient that is not zero.
        spectrum: λ, of any sign.
        lr: step size η.
        rho: radius ρ.

    Example:
        >>> sam_step_on_quadratic(np.array([3.0, 2.0]), [1.0, 2.0], lr=0.5, rho=1.0)
        array([ 1.2, -0.8])
    """
    curvature = np.asarray(spectrum, dtype=float)
    G = np.linalg.norm(curvature * coordinates)
    return coordinates * (1 - lr * curvature - lr * rho * curvature**2 / G)


def lyapunov(
    coordinates: np.ndarray, spectrum: Sequence[float], lr: float, rho: float
) -> np.ndarray:
    """Return J(w) = ½wᵀ(2I − ηH)w − ηρ‖Hw‖, which every step of SAM lowers on a convex bowl.

    A step of SAM, followed by a flip of the sign, is a step of gradient descent of size 1 on J.
    J is lowest not at the minimum but on the sphere of the bouncing cycle.

    Args:
        coordinates: Qᵀw, of shape (..., n).
        spectrum: λ.
        lr: step size η.
        rho: radius ρ.

    Example:
        >>> float(lyapunov(np.array([0.0]), [1.0], lr=0.5, rho=1.0))
        0.0
        >>> float(lyapunov(np.array([1 / 3]), [1.0], lr=0.5, rho=1.0)) < 0
        True
    """
    curvature = np.asarray(spectrum, dtype=float)
    quadratic_part = 0.5 * np.sum((2 - lr * curvature) * coordinates**2, axis=-1)
    return quadratic_part - lr * rho * np.linalg.norm(curvature * coordinates, axis=-1)


def bounce_amplitude(curvature: Any, lr: Any, rho: Any, momentum: float = 0.0) -> Any:
    """Return a* = mρ/(2(1+μ) − m), m = ηλ, the distance at which SAM bounces across a minimum.

    Args:
        curvature: λ > 0.
        lr: step size η, with ηλ < 2(1 + μ); it may carry its rounding error, and then so does a*.
        rho: radius ρ.
        momentum: μ of heavy ball, v ← μv + d2.

    Example:
        >>> bounce_amplitude(curvature=1.0, lr=1.0, rho=0.3)
        0.3
    """
    m, limit = lr * curvature, 2 * (1 + momentum)
    if not 0 < m < limit:
        raise ValueError(f"lr * curvature must lie in (0, {limit:g}), got {float(m):g}")
    return m * rho / (limit - m)


def monotone_edge(gradient_norm: Any, lr: float, rho: float) -> Any:
    """Return the curvature below which a coordinate shrinks: (G/2ρ)(√(1 + 8ρ/(ηG)) − 1).

    At ρ = 0 it is 2/η.

    Args:
        gradient_norm: G = ‖Hw‖ > 0 at this step; a number, or one that carries its rounding error.
        lr: step size η > 0.
        rho: radius ρ ≥ 0.

    Example:
        >>> monotone_edge(gradient_norm=1.0, lr=1.0, rho=0.0), monotone_edge(1.0, 1.0, 1.0)
        (2.0, 1.0)
    """
    x = 8 * rho / (lr * gradient_norm)
    return 4 / (lr * (1 + (1 + x) ** 0.5))  # (G/2ρ)·x/(1 + √(1+x)), without cancellation


def distance_from_sgd(top_curvature: float, contraction: float, lr: float, rho: float, steps: int):
    """Return how far SAM can be from SGD after T steps: ηρλ₁ (1 − q^T)/(1 − q).

    Args:
        top_curvature: λ₁, the largest curvature.
        contraction: q = max |1 − ηλᵢ| < 1.
        lr: step size η.
        rho: radius ρ.
        steps: T.

    Example:
        >>> round(distance_from_sgd(1.0, 0.5, lr=0.5, rho=0.1, steps=2), 3)
        0.075
    """
    if not 0 <= contraction < 1:
        raise ValueError(f"contraction must lie in [0, 1), got {contraction!r}")
    return lr * rho * top_curvature * (1 - contraction**steps) / (1 - contraction)
