"""Convolutions of three rows with two thirds of the multiplications (Winograd 1980).

Two neighbouring outputs of three taps, y₀ = d₀w₀ + d₁w₁ + d₂w₂ and y₁ = d₁w₀ + d₂w₁ + d₃w₂, take
six products. Winograd's F(2, 3) takes four, and each of its sums is shared by many outputs:

    v₀ = d₂ − d₀    u₀ = −w₀                   m = v u, each by itself
    v₁ = d₁ + d₂    u₁ = (w₀ + w₁ + w₂)/2
    v₂ = d₂ − d₁    u₂ = (w₀ − w₁ + w₂)/2      y₀ = m₀ + m₁ + m₂
    v₃ = d₃ − d₁    u₃ = w₂                    y₁ = m₃ + m₁ − m₂

Here d are four rows of images and w the three rows of a kernel, so that a product is a correlation
along the row, over columns and channels. It is T = Σ ⟨v u, z⟩ with z = (y₀, y₀ + y₁, y₀ − y₁, y₁)
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
    return np.stack([-w0, (w0 + w1 + w2) / 2, (w0 - w1 + w2) / 2, w2])


def kernel_rows_adjoint(u: np.ndarray) -> np.ndarray:
    """Return w's gradient, of shape (3, kw · channels, filters), of u's."""
    both = (u[1] + u[2]) / 2
    return np.stack([both - u[0], (u[1] - u[2]) / 2, both + u[3]])


def even(total: int, most: int) -> int:
    """Return the size of nearly equal blocks of at most ``most``, or 1, that make ``total``."""
    return -(-total // -(-total // max(1, most)))


def pieces(pixels: int, kw: int, most: int) -> tuple[int, int]:
    """Return how many equal pieces of at most ``most`` patches cover pixels, and their patches."""
    patches = -(-pixels // kw)
    count = -(-patches // most)
    return count, -(-patches // count)


def image_rows(x, kw: int, padding: Pair, out_height: int, filters: int, dtype) -> Iterator:
    """Yield (images, rows) of the output and the patches of v there, a block at a time.

    v holds the pixels of all pairs of rows in sequence. Of its patches those that begin at every
    kw-th pixel make a matrix, or several where smaller products are faster, so that all of them
    have the shape (kw, 4, pieces, patches, kw · channels). They are overwritten by the next ones.
    """
    (n, height, width, c), (top, left) = x.shape, padding
    pairs, across = (out_height + 1) // 2, width + left
    most = BLOCK_BYTES // (4 * across * c * np.dtype(dtype).itemsize)  # pairs in a block
    some_pairs, images = even(pairs, most), even(n, most // pairs)
    small = small_products(kw * c * filters)
    padded = np.zeros((images, 2 * some_pairs + 2, across * c), dtype)
    parts, patches = pieces(images * some_pairs * across, kw, small)
    memory = np.empty((4, (parts * patches + 1) * kw * c), dtype)
    for i in range(0, n, images):
        for j in range(0, pairs, some_pairs):
            count, number, above = min(images, n - i), min(some_pairs, pairs - j), 2 * j - top
            seen = padded[:count, : 2 * number + 2]
            low, high = max(0, above), min(height, above + 2 * number + 2)
            if some_pairs < pairs:  # or else no other block has been there
                seen[:, : low - above] = seen[:, high - above :] = 0
            inner = seen[:, low - above : high - above, left * c :]
            inner[...] = x[i : i + count, low:high].reshape(inner.shape)

            size = count * number * across * c
            v = memory[:, :size].reshape(4, count, number, across * c)
            d1, d2 = seen[:, 1:-2:2], seen[:, 2:-1:2]
            beside = (count, number, 2, across * c)  # (d0, d1) and (d2, d3)
            np.subtract(
                seen[:, 2:].reshape(beside),
                seen[:, :-2].reshape(beside),
                out=v[::3].transpose(1, 2, 0, 3),
            )
            np.add(d1, d2, out=v[1])
            np.subtract(d2, d1, out=v[2])
            parts, patches = pieces(count * number * across, kw, small)
            memory[:, size:] = 0  # on the right of the last row
            at = slice(i, i + count), slice(2 * j, min(out_height, 2 * (j + number)))
            yield at, every_patch(memory, parts, patches, kw, c)


def every_patch(v, parts: int, patches: int, kw: int, channels: int) -> np.ndarray:
    """Return a view (kw, 4, parts, patches, kw · channels) of v (4, pixels · channels).

    The last ones end kw − 1 pixels behind parts · patches · kw: v has a patch more.
    """
    plane, entry = v.strides
    patch = kw * channels
    return np.lib.stride_tricks.as_strided(
        v,
        (kw, 4, parts, patches, patch),
        (channels * entry, plane, patches * patch * entry, patch * entry, entry),
        writeable=False,
    )


def beside_patches(m, block, across: int) -> np.ndarray:
    """Return the entries (4, images, pairs, numbers) of m that belong to an output's block.

    Args:
        m: array of shape (4, parts, patches, kw, filters), for each pixel of v.
        block: images of the output, with an even number of rows.
        across: pixels in a row of v, of which the last ones see beyond their own row.
    """
    images, rows, width, filters = block.shape
    m = m.reshape(4, -1)[:, : images * rows // 2 * across * filters]
    return m.reshape(4, images, rows // 2, -1)[..., : width * filters]


def in_pairs(block) -> np.ndarray:
    """Return a view (images, pairs, 2, width · filters) of an even number of images' rows."""
    images, rows, width, filters = block.shape
    return block.reshape(images, rows // 2, 2, width * filters)


def with_even_rows(block) -> np.ndarray:
    """Return images with a row of zeros below if their number of rows is odd."""
    if block.shape[1] % 2 == 0:
        return block
    return np.concatenate([block, np.zeros_like(block[:, :1])], axis=1)


@np.errstate(invalid="ignore")
def correlate(x, u, kw: int, bias, padding: Pair, rectify: bool, y) -> None:
    """Put x ∗ w + bias, or its relu, into y; ``bias`` is that of one row of y, or None."""
    filters, m = u.shape[2], np.empty((4, 0, 0))
    for at, patches in image_rows(x, kw, padding, y.shape[1], filters, y.dtype):
        if patches.shape[2:4] != m.shape[1:3]:
            m = np.empty((4, *patches.shape[2:4], kw, filters), y.dtype)
        np.matmul(patches, u[:, None], out=m.transpose(3, 0, 1, 2, 4))
        block = with_even_rows(y[at])
        part = beside_patches(m, block, x.shape[2] + padding[1])
        m0_m3, (m1, m2) = part[::3], part[1:3]
        if bias is not None:
            m1 += bias.ravel()  # m1 is in both rows
        rows = in_pairs(block)
        np.add(m0_m3.transpose(1, 2, 0, 3), m1[:, :, None], out=rows)
        rows[:, :, 0] += m2
        rows[:, :, 1] -= m2
        if rectify:
            positive_part(block, out=block)
        if y[at].shape != block.shape:
            y[at] = block[:, :-1]


@np.errstate(invalid="ignore")
def kernel_gradient(x, y, kw: int, padding: Pair) -> np.ndarray:
    """Return ∂T/∂w, of shape (3, kw, c, o)."""
    c, filters, dtype = x.shape[3], y.shape[3], np.result_type(x, y)
    z, total = np.empty((4, 0, 0)), np.empty(0)
    for at, patches in image_rows(x, kw, padding, y.shape[1], filters, dtype):
        parts = patches.shape[2]
        if patches.shape[2:4] != z.shape[1:3]:
            z = np.zeros((4, *patches.shape[2:4], kw, filters), dtype)
            product = np.empty((kw, 4, parts, kw * c, filters), dtype)
        if total.size == 0:
            total = np.zeros_like(product)  # of the first block, which has most parts
        block = with_even_rows(y[at])
        part, rows = beside_patches(z, block, x.shape[2] + padding[1]), in_pairs(block)
        part[::3] = rows.transpose(2, 0, 1, 3)
        np.add(rows[:, :, 0], rows[:, :, 1], out=part[1])
        np.subtract(rows[:, :, 0], rows[:, :, 1], out=part[2])
        np.matmul(patches.swapaxes(3, 4), z.transpose(3, 0, 1, 2, 4), out=product)
        total[:, :, :parts] += product
    return kernel_rows_adjoint(total.sum(axis=(0, 2))).reshape(3, kw, c, filters)
