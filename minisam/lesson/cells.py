"""A guess beside the answer, and a picture with its words."""

from __future__ import annotations

import sys
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
