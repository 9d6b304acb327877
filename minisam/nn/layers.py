"""Layers as pure functions of the parameters' dict, and their initial parameters.

A layer named ``conv1`` owns ``conv1.weight`` and, where it has one, ``conv1.bias``: the names of
PyTorch's modules, so that parameters map one to one. Kernels have shape (kh, kw, in, out), dense
weights (in, out): PyTorch's transposed (out, in, kh, kw) and (out, in).

Weights start from He's normal distribution, N(0, 2 / fan in) (He et al. 2015, eq. 10), which keeps
the scale of activations through layers of relu; the last layer of a network, which no relu follows,
from N(0, 1 / fan in). Biases start at 0, scales at 1.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from minisam.checks import check_flag
from minisam.nn.kernels import convolution as kernels
from minisam.nn.kernels import dense as primitives
from minisam.nn.kernels import normalization
from minisam.nn.kernels.activations import gelu, relu, tanh
from minisam.nn.kernels.patches import Pair, pair
from minisam.nn.kernels.pooling import average_pool, max_pool
from minisam.trees import Params

__all__ = [
    "average_pool", "batch_norm", "convolution", "dense", "gelu", "global_average",
    "init_batch_norm", "init_convolution", "init_dense", "init_layer_norm", "initial_statistics",
    "layer_norm", "max_pool", "parameter_count", "relu", "tanh",
]  # fmt: skip


def dense(params: Params, name: str, x, activation: Callable | None = None, in_pieces: bool = True):
    """Return activation(x W + b).

    Args:
        params: holds ``name.weight`` (in, out) and ``name.bias`` (out,).
        name: of the layer.
        x: ndarray of shape (…, in).
        activation: elementwise nonlinearity; none if None. `relu` costs no pass over memory.
        in_pieces: whether the product is shared out among threads, as the work of most other
            layers. False leaves it to BLAS's own: faster in a network of dense layers alone, slower
            in others (`minisam.nn.kernels.dense.product`).

    Returns:
        ndarray of shape (…, out).

    Raises:
        ValueError: if ``in_pieces`` is neither True nor False.

    Example:
        >>> params = init_dense(np.random.default_rng(0), "fc", 3, 2)
        >>> dense(params, "fc", np.zeros((5, 3), np.float32)).shape
        (5, 2)
    """
    check_flag("in_pieces", in_pieces)
    weight, bias = params[f"{name}.weight"], params[f"{name}.bias"]
    y = primitives.affine(x, weight, bias, in_pieces, activation is relu)
    return y if activation in (None, relu) else activation(y)


def convolution(
    params: Params,
    name: str,
    x,
    stride: int | Pair = 1,
    padding: int | Pair = 0,
    activation: Callable | None = None,
):
    """Return the convolution (cross-correlation) of images with a kernel, plus the bias if any.

    Args:
        params: holds ``name.weight`` (kh, kw, in, out) and perhaps ``name.bias`` (out,).
        name: of the layer.
        x: images of shape (batch, height, width, in).
        stride: step between output pixels, one number or (vertical, horizontal).
        padding: border of zeros around each image, one number or (vertical, horizontal).
        activation: elementwise nonlinearity; none if None. `relu` costs no pass over memory.

    Returns:
        ndarray of shape (batch, out height, out width, out).

    Raises:
        ValueError: if there are no images, channels do not match, or the kernel is larger than
            the padded image.

    Example:
        >>> params = init_convolution(np.random.default_rng(0), "conv1", 3, 3, 8)
        >>> convolution(params, "conv1", np.zeros((5, 32, 32, 3), np.float32), padding=1).shape
        (5, 32, 32, 8)
    """
    weight, shape = params[f"{name}.weight"], np.shape(x)
    if len(shape) != 4 or shape[3] != weight.shape[2] or 0 in shape:
        raise ValueError(
            f"{name} takes images of shape (batch, height, width, {weight.shape[2]}), "
            f"at least one, got shape {shape}"
        )
    stride, padding = pair(stride, "stride", 1), pair(padding, "padding", 0)
    if f"{name}.bias" not in params:
        y = kernels.convolve(x, weight, stride, padding)
        return y if activation is None else activation(y)
    bias, rectify = params[f"{name}.bias"], activation is relu
    y = kernels.convolution(x, weight, bias, stride, padding, rectify)
    return y if activation in (None, relu) else activation(y)


def batch_norm(
    params: Params, name: str, x, statistics: Params, training: bool, momentum: float = 0.1
):
    """Return batch norm's output and the running statistics after it.

    In training the batch's own mean and variance normalize x, and the running ones move towards
    them: running ← (1 − momentum) running + momentum · batch, with the unbiased variance. At
    inference the running ones normalize x and stay. They have the dtype of x after either.

    Args:
        params: holds ``name.weight`` and ``name.bias``, both (channels,).
        name: of the layer.
        x: ndarray of shape (batch, …, channels).
        statistics: holds ``name.running_mean`` and ``name.running_var``; not changed.
        training: whether to use the batch's statistics.
        momentum: the weight of the batch in the running statistics.

    Returns:
        The output, of the shape of x, and a dict of this layer's two running statistics, plain
        arrays that carry no gradient.

    Raises:
        ValueError: if x is not floating-point, or empty.

    Example:
        >>> params = init_batch_norm("bn1", 1)
        >>> x = np.array([[0.0], [2.0]], np.float32)
        >>> y, new = batch_norm(params, "bn1", x, initial_statistics("bn1", 1), training=True)
        >>> new["bn1.running_mean"], new["bn1.running_var"]
        (array([0.1], dtype=float32), array([1.1], dtype=float32))
    """
    weight, bias = params[f"{name}.weight"], params[f"{name}.bias"]
    if x.dtype.kind != "f" or 0 in x.shape:  # running statistics would be rounded to integers
        raise ValueError(
            f"{name} takes floating-point numbers, at least one, got {x.dtype} of shape {x.shape}"
        )
    mean, variance = statistics[f"{name}.running_mean"], statistics[f"{name}.running_var"]
    if training:
        y, (batch_mean, batch_variance) = normalization.batch_norm(x, weight, bias)
        count = int(np.prod(x.shape[:-1]))
        batch_variance = batch_variance * (count / max(1, count - 1))
        mean = (1 - momentum) * mean + momentum * batch_mean
        variance = (1 - momentum) * variance + momentum * batch_variance
    mean, variance = mean.astype(x.dtype), variance.astype(x.dtype)
    if not training:
        y = normalization.normalize_by(x, mean, variance, weight, bias)
    return y, {f"{name}.running_mean": mean, f"{name}.running_var": variance}


def layer_norm(params: Params, name: str, x):
    """Return layer norm over the last axis, with ``name.weight`` and ``name.bias``.

    Example:
        >>> layer_norm(init_batch_norm("ln", 2), "ln", np.array([[0.0, 2.0]])).round(3)
        array([[-1.,  1.]])
    """
    return normalization.layer_norm(x, params[f"{name}.weight"], params[f"{name}.bias"])


def global_average(x):
    """Return the mean over height and width, of shape (batch, channels).

    Example:
        >>> global_average(np.ones((2, 4, 4, 3))).shape
        (2, 3)
    """
    return x.sum(axis=(1, 2)) * (1.0 / (x.shape[1] * x.shape[2]))


def check_dtype(dtype) -> None:
    """Raise ValueError unless weights of this dtype are floating-point: others round them away.

    Example:
        >>> check_dtype(int)
        Traceback (most recent call last):
        ...
        ValueError: dtype must be floating-point, got int64
    """
    if np.dtype(dtype).kind != "f":
        raise ValueError(f"dtype must be floating-point, got {np.dtype(dtype)}")


def init_dense(rng, name: str, inputs: int, outputs: int, dtype=np.float32, gain=2.0) -> Params:
    """Return a dense layer's weight from N(0, gain / inputs) and a bias of zeros.

    Example:
        >>> sorted(init_dense(np.random.default_rng(0), "fc", 3, 2))
        ['fc.bias', 'fc.weight']
    """
    check_dtype(dtype)
    weight = rng.standard_normal((inputs, outputs)) * np.sqrt(gain / inputs)
    return {f"{name}.weight": weight.astype(dtype), f"{name}.bias": np.zeros(outputs, dtype)}


def init_convolution(
    rng, name: str, kernel: int | Pair, inputs: int, outputs: int, dtype=np.float32, bias=True
) -> Params:
    """Return a kernel from N(0, 2 / (kh · kw · inputs)) and, if asked for, a bias of zeros.

    Example:
        >>> init_convolution(np.random.default_rng(0), "conv1", 3, 3, 8)["conv1.weight"].shape
        (3, 3, 3, 8)
    """
    check_dtype(dtype)
    kh, kw = pair(kernel, "kernel", 1)
    weight = rng.standard_normal((kh, kw, inputs, outputs)) * np.sqrt(2.0 / (kh * kw * inputs))
    params = {f"{name}.weight": weight.astype(dtype)}
    if bias:
        params[f"{name}.bias"] = np.zeros(outputs, dtype)
    return params


def init_batch_norm(name: str, channels: int, dtype=np.float32) -> Params:
    """Return a scale of ones and a shift of zeros, for batch norm or layer norm.

    Example:
        >>> init_batch_norm("bn1", 2)["bn1.weight"]
        array([1., 1.], dtype=float32)
    """
    check_dtype(dtype)
    return {f"{name}.weight": np.ones(channels, dtype), f"{name}.bias": np.zeros(channels, dtype)}


init_layer_norm = init_batch_norm


def initial_statistics(name: str, channels: int) -> Params:
    """Return batch norm's running statistics before training: mean 0, variance 1, in float32.

    Example:
        >>> sorted(initial_statistics("bn1", 2))
        ['bn1.running_mean', 'bn1.running_var']
    """
    return {
        f"{name}.running_mean": np.zeros(channels, np.float32),
        f"{name}.running_var": np.ones(channels, np.float32),
    }


def parameter_count(params: Params) -> int:
    """Return how many numbers the parameters hold.

    Example:
        >>> parameter_count({"w": np.zeros((3, 2)), "b": np.zeros(2)})
        8
    """
    return sum(np.size(leaf) for leaf in params.values())
