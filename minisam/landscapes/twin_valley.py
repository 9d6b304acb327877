"""A smooth valley that is narrow at one minimum and wide at two others, and when SAM leaves it."""

from __future__ import annotations

from typing import TypeVar

import numpy as np

from minisam.landscapes.landscape import Landscape, Minimum
from minisam.landscapes.quadratics import bounce_amplitude
from minisam.landscapes.wells import check_positive, stacked

Numbers = TypeVar("Numbers", float, np.ndarray)  # of one landscape, or of many at once


def twin_valley(
    along: float | np.ndarray,
    sharp: float | np.ndarray,
    flat: float | np.ndarray,
    distance: float | np.ndarray,
) -> Landscape:
    """Return a smooth valley, narrow at one minimum and wide at two others, all equally deep.

    L(x, y) = ½νx²(1 − s)² + ½[λ_f + (λ₀ − λ_f)(1 − s)²] y²,  s = x²/f².

    Minima: (0, 0) with curvatures (ν, λ₀), and (±f, 0) with (4ν, λ_f), all of value 0.

    Args:
        along: ν, curvature along the valley at the sharp minimum; a number, or an array of shape
            (...) for many valleys at once, one for each leading index of w.
        sharp: λ₀, curvature across it there, likewise.
        flat: λ_f, curvature across it at the flat minima, likewise.
        distance: f, from the sharp minimum to a flat one, likewise.

    Example:
        >>> valley = twin_valley(along=0.01, sharp=4.0, flat=0.4, distance=2.0)
        >>> [low.point.tolist() for low in valley.minima]
        [[0.0, 0.0], [2.0, 0.0], [-2.0, 0.0]]
    """
    check_positive(along=along, sharp=sharp, flat=flat, distance=distance)

    def loss(w: np.ndarray) -> np.ndarray:
        x, y = w[..., 0], w[..., 1]
        r = 1 - (x / distance) ** 2
        return 0.5 * along * x**2 * r**2 + 0.5 * (flat + (sharp - flat) * r**2) * y**2

    def slope(w: np.ndarray) -> np.ndarray:
        x, y = w[..., 0], w[..., 1]
        s = (x / distance) ** 2
        bend = 2 * (sharp - flat) * (1 - s) / distance**2
        return np.stack(
            [
                x * (along * (1 - s) * (1 - 3 * s) - bend * y**2),
                (flat + (sharp - flat) * (1 - s) ** 2) * y,
            ],
            axis=-1,
        )

    return Landscape(
        loss=loss,
        slope=slope,
        minima=(
            Minimum(0 * stacked(distance, distance), stacked(along, sharp)),
            Minimum(stacked(distance, 0 * distance), stacked(4 * along, flat)),
            Minimum(stacked(-distance, 0 * distance), stacked(4 * along, flat)),
        ),
    )


def twin_valley_threshold(
    along: Numbers, sharp: Numbers, flat: Numbers, distance: Numbers, lr: Numbers
) -> Numbers:
    """Return ρ_c = (1 − m/2) f √(ν/(2(λ₀ − λ_f))), above which x grows at the bounce (0, ±a*).

    Exact for ν ≤ λ₀/2 and a* < f √(m/(2(2 − m))), m = ηλ₀ in (0, 2).

    Args:
        along: ν; a number, or an array of shape (...) for many valleys at once.
        sharp: λ₀, likewise.
        flat: λ_f < λ₀, likewise.
        distance: f, likewise.
        lr: step size η, likewise.

    Example:
        >>> round(twin_valley_threshold(0.02, 1.0, 0.0, 1.0, lr=1.0), 3)
        0.05
    """
    if not np.all(np.greater(sharp, flat)):
        raise ValueError(f"sharp must exceed flat, got {sharp!r} and {flat!r}")
    return (1 - 0.5 * lr * sharp) * distance * (along / (2 * (sharp - flat))) ** 0.5


def twin_valley_multiplier(
    along: float, sharp: float, flat: float, distance: float, lr: float, rho: float
) -> float:
    """Return M, by which each step of the bounce (0, ±a*) multiplies a small x.

    M = 1 − η(ν − ½κ(a* + ρ)²)(1 + ρ(ν − ½κa*²)/(λ₀a*)),  κ = 4(λ₀ − λ_f)/f².

    Args:
        along: ν.
        sharp: λ₀.
        flat: λ_f.
        distance: f.
        lr: step size η, with ηλ₀ < 2.
        rho: radius ρ.

    Example:
        >>> at_threshold = twin_valley_threshold(0.02, 1.0, 0.0, 1.0, lr=1.0)
        >>> round(twin_valley_multiplier(0.02, 1.0, 0.0, 1.0, 1.0, at_threshold), 12)
        1.0
    """
    a = bounce_amplitude(sharp, lr, rho)
    κ = 4 * (sharp - flat) / distance**2
    at_b = along - 0.5 * κ * (a + rho) ** 2
    return 1 - lr * at_b * (1 + rho * (along - 0.5 * κ * a**2) / (sharp * a))
