"""The multi-layer perceptron: dense layers with a nonlinearity between them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from math import prod

import numpy as np

from minisam.checks import check_whole
from minisam.nn.layers import dense, init_dense, relu
from minisam.nn.models.model import Model, as_sizes, check_images, without_statistics


def mlp(
    hidden: Sequence[int] = (256, 256),
    input_shape: Sequence[int] = (32, 32, 3),
    classes: int = 10,
    activation: Callable = relu,
) -> Model:
    """Return a multi-layer perceptron on flattened images.

    x₀ = images, x_k = activation(x_{k−1} W_k + b_k), logits = x_K W_{K+1} + b_{K+1}; the layers are
    ``fc1``, ``fc2``, ….

    Args:
        hidden: widths of the hidden layers; none gives multinomial logistic regression.
        input_shape: of one image, (height, width, channels).
        classes: number of logits.
        activation: elementwise nonlinearity.

    Returns:
        The model.

    Raises:
        ValueError: from the model, if images do not fit.

    Example:
        >>> model = mlp(hidden=(8,))
        >>> params = model.init(0)
        >>> model.apply(params, np.zeros((2, 32, 32, 3), np.float32)).shape
        (2, 10)
    """
    shape = as_sizes("input_shape", input_shape)
    widths = [prod(shape), *as_sizes("hidden", hidden), check_whole("classes", classes, low=1)]
    if not callable(activation):
        raise ValueError(f"activation must be a function of an array, got {activation!r}")
    depth = len(widths) - 1

    def init(rng, dtype=np.float32):
        rng = np.random.default_rng(rng)
        params = {}
        for k, (inputs, outputs) in enumerate(pairwise(widths), start=1):
            gain = 2.0 if k < depth else 1.0
            params |= init_dense(rng, f"fc{k}", inputs, outputs, dtype, gain)
        return params

    def forward(params, images):
        check_images(images)
        x = images.reshape(len(images), -1)
        if x.shape[1] != widths[0]:
            check_images(images, *shape)  # says what they are, and may be
        for k in range(1, depth):
            x = dense(params, f"fc{k}", x, activation, in_pieces=False)
        return dense(params, f"fc{depth}", x, in_pieces=False)

    return without_statistics("mlp", init, forward)
