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
from autograd.extend import def_linear, defjvp_argnum, defvjp, defvjp_argnums, primitive

from minisam.nn.primitives import gate, repeat, total
from minisam.nn.threads import over_batch

Pair = tuple[int, int]

BLOCK_BYTES = 1 << 20  # of patches at a time: they should stay in the cache


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


def windows(padded: np.ndarray, kernel: Pair, stride: Pair, output: Pair) -> np.ndarray:
    """Return a view of shape (batch, out height, out width, kh, kw · channels), without a copy."""
    image, row, pixel, number = padded.strides
    return np.lib.stride_tricks.as_strided(
        padded,
        (len(padded), *output, kernel[0], kernel[1] * padded.shape[3]),
        (image, stride[0] * row, stride[1] * pixel, row, number),
        writeable=False,
    )


def patch_matrices(x, kernel: Pair, stride: Pair, padding: Pair, output: Pair):
    """Yield (images, rows) of the output and the matrix of their patches, a block at a time.

    A block is some whole images, or some rows of one image, and its matrix has one row of kh · kw ·
    channels numbers for each output pixel. The matrix is overwritten by the next one.
    """
    (n, h, w, c), (top, left), (height, width) = x.shape, padding, output
    length = kernel[0] * kernel[1] * c
    row_bytes = width * length * x.itemsize
    rows = min(height, max(1, BLOCK_BYTES // row_bytes))
    images = min(n, max(1, BLOCK_BYTES // (row_bytes * height)))
    padded = np.zeros((images, h + 2 * top, w + 2 * left, c), x.dtype)
    view = windows(padded, kernel, stride, output)
    buffer = np.empty(images * rows * width * length, x.dtype)
    # Copies run along the last axis. With few channels that is longest along a row of the image.
    by_pixel = kernel[1] * c >= width
    for i in range(0, n, images):
        count = min(images, n - i)
        padded[:count, top : top + h, left : left + w] = x[i : i + count]
        for j in range(0, height, rows):
            source = view[:count, j : j + rows]
            if not by_pixel:
                source = source.transpose(3, 4, 0, 1, 2)
            block = buffer[: source.size].reshape(source.shape)
            block[...] = source
            matrix = block.reshape(-1, length) if by_pixel else block.reshape(length, -1).T
            yield (slice(i, i + count), slice(j, j + rows)), matrix


def _correlate(x, w, b, stride: Pair, padding: Pair, rectify: bool = False):
    """Return x ∗ w + b, or its relu, each block finished while it is in the cache."""
    output = output_size(x.shape[1:3], w.shape[:2], stride, padding)
    matrix = w.reshape(-1, w.shape[3])
    y = np.empty((len(x), *output, w.shape[3]), np.result_type(x, w))

    def work(part):
        y_part = y[part]
        for at, patches in patch_matrices(x[part], w.shape[:2], stride, padding, output):
            block = y_part[at].reshape(-1, w.shape[3])
            np.matmul(patches, matrix, out=block)
            if b is not None:
                block += b
            if rectify:
                np.maximum(block, 0, out=block)

    over_batch(work, len(x), y.size * w.shape[0] * w.shape[1])
    return y


@primitive
def convolve(x, w, stride: Pair, padding: Pair):
    """Return the convolution ∂T/∂y of images x (n, h, w, c) with a kernel w (kh, kw, c, o)."""
    return _correlate(x, w, None, stride, padding)


@primitive
def convolution(x, w, b, stride: Pair, padding: Pair, rectify: bool = False):
    """Return `convolve` (x, w) + b, or its relu: one pass over memory instead of three."""
    return _correlate(x, w, b, stride, padding, rectify)


@primitive
def input_gradient(y, w, size: Pair, stride: Pair, padding: Pair):
    """Return ∂T/∂x, of shape (n, *size, c), for y (n, out height, out width, o)."""
    (kh, kw, channels, filters), (n, height, width, _) = w.shape, y.shape
    (h, v), (top, left) = stride, padding
    if stride == (1, 1) and top < kh and left < kw:
        # Every pixel of x sees y through the kernel turned by 180°: this, too, is a convolution.
        turned = np.ascontiguousarray(w[::-1, ::-1].transpose(0, 1, 3, 2))
        return _correlate(y, turned, None, stride, (kh - 1 - top, kw - 1 - left))
    matrix = w.reshape(-1, filters).T
    x = np.empty((n, *size, channels), np.result_type(y, w))

    def work(part):
        patches = (y[part].reshape(-1, filters) @ matrix).reshape(
            -1, height, width, kh, kw, channels
        )
        padded = np.zeros((len(patches), size[0] + 2 * top, size[1] + 2 * left, channels), x.dtype)
        for a in range(kh):
            for b in range(kw):
                rows, columns = slice(a, a + h * height, h), slice(b, b + v * width, v)
                padded[:, rows, columns] += patches[:, :, :, a, b]
        x[part] = padded[:, top : top + size[0], left : left + size[1]]

    over_batch(work, n, y.size * kh * kw)
    return x


@primitive
def weight_gradient(x, y, kernel: Pair, stride: Pair, padding: Pair):
    """Return ∂T/∂w, of shape (*kernel, c, o), for images x and y shaped like the output."""
    channels, filters = x.shape[3], y.shape[3]

    def work(part):
        total = np.zeros((kernel[0] * kernel[1] * channels, filters), np.result_type(x, y))
        y_part = y[part]
        for at, patches in patch_matrices(x[part], kernel, stride, padding, y.shape[1:3]):
            total += patches.T @ y_part[at].reshape(-1, filters)
        return total

    totals = over_batch(work, len(x), y.size * kernel[0] * kernel[1])
    return sum(totals[1:], start=totals[0]).reshape(*kernel, channels, filters)


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


def _convolution_vjp(argnums, y, args, kwargs):
    x, w, _, stride, padding, *rectify = args
    parts = {
        0: lambda g: input_gradient(g, w, x.shape[1:3], stride, padding),
        1: lambda g: weight_gradient(x, g, w.shape[:2], stride, padding),
        2: lambda g: total(g),
    }

    def vjp(g):
        g = gate(g, y) if any(rectify) else g
        return tuple(parts[k](g) for k in argnums)

    return vjp


def _convolution_jvp(argnum, t, y, args, kwargs):
    x, w, _, stride, padding, *rectify = args
    parts = {
        0: lambda: convolve(t, w, stride, padding),
        1: lambda: convolve(x, t, stride, padding),
        2: lambda: repeat(t, y.shape),
    }
    return gate(parts[argnum](), y) if any(rectify) else parts[argnum]()


defvjp_argnums(convolution, _convolution_vjp)
defjvp_argnum(convolution, _convolution_jvp)
