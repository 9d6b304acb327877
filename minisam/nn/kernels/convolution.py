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

Kernels of three rows and a stride of 1 are `winograd`'s. Every other one is a product with the
matrix of patches (im2col), whose row is everything that one output pixel sees. That matrix is kh·kw
times as large as the images; it is made a block at a time, and used while it is in the cache. What
else was tried, for a forward 3×3 convolution 32→32 of 32×32 images in float32 on one thread, in
units of the time and of the error of `winograd`, by tests/benchmarks/convolutions_tried.py:

                                    time  error
    patches, a block at a time       1.5   1.6   kept for other strides and sizes
    the whole matrix at once         3.1   1.6   written to memory and read back
    einsum                           5.4   1.6
    k² products of shifted images    1.8   0.4   no patches, but k² thin products and sums
    k products of phased images      2.0   0.8   patches without a copy, one phase at a time
    Winograd F(2×2, 3×3)             1.7   0.7   fewer products, but transforms cost as much
    Winograd F(4×4, 3×3)             1.6    13   1.05 for 64→64 of 16×16
    Winograd F(4, 3) along the rows  1.1     5   1.1 for 64→64, and no more exact for integers
    FFT                              9.2   0.4   0.67 at 11×11: wins for kernels of that size
"""

from __future__ import annotations

import numpy as np
from autograd.extend import def_linear, defvjp, primitive

from minisam.nn.kernels import winograd
from minisam.nn.kernels.activations import positive_part
from minisam.nn.kernels.dense import define_derivatives, repeat, total
from minisam.nn.kernels.patches import Pair, output_size, patch_matrices
from minisam.threads import over_batch


def _correlate(x, w, b, stride: Pair, padding: Pair, rectify: bool = False):
    """Return x ∗ w + b, or its relu, each block finished while it is in the cache."""
    output = output_size(x.shape[1:3], w.shape[:2], stride, padding)
    filters = w.shape[3]
    matrix = w.reshape(-1, filters)
    bias = None if b is None else np.tile(b, (output[1], 1))  # of a row: NumPy adds those faster
    y = np.empty((len(x), *output, filters), np.result_type(x, w))
    by_rows = winograd.suits(w.shape[:2], stride, padding, *x.shape[2:])
    u = winograd.kernel_rows(w) if by_rows else None

    def work(part):
        if by_rows:
            return winograd.correlate(x[part], u, w.shape[1], bias, padding, rectify, y[part])
        y_part = y[part]
        for at, patches in patch_matrices(x[part], w.shape[:2], stride, padding, output, filters):
            block = y_part[at]
            np.matmul(patches, matrix, out=block.reshape(len(patches), -1, filters))
            if bias is not None:
                block += bias
            if rectify:
                positive_part(block, out=block)

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
        if winograd.suits(kernel, stride, padding, *x.shape[2:]):
            return winograd.kernel_gradient(x[part], y[part], kernel[1], padding)
        total = np.zeros((kernel[0] * kernel[1] * channels, filters), np.result_type(x, y))
        y_part = y[part]
        for at, patches in patch_matrices(x[part], kernel, stride, padding, y.shape[1:3], filters):
            some = patches.transpose(0, 2, 1) @ y_part[at].reshape(len(patches), -1, filters)
            total += some[0] if len(some) == 1 else np.sum(some, axis=0)
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


define_derivatives(
    convolution,
    options=2,
    adjoints=(
        lambda g, x, w, b, s, p, *_: input_gradient(g, w, x.shape[1:3], s, p),
        lambda g, x, w, b, s, p, *_: weight_gradient(x, g, w.shape[:2], s, p),
        lambda g, *_: total(g),
    ),
    tangents=(
        lambda t, y, x, w, b, s, p, *_: convolve(t, w, s, p),
        lambda t, y, x, w, b, s, p, *_: convolve(x, t, s, p),
        lambda t, y, *_: repeat(t, y.shape),
    ),
)
