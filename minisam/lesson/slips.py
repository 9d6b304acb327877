"""How a wrong answer is recognized: each slip is a function of the answer and of the right one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

Slip = Callable[[Any, Any], Any]  # (yours, right) -> whether it is this one


class Questions(NamedTuple):
    """What is asked of any wrong answer, and before that, of one that shows a slip."""

    otherwise: str
    slips: Mapping[str, Slip] = {}


def agrees(yours: Any, right: Any) -> bool:
    """Return whether what a reader wrote is right, to three digits.

    Whoever rounds to three digits is off by at most half a unit of the third: of 1.00, 0.5 %.

    Args:
        yours: a number or several, rounded or not, as a list or an array, a column or a row.
        right: what they should be, none of them 0.

    Example:
        >>> agrees(0.333, 1 / 3), agrees(0.33, 1 / 3), agrees((0.447, 2.89), [0.4472, 2.8944])
        (True, False, True)
    """
    as_many = np.size(yours) == np.size(right)  # nothing would be near to any number
    return as_many and bool(np.allclose(np.ravel(yours), np.ravel(right), rtol=0.005, atol=0.0))


def multiple(*factors: float) -> Slip:
    """Tell an answer that is the right one times one of some factors.

    Example:
        >>> multiple(2)(6.0, 3.0), multiple(2, 3)([2, 4], np.array([1, 2])), multiple(2)(5.0, 3.0)
        (True, True, False)
    """

    def is_times(yours: Any, wrong: np.ndarray) -> bool:
        room = 1e-3 * np.max(np.abs(wrong))  # of many numbers the small ones may be off by more
        return np.size(yours) == wrong.size and np.allclose(np.ravel(yours), wrong, 5e-3, room)

    return lambda yours, right: any(is_times(yours, by * np.ravel(right)) for by in factors)


def plus(number: float) -> Slip:
    """Tell an answer that is the right one and a number too much.

    Example:
        >>> plus(0.05)(0.55, 0.5)
        True
    """
    return lambda yours, right: agrees(yours, right + number)


def value(*numbers: Any) -> Slip:
    """Tell an answer that is one of these.

    Example:
        >>> value(0.5, 1.0)(1.0, 2.0), value((4, -2))([4, -2], (-2, 4)), value("sharp")("flat", 1)
        (True, True, False)
    """

    def slip(yours: Any, right: Any) -> bool:
        if isinstance(yours, str):
            return yours in numbers
        return any(agrees(yours, one) for one in numbers)

    return slip


def between(low: float, high: float) -> Slip:
    """Tell a number that lies in an interval, its ends included.

    Example:
        >>> between(0, 1)(0.5, 3), between(0, 1)(2.0, 3)
        (True, False)
    """
    return lambda yours, right: low <= yours <= high


def is_nan(yours: Any, right: Any) -> bool:
    """Tell an answer that is no number, or has one that is none.

    Example:
        >>> is_nan(np.array([np.nan, 1.0]), 0.0), is_nan(2.0, 0.0)
        (True, False)
    """
    return bool(np.any(np.isnan(yours)))


def is_near(yours: Any, right: Any) -> bool:
    """Tell an answer that has two digits or so of the right one.

    Example:
        >>> is_near(0.33, 1 / 3), is_near(0.3, 1 / 3)
        (True, False)
    """
    return np.size(yours) == np.size(right) and np.allclose(np.ravel(yours), np.ravel(right), 0.03)


def has_other_size(yours: Any, right: Any) -> bool:
    """Tell an answer of more numbers than were asked for, or of fewer.

    Example:
        >>> has_other_size([1, 2], 3.0), has_other_size([1, [2, 3]], 3.0)
        (True, True)
    """
    return how_many(yours) != np.size(right)


def how_many(yours: Any) -> int:
    """Return how many numbers an answer has, −1 where it is a list that is no array.

    Example:
        >>> how_many(3.0), how_many([[1], [2]]), how_many([1, [2, 3]])
        (1, 2, -1)
    """
    try:
        return np.size(yours)
    except ValueError:
        return -1


# What is asked of a wrong number whatever it is about.
GENERAL: Mapping[str, Slip] = {
    "How many numbers are asked for?": has_other_size,
    "The size is right: is the sign?": multiple(-1),
    "Is a share asked for, or a percentage?": multiple(100, 0.01),
    "It is near: how many digits do you have?": is_near,
}


def first_shown(questions: Mapping[str, Slip], yours: Any, right: Any) -> str:
    """Return the first question whose slip an answer shows, or nothing.

    Example:
        >>> half = {"Where is the ½?": multiple(2)}
        >>> first_shown(half, 6.0, 3.0), first_shown(half, 7.0, 3.0)
        ('Where is the ½?', '')
    """
    return next((asked for asked, slip in questions.items() if shows(slip, yours, right)), "")


def shows(slip: Slip, yours: Any, right: Any) -> bool:
    """Return whether an answer shows a slip; one that cannot be compared does not."""
    try:
        return bool(slip(yours, right))
    except (TypeError, ValueError, ArithmeticError):
        return False
