"""A line per epoch: what was measured, and how long it will still take."""

from __future__ import annotations

from typing import Any, TextIO


def clock(seconds: float) -> str:
    """Return a duration as minutes and seconds, or hours and minutes.

    Example:
        >>> clock(65), clock(3725), clock(0.4)
        ('1:05', '1h02', '0:00')
    """
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes // 60}h{minutes % 60:02d}" if minutes >= 60 else f"{minutes}:{rest:02d}"


def print_row(file: TextIO, record: dict[str, Any], epochs: int, left: float) -> None:
    """Print one epoch's row, under a heading if it is the first row of a run.

    Args:
        file: where to print.
        record: numbers by name; ``epoch`` and ``seconds`` have columns of their own.
        epochs: number of epochs in all.
        left: estimate of the seconds left.

    Example:
        >>> import sys
        >>> print_row(sys.stdout, {"epoch": 1, "seconds": 0.5, "loss": 2.25}, 10, 4.5)
            epoch      loss   s/epoch     left
           1/10      2.2500      0.50     0:04
    """
    columns = {key: value for key, value in record.items() if key not in ("epoch", "seconds")}
    width = {key: max(len(key), 8) for key in columns}
    if record["epoch"] == 1:
        names = "  ".join(f"{key:>{width[key]}}" for key in columns)
        print(f"{'epoch':>9}  {names}  {'s/epoch':>8}  {'left':>7}", file=file)
    cells = "  ".join(f"{value:{width[key]}.4f}" for key, value in columns.items())
    place = f"{record['epoch']:>4}/{epochs:<4}"
    print(f"{place}  {cells}  {record['seconds']:8.2f}  {clock(left):>7}", file=file, flush=True)
