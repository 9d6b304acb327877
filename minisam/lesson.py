"""What the cells of a tutorial say: a guess beside the answer, a line a skill, a picture in words.

A notebook that one works through asks before it tells. A reader who has not answered yet is told
"not yet" and nothing worse, so that every cell runs before anything is filled in.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np


def reveal(question: str, guess: Any, answer: Any) -> None:
    """Print a guess and the answer side by side; None is a guess that was not made.

    Args:
        question: in a few words.
        guess: what the reader wrote.
        answer: what was computed; numbers are printed with three digits.

    Example:
        >>> reveal("how many times as much?", 4, 16.0)
        how many times as much?  your guess: 4   answer: 16
        >>> reveal("how many times as much?", None, 16.0)
        how many times as much?  your guess: –   answer: 16
    """
    said = "–" if guess is None else in_short(guess)
    print(f"{question}  your guess: {said}   answer: {in_short(answer)}")


def in_short(value: Any) -> str:
    """Return a value as one reads it: numbers with three digits, vectors in round brackets.

    Example:
        >>> in_short(np.array([0.1 + 0.2, 2])), in_short("flat"), in_short(True), in_short([])
        ('(0.3, 2)', 'flat', 'True', '()')
    """
    if isinstance(value, np.ndarray | list | tuple):
        return f"({', '.join(map(in_short, value))})"
    if isinstance(value, bool | np.bool_ | str):
        return str(value)
    return f"{value:.3g}" if isinstance(value, int | float | np.number) else str(value)


def skill(name: str, attempt: Callable[[], Any]) -> bool:
    """Print one line: whether something that the reader wrote is right.

    What is not filled in yet is None, and arithmetic with None raises: that is "not yet", too.

    Args:
        name: what the reader can do when it is right.
        attempt: a function without arguments that returns whether it is.

    Example:
        >>> half = None
        >>> skill("halves a number", lambda: half(4.0) == 2.0)
        · not yet  halves a number
        False
        >>> skill("halves a number", lambda: 4.0 / 2 == 2.0)
        ✓ right    halves a number
        True
    """
    why = ""
    try:
        with np.errstate(all="ignore"):
            right = bool(np.all(attempt()))
    except Exception as error:
        right = False
        if "None" not in str(error):
            why = f"  (it raises {type(error).__name__}: {error})"
    print(f"{'✓ right   ' if right else '· not yet '} {name}{why}")
    return right


def agrees(yours: Any, right: Any) -> bool:
    """Return whether what a reader wrote is right, to three digits.

    Whoever rounds to three digits is off by at most half a unit of the third: of 1.00, 0.5 %.

    Args:
        yours: a number or several, rounded or not.
        right: what they should be, none of them 0.

    Example:
        >>> agrees(0.333, 1 / 3), agrees(0.33, 1 / 3), agrees((0.447, 2.89), [0.4472, 2.8944])
        (True, False, True)
    """
    as_many = np.size(yours) == np.size(right)  # nothing would be near to any number
    return as_many and bool(np.allclose(yours, right, rtol=0.005, atol=0.0))


def show(figure: Any, alt: str) -> None:
    """Show a figure in a notebook with a text for those who don't see it, and close it.

    Outside of a notebook it is only closed.

    Args:
        figure: of `matplotlib.pyplot`.
        alt: what there is to see, in a sentence or two.

    Example:
        >>> import matplotlib.pyplot as plt
        >>> show(plt.figure(), "An empty page.")
        >>> plt.get_fignums()
        []
    """
    import matplotlib.pyplot as plt  # here, as only a picture needs it, and it is slow

    interactive = sys.modules.get("IPython")
    if interactive is not None and interactive.get_ipython() is not None:
        from IPython.display import display  # here, as it is no dependency

        display(figure, metadata={"image/png": {"alt": alt}})
    plt.close(figure)
