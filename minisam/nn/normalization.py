"""Batch and layer normalization: x̂ = (x − mean) / √(variance + eps), then scale and shift.

Both are composed of three primitives that are linear in their parts or have a one-line derivative,
so that all orders of derivative follow:

    moments(x)            mean and variance of each channel over all other axes, as (2, channels)
    scale_shift(x, a, b)  a x + b, channel by channel

and batch norm is scale_shift(x, a, b) with a = weight / √(variance + eps), b = bias − mean · a: all
else is algebra on vectors of one number per channel.
"""

from __future__ import annotations

import autograd.numpy as anp
import numpy as np
from autograd.extend import defjvp, defvjp, primitive
from autograd.tracer import getval

from minisam.nn.primitives import add_bias, total


@primitive
def moments(x):
    """Return each channel's mean and (biased) variance over all other axes, as (2, channels)."""
    rows = x.reshape(-1, x.shape[-1])
    mean = np.mean(rows, axis=0, dtype=np.float64).astype(x.dtype)
    centred = rows - mean
    np.square(centred, out=centred)
    return np.stack([mean, np.mean(centred, axis=0, dtype=np.float64).astype(x.dtype)])


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


@primitive
def scale_shift(x, a, b):
    """Return a x + b for x (…, channels) and vectors a and b of one number per channel."""
    y = x * a
    y += b
    return y


@primitive
def scale_channels(x, a):
    """Return a x for x (…, channels) and a vector a of one number per channel."""
    return x * a


@primitive
def channel_inner(x, y):
    """Return Σ x y over all axes but the last one."""
    rows = x.reshape(-1, x.shape[-1]), y.reshape(-1, y.shape[-1])
    return np.einsum("nc,nc->c", *rows)


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
    a = weight / anp.sqrt(variance + eps)
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
    return scale_shift(centred / anp.sqrt(variance + eps), weight, bias)
