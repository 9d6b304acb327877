"""Compare what was seen with what should be there, entry by entry.

What should be there carries its own error bound, or is a plain array for a rough look: that is
several times as fast, and only a disagreement then means something.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from minisam.rounding import UNITS, Rounded, ratio, value_of

NARROW = 64 * UNITS["float32"].u  # what a norm of a few dozen entries may be off in float32


class Judgement(NamedTuple):
    """Say whether a trace agrees with a reference, and where it first does not.

    Attributes:
        agrees: whether everything is within the derived bounds.
        ratio: the largest error in units of the accepted one (at the disagreement, if any).
        step: the step of the disagreement.
        quantity: "point 0", "point 1", …, "fewer gradients", "more gradients" or "end".
        tensor: the tensor's name.
        entry: its indices there.
        expected: what the reference has there, whole.
        observed: what was seen there, whole.
        point: the number of the point, from 0, if the quantity is one.
        gradients: at how many points the reference asked in that step, if their number is wrong;
            if there are fewer, at least so many.
    """

    agrees: bool
    ratio: float = 0.0
    step: int = 0
    quantity: str = ""
    tensor: str = ""
    entry: tuple[int, ...] = ()
    expected: dict[str, Rounded] | None = None
    observed: dict[str, np.ndarray] | None = None
    point: int | None = None
    gradients: int | None = None


def error(observed: np.ndarray, expected: Any) -> np.ndarray:
    """Return the errors in units of the accepted ones; tolerate much of expected plain arrays."""
    if isinstance(expected, Rounded):
        return ratio(observed, expected)
    expected = np.asarray(expected)
    if np.array_equal(observed, expected):  # as most of them are
        return np.zeros(observed.shape)
    apart = np.abs(observed - expected)
    if np.isfinite(apart).all():  # then both are, as most of the others
        size = max(1.0, float(np.abs(observed).max()), float(np.abs(expected).max()))
        return apart / (accuracy_of(observed) * size)
    # An infinity that both have is no size, of which the others might be a share.
    finite = (np.max(np.abs(x), initial=0.0, where=np.isfinite(x)) for x in (observed, expected))
    size = max(1.0, *map(float, finite))
    apart = np.where(observed == expected, 0.0, apart) / (accuracy_of(observed) * size)
    return np.where(np.isnan(observed) & np.isnan(expected), 0.0, np.nan_to_num(apart, nan=np.inf))


def accuracy_of(observed: np.ndarray) -> float:
    """Return the relative error that a rough look tolerates."""
    return NARROW if observed.dtype == np.float64 else 1e-3


def place(quantity: str, expected: dict[str, Rounded], observed: dict[str, Any]) -> Judgement:
    """Judge a quantity by its worst entry.

    A step that is told a NaN may hand it on: to the whole of its tensor, or to all tensors, by a
    length of which everything is a multiple. Elsewhere a NaN is as wrong as any other number.
    """
    ratios = {name: error(observed[name], expected[name]) for name in observed}
    told = [name for name in observed if np.isnan(value_of(expected[name])).any()]
    filled = [name for name in observed if np.isnan(observed[name]).all()]
    handed_on = filled if told and len(filled) == len(observed) else {*told} & {*filled}
    ratios |= {name: np.zeros_like(ratios[name]) for name in handed_on}
    tensor = max(ratios, key=lambda name: float(np.max(ratios[name], initial=0.0)))
    worst = ratios[tensor]
    entry = tuple(map(int, np.unravel_index(int(np.argmax(worst)), worst.shape)))
    largest = float(np.max(worst, initial=0.0))
    return Judgement(largest <= 1, largest, 0, quantity, tensor, entry, expected, observed)
