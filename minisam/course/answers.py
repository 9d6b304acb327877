"""Look at an answer: what kind of thing it is, and whether it is near enough."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minisam.course.child import Other
from minisam.course.rubric import Lost


def as_number(value: Any, what: str) -> float:
    """Return an answer that is to be one number."""
    if isinstance(value, np.ndarray) and value.size == 1:
        value = value.item()
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | float | np.number):
        raise Lost(f"{what} returns {described(value)}.", "What kind of thing is the answer?")
    try:
        return float(value)
    except OverflowError:
        raise Lost(f"{what} returns a huge number.", "How large may the answer be?") from None


def as_like(value: Any, like: np.ndarray, what: str) -> np.ndarray:
    """Return an answer that is to be an array of the shape and dtype of another."""
    if not isinstance(value, np.ndarray | np.generic):
        raise Lost(f"{what} returns {described(value)}, not an array.", "What is to come back?")
    if value.shape != like.shape:
        raise Lost(f"{what}: {like.shape} went in, {value.shape} came out.", "Which axis went?")
    if value.dtype != like.dtype:
        said = f"{what}: {like.dtype} went in, {value.dtype} came out."
        raise Lost(said, "Which number in your formula is not of the dtype of the weights?")
    return np.asarray(value)


def described(value: Any) -> str:
    """Say what a wrong answer is."""
    if isinstance(value, Other):
        return value.kind
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}"
    return "nothing" if value is None else f"{type(value).__name__}"


def unchanged(after: Sequence[Any], before: Sequence[Any], what: str) -> None:
    """Refuse an answer whose arguments are not what they were."""
    for now, then in zip(after, before, strict=True):
        if not np.array_equal(np.asarray(now), np.asarray(then), equal_nan=True):
            said = f"{what} changes an array that it was given."
            raise Lost(said, "Who else may still hold that array? What makes a new one?")


def near(value: Any, expected: Any, terms: int = 64) -> bool:
    """Return whether two arrays are as near as so many roundings of their dtype leave them."""
    value, expected = np.asarray(value), np.asarray(expected)
    kind = value.dtype if value.dtype.kind == "f" else np.dtype(float)
    size = np.maximum(np.abs(expected), np.max(np.abs(expected), initial=0.0))
    apart = np.abs(value.astype(float) - expected.astype(float))
    return bool(np.all(apart <= terms * float(np.finfo(kind).eps) * size.astype(float)))
