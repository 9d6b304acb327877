"""Max and average pooling, for windows of any size, stride and padding.

The maximum over a window is a *selection*: which entry is chosen does not change under a small
enough change of x (ties apart), so once the choice is known pooling is linear, and so is its
adjoint, which puts a gradient back to where the entry came from. Average pooling is linear too.
Each is a pair of mutually adjoint primitives, and is therefore differentiable any number of times.

All of them walk over the window's offsets (a, b): the entries at one offset of all windows are a
strided slice of the images, so that no array of windows is ever made.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from autograd.extend import defjvp, defvjp, notrace_primitive, primitive

from minisam.nn.convolution import Pair, output_size, pad, pair

Slices = tuple[slice, slice, slice]


def _offsets(output: Pair, kernel: Pair, stride: Pair) -> Iterator[Slices]:
    """Yield for each offset (a, b) the slices of the padded images that hold it."""
    for a in range(kernel[0]):
        for b in range(kernel[1]):
            rows = slice(a, a + stride[0] * output[0], stride[0])
            columns = slice(b, b + stride[1] * output[1], stride[1])
            yield slice(None), rows, columns


@notrace_primitive
def window_argmax(x, kernel: Pair, stride: Pair, padding: Pair):
    """Return which offset a·kw + b of each window holds its maximum, the first one at a tie."""
    output = output_size(x.shape[1:3], kernel, stride, padding)
    padded = pad(x, padding, -np.inf)
    offsets = list(_offsets(output, kernel, stride))
    best = padded[offsets[0]].copy()
    index = np.zeros(best.shape, np.int16 if len(offsets) > 127 else np.int8)
    for k, offset in enumerate(offsets[1:], start=1):
        candidate = padded[offset]
        index[(candidate > best) | (candidate != candidate)] = k  # NaN counts as the largest
        np.maximum(best, candidate, out=best)
    return index


@primitive
def select(x, index, kernel: Pair, stride: Pair, padding: Pair):
    """Return the entry of each window that ``index`` names."""
    padded = pad(x, padding)
    y = np.zeros(index.shape, x.dtype)
    for k, offset in enumerate(_offsets(index.shape[1:3], kernel, stride)):
        np.copyto(y, padded[offset], where=index == k)
    return y


@primitive
def put_back(y, index, size: Pair, kernel: Pair, stride: Pair, padding: Pair):
    """Return the adjoint of `select`: images of zeros with each y added where it came from."""
    (top, left), (height, width) = padding, size
    padded = np.zeros((len(y), height + 2 * top, width + 2 * left, y.shape[3]), y.dtype)
    for k, offset in enumerate(_offsets(index.shape[1:3], kernel, stride)):
        padded[offset] += y * (index == k)
    return padded[:, top : top + height, left : left + width]


@primitive
def window_sum(x, kernel: Pair, stride: Pair, padding: Pair):
    """Return the sum over each window."""
    output = output_size(x.shape[1:3], kernel, stride, padding)
    padded = pad(x, padding)
    y = np.zeros((len(x), *output, x.shape[3]), x.dtype)
    for offset in _offsets(output, kernel, stride):
        y += padded[offset]
    return y


@primitive
def spread(y, size: Pair, kernel: Pair, stride: Pair, padding: Pair):
    """Return the adjoint of `window_sum`: each y added to every pixel of its window."""
    (top, left), (height, width) = padding, size
    padded = np.zeros((len(y), height + 2 * top, width + 2 * left, y.shape[3]), y.dtype)
    for offset in _offsets(y.shape[1:3], kernel, stride):
        padded[offset] += y
    return padded[:, top : top + height, left : left + width]


defvjp(select, lambda y, x, i, k, s, p: lambda g: put_back(g, i, x.shape[1:3], k, s, p))
defvjp(put_back, lambda x, y, i, size, k, s, p: lambda g: select(g, i, k, s, p))
defvjp(window_sum, lambda y, x, k, s, p: lambda g: spread(g, x.shape[1:3], k, s, p))
defvjp(spread, lambda x, y, size, k, s, p: lambda g: window_sum(g, k, s, p))
for linear in (select, put_back, window_sum, spread):
    defjvp(linear, "same")


def _window(kernel, stride, padding) -> tuple[Pair, Pair, Pair]:
    kernel = pair(kernel, "kernel", 1)
    stride = kernel if stride is None else pair(stride, "stride", 1)
    padding = pair(padding, "padding", 0)
    if 2 * padding[0] > kernel[0] or 2 * padding[1] > kernel[1]:
        raise ValueError(f"padding must be at most half of the kernel {kernel}, got {padding}")
    return kernel, stride, padding


def max_pool(x, kernel: int | Pair = 2, stride: int | Pair | None = None, padding: int | Pair = 0):
    """Return the maximum over each window.

    At a tie the gradient goes to the first of the largest entries, row by row, as in PyTorch.

    Args:
        x: images of shape (batch, height, width, channels).
        kernel: the window's size, one number or (height, width).
        stride: distance between windows; the window's size if None.
        padding: border of −∞ around each image, at most half of the window.

    Returns:
        ndarray of shape (batch, out height, out width, channels).

    Example:
        >>> x = np.array([[1.0, 2.0], [4.0, 3.0]]).reshape(1, 2, 2, 1)
        >>> float(max_pool(x)[0, 0, 0, 0])
        4.0
    """
    kernel, stride, padding = _window(kernel, stride, padding)
    index = window_argmax(x, kernel, stride, padding)
    return select(x, index, kernel, stride, padding)


def average_pool(
    x, kernel: int | Pair = 2, stride: int | Pair | None = None, padding: int | Pair = 0
):
    """Return the mean over each window; zeros of the border count, as in PyTorch's default.

    Args and Returns are those of `max_pool`, with a border of zeros.

    Example:
        >>> x = np.array([[1.0, 2.0], [4.0, 3.0]]).reshape(1, 2, 2, 1)
        >>> float(average_pool(x)[0, 0, 0, 0])
        2.5
    """
    kernel, stride, padding = _window(kernel, stride, padding)
    return window_sum(x, kernel, stride, padding) * (1.0 / (kernel[0] * kernel[1]))
