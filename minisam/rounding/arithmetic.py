"""Do arithmetic on numbers with their bounds: every operation passes these on and adds its own.

Each function stands for one of NumPy's, see `does`. What rounding leaves alone adds nothing.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minisam.rounding.formats import LEAST, Unit, gamma, to_unit
from minisam.rounding.rounded import FUNCTIONS, Rounded, bound_array, does, is_exact


def operand(x: Any, unit: Unit) -> tuple[Any, Any]:
    """Return (value, bound); a constant that the format cannot hold is rounded to it."""
    if type(x) is Rounded:
        return x.value, x.bound
    if unit.u == 2.0**-53 or isinstance(x, int | np.integer | np.bool_):
        return x, 0.0
    held = to_unit(x, unit).astype(np.float64)
    if np.all((held == x) | np.isnan(x)):
        return x, 0.0
    return x, np.where(held == x, 0.0, unit.u * np.abs(x) + unit.tiny)


def operands(x: Any, y: Any) -> tuple[Unit, Any, Any, Any, Any]:
    """Return the format of a result, and two values with their bounds.

    The format is the array's before the scalar's, then the coarser one.
    """
    if type(x) is not Rounded or type(y) is not Rounded:
        unit = y.unit if type(y) is Rounded else x.unit
    elif np.ndim(x.value) != np.ndim(y.value):
        unit = x.unit if np.ndim(x.value) > np.ndim(y.value) else y.unit
    else:
        unit = x.unit if x.unit.u > y.unit.u else y.unit
    return unit, *operand(x, unit), *operand(y, unit)


def is_power_of_two(value: Any, bound: Any) -> Any:
    """Return where an operand is exactly ±2ᵏ or 0, so that multiplying by it does not round."""
    if not is_exact(bound):
        return False
    return np.abs(np.frexp(value)[0]) % 0.5 == 0


def error_times(error: Any, size: Any) -> Any:
    """Return an error times a size: infinite, too, where an infinite error meets a size of 0.

    Nothing is known of such a product, whose factor may have been divided by zero.
    """
    if is_exact(error):
        return 0.0
    product = error * size
    return np.where(np.isnan(product), np.where(error == 0, 0.0, np.inf), product)


def lost(value: Any, carried: Any, unit: Unit, some: Any = False) -> Any:
    """Return what is lost of results that may be below ``tiny``: a device may make them zero.

    ``some`` says where a result is not zero though float64, which holds it, may have none so small.
    """
    size = np.abs(value)
    small = size < carried + unit.tiny
    if not np.any(small):
        return 0.0
    return np.where(small, np.minimum(size + carried + LEAST * some, unit.tiny), 0.0)


@does(np.add)
def add(x: Any, y: Any) -> Rounded:
    """Return x + y; adding an exact zero is exact."""
    unit, a, ea, b, eb = operands(x, y)
    value, carried = a + b, ea + eb
    own = unit.u * (np.abs(value) + carried) + lost(value, carried, unit)
    kept = ((a == 0) & (ea == 0)) | ((b == 0) & (eb == 0))
    return Rounded(value, carried + np.where(kept, 0.0, own), unit)


@does(np.multiply)
def multiply(x: Any, y: Any) -> Rounded:
    """Return x · y; multiplying by an exact power of two is exact, but below the normal numbers."""
    unit, a, ea, b, eb = operands(x, y)
    value = a * b
    carried = error_times(ea, np.abs(b) + eb) + error_times(eb, np.abs(a))
    own = unit.u * (np.abs(value) + carried)
    gone = lost(value, carried, unit, (a != 0) & (b != 0))
    if not is_exact(ea) and not is_exact(eb):  # and so no power of two
        return Rounded(value, carried + own + gone, unit)
    kept = is_power_of_two(a, ea) | is_power_of_two(b, eb)
    return Rounded(value, carried + np.where(kept, 0.0, own) + gone, unit)


@does(np.divide)
def divide(x: Any, y: Any) -> Rounded:
    """Return x / y; nothing is known where the divisor may be zero."""
    unit, a, ea, b, eb = operands(x, y)
    with np.errstate(all="ignore"):
        value = np.divide(a, b)
        room = np.abs(b) - eb
        carried = np.where(room > 0, (ea + np.abs(value) * eb) / room, np.inf)
        carried = np.where((a == 0) & (np.asarray(ea) == 0) & (room > 0), 0.0, carried)
    own = np.where(is_power_of_two(b, eb), 0.0, unit.u * (np.abs(value) + carried))
    return Rounded(value, carried + own + lost(value, carried, unit, a != 0), unit)


@does(np.matmul, np.dot)
def matmul(x: Any, y: Any) -> Rounded:
    """Return x @ y, each entry a sum of n products in any order: γₙ |x| @ |y|.

    All products and partial sums may be lost, of which there are 2n − 1.
    """
    unit, a, ea, b, eb = operands(x, y)
    a, b = np.asarray(a), np.asarray(b)
    ea, eb = np.broadcast_to(ea, a.shape), np.broadcast_to(eb, b.shape)
    size_a, size_b = np.abs(a), np.abs(b)
    carried = size_a @ eb + ea @ (size_b + eb)
    carried = np.where(np.isnan(carried), np.inf, carried)  # as in `error_times`
    size, n = size_a @ size_b + carried, a.shape[-1]
    own = gamma(n, unit.u) * size + (2 * n - 1) * unit.tiny * (size > 0)
    return Rounded(a @ b, carried + own, unit)


@does(np.sum)
def summed(x: Rounded, axis: Any = None, keepdims: bool = False) -> Rounded:
    """Return Σ x, summed in any order: γ Σ|x|, where zeros do not count.

    Where signs differ, each of the n − 1 partial sums may be lost. Where they do not, a partial sum
    is no smaller than its terms, of which those that may be lost say so themselves.
    """
    value = np.sum(x.value, axis=axis, keepdims=keepdims)
    terms = np.abs(x.value)
    carried = 0.0
    if not is_exact(x.bound):
        terms = terms + x.bound
        carried = np.sum(bound_array(x), axis=axis, keepdims=keepdims)
    size = np.sum(terms, axis=axis, keepdims=keepdims)
    n = np.sum(terms != 0, axis=axis, keepdims=keepdims)
    sums = np.maximum(n - 1, 0)
    grown = np.where(n > 1, gamma(sums, x.unit.u) * size, 0.0)
    if np.any(x.value < 0):
        grown = grown + sums * x.unit.tiny
    return Rounded(value, carried + grown, x.unit)


@does(np.vdot)
def inner(x: Any, y: Any) -> Rounded:
    """Return ⟨x, y⟩."""
    product = multiply(x, y)
    return product if product.ndim == 0 else summed(product)


FUNCTIONS.update({
    np.subtract: lambda x, y: add(x, -y),
    np.square: lambda x: multiply(x, x),
    np.negative: lambda x: Rounded(-x.value, x.bound, x.unit),
    np.absolute: lambda x: Rounded(np.abs(x.value), x.bound, x.unit),
})  # fmt: skip
