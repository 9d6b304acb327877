"""How far the work has come: durations, and a line per epoch."""

from __future__ import annotations

from typing import Any, TextIO


def clock(seconds: float) -> str:
    """Write a duration as people say it.

    Example:
        >>> clock(7.4), clock(95), clock(7300)
        ('7 s', '1 min 35 s', '2 h 1 min')
    """
    seconds = round(seconds)
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min {seconds % 60} s"
    return f"{seconds // 3600} h {seconds % 3600 // 60} min"


def print_row(file: TextIO, record: dict[str, Any], epochs: int, left: float) -> None:
    """Print one epoch's row, under a heading if it is the first row of a run.

    Args:
        file: where to print.
        record: numbers and texts by name; ``epoch`` and ``seconds`` have their own columns.
        epochs: number of epochs in all.
        left: estimate of the seconds left.

    Example:
        >>> import sys
        >>> print_row(sys.stdout, {"epoch": 1, "seconds": 0.5, "loss": 2.25}, 10, 4.5)
            epoch      loss   s/epoch         left
           1/10      2.2500      0.50          4 s
    """
    columns = {key: value for key, value in record.items() if key not in ("epoch", "seconds")}
    width = {key: max(len(key), 8) for key in columns}
    if record["epoch"] == 1:
        names = "  ".join(f"{key:>{width[key]}}" for key in columns)
        print(f"{'epoch':>9}  {names}  {'s/epoch':>8}  {'left':>11}", file=file)
    cells = "  ".join(f"{_cell(value):>{width[key]}}" for key, value in columns.items())
    place = f"{record['epoch']:>4}/{epochs:<4}"
    print(f"{place}  {cells}  {record['seconds']:8.2f}  {clock(left):>11}", file=file, flush=True)


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    return value if isinstance(value, str) else f"{value:.4f}"
