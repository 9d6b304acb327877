"""Checks of arguments: each error names the argument, what it was and what it may be."""

from __future__ import annotations

import math
import operator
from numbers import Real
from typing import Any

import numpy as np


def is_real(value: Any) -> bool:
    """Tell a real number of Python or NumPy from anything else, truth values and text among it.

    Example:
        >>> [is_real(value) for value in (1, 0.5, np.float32(0.5), np.array(0.5))]
        [True, True, True, True]
        >>> [is_real(value) for value in (True, np.True_, "0.5", 1j, None, np.array([0.5]))]
        [False, False, False, False, False, False]
    """
    if isinstance(value, np.ndarray):
        return value.shape == () and value.dtype.kind in "iuf"
    return isinstance(value, Real) and not isinstance(value, bool)


def check_number(
    name: str, value: Any, low: float = 0.0, high: float = math.inf, open_high: bool = False
) -> float:
    """Return ``value`` as a float; raise ValueError unless it is in [low, high] (or [low, high)).

    Infinity is accepted only where ``high`` is infinite and ``open_high`` is False; NaN never, nor
    a truth value, nor an integer that no float can hold.

    Example:
        >>> check_number("rho", -1.0, open_high=True)
        Traceback (most recent call last):
        ...
        ValueError: rho must be a number in [0, inf), got -1.0
    """
    interval = f"[{low:g}, {high:g}" + (")" if open_high else "]")
    try:
        number = float(value) if is_real(value) else math.nan
    except OverflowError:
        number = math.nan
    inside = low <= number < high if open_high else low <= number <= high
    if not inside:
        raise ValueError(f"{name} must be a number in {interval}, got {value!r}")
    return number


def check_whole(name: str, value: Any, low: int = 0, high: int | None = None) -> int:
    """Return ``value`` as an int; raise ValueError unless it is whole, from ``low`` to ``high``.

    Integers of Python and NumPy are; truth values and floats such as 2.0 are not.

    Example:
        >>> check_whole("epochs", 2.0, low=1)
        Traceback (most recent call last):
        ...
        ValueError: epochs must be a whole number of at least 1, got 2.0
    """
    try:
        number = low - 1 if isinstance(value, bool | np.bool_) else operator.index(value)
    except TypeError:
        number = low - 1
    if number < low or (high is not None and number > high):
        allowed = f"of at least {low:,}" if high is None else f"from {low:,} to {high:,}"
        raise ValueError(f"{name} must be a whole number {allowed}, got {value!r}")
    return number


def check_flag(name: str, value: Any) -> None:
    """Raise ValueError unless ``value`` is True or False.

    Example:
        >>> check_flag("nesterov", "no")
        Traceback (most recent call last):
        ...
        ValueError: nesterov must be True or False, got 'no'
    """
    if not isinstance(value, bool | np.bool_):
        raise ValueError(f"{name} must be True or False, got {value!r}")


def check_choice(name: str, value: Any, choices: tuple[str, ...]) -> None:
    """Raise ValueError unless ``value`` is one of ``choices``.

    Example:
        >>> check_choice("scope", "some", ("weights", "all"))
        Traceback (most recent call last):
        ...
        ValueError: scope must be one of 'weights', 'all', got 'some'
    """
    if not isinstance(value, str) or value not in choices:
        allowed = ", ".join(map(repr, choices))
        raise ValueError(f"{name} must be one of {allowed}, got {value!r}")
