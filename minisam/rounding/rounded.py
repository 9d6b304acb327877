"""Hold an array with a bound on the error of each of its entries.

NumPy asks an array what its functions do with it: here `FUNCTIONS` says so, which the other modules
of this room fill. What it lacks raises TypeError, so that no bound is lost without a word.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from minisam.rounding.formats import UNITS, Unit, dtype_of

FUNCTIONS: dict[Any, Callable[..., Any]] = {}  # what NumPy's functions do with Rounded arrays


def does(*functions: Any) -> Callable[[Any], Any]:
    """Let a function stand for some of NumPy's."""

    def enter(function: Any) -> Any:
        FUNCTIONS.update(dict.fromkeys(functions, function))
        return function

    return enter


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
