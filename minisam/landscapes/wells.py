"""A sharp and a flat minimum of equal depth side by side, and when SAM leaves the sharp one.

SGD with ηλ < 2 stays in either minimum. SAM bounces across the sharp one at amplitude
a* = mρ/(2 − m), m = ηλ, and looks at the slope from B, a further ρ out. It is not the bounce that
must leave the basin, it is B: when a* + ρ = 2ρ/(2 − m) passes the wall, d2 is the slope of the
other side and carries SAM over.
"""

from __future__ import annotations

import math

import numpy as np

from minisam.landscapes.landscape import Landscape, Minimum


def check_positive(**values: float | np.ndarray) -> None:
    """Raise ValueError unless every number is positive and finite."""
    for name, value in values.items():
        if not (np.all(np.greater(value, 0)) and np.all(np.isfinite(value))):
            raise ValueError(f"{name} must be a positive number, got {value!r}")


def stacked(*coordinates: float | np.ndarray) -> np.ndarray:
    """Return coordinates, numbers or arrays of shape (...), as points of shape (..., n)."""
    return np.stack([np.asarray(x, dtype=float) for x in coordinates], axis=-1)


def kinked_well(
    sharp: float | np.ndarray, flat: float | np.ndarray, wall: float | np.ndarray
) -> Landscape:
    """Return two parabolas that meet at the wall c, as high as each other there.

    L(w) = ½λw² for w ≤ c, ½λ_f(w − f)² for w > c, with f = c(1 + √(λ/λ_f)).

    Minima: 0 with curvature λ, and f with curvature λ_f, both of value 0.

    Args:
        sharp: curvature λ of the minimum at 0; a number, or an array of shape (...) for many wells
            at once, one for each leading index of w.
        flat: curvature λ_f of the minimum at f, likewise.
        wall: c, where the two parabolas meet, likewise.

    Example:
        >>> well = kinked_well(sharp=4.0, flat=1.0, wall=1.0)
        >>> [float(low.point[0]) for low in well.minima], float(well.loss(np.array([1.0])))
        ([0.0, 3.0], 2.0)
    """
    check_positive(sharp=sharp, flat=flat, wall=wall)
    f = wall * (1 + np.sqrt(np.divide(sharp, flat)))

    def loss(w: np.ndarray) -> np.ndarray:
        x = w[..., 0]
        return 0.5 * (x <= wall) * sharp * x**2 + 0.5 * (x > wall) * flat * (x - f) ** 2

    def slope(w: np.ndarray) -> np.ndarray:
        x = w[..., 0]
        return np.where(x <= wall, sharp * x, flat * (x - f))[..., None]

    return Landscape(
        loss=loss,
        slope=slope,
        minima=(Minimum(0 * stacked(f), stacked(sharp)), Minimum(stacked(f), stacked(flat))),
    )


def smooth_well(sharp: float, flat: float, wall: float, fall: float) -> Landscape:
    """Return the kinked well with its kink made round, so that the gradient is continuous.

    L(w) = ½λw² − ½(λ + μ)(w − c)₊² + ½(μ + λ_f)(w − e)₊², where b = c + λc/μ is the top of the
    barrier, h = √(λcb/(1/μ + 1/λ_f)) the steepest slope beyond it, e = b + h/μ.

    Minima: 0 with curvature λ, and f = e + h/λ_f with curvature λ_f, both of value 0. As μ → ∞
    this is the kinked well; the threshold of escape is then higher by about (1 to 5) λ/μ of itself.

    Args:
        sharp: curvature λ of the minimum at 0.
        flat: curvature λ_f of the minimum at f.
        wall: c, where the sharp parabola ends.
        fall: μ, minus the curvature of the barrier's top.

    Example:
        >>> well = smooth_well(sharp=4.0, flat=1.0, wall=1.0, fall=8.0)
        >>> f = well.minima[1].point
        >>> abs(round(float(well.loss(f)), 12)), well.slope(f).round(12) + 0
        (0.0, array([0.]))
    """
    check_positive(sharp=sharp, flat=flat, wall=wall, fall=fall)
    b = wall + sharp * wall / fall
    h = math.sqrt(sharp * wall * b / (1 / fall + 1 / flat))
    e = b + h / fall
    f = e + h / flat

    def loss(w: np.ndarray) -> np.ndarray:
        x = w[..., 0]
        beyond_wall, beyond_fall = (x > wall) * (x - wall), (x > e) * (x - e)
        bend = -0.5 * (sharp + fall) * beyond_wall**2 + 0.5 * (fall + flat) * beyond_fall**2
        return 0.5 * sharp * x**2 + bend

    def slope(w: np.ndarray) -> np.ndarray:
        falling = np.where(w > e, flat * (w - f), -fall * (w - b))
        return np.where(w > wall, falling, sharp * w)

    return Landscape(
        loss=loss,
        slope=slope,
        minima=(Minimum(np.zeros(1), np.array([sharp])), Minimum(np.array([f]), np.array([flat]))),
    )


def escape_threshold(curvature: float, wall: float, lr: float) -> float:
    """Return ρ₁ = c(1 − m/2), m = ηλ, above which B, at the bounce, is beyond the wall c.

    Args:
        curvature: λ of the sharp minimum.
        wall: c, the distance of its wall.
        lr: step size η, with ηλ < 2.

    Example:
        >>> escape_threshold(curvature=1.0, wall=1.0, lr=1.5)
        0.25
    """
    return wall * (1 - 0.5 * lr * curvature)


def escape_window(sharp: float, flat: float, wall: float, lr: float) -> tuple[float, float]:
    """Return (ρ₁, ρ₂), between which SAM is proved to leave the kinked well for the flat one.

    ρ₁ = c(1 − m/2),  ρ₂ = c · min(½√(m m_f), m(2 − m)/(2m − 1)),  m = ηλ, m_f = ηλ_f.

    The proof asks for 1 < m < 2 and m_f ≤ 1; the window is not empty if √(m m_f) > 2 − m.

    Args:
        sharp: curvature λ of the minimum at 0.
        flat: curvature λ_f of the minimum at f.
        wall: c, where the two parabolas meet.
        lr: step size η.

    Example:
        >>> low, high = escape_window(sharp=1.5, flat=0.5, wall=1.0, lr=1.0)
        >>> round(low, 3), round(high, 3)
        (0.25, 0.375)
    """
    m, m_flat = lr * sharp, lr * flat
    if not (1 < m < 2 and 0 < m_flat <= 1):
        raise ValueError(
            f"lr * sharp must lie in (1, 2) and lr * flat in (0, 1], got {m:g} and {m_flat:g}"
        )
    upper = wall * min(0.5 * math.sqrt(m * m_flat), m * (2 - m) / (2 * m - 1))
    return escape_threshold(sharp, wall, lr), upper
