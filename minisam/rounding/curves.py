"""Take powers, roots, exponentials and norms of numbers with their bounds.

A curve passes a bound on by its slope, or by its values at the interval's ends. Library functions
are taken to be good to 4u.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minisam.rounding.arithmetic import error_times, lost, multiply, operands
from minisam.rounding.rounded import Rounded, bound_array, does, is_exact, value_of


@does(np.power)
def power(x: Rounded, exponent: Any) -> Rounded:
    """Return x^exponent for x ≥ 0, or x²: the interval's ends, and four roundings of pow()."""
    if np.ndim(exponent) == 0 and exponent == 2:
        return multiply(x, x)
    with np.errstate(all="ignore"):
        value = x.value**exponent
        low = np.maximum(x.value - x.bound, 0.0) ** exponent
        high = (x.value + x.bound) ** exponent
    carried = np.maximum(np.abs(high - value), np.abs(value - low))
    own = 4 * x.unit.u * (np.abs(value) + carried)
    gone = lost(value, carried, x.unit, x.value + x.bound > 0)
    return Rounded(value, carried + own + gone, x.unit)


@does(np.sqrt)
def sqrt(x: Rounded) -> Rounded:
    """Return √x: |√a − √b| ≤ min(|a − b|/(√a + √b), √|a − b|), and one rounding."""
    with np.errstate(all="ignore"):
        value = np.sqrt(x.value)
        low, most = np.sqrt(np.maximum(x.value - x.bound, 0.0)), np.sqrt(x.bound)
        carried: Any = np.where(value > 0, np.minimum(x.bound / (value + low), most), most)
    if is_exact(x.bound):
        carried = 0.0
    return Rounded(value, carried + x.unit.u * (value + carried), x.unit)


@does(np.exp)
def exp(x: Rounded) -> Rounded:
    """Return eˣ: the interval's upper end, and four roundings."""
    value = np.exp(x.value)
    carried = error_times(np.expm1(x.bound), value)
    gone = lost(value, carried, x.unit, True)
    return Rounded(value, carried + 4 * x.unit.u * value + gone, x.unit)


def sigmoid(x: Any) -> Any:
    """Return 1/(1 + e⁻ˣ), of an array too.

    Its derivative is at most ¼ and at most its own value: |Δ| ≤ min(¼, σe^Δ)Δ.
    """
    z = value_of(x)
    small = np.exp(-np.abs(z))  # never overflows
    value = np.where(z >= 0, 1.0, small) / (1 + small)
    if type(x) is not Rounded:
        return value
    carried = error_times(x.bound, np.minimum(0.25, value * np.exp(np.minimum(x.bound, 700.0))))
    gone = lost(value, carried, x.unit, True)
    return Rounded(value, carried + 12 * x.unit.u * value + gone, x.unit)


@does(np.logaddexp)
def logaddexp(x: Any, y: Any) -> Rounded:
    """Return log(eˣ + eʸ), whose slopes in x and y sum to 1."""
    unit, a, ea, b, eb = operands(x, y)
    value = np.logaddexp(a, b)
    size = np.abs(value) + np.maximum(np.abs(a), np.abs(b))
    return Rounded(value, np.maximum(ea, eb) + 8 * unit.u * size, unit)


def norm(x: Rounded, p: float = 2) -> Rounded:
    """Return ‖x‖_p over all entries, p from 1 to infinity, for any size of x."""
    top = float(np.max(np.abs(x.value), initial=0.0))
    if top == 0 or p == np.inf:
        size = 1 if p == np.inf else x.size
        return Rounded(top, float(np.max(bound_array(x), initial=0.0)) * size, x.unit)
    exponent = min(-int(np.frexp(top)[1]), 1022)
    y = np.ldexp(np.abs(x), exponent)
    length = np.sqrt(np.sum(y * y)) if p == 2 else np.sum(y**p) ** (1 / p)
    return np.ldexp(length, -exponent)
