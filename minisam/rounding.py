"""Numbers that carry a bound on their own rounding error.

How far may a correct implementation be from the exact answer? A tolerance out of the air is either
too wide, and mistakes hide in it, or too narrow, and honest code fails. Here the answer is derived,
as J. H. Wilkinson did it by hand: every number comes with a bound on the error that rounding may
have brought into it, and every operation passes the bounds of its operands on and adds its own.

    one operation           fl(x ∘ y) = (x ∘ y)(1 + δ), |δ| ≤ u
    a sum of n, any order   |error| ≤ γ Σ|x|, γ = (n−1)u/(1 − (n−1)u)

u is 2⁻⁵³ for float64, 2⁻²⁴ for float32 and 2⁻⁸ for bfloat16. The values are held in float64, the
bounds are those of the chosen precision. What rounding leaves alone adds nothing: zero plus x, a
power of two times x. So at lr = 0 the bound on the new weights is zero, and they must be the old
ones to the bit.

Below the smallest normal number, 2⁻¹²⁶ in float32, a format has fewer digits, and many a device
makes a zero of what falls there, as XLA does on the CPU. A result that may be so small may be off
by all of itself. The next operation may read it as zero, too: its bound says so already.

Two questions are answered so. The oracle runs `minisam.optim` on `Rounded` parameters in the
precision that an implementation claims: the library's own code computes the reference together
with its tolerance, and `ratio` compares. The specification writes its equations in `Rounded`
numbers of float64, in which it evaluates them: an equation yields its own tolerance.

Source: Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., section 2.2 and eqs.
3.3 to 3.5. Library functions (exp, log, power) are taken to be good to 4u.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin


class Unit(NamedTuple):
    """A floating-point format, and how a computation in it treats the ends of its range.

    Attributes:
        name: the format's.
        u: half the distance from 1 to the next number.
        tiny: the smallest normal number.
        largest: the largest number.
        plain: whether the computation takes no care of the range, as a norm does that squares what
            it gets. Then `Rounded` says that its range is float64's, which holds the values, so
            that nothing is rescaled; what the format loses at its end is in the bounds.
    """

    name: str
    u: float
    tiny: float
    largest: float
    plain: bool = False


UNITS = {
    "float64": Unit("float64", 2.0**-53, 2.0**-1022, float(np.finfo(np.float64).max)),
    "float32": Unit("float32", 2.0**-24, 2.0**-126, float(np.finfo(np.float32).max)),
    "bfloat16": Unit("bfloat16", 2.0**-8, 2.0**-126, (2 - 2.0**-7) * 2.0**127),
}
LEAST = 2.0**-1074  # the smallest number of float64


def unit_roundoff(dtype: Any) -> float:
    """Return u, half the distance from 1 to the next number of a NumPy dtype.

    Example:
        >>> unit_roundoff("float32") == 2.0**-24
        True
    """
    return float(np.finfo(dtype).eps) / 2


def gamma(n: Any, u: float) -> Any:
    """Return γₙ = nu/(1 − nu), the relative error that n roundings can add up to.

    Example:
        >>> float(gamma(4, 0.125))
        1.0
    """
    nu = np.asarray(n) * u
    return np.where(nu < 1, nu / np.where(nu < 1, 1 - nu, 1.0), np.inf)


def to_bfloat16(x: Any) -> np.ndarray:
    """Round to bfloat16, kept in a float32 array: ties to even, as hardware does.

    Example:
        >>> to_bfloat16([1.0, 1.001, 3.14159])
        array([1.      , 1.      , 3.140625], dtype=float32)
    """
    single = np.asarray(x, np.float32)
    bits = single.view(np.uint32)
    rounded = (bits + np.uint32(0x7FFF) + ((bits >> 16) & 1)) & np.uint32(0xFFFF0000)
    return np.where(np.isfinite(single), rounded.view(np.float32), single).astype(np.float32)


def dtype_of(unit: Unit) -> np.dtype:
    """Return the dtype of the arrays in which a format travels."""
    return np.dtype("float32" if unit.name == "bfloat16" else unit.name)


def to_unit(x: Any, unit: Unit) -> np.ndarray:
    """Return the nearest numbers of a format, in the dtype in which the format travels."""
    if unit.name == "bfloat16":
        return to_bfloat16(x)
    return np.asarray(x, unit.name)


FUNCTIONS: dict[Any, Callable[..., Any]] = {}  # what NumPy's functions do with Rounded arrays


class Rounded(NDArrayOperatorsMixin):
    """An array with a bound on the error of each of its entries.

    Operators and NumPy's functions work on it, those that `FUNCTIONS` has.

    Attributes:
        value: the array, in float64.
        bound: how far a computation in the format may be from the exact result; 0.0 where exact.
        unit: the format.

    Example:
        >>> x = exact([3.0, 4.0], "float32")
        >>> length = np.sqrt(np.vdot(x, x))
        >>> float(length.value), bool(2.0**-24 * 5 < length.bound < 2.0**-24 * 15)
        (5.0, True)
    """

    __slots__ = ("bound", "unit", "value")
    __iadd__ = NDArrayOperatorsMixin.__add__  # as for numbers, += makes a new one
    __imul__ = NDArrayOperatorsMixin.__mul__

    def __init__(self, value: Any, bound: Any, unit: Unit):
        self.value = value
        self.bound = bound
        self.unit = unit

    shape = property(lambda self: np.shape(self.value))
    ndim = property(lambda self: np.ndim(self.value))
    size = property(lambda self: np.size(self.value))
    dtype = property(lambda self: dtype_of(UNITS["float64"] if self.unit.plain else self.unit))
    T = property(lambda self: Rounded(self.value.T, bound_array(self).T, self.unit))

    def __repr__(self) -> str:
        return f"Rounded({self.value!r} ± {self.bound!r}, {self.unit.name})"

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        """Return the values alone, in their own dtype, for questions about range and size."""
        with np.errstate(all="ignore"):
            return np.array(self.value, dtype or self.dtype)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if method != "__call__" or ufunc not in FUNCTIONS or kwargs:
            return NotImplemented
        return FUNCTIONS[ufunc](*inputs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if function not in FUNCTIONS:
            return NotImplemented
        return FUNCTIONS[function](*args, **kwargs)

    def __getitem__(self, index: Any) -> Rounded:
        bound = self.bound if is_exact(self.bound) else bound_array(self)[index]
        return Rounded(self.value[index], bound, self.unit)

    def __float__(self) -> float:
        return float(self.value)

    def astype(self, dtype: Any) -> Rounded:
        """Round to another format."""
        unit = UNITS[np.dtype(dtype).name]._replace(plain=self.unit.plain)
        if unit.u <= self.unit.u:
            return self
        size = np.abs(self.value) + self.bound
        return Rounded(self.value, self.bound + unit.u * size + unit.tiny * (size > 0), unit)

    def widened(self, error: Any) -> Rounded:
        """Return the same numbers, less certain by an ``error`` that was derived by hand."""
        return Rounded(self.value, self.bound + error, self.unit)

    def off_by(self, share: Any) -> Rounded:
        """Return the same numbers, less certain by a share of each that was derived by hand."""
        return self.widened(share * np.abs(self.value))

    def known_to(self, bound: Any) -> Rounded:
        """Return the same numbers with another bound."""
        return Rounded(self.value, bound, self.unit)


def exact(x: Any, dtype: str | Unit = "float64") -> Rounded:
    """Return numbers that are known without error."""
    unit = UNITS[dtype] if isinstance(dtype, str) else dtype
    return Rounded(np.array(x, np.float64), 0.0, unit)


def value_of(x: Any) -> Any:
    """Return the value of a `Rounded`; anything else is its own value."""
    return x.value if type(x) is Rounded else x


def is_exact(bound: Any) -> bool:
    """Return whether a bound is the plain 0.0 that marks exact numbers."""
    return type(bound) is float and bound == 0.0


def bound_array(x: Rounded) -> np.ndarray:
    """Return the bound as an array of the value's shape."""
    return np.broadcast_to(x.bound, x.shape)


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


def does(*functions: Any) -> Callable[[Any], Any]:
    """Let a function stand for some of NumPy's."""

    def enter(function: Any) -> Any:
        FUNCTIONS.update(dict.fromkeys(functions, function))
        return function

    return enter


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


@does(np.sign)
def sign(x: Rounded) -> Rounded:
    """Return the sign, exact unless x may be on either side of zero."""
    unsure = (np.abs(x.value) <= x.bound) & (np.asarray(x.bound) > 0)
    return Rounded(np.sign(x.value), np.where(unsure, 2.0, 0.0) if np.any(unsure) else 0.0, x.unit)


@does(np.where)
def where(condition: Any, x: Any, y: Any) -> Rounded:
    """Return entries of x or of y."""
    unit, a, ea, b, eb = operands(x, y)
    condition = value_of(condition)
    return Rounded(np.where(condition, a, b), np.where(condition, ea, eb), unit)


def extreme(choose: Any) -> Any:
    """Return np.maximum or np.minimum: as uncertain as the less certain operand."""

    def function(x: Any, y: Any) -> Rounded:
        unit, a, ea, b, eb = operands(x, y)
        bound = 0.0 if is_exact(ea) and is_exact(eb) else np.maximum(ea, eb)
        return Rounded(choose(a, b), bound, unit)

    return function


def alike(function: Any) -> Any:
    """Return a function that does with bounds as with values: moves, or scales exactly, or max."""

    def both(x: Rounded, *args: Any, **options: Any) -> Rounded:
        bound = x.bound if is_exact(x.bound) else function(bound_array(x), *args, **options)
        return Rounded(function(x.value, *args, **options), bound, x.unit)

    return both


def on_values(function: Any) -> Any:
    """Return a function that answers about the values alone."""
    return lambda *inputs: function(*map(value_of, inputs))


QUESTIONS = (np.frexp, np.isfinite, np.isnan, np.any, np.all, np.shape, np.size, np.ndim)
COMPARISONS = (np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal)
FUNCTIONS |= {
    np.subtract: lambda x, y: add(x, -y),
    np.square: lambda x: multiply(x, x),
    np.negative: lambda x: Rounded(-x.value, x.bound, x.unit),
    np.absolute: lambda x: Rounded(np.abs(x.value), x.bound, x.unit),
    np.maximum: extreme(np.maximum),
    np.minimum: extreme(np.minimum),
    np.min: lambda x: -np.max(-x),
    np.zeros_like: lambda x: exact(np.zeros(x.shape), x.unit),
    np.ones_like: lambda x: exact(np.ones(x.shape), x.unit),
}
FUNCTIONS |= {f: alike(f) for f in (np.ldexp, np.broadcast_to, np.roll, np.max)}
FUNCTIONS |= {f: on_values(f) for f in (*QUESTIONS, *COMPARISONS)}


def ratio(observed: Any, expected: Rounded) -> np.ndarray:
    """Return |observed − expected| in units of the accepted error: at most 1 where they agree.

    Twice the bound is accepted, since both sides round. Where the format's range ends, near
    overflow, anything is accepted, and so it is where the bound is infinite; NaN agrees with NaN.

    Example:
        >>> x = exact([1.0, 2.0], "float64") * 0.1
        >>> ratio(np.array([0.1, 0.2]), x) <= 1
        array([ True,  True])
        >>> ratio(np.array([0.1, 0.3]), x) <= 1
        array([ True, False])
    """
    seen = np.asarray(observed, np.float64)
    if np.array_equal(seen, expected.value):  # as most of what is right is, or a step's start
        return np.zeros(seen.shape)
    value, bound = np.broadcast_arrays(expected.value, expected.bound)
    with np.errstate(all="ignore"):
        accepted = 2 * bound
        apart = np.abs(seen - value)
        result = np.where(apart == 0, 0.0, apart / accepted)
        result = np.where((seen == value) | (np.isnan(seen) & np.isnan(value)), 0.0, result)
        result = np.where(np.abs(value) + accepted > expected.unit.largest, 0.0, result)
    return np.where(np.isnan(result), np.inf, result)
