"""Max and average pooling, for windows of any size, stride and padding.

Which entry of a window is its largest does not change under a small enough change of x (ties
apart): maximum is a *selection*. Its derivative selects the same entries of a tangent, and the
adjoint puts a gradient back to where the entries came from. Average pooling is linear, too. So each
is a pair of mutually adjoint primitives, and can be differentiated any number of times.

All of them walk over the window's offsets (a, b): the entries at one offset of all windows are a
strided slice of the images, so that no array of windows is ever made. For the maximum alone, whose
order does not matter, the rows of a window come first and then its columns.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from autograd.extend import defjvp, defvjp, notrace_primitive, primitive

from minisam.nn.kernels.patches import Pair, output_size, pad, pair
from minisam.threads import over_batch

Slices = tuple[slice, slice, slice]


def _offsets(output: Pair, kernel: Pair, stride: Pair) -> Iterator[Slices]:
    """Yield for each offset (a, b) the slices of the padded images that hold it."""
    for a in range(kernel[0]):
        for b in range(kernel[1]):
            rows = slice(a, a + stride[0] * output[0], stride[0])
            columns = slice(b, b + stride[1] * output[1], stride[1])
            yield slice(None), rows, columns


def _gather(x, kernel: Pair, stride: Pair, padding: Pair, combine):
    """Return an array of output's shape: ``combine(k, entries, out, part)`` of each offset in turn.

    The border is of zeros.
    """
    output = output_size(x.shape[1:3], kernel, stride, padding)
    y = np.empty((len(x), *output, x.shape[3]), x.dtype)

    def work(part):
        padded = pad(x[part], padding)
        for k, offset in enumerate(_offsets(output, kernel, stride)):
            combine(k, padded[offset], y[part], part)

    over_batch(work, len(x), x.size)
    return y


def _scatter(y, size: Pair, kernel: Pair, stride: Pair, padding: Pair, weigh):
    """Return images to which each offset has added the ``out`` of ``weigh(k, y, out, part)``.

    This is the adjoint of gathering.
    """
    (top, left), (height, width), channels = padding, size, y.shape[3]
    x = np.empty((len(y), height, width, channels), y.dtype)
    padded_size = height + 2 * top, width + 2 * left
    covered = stride[0] * y.shape[1], stride[1] * y.shape[2]
    tiles = kernel == stride and covered == padded_size  # each pixel lies in exactly one window

    def work(part):
        padded = x[part]
        if padding != (0, 0):
            padded = np.empty((len(padded), *padded_size, channels), y.dtype)
        if not tiles:
            padded[...] = 0
        for k, offset in enumerate(_offsets(y.shape[1:3], kernel, stride)):
            if tiles:
                weigh(k, y[part], padded[offset], part)
            else:
                weighed = np.empty_like(y[part])
                weigh(k, y[part], weighed, part)
                padded[offset] += weighed
        if padding != (0, 0):
            x[part] = padded[:, top : top + height, left : left + width]

    over_batch(work, len(y), x.size)
    return x


@primitive
def window_max(x, kernel: Pair, stride: Pair, padding: Pair):
    """Return the largest entry of each window, NaN if there is one."""
    height, width = output_size(x.shape[1:3], kernel, stride, padding)
    y = np.empty((len(x), height, width, x.shape[3]), x.dtype)

    def largest(arrays, out):
        np.maximum(arrays[0], arrays[:2][-1], out=out)
        for array in arrays[2:]:
            np.maximum(out, array, out=out)

    def work(part):
        padded = pad(x[part], padding, -np.inf)
        rows = np.empty((len(padded), height, *padded.shape[2:]), x.dtype)
        ends = stride[0] * height, stride[1] * width
        largest([padded[:, a : a + ends[0] : stride[0]] for a in range(kernel[0])], out=rows)
        largest([rows[:, :, b : b + ends[1] : stride[1]] for b in range(kernel[1])], out=y[part])

    over_batch(work, len(x), x.size)
    return y


@notrace_primitive
def winners(y, x, kernel: Pair, stride: Pair, padding: Pair):
    """Return for each offset whether it holds the first entry that equals the maximum y."""
    won = np.empty((kernel[0] * kernel[1], *y.shape), bool)

    def work(part):
        padded = pad(x[part], padding, -np.inf)
        decided = np.zeros(y[part].shape, bool)
        for k, offset in enumerate(_offsets(y.shape[1:3], kernel, stride)):
            np.equal(padded[offset], y[part], out=won[k, part])
            np.greater(won[k, part], decided, out=won[k, part])  # it has won, and none before it
            decided |= won[k, part]

    over_batch(work, len(x), x.size)
    return won


@primitive
def select(x, won, kernel: Pair, stride: Pair, padding: Pair):
    """Return the entry of each window that has won."""

    def combine(k, entries, y, part):
        if k:
            y += entries * won[k, part]
        else:
            np.multiply(entries, won[k, part], out=y)

    return _gather(x, kernel, stride, padding, combine)


@primitive
def put_back(y, won, size: Pair, kernel: Pair, stride: Pair, padding: Pair):
    """Return the adjoint of `select`: images of zeros with each y added where it came from."""

    def weigh(k, y, out, part):
        np.multiply(y, won[k, part], out=out)

    return _scatter(y, size, kernel, stride, padding, weigh)


@primitive
def window_sum(x, kernel: Pair, stride: Pair, padding: Pair):
    """Return the sum over each window."""

    def combine(k, entries, y, _):
        np.add(entries, y, out=y) if k else np.copyto(y, entries)

    return _gather(x, kernel, stride, padding, combine)


@primitive
def spread(y, size: Pair, kernel: Pair, stride: Pair, padding: Pair):
    """Return the adjoint of `window_sum`: each y added to every pixel of its window."""
    return _scatter(y, size, kernel, stride, padding, lambda _k, y, out, _: np.copyto(out, y))


defvjp(
    window_max,
    lambda y, x, k, s, p: lambda g: put_back(g, winners(y, x, k, s, p), x.shape[1:3], k, s, p),
)
defjvp(window_max, lambda t, y, x, k, s, p: select(t, winners(y, x, k, s, p), k, s, p))
defvjp(select, lambda y, x, won, k, s, p: lambda g: put_back(g, won, x.shape[1:3], k, s, p))
defvjp(put_back, lambda x, y, won, size, k, s, p: lambda g: select(g, won, k, s, p))
defvjp(window_sum, lambda y, x, k, s, p: lambda g: spread(g, x.shape[1:3], k, s, p))
defvjp(spread, lambda x, y, size, k, s, p: lambda g: window_sum(g, k, s, p))
for linear in (select, put_back, window_sum, spread):
    defjvp(linear, "same")


def _window(x, kernel, stride, padding) -> tuple[Pair, Pair, Pair]:
    # Small integers would be added up modulo 256, and hold no −∞ for a border.
    if np.ndim(x) != 4 or x.dtype.kind != "f":
        raise ValueError(
            f"x must be floating-point images of shape (batch, height, width, channels), "
            f"got {getattr(x, 'dtype', type(x).__name__)} of shape {np.shape(x)}"
        )
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
        x: floating-point images of shape (batch, height, width, channels).
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
    kernel, stride, padding = _window(x, kernel, stride, padding)
    return window_max(x, kernel, stride, padding)


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
    kernel, stride, padding = _window(x, kernel, stride, padding)
    return window_sum(x, kernel, stride, padding) * (1.0 / (kernel[0] * kernel[1]))
