"""Windows of images, and the matrix of patches that turns a convolution into a product."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

Pair = tuple[int, int]

BLOCK_BYTES = 1 << 20  # of patches at a time: they should stay in the cache
SMALL_PRODUCT = 1_000_000  # multiplications: up to so many OpenBLAS has a way that is faster


def pair(value: int | Pair, name: str, smallest: int) -> Pair:
    """Return ``value`` as (vertical, horizontal), or raise ValueError naming the argument."""
    both = tuple(value) if isinstance(value, (tuple, list)) else (value, value)
    if len(both) != 2 or not all(isinstance(v, (int, np.integer)) for v in both):
        raise ValueError(f"{name} must be an integer or a pair of integers, got {value!r}")
    if min(both) < smallest:
        raise ValueError(f"{name} must be at least {smallest}, got {value!r}")
    return int(both[0]), int(both[1])


def small_products(per_patch: int) -> int:
    """Return how many patches make a small product, or no limit where that would be too few.

    Args:
        per_patch: multiplications for each patch.

    Example:
        >>> small_products(27 * 32)
        1157
    """
    patches = SMALL_PRODUCT // per_patch
    return patches if patches >= 64 else 1 << 60


def output_size(size: Pair, kernel: Pair, stride: Pair, padding: Pair) -> Pair:
    """Return the output's (height, width): ⌊(size + 2·padding − kernel) / stride⌋ + 1.

    Example:
        >>> output_size((32, 32), (3, 3), (1, 1), (1, 1))
        (32, 32)
    """
    for s, k, p in zip(size, kernel, padding, strict=True):
        if s + 2 * p < k:
            raise ValueError(
                f"a kernel of {kernel} does not fit into images of {size} with padding {padding}"
            )
    height, width = (
        (s + 2 * p - k) // d + 1 for s, k, d, p in zip(size, kernel, stride, padding, strict=True)
    )
    return height, width


def pad(x: np.ndarray, padding: Pair, value: float = 0.0) -> np.ndarray:
    """Return the images with a border of ``padding`` pixels of ``value``."""
    (top, left), (n, h, w, c) = padding, x.shape
    if top == left == 0:
        return x
    padded = np.full((n, h + 2 * top, w + 2 * left, c), value, x.dtype)
    padded[:, top : top + h, left : left + w] = x
    return padded


def windows(padded: np.ndarray, kernel: Pair, stride: Pair, output: Pair) -> np.ndarray:
    """Return a view of shape (batch, out height, out width, kh, kw, channels), without a copy."""
    image, row, pixel, number = padded.strides
    return np.lib.stride_tricks.as_strided(
        padded,
        (len(padded), *output, *kernel, padded.shape[3]),
        (image, stride[0] * row, stride[1] * pixel, row, pixel, number),
        writeable=False,
    )


def patch_matrices(
    x: np.ndarray, kernel: Pair, stride: Pair, padding: Pair, output: Pair, filters: int = 1
) -> Iterator[tuple[tuple[slice, slice], np.ndarray]]:
    """Yield (images, rows) of the output and the matrices of their patches, a block at a time.

    A block is some whole images, or some rows of one image. It has one matrix, or one for each
    image where that is the faster product, in an array of shape (matrices, output pixels, kh · kw ·
    channels), which is overwritten by the next one. ``filters`` are those of the product that it is
    made for.
    """
    (n, h, w, c), (top, left), (height, width) = x.shape, padding, output
    length = kernel[0] * kernel[1] * c
    in_cache = BLOCK_BYTES // (width * length * x.itemsize)  # rows
    small = small_products(length * filters) // width
    rows, images = min(height, max(1, min(in_cache, small))), 1
    if rows == height:
        images = min(n, max(1, in_cache // height))
    one_each = small < images * rows
    # Copies run along the last axis. With few channels that is longest along a row of the image, if
    # each channel's pixels lie together.
    by_pixel = kernel[1] * c >= width
    padded = np.zeros((images, h + 2 * top, w + 2 * left, c), x.dtype)
    if not by_pixel:
        padded = np.ascontiguousarray(padded.transpose(3, 0, 1, 2)).transpose(1, 2, 3, 0)
    view = windows(padded, kernel, stride, output)
    buffer = np.empty(images * rows * width * length, x.dtype)
    for i in range(0, n, images):
        count = min(images, n - i)
        padded[:count, top : top + h, left : left + w] = x[i : i + count]
        matrices = count if one_each else 1
        for j in range(0, height, rows):
            source = view[:count, j : j + rows]
            if not by_pixel:
                source = source.transpose(3, 4, 5, 0, 1, 2)
            block = buffer[: source.size].reshape(source.shape)
            block[...] = source
            if by_pixel:
                patches = block.reshape(matrices, -1, length)
            else:
                patches = block.reshape(length, matrices, -1).transpose(1, 2, 0)
            yield (slice(i, i + count), slice(j, j + rows)), patches
