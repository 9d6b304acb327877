"""Write numbers and lists as a reader would: short, and as Python."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable
from typing import Any

import numpy as np

WIDTH = 88


def literal(value: Any) -> str:
    """Write a value as Python that needs no names but those of the builtins.

    Example:
        >>> literal(np.inf), literal(("bias",)), literal(np.float64(0.5))
        ("float('inf')", "('bias',)", '0.5')
    """
    if isinstance(value, float):
        return repr(float(value)) if np.isfinite(value) else f"float({str(float(value))!r})"
    return repr(value)


def numbers_in(numbers: Any, digits: int = 0) -> str:
    """Write an array as nested lists of its shortest numbers, rounded to digits if there are any.

    Example:
        >>> numbers_in(np.array([[1.0, 0.1]])), numbers_in(np.array([2.4000000000000004]), 7)
        ('[[1.0, 0.1]]', '[2.4]')
    """
    if np.ndim(numbers):
        return brackets(numbers_in(one, digits) for one in numbers)
    value = float(f"{float(numbers):.{digits}g}") if digits else float(str(numbers))
    return re.sub("inf|nan", r"np.\g<0>", repr(value))


def in_whole_numbers(text: str) -> str:
    """Write whole numbers without a point.

    Example:
        >>> in_whole_numbers("[3.0, 10.05]")
        '[3, 10.05]'
    """
    return re.sub(r"(\d)\.0(?!\d)", r"\1", text)


def list_of(arrays: Iterable[Any], digits: int = 0, missing: bool = False) -> str:
    """Write arrays as a list; None for those that are zero and so are not there, if ``missing``."""
    return brackets("None" if missing and not np.any(x) else numbers_in(x, digits) for x in arrays)


def brackets(texts: Iterable[str]) -> str:
    """Write a list of what is written."""
    return f"[{', '.join(texts)}]"


def folded(line: str) -> list[str]:
    """Fold a line that is too long at the commas between numbers, where Python goes on reading."""
    if len(line) <= WIDTH:
        return [line]
    begin = len(line) - len(line.lstrip())
    return textwrap.wrap(
        line, WIDTH, initial_indent="", subsequent_indent=" " * (begin + 4),
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip
