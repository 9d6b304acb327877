"""Every picture, in one style: the same colour for the same method, readable from the last row.

The colours are Okabe and Ito's, which people with any common colour vision tell apart. Matplotlib
is imported inside the functions, so that nothing else pays for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from minisam.files import write_atomically

BLACK, ORANGE, SKY, GREEN, YELLOW, BLUE, VERMILION, PURPLE = (
    "#000000",
    "#E69F00",
    "#56B4E9",
    "#009E73",
    "#F0E442",
    "#0072B2",
    "#D55E00",
    "#CC79A7",
)
GREY = "#777777"
COLOURS = {
    "SGD": BLACK,
    "SAM": BLUE,
    "ASAM": VERMILION,
    "Mixup": ORANGE,
    "Bootstrap": GREEN,
    "Bootstrap + Mixup": YELLOW,
    "Bootstrap + SAM": SKY,
    "GCE": PURPLE,
}
STYLE = {
    "font.size": 13,
    "axes.titlesize": 14,
    "axes.labelsize": 13,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#DDDDDD",
    "grid.linewidth": 0.8,
    "axes.axisbelow": True,
    "lines.linewidth": 2.2,
    "lines.markersize": 7,
    "legend.frameon": False,
    "legend.fontsize": 12,
    "savefig.dpi": 150,
}


def colour(method: str) -> str:
    """Return the colour of a method; grey for those that have none of their own.

    Example:
        >>> colour("SAM"), colour("something else")
        ('#0072B2', '#777777')
    """
    return COLOURS.get(method, GREY)


@contextmanager
def picture(path: str | Path, width: float = 10.0, height: float = 5.6) -> Iterator[Any]:
    """Yield a Matplotlib figure in the common style, and save it when the block ends.

    Args:
        path: where to save it; the ending says in which format. Written whole or not at all.
        width: in inches.
        height: in inches.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with picture(f"{folder}/line.png") as figure:
        ...         _ = figure.subplots().plot([1, 2])
        ...     Path(f"{folder}/line.png").stat().st_size > 1000
        True
    """
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        yield figure
        kind = Path(path).suffix[1:] or "png"
        write_atomically(path, lambda file: figure.savefig(file, format=kind))


def curve_with_interval(
    axes: Any, x: Sequence[float], intervals: Sequence[Any], method: str, **options: Any
) -> None:
    """Draw means joined by a line, with their confidence intervals as bars.

    Args:
        axes: Matplotlib axes.
        x: where, shape (points,).
        intervals: `minisam.statistics.Interval` or (value, low, high, …), one per point.
        method: sets the colour, and the label unless ``options`` have one.
        **options: for ``axes.errorbar``.
    """
    value, low, high = ([interval[k] for interval in intervals] for k in range(3))
    below = [v - a for v, a in zip(value, low, strict=True)]
    above = [b - v for v, b in zip(value, high, strict=True)]
    options = {"color": colour(method), "marker": "o", "capsize": 4, "label": method} | options
    axes.errorbar(x, value, yerr=[below, above], **options)


def dots_by_method(
    axes: Any, filled: Mapping[str, Any], hollow: Mapping[str, Any] | None = None
) -> None:
    """Draw one row per method: a dot with its interval, and a hollow dot without.

    Args:
        axes: Matplotlib axes; methods run from top to bottom.
        filled: {method: interval}.
        hollow: {method: interval}, of which the value alone is drawn.
    """
    for row, (method, (value, low, high, *_)) in enumerate(filled.items()):
        axes.plot([low, high], [row, row], color=colour(method), linewidth=3, alpha=0.45)
        axes.plot([value], [row], "o", color=colour(method), markeredgecolor=BLACK, markersize=9)
        if hollow is not None:
            axes.plot(
                [hollow[method][0]], [row], "o", markerfacecolor="none", markersize=9,
                markeredgecolor=colour(method), markeredgewidth=2,
            )  # fmt: skip
    axes.set_yticks(range(len(filled)), list(filled))
    axes.set_ylim(len(filled) - 0.5, -0.5)


def curves_over_seeds(axes: Any, curves: Sequence[Sequence[float]], label: str) -> None:
    """Draw the mean of several runs' curves with a band of its 95 % confidence interval.

    Args:
        axes: Matplotlib axes.
        curves: one row per seed, of shape (seeds, epochs); epochs count from 1.
        label: method's name, which sets the colour.
    """
    from minisam.statistics import mean_interval

    epochs = range(1, len(curves[0]) + 1)
    intervals = [mean_interval(values) for values in zip(*curves, strict=True)]
    axes.plot(epochs, [interval.value for interval in intervals], color=colour(label), label=label)
    low, high = [interval.low for interval in intervals], [interval.high for interval in intervals]
    axes.fill_between(epochs, low, high, color=colour(label), alpha=0.2, linewidth=0)
