"""The density of a Hessian's eigenvalues, by stochastic Lanczos quadrature.

The spectral density φ(t) = (1/n) Σᵢ δ(t − λᵢ) cannot be had from products, but its integral against
a smooth f can, for (1/n) tr f(H) = E[vᵀ f(H) v] with v a random unit vector, and k steps of Lanczos
from v give the k-point Gauss rule of the measure behind vᵀ f(H) v:

    vᵀ f(H) v ≈ Σⱼ τⱼ f(θⱼ),        θⱼ Ritz values,  τⱼ = ⟨v, yⱼ⟩²   (exact for degree ≤ 2k − 1).

With f(λ) = 𝒩(t; λ, σ²) this is the density smoothed at width σ: a picture of the bulk at zero and
of the outliers that make a minimum sharp.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from minisam.checks import check_whole, is_real
from minisam.sharpness.lanczos import lanczos
from minisam.sharpness.products import Matvec


class SpectralDensity(NamedTuple):
    """A smoothed density of eigenvalues, and the quadrature rule it was drawn from.

    Attributes:
        grid: where the density is given, shape (points,).
        density: smoothed density on the grid, integrating to 1, shape (points,).
        nodes: Ritz values of all probes, shape (probes · steps,).
        weights: their weights, summing to 1, so that (1/n) tr f(H) ≈ Σ weights · f(nodes).
        width: σ of the smoothing.
    """

    grid: np.ndarray
    density: np.ndarray
    nodes: np.ndarray
    weights: np.ndarray
    width: float


def spectral_density(
    matvec: Matvec,
    size: int,
    rng: np.random.Generator,
    probes: int = 8,
    steps: int = 40,
    width: float | None = None,
    points: int = 1000,
) -> SpectralDensity:
    """Estimate the density of the eigenvalues of H by stochastic Lanczos quadrature.

    Args:
        matvec: v ↦ H v over float64 vectors of shape (size,).
        size: number of parameters n.
        rng: generator of the probes.
        probes: number of random starts, whose rules are averaged.
        steps: Lanczos steps per start; probes · steps products in all.
        width: σ of the Gaussian in place of each δ, in units of λ, at least the grid's step; by
            default 1 % of the spectrum's range, or of its size where all nodes agree to within
            their rounding.
        points: size of the grid, which reaches 4 σ beyond the outermost nodes, at least 10.

    Raises:
        ValueError: if a product is not finite.

    Example:
        >>> spectrum = np.repeat([0.0, 5.0], [30, 10])
        >>> found = spectral_density(lambda v: spectrum * v, 40, np.random.default_rng(0), 20, 5)
        >>> bool(abs(found.weights @ found.nodes - spectrum.mean()) < 0.3)
        True

    Source:
        Lin, Saad and Yang, "Approximating spectral densities of large matrices", 2016;
        Ghorbani, Krishnan and Xiao, "An investigation into neural net optimization via Hessian
        eigenvalue density", 2019, section 2.
    """
    check_whole("size", size, low=1)
    check_whole("probes", probes, low=1)
    check_whole("points", points, low=10)
    if width is not None and not (is_real(width) and 0 < width < np.inf):
        raise ValueError(f"width must be positive, got {width!r}")
    nodes, weights = [], []
    for _ in range(probes):
        rule = lanczos(matvec, rng.standard_normal(size), steps)
        nodes.append(rule.eigenvalues)
        weights.append(rule.weights / probes)
    theta, tau = np.concatenate(nodes), np.concatenate(weights)
    largest, spread = float(np.abs(theta).max()), float(theta.max() - theta.min())
    least = narrowest(spread, largest, points)
    if width is None:
        # ⟨q, Hq⟩ of a computed unit vector q: n + 4 roundings in ‖q‖², n + 1 in the product
        one_value = spread <= (2 * size + 5) * np.finfo(np.float64).eps * largest
        width = max(0.01 * (max(largest, 1.0) if one_value else spread), least)
    if width < least:
        raise ValueError(
            f"width must be at least {least:.3g} for {points} points to show eigenvalues from "
            f"{theta.min():.3g} to {theta.max():.3g}, got {width}"
        )
    grid = np.linspace(theta.min() - 4 * width, theta.max() + 4 * width, points)
    kernel = np.exp(-0.5 * ((grid[:, None] - theta) / width) ** 2) / (width * np.sqrt(2 * np.pi))
    return SpectralDensity(grid, kernel @ tau, theta, tau, float(width))


def narrowest(spread: float, largest: float, points: int) -> float:
    """Return the smallest σ whose Gaussians a grid can carry.

    Its step (spread + 8 σ)/(points − 1) must be at most σ: then the sum over a grid differs from
    the integral by less than 2 exp(−2π²) = 5e-9 of it (Poisson's summation formula). And σ must be
    well above the rounding of the grid's own numbers, or it is no grid.

    Args:
        spread: distance of the outermost nodes.
        largest: magnitude of the largest one.
        points: of the grid, at least 10.

    Example:
        >>> narrowest(spread=990.0, largest=1000.0, points=999)
        1.0
    """
    limits = np.finfo(np.float64)
    return max(spread / (points - 9), 1000 * float(limits.eps) * largest, 1000 * float(limits.tiny))
