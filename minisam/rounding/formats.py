"""Name the floating-point formats, and round to them.

A format is known by u, half the distance from 1 to its next number, and by the ends of its range.
bfloat16, which NumPy lacks, travels in float32.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np


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
