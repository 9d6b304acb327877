"""Pictures of data: the transition matrix of label noise, and samples of images."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from minisam.files import expanded, write_atomically

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw_transition(transition: np.ndarray, class_names: tuple[str, ...], title: str) -> Figure:
    """Draw a transition matrix: true classes down, given labels across.

    Args:
        transition: share of class i that is labelled j, of shape (K, K).
        class_names: a name to each class.
        title: of the picture.

    Returns:
        The figure; `save_figure` writes it.
    """
    from matplotlib.figure import Figure

    classes = len(class_names)
    numbers = classes <= 20
    side = max(4.5, 0.62 * classes) if numbers else 8.0
    figure = Figure(figsize=(side + 1.4, side + 0.6), layout="constrained")
    axes = figure.subplots()
    picture = axes.imshow(100 * transition, cmap="viridis", vmin=0, vmax=100)
    if numbers:
        axes.set_xticks(
            range(classes), class_names, rotation=45, ha="right", rotation_mode="anchor"
        )
        axes.set_yticks(range(classes), class_names)
        for i, j in np.ndindex(transition.shape):
            share = 100 * transition[i, j]
            if share > 0:
                shade = "black" if share > 60 else "white"
                text = f"{share:.0f}" if share >= 0.5 else "<1"
                axes.text(j, i, text, ha="center", va="center", color=shade, fontsize=9)
    axes.set_xlabel("given label")
    axes.set_ylabel("true class")
    axes.set_title(title)
    figure.colorbar(picture, ax=axes, label="% of the true class", shrink=0.8)
    return figure


def draw_images(
    images: np.ndarray, labels: np.ndarray, class_names: tuple[str, ...], rows: int = 4
) -> Figure:
    """Draw the first images of each class, a column to each.

    Args:
        images: uint8 array of shape (n, height, width, channels).
        labels: int array of shape (n,).
        class_names: a name to each class to be drawn: label 0, 1, …
        rows: how many images of each.

    Returns:
        The figure.
    """
    from matplotlib.figure import Figure

    height, width, channels = images.shape[1:]
    cell_height, cell_width = height + 2, width + 2
    shape = (rows * cell_height, len(class_names) * cell_width, channels)
    sheet = np.full(shape, 255, np.uint8)  # one picture: an axes for each image takes seconds
    for column in range(len(class_names)):
        for row, index in enumerate(np.flatnonzero(labels == column)[:rows]):
            top, left = row * cell_height + 1, column * cell_width + 1
            sheet[top : top + height, left : left + width] = images[index]
    figure = Figure(figsize=(0.95 * len(class_names), 0.95 * rows + 0.5), layout="constrained")
    axes = figure.subplots()
    axes.imshow(sheet)
    middles = cell_width * (np.arange(len(class_names)) + 0.5)
    axes.set_xticks(middles, class_names, rotation=30, ha="left", rotation_mode="anchor")
    axes.xaxis.tick_top()
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    return figure


def save_figure(figure: Figure, path: str | os.PathLike[str]) -> Path:
    """Save a figure whole or not at all, in the format of the file's ending; return where.

    Raises:
        ValueError: if there is no such format.
        OSError: if the disk is full, or may not be written to.
    """
    path = expanded(path)
    path = path if path.suffix else path.with_suffix(".png")
    kind = path.suffix[1:]
    return write_atomically(path, lambda file: figure.savefig(file, format=kind, dpi=150))
