"""Draw the toy set: ten classes of 32 × 32 colour images, from a seed, in about a second.

Each image shows one shape, its class, at some place and size, in some colour, plain or striped. The
background slopes from one colour to another. A smaller shape of any class lies beside it, and pixel
noise over all. A class has a favourite colour, but may have almost any: colour helps, shape
decides. A small network learns the set in seconds, and a large one memorizes wrong labels, as on
CIFAR-10. The set is there so that nothing need be downloaded; it is no benchmark.

Images are made of raw random words (see `portable_random`) by integer arithmetic, so they have the
same bytes on every machine. Each has its own words: a smaller set is the beginning of a larger.
"""

from __future__ import annotations

import numpy as np

from minisam.checks import check_whole
from minisam.data.portable_random import random_words, stream

CLASS_COLOURS = {  # each class and its favourite colour
    "disc": (200, 60, 60),
    "square": (60, 180, 75),
    "diamond": (70, 90, 210),
    "cross": (225, 205, 50),
    "ring": (240, 130, 45),
    "triangle": (145, 50, 180),
    "frame": (70, 210, 210),
    "saltire": (220, 80, 190),
    "bars": (150, 110, 60),
    "arch": (130, 130, 130),
}
CLASS_NAMES, FAVOURITE_COLOURS = tuple(CLASS_COLOURS), np.array([*CLASS_COLOURS.values()], np.int32)
COLOUR_SPREAD = 60  # grey levels by which a shape's channels stray from its favourite colour
PIXEL_SPREAD = 48  # grey levels by which noise moves a pixel, at most
MOST = 1_000_000  # images of a split: 3 GB, made in some minutes
PARAMETERS = 24  # random words that describe an image; two bytes of noise per value follow
WORDS = PARAMETERS + 2 * 3072 // 8


def covers(kind: int, x: np.ndarray, y: np.ndarray, r: np.ndarray) -> np.ndarray:
    """Tell which points a shape covers.

    Args:
        kind: which shape, an index of `CLASS_NAMES`.
        x: distance to the right of the shape's centre, in pixels.
        y: distance below it; broadcasts with ``x``.
        r: half the shape's width and height; broadcasts with ``x``.

    Returns:
        bool array of the common shape.

    Example:
        >>> x = np.arange(-3, 4)
        >>> diamond = covers(2, x, x[:, None], 3)
        >>> print("|".join("".join("-#"[int(point)] for point in row) for row in diamond))
        ---#---|--###--|-#####-|#######|-#####-|--###--|---#---
    """
    ax, ay = abs(x), abs(y)
    near, far = np.minimum(ax, ay), np.maximum(ax, ay)
    squared = x * x + y * y
    if kind == 0:  # disc
        return squared <= r * r
    if kind == 1:  # square
        return 8 * far <= 7 * r
    if kind == 2:  # diamond
        return ax + ay <= r
    if kind == 3:  # cross
        return (far <= r) & (3 * near <= r)
    if kind == 4:  # ring
        return (squared <= r * r) & (9 * squared >= 4 * r * r)
    if kind == 5:  # triangle
        return (ay <= r) & (2 * ax <= y + r)
    if kind == 6:  # frame
        return (8 * far <= 7 * r) & (2 * far >= r)
    if kind == 7:  # saltire
        return (far <= r) & (3 * (far - near) <= r)
    if kind == 8:  # bars
        return (far <= r) & (3 * ay >= r)
    return (far <= r) & ((2 * ax >= r) | (2 * y <= -r))  # arch


def paint_shapes(
    images: np.ndarray,
    kinds: np.ndarray,
    colours: np.ndarray,
    place: np.ndarray,
    period: np.ndarray,
) -> None:
    """Paint one shape onto each image, in place.

    Args:
        images: int32 array of shape (n, 32, 32, 3).
        kinds: the shapes, indices of `CLASS_NAMES`, of shape (n,).
        colours: int32 array of shape (n, 3).
        place: horizontal and vertical centre and radius in pixels, int32 of shape (n, 3).
        period: width of the dark stripes in pixels, int32 of shape (n,); 0 for none.
    """
    along = np.arange(32, dtype=np.int32)
    column, row, radius = (part.reshape(-1, 1, 1) for part in place.T)
    x, y = along.reshape(1, 1, 32) - column, along.reshape(1, 32, 1) - row
    stripes = (
        (x + y) // np.maximum(period, 1).reshape(-1, 1, 1) % 2 * (period > 0).reshape(-1, 1, 1)
    )
    for kind in range(10):
        of_kind = np.flatnonzero(kinds == kind)
        image, *pixel = np.nonzero(covers(kind, x[of_kind], y[of_kind], radius[of_kind]))
        where = (of_kind[image], *pixel)
        images[where] = colours[of_kind[image]] - 45 * stripes[where][:, None]


def draw_images(labels: np.ndarray, words: np.ndarray) -> np.ndarray:
    """Draw an image for each label.

    Args:
        labels: indices of `CLASS_NAMES`, of shape (n,).
        words: random words, uint64 of shape (n, WORDS).

    Returns:
        uint8 array of shape (n, 32, 32, 3).
    """
    n = len(labels)

    def number(column: int, low: int, high: int) -> np.ndarray:
        """Return a number from low to high for each image, from one column of words: shape (n,)."""
        return (words[:, column] % np.uint64(high - low + 1)).astype(np.int32) + np.int32(low)

    def colour(column: int, low: int, high: int) -> np.ndarray:
        """Return a colour for each image, from three columns: shape (n, 3)."""
        return np.stack([number(column + c, low, high) for c in range(3)], axis=1)

    # The background slopes between two colours, from left to right or from top to bottom.
    ramp = np.arange(32, dtype=np.int32).reshape(32, 1)
    start, end = colour(0, 0, 255)[:, None, None], colour(3, 0, 255)[:, None, None]
    images = np.broadcast_to(start + (end - start) * ramp // 31, (n, 32, 32, 3)).copy()
    sideways = number(6, 0, 1) == 0
    images[sideways] = images[sideways].swapaxes(1, 2)

    distractor = np.stack([number(7, 0, 31), number(8, 0, 31), number(9, 3, 5)], axis=1)
    paint_shapes(images, number(10, 0, 9), colour(11, 0, 255), distractor, 3 * number(14, 0, 1))

    radius = number(15, 9, 12)
    place = np.stack([16 + number(16, -4, 4), 16 + number(17, -4, 4), radius], axis=1)
    colours = FAVOURITE_COLOURS[labels] + colour(18, -COLOUR_SPREAD, COLOUR_SPREAD)
    paint_shapes(images, labels, colours, place, np.maximum(number(21, -3, 4), 0))

    octets = words[:, PARAMETERS:].astype("<u8").view(np.uint8).reshape(n, 32, 32, 3, 2)
    noise = octets.sum(axis=-1, dtype=np.int32) - 255  # a triangle from -255 to 255
    images += noise * PIXEL_SPREAD // 256
    return np.clip(images, 0, 255).astype(np.uint8)


def toy_split(n: int, seed: int, purpose: str) -> tuple[np.ndarray, np.ndarray]:
    """Return ``n`` images and labels; every ten in a row show each class once, in random order."""
    tens = -(-n // 10)
    order = random_words(stream(seed, f"toy {purpose} labels"), 10 * tens)
    labels = np.argsort(order.reshape(tens, 10), axis=1, kind="stable").reshape(-1)[:n]
    images = np.empty((n, 32, 32, 3), np.uint8)
    bits = stream(seed, f"toy {purpose} images")
    for first in range(0, n, 200):  # in parts that stay in the processor's cache
        part = slice(first, min(first + 200, n))
        size = part.stop - part.start
        images[part] = draw_images(
            labels[part], random_words(bits, size * WORDS).reshape(size, WORDS)
        )
    return images, labels.astype(np.int64)


def toy(
    n_train: int = 2000, n_test: int = 1000, seed: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Make the toy set.

    Args:
        n_train: number of training images, at most `MOST`.
        n_test: number of test images, likewise.
        seed: another seed gives other images of the same kind.

    Returns:
        Training images, training labels, test images, test labels. Images are uint8 arrays of shape
        (n, 32, 32, 3), labels int64 of shape (n,).

    Example:
        >>> images, labels, _, _ = toy(n_train=20, n_test=10)
        >>> images.shape, images.dtype.name, [CLASS_NAMES[label] for label in labels[:3]]
        ((20, 32, 32, 3), 'uint8', ['ring', 'cross', 'triangle'])
    """
    n_train = check_whole("n_train", n_train, 0, MOST)
    n_test = check_whole("n_test", n_test, 0, MOST)
    return *toy_split(n_train, seed, "train"), *toy_split(n_test, seed, "test")
