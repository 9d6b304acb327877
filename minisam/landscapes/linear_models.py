"""Regression and classification by one linear map: networks small enough to solve.

On one example the inner maximum is exact: the worst ε in the ball only shifts the residual, or the
margin, by ρ‖x‖. So one reads off what SAM does to a label: in regression it pulls every residual
towards zero by a constant, in classification it moves the weight from the examples that are hard
(and perhaps wrong) to those that are fitted.
"""

from __future__ import annotations

import autograd.numpy as anp
import numpy as np

from minisam.landscapes.landscape import Landscape, Minimum
from minisam.rounding import sigmoid


def linear_regression(inputs: np.ndarray, targets: np.ndarray) -> Landscape:
    """Return L(w) = ½ Σₖ (xₖᵀw − yₖ)², whose Hessian is XᵀX everywhere.

    Minimum: the least-squares solution, with the eigenvalues of XᵀX for curvatures.

    Args:
        inputs: X of shape (examples, n).
        targets: y of shape (examples,).

    Example:
        >>> line = linear_regression(np.array([[1.0], [2.0]]), np.array([1.0, 2.0]))
        >>> line.minima[0].point, line.minima[0].curvature
        (array([1.]), array([5.]))
    """
    X, y = np.asarray(inputs, dtype=float), np.asarray(targets, dtype=float)
    if X.ndim != 2 or y.shape != X.shape[:1]:
        raise ValueError(
            f"inputs must have shape (examples, n) and targets (examples,), "
            f"got {X.shape} and {y.shape}"
        )
    solution = np.linalg.lstsq(X, y, rcond=None)[0]
    return Landscape(
        loss=lambda w: 0.5 * anp.sum((anp.dot(w, X.T) - y) ** 2, axis=-1),
        slope=lambda w: (w @ X.T - y) @ X,
        minima=(
            Minimum(
                solution,
                np.linalg.eigvalsh(X.T @ X)[::-1],
                float(0.5 * np.sum((X @ solution - y) ** 2)),
            ),
        ),
    )


def logistic_regression(signed_inputs: np.ndarray, l2: float = 0.0) -> Landscape:
    """Return L(w) = Σₖ log(1 + exp(−xₖᵀw)) + ½α‖w‖², each input times its label ±1.

    It is α-strongly convex and (α + ¼Σ‖xₖ‖²)-smooth; its third derivative is at most
    Σ‖xₖ‖³/(6√3). With one example and α = 0 there is no minimum: L falls forever as the margin
    xᵀw grows.

    Args:
        signed_inputs: yₖxₖ, of shape (examples, n).
        l2: α ≥ 0.

    Example:
        >>> one = logistic_regression(np.array([[3.0, 4.0]]))
        >>> one.slope(np.zeros(2))
        array([-1.5, -2. ])
    """
    X = np.asarray(signed_inputs, dtype=float)
    return Landscape(
        loss=lambda w: (
            anp.sum(anp.logaddexp(0.0, -anp.dot(w, X.T)), axis=-1)
            + 0.5 * l2 * anp.sum(w**2, axis=-1)
        ),
        slope=lambda w: l2 * w - sigmoid(-(w @ X.T)) @ X,
    )


def margin_upweighting(margin: float, input_norm: float, rho: float) -> float:
    """Return SAM's weight of a logistic example over SGD's: (1 + e^M)/(1 + e^(M − ρ‖x‖)).

    It lies in (1, e^(ρ‖x‖)) and grows with the margin M: examples that are fitted gain over those
    that are not, such as mislabelled ones early in training.

    Args:
        margin: M = y xᵀw.
        input_norm: ‖x‖, in the norm dual to that of the ball.
        rho: radius ρ.

    Example:
        >>> [round(margin_upweighting(m, 1.0, rho=1.0), 2) for m in (-5.0, 0.0, 5.0)]
        [1.0, 1.46, 2.69]
    """
    return float(np.exp(np.logaddexp(0, margin) - np.logaddexp(0, margin - rho * input_norm)))


def outlier_location(fraction: float, outlier: float, rho: float) -> float:
    """Return where SAM with a climb per example puts the centre of points with outliers.

    For ½(w − cᵢ)² with cᵢ = M in a fraction d < ½ and cᵢ = 0 in the rest, 1-sharpness SAM comes to
    max(0, dM − ρ(1 − 2d)); SGD, and SAM with one climb for the batch, to the mean dM.

    Args:
        fraction: d in [0, ½).
        outlier: M > 0.
        rho: radius ρ.

    Example:
        >>> [outlier_location(0.25, 8.0, rho) for rho in (0.0, 2.0, 4.0)]
        [2.0, 1.0, 0.0]
    """
    if not 0 <= fraction < 0.5:
        raise ValueError(f"fraction must lie in [0, 0.5), got {fraction!r}")
    return max(0.0, fraction * outlier - rho * (1 - 2 * fraction))
