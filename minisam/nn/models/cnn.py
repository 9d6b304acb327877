"""A plain convolutional network: stages of 3×3 convolutions, each ended by max pooling."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from minisam.checks import check_whole
from minisam.nn.layers import convolution, dense, init_convolution, init_dense, max_pool, relu
from minisam.nn.models.model import Model, as_sizes, check_images, is_sequence, without_statistics


def cnn(
    channels: Sequence[Sequence[int]] = ((32, 32), (64,)),
    input_shape: Sequence[int] = (32, 32, 3),
    classes: int = 10,
) -> Model:
    """Return a convolutional network: conv, relu, …, pool, conv, relu, …, pool, dense.

    The convolutions ``conv1``, ``conv2``, … are 3×3 with padding 1; each stage ends with 2×2 max
    pooling, which halves height and width; ``fc`` makes the logits.

    Args:
        channels: for each stage, the channels of its convolutions.
        input_shape: of one image, (height, width, channels).
        classes: number of logits.

    Returns:
        The model.

    Raises:
        ValueError: if the images are too small for so many stages; from the model, if images do
            not fit.

    Example:
        >>> model = cnn(channels=((4,), (8,)))
        >>> params = model.init(0)
        >>> model.apply(params, np.zeros((2, 32, 32, 3), np.float32)).shape
        (2, 10)
    """
    if not is_sequence(channels):
        raise ValueError(f"channels must be a sequence for each stage, got {channels!r}")
    stages = [as_sizes(f"channels[{index}]", stage) for index, stage in enumerate(channels)]
    height, width, inputs = as_sizes("input_shape", input_shape, 3)
    classes = check_whole("classes", classes, low=1)
    shrink = 2 ** len(stages)
    if height < shrink or width < shrink:
        raise ValueError(
            f"channels has {len(stages)} stages, which need images of at least "
            f"{shrink}×{shrink}, got {height}×{width}"
        )

    def init(rng, dtype=np.float32):
        rng = np.random.default_rng(rng)
        params, previous, k = {}, inputs, 0
        for stage in stages:
            for count in stage:
                k += 1
                params |= init_convolution(rng, f"conv{k}", 3, previous, count, dtype)
                previous = count
        features = (height // shrink) * (width // shrink) * previous
        return params | init_dense(rng, "fc", features, classes, dtype, gain=1.0)

    def forward(params, images):
        check_images(images, height, width, inputs)
        x, k = images, 0
        for stage in stages:
            for index in range(len(stage)):
                k += 1
                activation = relu if index < len(stage) - 1 else None
                x = convolution(params, f"conv{k}", x, padding=1, activation=activation)
            x = relu(max_pool(x, 2))  # = max_pool(relu(x)), on a quarter of the numbers
        return dense(params, "fc", x.reshape((len(images), -1)))

    return without_statistics("cnn", init, forward)
