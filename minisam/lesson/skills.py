"""Check an answer: right, not yet, or wrong, and then with a question that leads on.

The question is chosen by what the wrong answer looks like: see `minisam.lesson.slips`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minisam.lesson.cells import in_short
from minisam.lesson.questions_on_losses import BY_HAND, ESCAPE, MINIMA
from minisam.lesson.questions_on_networks import CURVATURE, LIES, TABLES, UNITS, WRONG_ONES
from minisam.lesson.slips import GENERAL, Questions, agrees, first_shown, how_many

QUESTIONS: dict[str, Questions] = {
    **MINIMA, **BY_HAND, **ESCAPE, **LIES, **CURVATURE, **UNITS, **TABLES, **WRONG_ONES,
}  # fmt: skip

INDENT = "   "
MARKS = {True: "✓ right   ", None: "· not yet ", False: "✗ wrong   "}


def skill(
    name: str,
    attempt: Callable[[], Any],
    right: Any = True,
    close: Callable[[Any, Any], Any] = agrees,
) -> bool:
    """Print whether something that the reader wrote is right, and if not, a question.

    What is not filled in yet is None, and arithmetic with None raises: that is "not yet".

    Args:
        name: what the reader can do when it is right.
        attempt: a function without arguments that returns what the reader has: None where nothing
            is filled in.
        right: what it should be; or a function of it that returns whether it is right; or True
            where the attempt returns that itself.
        close: whether two values count as equal; to three digits by default.

    Returns:
        Whether it is right.

    Example:
        >>> half = None
        >>> done = skill("halves a number", lambda: half(4.0), 2.0)
        · not yet  halves a number
        >>> half = lambda x: x / 2
        >>> done = skill("halves a number", lambda: half(4.0), 2.0)
        ✓ right    halves a number
        >>> half = lambda x: -x / 2
        >>> done = skill("halves a number", lambda: half(4.0), 2.0)
        ✗ wrong    halves a number: you have -2.
           The size is right: is the sign?
    """
    verdict, why = None, ""
    try:
        with np.errstate(all="ignore"):
            yours = attempt()
            if not is_blank(yours):
                verdict = is_right(yours, right, close)
                why = "" if verdict else question(name, yours, right)
    except Exception as error:
        if "None" not in str(error):
            verdict, why = False, f" (it raises {type(error).__name__}: {error})"
    print(f"{MARKS[verdict]} {name}{why}")
    return verdict is True


def is_blank(yours: Any) -> bool:
    """Return whether an answer is not there, or a part of it.

    Example:
        >>> is_blank(None), is_blank((1.0, None)), is_blank(0.0)
        (True, True, False)
    """
    return yours is None or (isinstance(yours, list | tuple) and any(map(is_blank, yours)))


def is_right(yours: Any, right: Any, close: Callable[[Any, Any], Any]) -> bool:
    """Return whether an answer is right; one that is of another kind than was asked for is not.

    Example:
        >>> is_right(2.0, 2, agrees), is_right("2", lambda yours: yours > 1, agrees)
        (True, False)
    """
    if right is True:
        return bool(np.all(yours))
    try:
        return bool(np.all(right(yours) if callable(right) else close(yours, right)))
    except (TypeError, ValueError, AttributeError):
        return False


def question(name: str, yours: Any, right: Any) -> str:
    """Return what a wrong answer is, where that is short, and in a line of its own what is asked.

    Example:
        >>> print(question("one step", 0.5, -0.5))
        : you have 0.5.
           The size is right: is the sign?
    """
    otherwise, slips = QUESTIONS.get(name, Questions(""))
    general = {} if right is True or callable(right) else GENERAL
    asked = first_shown({**slips, **general}, yours, right) or otherwise
    short = isinstance(yours, str | int | float | np.number | np.ndarray | list | tuple)
    short = short and right is not True and 0 <= how_many(yours) <= 3
    said = f": you have {in_short(yours)}." if short else ""
    return said + (f"\n{INDENT}{asked}" if asked else "")
