"""Other ways to convolve in NumPy, against the one that was kept.

    OPENBLAS_NUM_THREADS=1 python tests/benchmarks/convolutions_tried.py

Each is a forward convolution of images (n, h, w, c) with an odd kernel (k, k, c, o), stride 1 and
the padding that keeps the size, on one thread. Printed: time in units of the kept one's, and the
largest error relative to a float64 result in units of the kept one's.
"""

from __future__ import annotations

import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.timing import in_turn

from minisam import threads
from minisam.nn.kernels import winograd as rows
from minisam.nn.kernels.convolution import convolve
from minisam.nn.kernels.patches import pad


def kept(x, w):
    k = len(w) // 2
    return convolve(x, w, (1, 1), (k, k))


def blocks_of_patches(x, w):
    """Patches of a block of images at a time, as for strides and for kernels of other sizes."""
    suits, rows.suits = rows.suits, lambda *_: False
    try:
        return kept(x, w)
    finally:
        rows.suits = suits


def whole_im2col(x, w):
    """All patches of all images at once."""
    k, _, c, o = w.shape
    padded = pad(x, (k // 2, k // 2))
    patches = sliding_window_view(padded, (k, k), axis=(1, 2)).transpose(0, 1, 2, 4, 5, 3)
    return (patches.reshape(-1, k * k * c) @ w.reshape(-1, o)).reshape(*x.shape[:3], o)


def einsum(x, w):
    """The definition, left to NumPy."""
    k = len(w)
    padded = pad(x, (k // 2, k // 2))
    patches = sliding_window_view(padded, (k, k), axis=(1, 2))
    return np.einsum("nijcab,abco->nijo", patches, w, optimize=True)


def flat_images(x, k):
    """Yield each image as rows of pixels in which a shift by (a, b) is a shift by a · width + b."""
    n, h, w, c = x.shape
    p, width = k // 2, w + k - 1
    flat = np.zeros(((h + k) * width + k, c), x.dtype)
    for i in range(n):
        flat[: (h + k) * width].reshape(h + k, width, c)[p : p + h, p : p + w] = x[i]
        yield i, flat, width


def shifted_products(x, w):
    """Add k² products of shifted images with one c×o slice of the kernel each: no patches."""
    k, _, _, o = w.shape
    n, h, width_out, _ = x.shape
    y = np.empty((n, h, width_out, o), x.dtype)
    for i, flat, width in flat_images(x, k):
        total = np.zeros((h * width, o), x.dtype)
        for a in range(k):
            for b in range(k):
                total += flat[a * width + b :][: h * width] @ w[a, b]
        y[i] = total.reshape(h, width, o)[:, :width_out]
    return y


def phased_products(x, w):
    """The same with k taps to a product: every k-th of the overlapping patches is a matrix."""
    k, _, c, o = w.shape
    n, h, width_out, _ = x.shape
    y = np.empty((n, h, width_out, o), x.dtype)
    for i, flat, width in flat_images(x, k):
        rows = -(-h * width // k)
        total = np.zeros((rows, k, o), x.dtype)
        flat = np.concatenate([flat, np.zeros((2 * k * k, c), x.dtype)])
        for a in range(k):
            for phase in range(k):
                patches = flat[a * width + phase :][: rows * k].reshape(rows, k * c)
                total[:, phase] += patches @ w[a].reshape(k * c, o)
        y[i] = total.reshape(-1, o)[: h * width].reshape(h, width, o)[:, :width_out]
    return y


WINOGRAD = {
    2: (
        [[1, 0, -1, 0], [0, 1, 1, 0], [0, -1, 1, 0], [0, 1, 0, -1]],
        [[1, 0, 0], [1 / 2, 1 / 2, 1 / 2], [1 / 2, -1 / 2, 1 / 2], [0, 0, 1]],
        [[1, 1, 1, 0], [0, 1, -1, -1]],
    ),
    4: (
        [[4, 0, -5, 0, 1, 0], [0, -4, -4, 1, 1, 0], [0, 4, -4, -1, 1, 0],
         [0, -2, -1, 2, 1, 0], [0, 2, -1, -2, 1, 0], [0, 4, 0, -5, 0, 1]],
        [[1 / 4, 0, 0], [-1 / 6, -1 / 6, -1 / 6], [-1 / 6, 1 / 6, -1 / 6],
         [1 / 24, 1 / 12, 1 / 6], [1 / 24, -1 / 12, 1 / 6], [0, 0, 1]],
        [[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]],
    ),
}  # fmt: skip


def winograd(m, x, w):
    """Lavin and Gray 2016: (m+2)² products per m×m output pixels, transforms as products too."""
    b, g, a = (np.kron(t, t).astype(x.dtype) for t in WINOGRAD[m])
    n, h, width, c = x.shape
    o, t, th, tw = w.shape[3], m + 2, h // m, width // m
    kernel = (g @ w.reshape(9, c * o)).reshape(t * t, c, o)
    y = np.empty((n, h, width, o), x.dtype)
    for i in range(n):
        tiles = sliding_window_view(pad(x[i : i + 1], (1, 1))[0], (t, t), axis=(0, 1))[::m, ::m]
        data = np.ascontiguousarray(tiles.transpose(3, 4, 0, 1, 2)).reshape(t * t, -1)
        product = (b @ data).reshape(t * t, th * tw, c) @ kernel
        out = (a @ product.reshape(t * t, -1)).reshape(m, m, th, tw, o)
        y[i].reshape(th, m, tw, m, o)[...] = out.transpose(2, 0, 3, 1, 4)
    return y


def winograd_four_rows(x, w):
    """F(4, 3) along the rows: half of the products instead of two thirds, and more sums."""
    n, h, width, c = x.shape
    o, four = w.shape[3], h // 4
    u = np.tensordot(np.array(WINOGRAD[4][1], x.dtype), w, 1).reshape(6, 3 * c, o)
    padded = np.zeros((h + 2, width + 1, c), x.dtype)
    v = np.zeros((6, (four * (width + 1) + 6) * c), x.dtype)
    size, number = four * (width + 1) * c, -(-four * (width + 1) // 3)
    m = np.empty((6, number, 3, o), x.dtype)
    v0, v1, v2, v3, v4, v5 = v[:, :size].reshape(6, four, -1)
    out = m.reshape(6, -1)[:, : four * (width + 1) * o].reshape(6, four, -1)[..., : width * o]
    d0, d1, d2, d3, d4, d5 = (padded.reshape(h + 2, -1)[k : k + h - 3 : 4] for k in range(6))
    y = np.empty((n, h, width, o), x.dtype)
    for i in range(n):
        padded[1:-1, 1:] = x[i]
        a, b, e, f = d4 - 4 * d2, d3 - 4 * d1, d4 - d2, 2 * (d3 - d1)
        np.add(a, b, out=v1), np.subtract(a, b, out=v2)
        np.add(e, f, out=v3), np.subtract(e, f, out=v4)
        np.add(4 * (d0 - d2), e, out=v0), np.add(4 * (d1 - d3), d5 - d3, out=v5)
        for k in range(3):
            patches = v[:, k * c : (k + 3 * number) * c].reshape(6, number, 3 * c)
            np.matmul(patches, u, out=m[:, :, k])
        plus, minus = out[1] + out[2], out[1] - out[2]
        doubled, twice = out[3] + out[4], 2 * (out[3] - out[4])
        y0, y1, y2, y3 = (y[i, k::4].reshape(four, -1) for k in range(4))
        np.add(out[0] + plus, doubled, out=y0), np.add(minus, twice, out=y1)
        np.add(plus, 4 * doubled, out=y2), np.add(minus + 4 * twice, out[5], out=y3)
    return y


def fft(x, w):
    """Multiply spectra, frequency by frequency."""
    k, h, width = len(w), *x.shape[1:3]
    size = (h + k - 1, width + k - 1)
    spectrum = np.fft.rfft2(x, size, axes=(1, 2))
    kernel = np.conj(np.fft.rfft2(w, size, axes=(0, 1)))
    product = spectrum.transpose(1, 2, 0, 3) @ kernel
    y = np.fft.irfft2(product, size, axes=(0, 1)).transpose(2, 0, 1, 3)
    p = k // 2  # correlation: output (i, j) starts at pixel (i − p, j − p)
    return np.roll(y, (p, p), axis=(1, 2))[:, :h, :width].astype(x.dtype)


def main():
    candidates = {
        "kept": kept,
        "patches in blocks": blocks_of_patches,
        "whole im2col": whole_im2col,
        "einsum": einsum,
        "k² shifted products": shifted_products,
        "k phased products": phased_products,
        "Winograd F(2×2, 3×3)": partial(winograd, 2),
        "Winograd F(4×4, 3×3)": partial(winograd, 4),
        "Winograd F(4, 3), rows": winograd_four_rows,
        "FFT": fft,
    }
    np.setbufsize(threads.BUFFER)  # as it is for the kept one
    rng = np.random.default_rng(0)
    for n, size, c, o, k in ((64, 32, 32, 32, 3), (64, 16, 64, 64, 3), (32, 32, 16, 16, 11)):
        x = rng.standard_normal((n, size, size, c)).astype(np.float32)
        w = (rng.standard_normal((k, k, c, o)) / k).astype(np.float32)
        exact = kept(x.astype(np.float64), w.astype(np.float64))
        runs = {
            name: partial(f, x, w)
            for name, f in candidates.items()
            if k == 3 or "Winograd" not in name
        }
        errors = {name: np.abs(run() - exact).max() for name, run in runs.items()}
        times = in_turn(runs, seconds=3, clock=time.process_time)
        print(f"\n{k}×{k} convolution {c}→{o} at {size}×{size}, batch {n}, float32")
        for name in runs:
            print(f"  {name:<22} time {times.ratio(name, 'kept'):5.2f}   "
                  f"error {errors[name] / errors['kept']:7.2f}")  # fmt: skip


if __name__ == "__main__":
    main()
