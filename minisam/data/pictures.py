"""Pictures of data: the transition matrix of label noise, and samples of images."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw_transition(transition: np.ndarray, class_names: tuple[str, ...], title: str) -> Figure:
    """Draw a transition matrix: true classes down, given labels across.

    Args:
        transition: share of class i that is labelled j, of shape (K, K).
        class_names: a name to each class.
        title: of the picture.

    Returns:
        The figure; ``figure.savefig(path)`` writes it.
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


def draw_images(images: np.ndarray, titles: list[str], columns: int = 10) -> Figure:
    """Draw images in a grid, each under its title.

    Args:
        images: uint8 array of shape (n, height, width, channels).
        titles: ``n`` of them.
        columns: images per row.

    Returns:
        The figure.
    """
    from matplotlib.figure import Figure

    rows = -(-len(images) // columns)
    figure = Figure(figsize=(1.1 * columns, 1.35 * rows), layout="constrained")
    for place, (image, title) in enumerate(zip(images, titles, strict=True), 1):
        axes = figure.add_subplot(rows, columns, place)
        axes.imshow(image)
        axes.set_title(title, fontsize=8)
        axes.axis("off")
    return figure
