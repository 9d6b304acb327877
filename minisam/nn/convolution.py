"""Convolution as three primitives, each the adjoint of the other two.

A convolution is linear in the images x and linear in the kernel w, so that with a third array y,
shaped like its output, it is one trilinear form

    T(x, w, y) = Σ_{n,i,j,o} y[n,i,j,o] Σ_{a,b,c} x[n, s·i+a−p, s·j+b−p, c] · w[a,b,c,o].

Fixing two arguments and reading off the coefficient of the third gives three bilinear maps:

    convolve(x, w)           = ∂T/∂y    the convolution itself
    input_gradient(y, w)     = ∂T/∂x    what reverse mode sends back to the images
    weight_gradient(x, y)    = ∂T/∂w    what reverse mode sends back to the kernel

The derivative of each with respect to one of its arguments is another of the three, so gradients,
Hessian products and every higher order stay inside this set of three kernels.

Each kernel is a matrix product with the matrix of patches (im2col), whose row is everything that
one output pixel sees. That matrix is kh·kw times as large as the images; it is made a few images at
a time, so that it stays in the cache.
"""

from __future__ import annotations

import numpy as np
from autograd.extend import def_linear, defvjp, primitive

Pair = tuple[int, int]

CACHE_BYTES = 1 << 19


def pair(value: int | Pair, name: str, smallest: int) -> Pair:
    """Return ``value`` as (vertical, horizontal), or raise ValueError naming the argument."""
    both = tuple(value) if isinstance(value, (tuple, list)) else (value, value)
    if len(both) != 2 or not all(isinstance(v, (int, np.integer)) for v in both):
        raise ValueError(f"{name} must be an integer or a pair of integers, got {value!r}")
    if min(both) < smallest:
        raise ValueError(f"{name} must be at least {smallest}, got {value!r}")
    return int(both[0]), int(both[1])


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


def windows(padded: np.ndarray, kernel: Pair, stride: Pair) -> np.ndarray:
    """Return a view of shape (batch, out height, out width, kh, kw, channels), without a copy."""
    view = np.lib.stride_tricks.sliding_window_view(padded, kernel, axis=(1, 2))
    return view[:, :: stride[0], :: stride[1]].transpose(0, 1, 2, 4, 5, 3)


def _blocks(images: int, bytes_per_image: int):
    step = max(1, CACHE_BYTES // max(1, bytes_per_image))
    return [slice(i, min(i + step, images)) for i in range(0, images, step)]


@primitive
def convolve(x, w, stride: Pair, padding: Pair):
    """Return the convolution ∂T/∂y of images x (n, h, w, c) with a kernel w (kh, kw, c, o)."""
    kernel, channels, filters = w.shape[:2], w.shape[2], w.shape[3]
    height, width = output_size(x.shape[1:3], kernel, stride, padding)
    patches = windows(pad(x, padding), kernel, stride)
    row = kernel[0] * kernel[1] * channels
    matrix = w.reshape(row, filters)
    y = np.empty((len(x), height, width, filters), np.result_type(x, w))
    for block in _blocks(len(x), height * width * row * x.itemsize):
        y[block] = (patches[block].reshape(-1, row) @ matrix).reshape(y[block].shape)
    return y


@primitive
def input_gradient(y, w, size: Pair, stride: Pair, padding: Pair):
    """Return ∂T/∂x, of shape (n, *size, c), for y (n, out height, out width, o)."""
    (kh, kw, channels, filters), (n, height, width, _) = w.shape, y.shape
    (h, v), (top, left) = stride, padding
    matrix = w.reshape(-1, filters).T
    padded = np.zeros((n, size[0] + 2 * top, size[1] + 2 * left, channels), np.result_type(y, w))
    for block in _blocks(n, height * width * len(matrix.T) * y.itemsize):
        patches = (y[block].reshape(-1, filters) @ matrix).reshape(
            -1, height, width, kh, kw, channels
        )
        for a in range(kh):
            for b in range(kw):
                rows, columns = slice(a, a + h * height, h), slice(b, b + v * width, v)
                padded[block, rows, columns] += patches[:, :, :, a, b]
    return padded[:, top : top + size[0], left : left + size[1]]


@primitive
def weight_gradient(x, y, kernel: Pair, stride: Pair, padding: Pair):
    """Return ∂T/∂w, of shape (*kernel, c, o), for images x and y shaped like the output."""
    channels, filters = x.shape[3], y.shape[3]
    patches = windows(pad(x, padding), kernel, stride)
    row = kernel[0] * kernel[1] * channels
    total = np.zeros((row, filters), np.result_type(x, y))
    for block in _blocks(len(x), y.shape[1] * y.shape[2] * row * x.itemsize):
        total += patches[block].reshape(-1, row).T @ y[block].reshape(-1, filters)
    return total.reshape(*kernel, channels, filters)


defvjp(
    convolve,
    lambda y, x, w, s, p: lambda g: input_gradient(g, w, x.shape[1:3], s, p),
    lambda y, x, w, s, p: lambda g: weight_gradient(x, g, w.shape[:2], s, p),
)
defvjp(
    input_gradient,
    lambda x, y, w, size, s, p: lambda g: convolve(g, w, s, p),
    lambda x, y, w, size, s, p: lambda g: weight_gradient(g, y, w.shape[:2], s, p),
)
defvjp(
    weight_gradient,
    lambda w, x, y, k, s, p: lambda g: input_gradient(y, g, x.shape[1:3], s, p),
    lambda w, x, y, k, s, p: lambda g: convolve(x, g, s, p),
)
for bilinear in (convolve, input_gradient, weight_gradient):
    def_linear(bilinear)
