"""Every picture, in one style: the same colour for the same method, readable from the last row.

The colours are Okabe and Ito's, which people with any common colour vision tell apart. Matplotlib
is imported where a picture is made, so that nothing else pays for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

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
SERIES = ((SKY, "o"), (BLUE, "D"), (PURPLE, "^"))  # three of a kind: printed in grey, marks tell
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
DASHES = {"ASAM": (0, (4, 1.2)), "Mixup": ":", "GCE": "-."}  # of lines, and marks of points:
MARKS = {"SGD": "s", "SAM": "o", "ASAM": "^"}  # the colours alone are alike in grey
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
    """Return the colour of a method; grey for those that have none.

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
    import matplotlib  # here, as only a picture needs it, and it is slow
    from matplotlib.figure import Figure

    with matplotlib.rc_context(STYLE):  # type: ignore[arg-type]  # wants a Literal of all names
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
        intervals: (value, low, high, …), one per point.
        method: sets the colour, and the label unless ``options`` have one.
        **options: for ``axes.errorbar``.
    """
    value, low, high = ([interval[k] for interval in intervals] for k in range(3))
    below = [v - a for v, a in zip(value, low, strict=True)]
    above = [b - v for v, b in zip(value, high, strict=True)]
    options = {"color": colour(method), "marker": "o", "capsize": 4, "label": method} | options
    axes.errorbar(x, value, yerr=[below, above], **options)


def dot_with_interval(axes: Any, x: float, interval: Any, method: str = "", **options: Any) -> None:
    """Draw one mean as a dot, with its confidence interval as a bar.

    Args:
        axes: Matplotlib axes.
        x: where.
        interval: (value, low, high, …).
        method: sets the colour.
        **options: for ``axes.errorbar``; without a ``label`` it is not in the legend.
    """
    options = {"linestyle": "none", "label": None} | options
    curve_with_interval(axes, [x], [interval], method, **options)


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


def level_with_band(axes: Any, interval: Sequence[float], method: str) -> None:
    """Draw a mean as a level line, with a band of its confidence interval.

    Args:
        axes: Matplotlib axes.
        interval: (value, low, high, …).
        method: sets the colour and the label.
    """
    value, low, high, *_ = interval
    axes.axhline(value, color=colour(method), label=method)
    axes.axhspan(low, high, color=colour(method), alpha=0.12)


def curve_with_band(
    axes: Any, intervals: Sequence[Any], method: str, label: str | None = None
) -> None:
    """Draw means by epoch as a line, with a band of their confidence intervals.

    Args:
        axes: Matplotlib axes.
        intervals: (value, low, high, …), one per epoch; epochs count from 1.
        method: sets the colour and the dashes.
        label: the method's name by default.
    """
    epochs = range(1, len(intervals) + 1)
    value, low, high = ([interval[k] for interval in intervals] for k in range(3))
    dashes = DASHES.get(method, "-")
    axes.plot(epochs, value, color=colour(method), linestyle=dashes, label=label or method)
    axes.fill_between(epochs, low, high, color=colour(method), alpha=0.2, linewidth=0)


def arrow(axes: Any, start: Sequence[float], end: Sequence[float], **options: Any) -> None:
    """Draw an arrow from one point to another, in the coordinates of the axes.

    Args:
        axes: Matplotlib axes.
        start: (x, y).
        end: (x, y).
        **options: for the arrow, such as ``color`` and ``linestyle``.
    """
    style = {"arrowstyle": "-|>", "linewidth": 2.6, "mutation_scale": 18, "shrinkA": 0}
    style |= {"shrinkB": 0} | options
    axes.annotate("", end, start, arrowprops=style)


def name_point(axes: Any, text: str, point: Sequence[float], offset: Sequence[float]) -> None:
    """Write the name of a point beside it, on a ground that keeps it readable.

    Args:
        axes: Matplotlib axes.
        text: the name.
        point: (x, y).
        offset: from the point, in points of type.
    """
    axes.annotate(
        text, point, offset, textcoords="offset points", fontsize=15, ha="center", va="center",
        bbox={"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": "none",
              "alpha": 0.8},
    )  # fmt: skip


def step_from_above(
    axes: Any, a: Any, b: Any, d1: Any, d2: Any, lr: float, shown: float = 0.1
) -> None:
    """Draw one step of SGD and one of SAM in two weights: the gradients, the climb, both ends.

    The gradients d1 at A and d2 at B point uphill, ``shown`` times as long as they are.

    Args:
        axes: Matplotlib axes.
        a: A, shape (2,).
        b: B = A + ε, shape (2,).
        d1: gradient at A, shape (2,).
        d2: gradient at B, shape (2,).
        lr: step size η.
        shown: length at which the gradients are drawn, relative to their own.

    Example:
        >>> from matplotlib.figure import Figure
        >>> axes = Figure().subplots()
        >>> a, b = np.array([3.0, 1.0]), np.array([3.3, 1.4])
        >>> step_from_above(axes, a, b, a * [1, 4], b * [1, 4], lr=0.25)
        >>> [text.get_text() for text in axes.texts if text.get_text()]
        ['A', 'B', 'SGD', 'SAM', 'ε', 'd1', 'd2']
    """
    a, b, d1, d2 = map(np.asarray, (a, b, d1, d2))
    sgd, sam = a - lr * d1, a - lr * d2
    arrow(axes, a, b, color=ORANGE, linestyle=":", linewidth=2)
    for start, gradient, end, method in ((a, d1, sgd, "SGD"), (b, d2, sam, "SAM")):
        arrow(axes, start, start + shown * gradient, color=colour(method), linewidth=1.8)
        arrow(axes, a, end, color=colour(method))
        axes.plot(*start, "o", color=colour(method), markersize=10)

    def aside(start: Any, end: Any, points: float) -> Any:
        along = end - start if np.any(end != start) else np.array([1.0, 0.0])
        return points * np.array([along[1], -along[0]]) / np.linalg.norm(along)

    for text, point, offset in (
        ("A", a, aside(a, b, 20)), ("B", b, aside(a, b, 20)), ("SGD", sgd, aside(a, sgd, -24)),
        ("SAM", sam, aside(a, sam, 24)), ("ε", (a + b) / 2, aside(a, b, -20)),
        ("d1", a + shown * d1, aside(a, b, 18)), ("d2", b + shown * d2, (20, 0)),
    ):  # fmt: skip
        name_point(axes, text, point, offset)


def contours(axes: Any, loss: Callable[[Any], Any], x: Any, y: Any, levels: int = 14) -> None:
    """Draw a loss of two variables from above, light where it is low; levels spaced as squares.

    Args:
        axes: Matplotlib axes.
        loss: L, from an array of shape (..., 2) to one of shape (...).
        x: where along the first variable, shape (nx,).
        y: where along the second, shape (ny,).
        levels: number of contour lines.
    """
    grid = np.stack(np.meshgrid(x, y), axis=-1)
    values = loss(grid)
    heights = values.min() + np.ptp(values) * np.linspace(0, 1, levels) ** 2.5
    axes.contourf(x, y, values, heights, cmap="Greys", alpha=0.55, extend="max")
    axes.contour(x, y, values, heights[1:], colors="#999999", linewidths=0.7)
    axes.grid(visible=False)


def transition_matrix(figure: Any, transition: Any, class_names: Sequence[str], title: str) -> None:
    """Draw a transition matrix of label noise: true classes down, given labels across.

    Args:
        figure: a Matplotlib figure, such as `picture` yields; its size is set by the classes.
        transition: share of class i that is labelled j, of shape (K, K).
        class_names: a name to each class; numbers are written for at most 20 classes.
        title: of the picture.
    """
    classes = len(class_names)
    numbers = classes <= 20
    side = max(4.5, 0.7 * classes) if numbers else 8.0
    figure.set_size_inches(side + 1.6, side + 0.8)
    axes = figure.subplots()
    axes.grid(visible=False)
    image = axes.imshow(100 * transition, cmap="viridis", vmin=0, vmax=100)
    if numbers:
        axes.set_xticks(
            range(classes), class_names, rotation=45, ha="right", rotation_mode="anchor"
        )
        axes.set_yticks(range(classes), class_names)
        for i, row in enumerate(100 * transition):
            for j, share in enumerate(row):
                if share > 0:
                    shade = "black" if share > 60 else "white"
                    text = f"{share:.0f}" if share >= 0.5 else "<1"
                    axes.text(j, i, text, ha="center", va="center", color=shade, fontsize=11)
    axes.set_xlabel("given label")
    axes.set_ylabel("true class")
    axes.set_title(title)
    figure.colorbar(image, ax=axes, label="% of the true class", shrink=0.8)


def images_by_class(
    figure: Any, images: Any, labels: Any, class_names: Sequence[str], rows: int = 4
) -> None:
    """Draw the first images of each class, a column to each.

    Args:
        figure: a Matplotlib figure, such as `picture` yields; its size is set by the images.
        images: uint8 array of shape (n, height, width, channels).
        labels: int array of shape (n,).
        class_names: a name to each class to be drawn: label 0, 1, …
        rows: how many images of each.
    """
    height, width, channels = images.shape[1:]
    cell_height, cell_width = height + 2, width + 2
    shape = (rows * cell_height, len(class_names) * cell_width, channels)
    sheet = np.full(shape, 255, np.uint8)  # one picture: an axes for each image takes seconds
    for column in range(len(class_names)):
        for row, index in enumerate(np.flatnonzero(labels == column)[:rows]):
            top, left = row * cell_height + 1, column * cell_width + 1
            sheet[top : top + height, left : left + width] = images[index]
    figure.set_size_inches(0.95 * len(class_names), 0.95 * rows + 0.7)
    axes = figure.subplots()
    axes.grid(visible=False)
    axes.imshow(sheet)
    middles = cell_width * (np.arange(len(class_names)) + 0.5)
    axes.set_xticks(middles, class_names, rotation=30, ha="left", rotation_mode="anchor")
    axes.xaxis.tick_top()
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
