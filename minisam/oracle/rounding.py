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

`Rounded` arrays go through `minisam.optim` unchanged: they stand in for the parameters, and the
library's own code computes the reference together with its tolerance. `ratio` compares.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np


class Unit(NamedTuple):
    """A floating-point format: u, the smallest normal number, the largest number."""

    name: str
    u: float
    tiny: float
    largest: float


UNITS = {
    "float64": Unit("float64", 2.0**-53, 2.0**-1022, float(np.finfo(np.float64).max)),
    "float32": Unit("float32", 2.0**-24, 2.0**-126, float(np.finfo(np.float32).max)),
    "bfloat16": Unit("bfloat16", 2.0**-8, 2.0**-126, (2 - 2.0**-7) * 2.0**127),
}


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
    """The dtype of the arrays in which a format travels."""
    return np.dtype("float32" if unit.name == "bfloat16" else unit.name)


def to_unit(x: Any, unit: Unit) -> np.ndarray:
    """The nearest numbers of a format, in the dtype in which the format travels."""
    if unit.name == "bfloat16":
        return to_bfloat16(x)
    return np.asarray(x, unit.name)


class Rounded:
    """An array with a bound on the error of each of its entries.

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
    __array_priority__ = 1000

    def __init__(self, value: Any, bound: Any, unit: Unit):
        self.value = value
        self.bound = bound
        self.unit = unit

    shape = property(lambda self: np.shape(self.value))
    ndim = property(lambda self: np.ndim(self.value))
    size = property(lambda self: np.size(self.value))
    dtype = property(lambda self: dtype_of(self.unit))

    def __repr__(self) -> str:
        return f"Rounded({self.value!r} ± {self.bound!r}, {self.unit.name})"

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        """The values alone, in their own dtype, for questions about range and size."""
        with np.errstate(all="ignore"):
            return np.array(self.value, dtype or self.dtype)

    def astype(self, dtype: Any) -> Rounded:
        """Round to another format."""
        unit = UNITS[np.dtype(dtype).name]
        if unit.u <= self.unit.u:
            return self
        size = np.abs(self.value) + self.bound
        return Rounded(self.value, self.bound + unit.u * size + unit.tiny * (size > 0), unit)

    def any(self) -> bool:
        """Whether any entry is not zero."""
        return bool(np.any(self.value))

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        from minisam.oracle.rounded_functions import UFUNCS

        if method != "__call__" or ufunc not in UFUNCS or kwargs:
            return NotImplemented
        return UFUNCS[ufunc](*inputs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        from minisam.oracle.rounded_functions import FUNCTIONS

        if function not in FUNCTIONS:
            return NotImplemented
        return FUNCTIONS[function](*args, **kwargs)

    def __getitem__(self, index: Any) -> Rounded:
        bound = self.bound if is_exact(self.bound) else self.bound[index]
        return Rounded(self.value[index], bound, self.unit)

    def __add__(self, other: Any) -> Rounded:
        return add(self, other)

    __radd__ = __add__

    def __sub__(self, other: Any) -> Rounded:
        return add(self, -other)

    def __rsub__(self, other: Any) -> Rounded:
        return add(-self, other)

    def __mul__(self, other: Any) -> Rounded:
        return multiply(self, other)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Rounded:
        return divide(self, other)

    def __rtruediv__(self, other: Any) -> Rounded:
        return divide(other, self)

    def __pow__(self, exponent: float) -> Rounded:
        return power(self, exponent)

    def __neg__(self) -> Rounded:
        return Rounded(-self.value, self.bound, self.unit)

    def __abs__(self) -> Rounded:
        return Rounded(np.abs(self.value), self.bound, self.unit)

    def __float__(self) -> float:
        return float(self.value)

    def __eq__(self, other: Any) -> Any:
        return self.value == value_of(other)

    def __ne__(self, other: Any) -> Any:
        return self.value != value_of(other)

    def __lt__(self, other: Any) -> Any:
        return self.value < value_of(other)

    def __le__(self, other: Any) -> Any:
        return self.value <= value_of(other)

    def __gt__(self, other: Any) -> Any:
        return self.value > value_of(other)

    def __ge__(self, other: Any) -> Any:
        return self.value >= value_of(other)

    __hash__ = None  # type: ignore[assignment]


def exact(x: Any, dtype: str | Unit) -> Rounded:
    """Numbers that are known without error."""
    unit = UNITS[dtype] if isinstance(dtype, str) else dtype
    return Rounded(np.array(x, np.float64), 0.0, unit)


def value_of(x: Any) -> Any:
    """The value of a `Rounded`; anything else is its own value."""
    return x.value if type(x) is Rounded else x


def is_exact(bound: Any) -> bool:
    """Whether a bound is the plain 0.0 that marks exact numbers."""
    return type(bound) is float and bound == 0.0


def operand(x: Any, unit: Unit) -> tuple[Any, Any]:
    """(value, bound) of an operand; a constant that the format cannot hold is rounded to it."""
    if type(x) is Rounded:
        return x.value, x.bound
    if unit.u == 2.0**-53 or isinstance(x, int | np.integer | np.bool_):
        return x, 0.0
    held = to_unit(x, unit).astype(np.float64)
    if np.all((held == x) | np.isnan(x)):
        return x, 0.0
    return x, np.where(held == x, 0.0, unit.u * np.abs(x) + unit.tiny)


def unit_of(x: Any, y: Any) -> Unit:
    """The format of a result: the array's before the scalar's, then the coarser one."""
    if type(x) is not Rounded:
        return y.unit
    if type(y) is not Rounded or x.unit is y.unit:
        return x.unit
    if np.ndim(x.value) != np.ndim(y.value):
        return x.unit if np.ndim(x.value) > np.ndim(y.value) else y.unit
    return x.unit if x.unit.u > y.unit.u else y.unit


def is_exact_zero(value: Any, bound: Any) -> Any:
    """Where an operand is exactly zero."""
    return (value == 0) if is_exact(bound) else (value == 0) & (bound == 0)


def add(x: Any, y: Any) -> Rounded:
    """The sum x + y; adding an exact zero is exact."""
    unit = unit_of(x, y)
    (a, ea), (b, eb) = operand(x, unit), operand(y, unit)
    value = a + b
    carried = ea + eb
    own = unit.u * (np.abs(value) + carried)
    kept = is_exact_zero(a, ea) | is_exact_zero(b, eb)
    return Rounded(value, carried + np.where(kept, 0.0, own), unit)


def is_power_of_two(value: Any, bound: Any) -> Any:
    """Where an operand is exactly ±2ᵏ or 0, so that multiplying by it does not round."""
    if not is_exact(bound):
        return False
    return np.abs(np.frexp(value)[0]) % 0.5 == 0


def multiply(x: Any, y: Any) -> Rounded:
    """The product x · y; multiplying by an exact power of two is exact."""
    unit = unit_of(x, y)
    (a, ea), (b, eb) = operand(x, unit), operand(y, unit)
    value = a * b
    carried = ea * np.abs(b) + eb * np.abs(a) + ea * eb
    own = unit.u * (np.abs(value) + carried) + unit.tiny * (value != 0)
    kept = is_power_of_two(a, ea) | is_power_of_two(b, eb)
    return Rounded(value, carried + np.where(kept, 0.0, own), unit)


def divide(x: Any, y: Any) -> Rounded:
    """The quotient x / y; nothing is known where the divisor may be zero."""
    unit = unit_of(x, y)
    (a, ea), (b, eb) = operand(x, unit), operand(y, unit)
    with np.errstate(all="ignore"):
        value = np.divide(a, b)
        room = np.abs(b) - eb
        carried = np.where(room > 0, (ea + np.abs(value) * eb) / room, np.inf)
        carried = np.where((a == 0) & (np.asarray(ea) == 0) & (room > 0), 0.0, carried)
    own = unit.u * (np.abs(value) + carried) + unit.tiny * (value != 0)
    return Rounded(value, carried + np.where(is_power_of_two(b, eb), 0.0, own), unit)


def power(x: Rounded, exponent: float) -> Rounded:
    """The power x^exponent for x ≥ 0: the interval's ends, and four roundings of pow()."""
    if exponent == 2:
        return multiply(x, x)
    with np.errstate(all="ignore"):
        value = x.value**exponent
        low = np.maximum(x.value - x.bound, 0.0) ** exponent
        high = (x.value + x.bound) ** exponent
    carried = np.maximum(np.abs(high - value), np.abs(value - low))
    return Rounded(value, carried + 4 * x.unit.u * (np.abs(value) + carried), x.unit)


def ratio(observed: Any, expected: Rounded) -> np.ndarray:
    """How many times the accepted error |observed − expected| is: at most 1 where they agree.

    Twice the bound is accepted, since both sides round. Where the format's range ends, near
    overflow, anything is accepted; NaN agrees with NaN.

    Example:
        >>> x = exact([1.0, 2.0], "float64") * 0.1
        >>> ratio(np.array([0.1, 0.2]), x) <= 1
        array([ True,  True])
        >>> ratio(np.array([0.1, 0.3]), x) <= 1
        array([ True, False])
    """
    seen = np.asarray(observed, np.float64)
    value, bound = np.broadcast_arrays(expected.value, expected.bound)
    with np.errstate(all="ignore"):
        accepted = 2 * bound
        apart = np.abs(seen - value)
        result = np.where(apart == 0, 0.0, apart / accepted)
        result = np.where((seen == value) | (np.isnan(seen) & np.isnan(value)), 0.0, result)
        result = np.where(np.abs(value) + accepted > expected.unit.largest, 0.0, result)
    return np.where(np.isnan(result), np.inf, result)
