"""Compare what was computed with what should be, in units of the error that rounding explains."""

from __future__ import annotations

from typing import Any

import numpy as np

from minisam.rounding.rounded import Rounded


def ratio(observed: Any, expected: Rounded) -> np.ndarray:
    """Return |observed − expected| in units of the accepted error: at most 1 where they agree.

    Twice the bound is accepted, since both sides round. Where the format's range ends, near
    overflow, anything is accepted, and so it is where the bound is infinite; NaN agrees with NaN.

    Example:
        >>> from minisam.rounding import exact
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
