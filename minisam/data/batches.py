"""Turn stored images into what a network sees: standardize, augment, cut into mini-batches.

The functions are pure. Those that draw take the random generator.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from minisam.checks import check_whole


def channel_statistics(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean and standard deviation of each channel, of pixels scaled to 0 … 1.

    A histogram of the 256 grey levels gives them exactly, up to the last rounding.

    Args:
        images: uint8 array of shape (n, height, width, channels).

    Returns:
        Mean and standard deviation (of the whole, not of a sample), float64 arrays of shape
        (channels,).

    Example:
        >>> mean, std = channel_statistics(np.array([0, 255], np.uint8).reshape(2, 1, 1, 1))
        >>> mean, std
        (array([0.5]), array([0.5]))
    """
    _check_images(images)
    if not images.size:
        raise ValueError("images is empty: it has no mean")
    counts = np.zeros((images.shape[-1], 256), np.int64)
    for first in range(0, len(images), 256):  # `bincount` takes eight bytes for each pixel
        for channel, count in enumerate(counts):
            pixels = images[first : first + 256, ..., channel].reshape(-1)
            count += np.bincount(pixels, minlength=256)
    levels, total = np.arange(256), images[..., 0].size
    first_moment, second_moment = counts @ levels, counts @ levels**2
    # n Σx² − (Σx)² is a whole number: no cancellation, whatever the mean.
    spread = [
        math.sqrt(total * int(b) - int(a) ** 2)
        for a, b in zip(first_moment, second_moment, strict=True)
    ]
    return first_moment / total / 255, np.array(spread) / total / 255


def standardize(
    images: np.ndarray, mean: np.ndarray, std: np.ndarray, dtype: type = np.float32
) -> np.ndarray:
    """Return (x/255 − mean) / std, channel by channel.

    Args:
        images: uint8 array of shape (n, height, width, channels).
        mean: of pixels scaled to 0 … 1, of shape (channels,) or one number for all of them; the
            training set's, for test images too.
        std: likewise; every entry positive.
        dtype: floating-point type of the result.

    Returns:
        Array of shape (n, height, width, channels).

    Raises:
        ValueError: if ``images`` is not uint8 (so that nothing is standardized twice), ``mean`` or
            ``std`` is of another shape, ``std`` is not positive, or ``dtype`` cannot hold the
            result.

    Example:
        >>> images = np.array([0, 255], np.uint8).reshape(2, 1, 1, 1)
        >>> standardize(images, mean=np.array([0.5]), std=np.array([0.5])).reshape(-1)
        array([-1.,  1.], dtype=float32)
    """
    _check_images(images)
    mean, std = _per_channel("mean", mean, images), _per_channel("std", std, images)
    if np.dtype(dtype).kind != "f":
        raise ValueError(f"dtype must be floating-point, got {np.dtype(dtype)}")
    if not (np.all(np.isfinite(mean)) and np.all(std > 0) and np.all(np.isfinite(std))):
        raise ValueError(f"mean must be finite and std positive, got {mean} and {std}")
    # A table of what each of the 256 grey levels becomes: exact, and no large intermediate array.
    with np.errstate(over="ignore"):
        table = ((np.arange(256)[:, None] / 255 - mean) / std).astype(dtype)
    if not np.all(np.isfinite(table)):
        raise ValueError(f"std is too small for {np.dtype(dtype)}, got {std} with mean {mean}")
    result: np.ndarray = np.empty(images.shape, dtype)
    for channel in range(images.shape[-1]):
        result[..., channel] = table[:, channel][images[..., channel]]
    return result


def augment(images: np.ndarray, rng: np.random.Generator, padding: int = 4) -> np.ndarray:
    """Crop and flip: shift each image by up to ``padding`` pixels, and mirror half of them.

    Zeros are shifted in: augment *after* standardizing to fill with the mean colour.

    Args:
        images: array of shape (n, height, width, channels), of any type.
        rng: where the shifts and flips come from.
        padding: largest shift in pixels, in each direction.

    Returns:
        A new array of the same shape and type.

    Example:
        >>> images = np.ones((5, 32, 32, 3), np.float32)
        >>> augment(images, np.random.default_rng(0)).shape
        (5, 32, 32, 3)
    """
    images = np.asarray(images)
    if images.ndim != 4:
        raise ValueError(f"images must have shape (n, height, width, channels), got {images.shape}")
    check_whole("padding", padding)
    padding = int(padding)
    n, height, width, _ = images.shape
    top, left = rng.integers(0, 2 * padding + 1, size=(2, n))
    mirrored = np.asarray(rng.random(n) < 0.5)
    padded = np.pad(images, ((0, 0), (padding, padding), (padding, padding), (0, 0)))
    result = np.empty_like(images)
    for i in range(n):
        crop = padded[i, top[i] : top[i] + height, left[i] : left[i] + width]
        result[i] = crop[:, ::-1] if mirrored[i] else crop
    return result


def minibatches(n: int, batch_size: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Yield index arrays that visit each of ``n`` examples once, in random order.

    Args:
        n: number of examples.
        batch_size: examples per mini-batch; the last one is shorter where it does not divide ``n``.
        rng: where the order comes from; drawn once, when the first batch is asked for.

    Returns:
        An iterator of int64 arrays of shape (batch_size,).

    Example:
        >>> [len(batch) for batch in minibatches(5, 2, np.random.default_rng(0))]
        [2, 2, 1]
    """
    check_whole("n", n)
    check_whole("batch_size", batch_size, low=1)
    order = rng.permutation(n)
    for first in range(0, n, batch_size):
        yield order[first : first + batch_size]


def _per_channel(name: str, value: np.ndarray, images: np.ndarray) -> np.ndarray:
    """Return one number for each channel, in float64."""
    value, channels = np.asarray(value), images.shape[-1]
    if value.shape not in ((), (channels,)) or value.dtype.kind not in "fiu":
        raise ValueError(
            f"{name} must be numbers of shape ({channels},), one for each channel, "
            f"got {value.dtype} of shape {value.shape}"
        )
    return np.broadcast_to(value.astype(np.float64), (channels,))


def _check_images(images: np.ndarray) -> None:
    if np.ndim(images) != 4 or images.dtype != np.uint8:
        raise ValueError(
            "images must be uint8 of shape (n, height, width, channels), "
            f"got {getattr(images, 'dtype', type(images).__name__)} of shape {np.shape(images)}"
        )
