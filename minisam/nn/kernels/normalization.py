"""Batch and layer normalization: x̂ = (x − mean) / √(variance + eps), then scale and shift.

Batch norm is composed of two primitives, each with a one-line derivative, so that all orders of
derivative follow:

    moments(x)            mean and variance of each channel over all other axes, as (2, channels)
    scale_shift(x, a, b)  a x + b, channel by channel

with a = weight / √(variance + eps) and b = bias − mean · a: all else is algebra on vectors of one
number per channel.
"""

from __future__ import annotations

from itertools import chain

import autograd.numpy as anp
import numpy as np
from autograd.extend import defjvp, defvjp, primitive
from autograd.tracer import getval

from minisam.nn.kernels.dense import add_bias, total
from minisam.threads import over_batch

BLOCK_ROWS = 1 << 10  # of about 32 channels: a block that is read twice should stay in the cache


@primitive
def moments(x):
    """Return each channel's mean and (biased) variance over all other axes, as (2, channels).

    One pass over memory: in each block the numbers are centred by about their mean, so that neither
    the sum nor the sum of squares cancels, and the blocks' means and sums of squares are combined,
    in float64, to those of the whole (Chan, Golub and LeVeque 1983).
    """
    rows = x.reshape(-1, x.shape[-1])

    def work(part):
        found = []
        for start in range(part.start, part.stop, BLOCK_ROWS):
            block = rows[start : min(start + BLOCK_ROWS, part.stop)]
            one = np.ones(len(block), x.dtype)
            shift = one @ block / x.dtype.type(len(block))
            centred = block - shift
            square = np.einsum("nc,nc->c", centred, centred)
            found.append((len(block), shift, one @ centred, square))
        return found

    blocks = chain.from_iterable(over_batch(work, len(rows), x.size))
    count, shift, rest, square = (np.array(a, np.float64) for a in zip(*blocks, strict=True))
    means = shift + rest / count[:, None]  # of the blocks
    squares = square - rest**2 / count[:, None]  # Σ (x − mean)² of the blocks
    mean = count @ means / len(rows)
    variance = (squares.sum(axis=0) + count @ (means - mean) ** 2) / len(rows)
    return np.stack([mean, variance]).astype(x.dtype)


def _count(x) -> int:
    return int(np.prod(x.shape[:-1]))


defvjp(
    moments,
    # d mean = Σ dx / m,  d variance = 2 Σ (x − mean) dx / m
    lambda m, x: (
        lambda g: scale_shift(x, g[1] * (2 / _count(x)), (g[0] - 2 * m[0] * g[1]) * (1 / _count(x)))
    ),
)
defjvp(
    moments,
    lambda t, m, x: anp.array(
        [total(t) * (1 / _count(x)), total(add_bias(x, -m[0]) * t) * (2 / _count(x))]
    ),
)


def _lines(x, *vectors):
    """Return x with its last two axes as one, and the vectors repeated to that length.

    NumPy's loops run over the last axis: with 16 channels the inner loop would be only 16 long.
    """
    if x.ndim < 3:
        return x, *vectors
    return x.reshape(*x.shape[:-2], -1), *(np.tile(v, x.shape[-2]) for v in vectors)


def _channel_by_channel(function, x, *vectors):
    """Return ``function(x, *vectors, out)``'s out, computed part by part."""
    out = np.empty(x.shape, np.result_type(x, *vectors))
    lines, *wide = _lines(x, *vectors)
    outs = out.reshape(lines.shape)
    over_batch(lambda part: function(lines[part], *wide, outs[part]), len(lines), x.size)
    return out


@primitive
def scale_shift(x, a, b):
    """Return a x + b for x (…, channels) and vectors a and b of one number per channel."""

    def work(x, a, b, out):
        np.multiply(x, a, out=out)
        np.add(out, b, out=out)

    return _channel_by_channel(work, x, a, b)


@primitive
def scale_channels(x, a):
    """Return a x for x (…, channels) and a vector a of one number per channel."""
    return _channel_by_channel(lambda x, a, out: np.multiply(x, a, out=out), x, a)


@primitive
def channel_inner(x, y):
    """Return Σ x y over all axes but the last one."""
    rows = x.reshape(-1, x.shape[-1]), y.reshape(-1, y.shape[-1])
    parts = over_batch(
        lambda part: np.einsum("nc,nc->c", rows[0][part], rows[1][part]), len(rows[0]), x.size
    )
    return np.sum(parts, axis=0)


defvjp(
    scale_shift,
    lambda y, x, a, b: lambda g: scale_channels(g, a),
    lambda y, x, a, b: lambda g: channel_inner(x, g),
    lambda y, x, a, b: lambda g: total(g),
)
defjvp(
    scale_shift,
    lambda t, y, x, a, b: scale_channels(t, a),
    lambda t, y, x, a, b: scale_channels(x, t),
    lambda t, y, x, a, b: add_bias(anp.zeros_like(x), t),
)
defvjp(
    scale_channels,
    lambda y, x, a: lambda g: scale_channels(g, a),
    lambda y, x, a: lambda g: channel_inner(x, g),
)
defjvp(scale_channels, "same", "same")
defvjp(
    channel_inner,
    lambda _, x, y: lambda g: scale_channels(y, g),
    lambda _, x, y: lambda g: scale_channels(x, g),
)
defjvp(channel_inner, "same", "same")


@primitive
def root(x):
    """Return √x. Autograd's own, differentiated twice, can turn float32 into float64."""
    return np.sqrt(x)


defvjp(root, lambda y, x: lambda g: g / (2 * y))
defjvp(root, lambda t, y, x: t / (2 * y))


def normalize_by(x, mean, variance, weight, bias, eps: float = 1e-5):
    """Return weight (x − mean) / √(variance + eps) + bias, channel by channel.

    This is batch norm at inference, with running statistics.

    Args:
        x: ndarray of shape (…, channels).
        mean: ndarray of shape (channels,).
        variance: ndarray of shape (channels,).
        weight: ndarray of shape (channels,).
        bias: ndarray of shape (channels,).
        eps: added to the variance.

    Example:
        >>> one = np.ones(1)
        >>> normalize_by(np.array([[3.0]]), 2 * one, 4 * one, one, 0 * one, eps=0.0)
        array([[0.5]])
    """
    a = weight / root(variance + eps)
    return scale_shift(x, a, bias - mean * a)


def batch_norm(x, weight, bias, eps: float = 1e-5):
    """Normalize each channel by the mean and variance of the batch (Ioffe and Szegedy 2015).

    y = weight (x − mean) / √(variance + eps) + bias, with gradients through mean and variance.

    Args:
        x: ndarray of shape (…, channels).
        weight: ndarray of shape (channels,).
        bias: ndarray of shape (channels,).
        eps: added to the variance.

    Returns:
        y of the shape of x, and the batch's (mean, variance), plain arrays without gradient.

    Example:
        >>> y, (mean, variance) = batch_norm(np.array([[0.0], [2.0]]), np.ones(1), np.zeros(1))
        >>> mean, variance, y.round(3)
        (array([1.]), array([1.]), array([[-1.], [ 1.]]))
    """
    both = moments(x)
    y = normalize_by(x, both[0], both[1], weight, bias, eps)
    mean, variance = getval(both)
    return y, (mean, variance)


def layer_norm(x, weight, bias, eps: float = 1e-5):
    """Normalize each position by the mean and variance of its own channels (Ba et al. 2016).

    Args:
        x: ndarray of shape (…, channels).
        weight: ndarray of shape (channels,).
        bias: ndarray of shape (channels,).
        eps: added to the variance.

    Returns:
        ndarray of the shape of x.

    Example:
        >>> layer_norm(np.array([[0.0, 2.0]]), np.ones(2), np.zeros(2)).round(3)
        array([[-1.,  1.]])
    """
    one_over_c = 1.0 / x.shape[-1]
    centred = x - anp.sum(x, axis=-1, keepdims=True) * one_over_c
    variance = anp.sum(centred * centred, axis=-1, keepdims=True) * one_over_c
    return scale_shift(centred / root(variance + eps), weight, bias)
