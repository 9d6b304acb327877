"""Convolutions of three rows with two thirds of the multiplications (Winograd 1980).

Two neighbouring outputs of three taps, y₀ = d₀w₀ + d₁w₁ + d₂w₂ and y₁ = d₁w₀ + d₂w₁ + d₃w₂, take
six products. Winograd's F(2, 3) takes four, and each of its sums is shared by many outputs:

    v₀ = d₀ − d₂    u₀ = w₀                    m = v u, each by itself
    v₁ = d₁ + d₂    u₁ = (w₀ + w₁ + w₂)/2
    v₂ = d₂ − d₁    u₂ = (w₀ − w₁ + w₂)/2      y₀ = m₀ + m₁ + m₂
    v₃ = d₁ − d₃    u₃ = w₂                    y₁ = m₁ − m₂ − m₃

Here d are four rows of images and w the three rows of a kernel, so that a product is a correlation
along the row, over columns and channels. It is T = Σ ⟨v u, z⟩ with z = (y₀, y₀ + y₁, y₀ − y₁, −y₁)
that is differentiated by the kernel: v zᵀ is u's gradient, and w's is the transpose of w ↦ u.

Along a row no patch is copied: where the pixels of all rows lie one after the other, kw neighbours
are kw · channels numbers in sequence, and every kw-th such patch is a row of a plain matrix. Rows
share their borders: the zeros to the right of one are those to the left of the next.

With u the unit roundoff and K terms to a product, each result is within γ_{K+6} of what it would be
with the magnitudes of all terms, which are at most twice those of the three rows of x with each of
the three rows of w. Nothing but the rows that an output sees has a part in it; where one of them is
infinite, ∞ − ∞ may make it NaN.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from minisam.nn.kernels.activations import positive_part
from minisam.nn.kernels.patches import Pair, small_products

BLOCK_BYTES = 1 << 20  # of v at a time


def suits(kernel: Pair, stride: Pair, padding: Pair, width: int, channels: int) -> bool:
    """Return whether these kernels can do a convolution of images, and are the faster ones.

    Args:
        kernel: its size.
        stride: of the convolution.
        padding: of the images.
        width: of the images; short rows are soon copied as patches.
        channels: of the images; with few of them sums take longer than products.
    """
    possible = kernel[0] == 3 and stride == (1, 1) and padding[0] < 3 and padding[1] < kernel[1]
    return possible and channels >= 16 and width * channels >= 256


def kernel_rows(w: np.ndarray) -> np.ndarray:
    """Return u, of shape (4, kw · channels, filters)."""
    w0, w1, w2 = w.reshape(3, -1, w.shape[3])
    return np.stack([w0, (w0 + w1 + w2) / 2, (w0 - w1 + w2) / 2, w2])


def kernel_rows_adjoint(u: np.ndarray) -> np.ndarray:
    """Return w's gradient, of shape (3, kw · channels, filters), of u's."""
    both = (u[1] + u[2]) / 2
    return np.stack([u[0] + both, (u[1] - u[2]) / 2, both + u[3]])


def even(total: int, most: int) -> int:
    """Return the size of nearly equal blocks of at most ``most``, or 1, that make ``total``."""
    return -(-total // -(-total // max(1, most)))


def image_rows(x, kw: int, padding: Pair, out_height: int, filters: int, dtype) -> Iterator:
    """Yield (images, rows) of the output and the patches of v there, a block at a time.

    v holds the pixels of all pairs of rows in sequence. The patches that begin at every kw-th of
    them make an array (4, patches, kw · channels) and there are kw such arrays, in a list. They are
    overwritten by the next ones.
    """
    (n, height, width, c), (top, left) = x.shape, padding
    pairs, across = (out_height + 1) // 2, width + left
    bytes_of_pair = 4 * across * c * np.dtype(dtype).itemsize
    most = min(BLOCK_BYTES // bytes_of_pair, small_products(kw * c * filters) * kw // across)
    some_pairs, images = even(pairs, most), even(n, most // pairs)
    padded = np.zeros((images, 2 * some_pairs + 2, across * c), dtype)
    memory = np.empty((4, (images * some_pairs * across + 2 * kw) * c), dtype)
    for i in range(0, n, images):
        for j in range(0, pairs, some_pairs):
            count, number, above = min(images, n - i), min(some_pairs, pairs - j), 2 * j - top
            seen = padded[:count, : 2 * number + 2]
            low, high = max(0, above), min(height, above + 2 * number + 2)
            seen[:, : low - above] = seen[:, high - above :] = 0
            inner = seen[:, low - above : high - above, left * c :]
            inner[...] = x[i : i + count, low:high].reshape(inner.shape)

            pixels = count * number * across
            memory[:, pixels * c : (pixels + 2 * kw) * c] = 0  # on the right of the last row
            v0, v1, v2, v3 = memory[:, : pixels * c].reshape(4, count, number, across * c)
            d0, d1, d2, d3 = (seen[:, k : k + 2 * number : 2] for k in range(4))
            np.subtract(d0, d2, out=v0)
            np.add(d1, d2, out=v1)
            np.subtract(d2, d1, out=v2)
            np.subtract(d1, d3, out=v3)

            length = -(-pixels // kw) * kw * c
            patches = [memory[:, k * c : k * c + length].reshape(4, -1, kw * c) for k in range(kw)]
            yield (slice(i, i + count), slice(2 * j, min(out_height, 2 * (j + number)))), patches


def every_second_row(y, first: int) -> np.ndarray:
    """Return a view of images' rows, of shape (images, rows, width · filters)."""
    rows = y[:, first::2]
    return rows.reshape(*rows.shape[:2], y.shape[2] * y.shape[3])


def beside_patches(m, block, across: int) -> np.ndarray:
    """Return the entries (4, images, pairs, numbers) of m that belong to an output's block.

    Args:
        m: array of shape (4, patches, kw, filters), for each pixel of v.
        block: images of the output.
        across: pixels in a row of v, of which the last ones see beyond their own row.
    """
    images, rows, width, filters = block.shape
    pairs = (rows + 1) // 2
    m = m.reshape(4, -1)[:, : images * pairs * across * filters]
    return m.reshape(4, images, pairs, -1)[..., : width * filters]


@np.errstate(invalid="ignore")
def correlate(x, u, kw: int, bias, padding: Pair, rectify: bool, y) -> None:
    """Put x ∗ w + bias, or its relu, into y; ``bias`` is that of one row of y, or None."""
    filters = u.shape[2]
    m = np.empty((4, 0, kw, filters), y.dtype)
    for at, patches in image_rows(x, kw, padding, y.shape[1], filters, y.dtype):
        if len(patches[0][0]) != m.shape[1]:
            m = np.empty((4, len(patches[0][0]), kw, filters), y.dtype)
        for k in range(kw):
            np.matmul(patches[k], u, out=m[:, :, k])
        block = y[at]
        m0, m1, m2, m3 = beside_patches(m, block, x.shape[2] + padding[1])
        y0, y1 = every_second_row(block, 0), every_second_row(block, 1)
        if bias is not None:
            m1 += bias.ravel()  # m1 is in both rows
        np.add(m0, m1, out=y0)
        y0 += m2
        some = y1.shape[1]  # one less than in y0 where the height is odd
        np.subtract(m1[:, :some], m2[:, :some], out=y1)
        y1 -= m3[:, :some]
        if rectify:
            positive_part(block, out=block)


@np.errstate(invalid="ignore")
def kernel_gradient(x, y, kw: int, padding: Pair) -> np.ndarray:
    """Return ∂T/∂w, of shape (3, kw, c, o)."""
    c, filters, dtype = x.shape[3], y.shape[3], np.result_type(x, y)
    total = np.zeros((4, kw * c, filters), dtype)
    product = np.empty_like(total)
    z = np.empty((4, 0, kw, filters), dtype)
    for at, patches in image_rows(x, kw, padding, y.shape[1], filters, dtype):
        if len(patches[0][0]) != z.shape[1]:
            z = np.zeros((4, len(patches[0][0]), kw, filters), dtype)
        block = y[at]
        if block.shape[1] % 2:
            block = np.concatenate([block, np.zeros_like(block[:, :1])], axis=1)
        z0, z1, z2, z3 = beside_patches(z, block, x.shape[2] + padding[1])
        y0, y1 = every_second_row(block, 0), every_second_row(block, 1)
        z0[...] = y0
        np.add(y0, y1, out=z1)
        np.subtract(y0, y1, out=z2)
        np.negative(y1, out=z3)
        for k in range(kw):
            np.matmul(patches[k].transpose(0, 2, 1), z[:, :, k], out=product)
            total += product
    return kernel_rows_adjoint(total).reshape(3, kw, c, filters)
