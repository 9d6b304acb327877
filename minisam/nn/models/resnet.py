"""The residual network for small images (He et al. 2016, sec. 4.2), of adjustable width."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from minisam.nn.layers import (
    batch_norm,
    convolution,
    dense,
    global_average,
    init_batch_norm,
    init_convolution,
    init_dense,
    initial_statistics,
    relu,
)
from minisam.nn.models.model import Model, check_images, whole_sizes


def resnet(
    width: int = 16, blocks: int = 1, stages: int = 3, channels: int = 3, classes: int = 10
) -> Model:
    """Return a residual network with batch norm: 2 · stages · blocks + 2 layers deep.

    A 3×3 convolution to ``width`` channels, then ``stages`` stages of ``blocks`` residual blocks,
    x ← relu(x' + bn2(conv2(relu(bn1(conv1(x)))))), where each stage but the first halves height and
    width and doubles the channels, with x' a strided 1×1 convolution of x there and x itself
    elsewhere; the mean over pixels, and a dense layer. Names are torchvision's
    (``layer2.0.conv1.weight``, ``layer2.0.downsample.0.weight``). ResNet-20 is ``blocks=3``, and
    ResNet-32, the SAM paper's network for label noise, ``blocks=5``.

    Args:
        width: channels of the first stage.
        blocks: residual blocks in each stage.
        stages: number of stages.
        channels: of the images.
        classes: number of logits.

    Returns:
        The model.

    Raises:
        ValueError: from the model, if images do not fit.

    Example:
        >>> model = resnet(width=4)
        >>> params, statistics = model.init(0), model.initial_statistics()
        >>> images = np.zeros((2, 8, 8, 3), np.float32)
        >>> logits, statistics = model.apply_training(params, images, statistics)
        >>> logits.shape, model.apply(params, images, statistics).shape
        ((2, 10), (2, 10))
    """
    width, blocks, stages, channels, classes = whole_sizes(
        width=width, blocks=blocks, stages=stages, channels=channels, classes=classes
    )

    def block_list() -> Iterator[tuple[str, int, int, int]]:
        previous = width
        for stage in range(stages):
            for index in range(blocks):
                outputs, stride = width * 2**stage, 2 if stage and not index else 1
                yield f"layer{stage + 1}.{index}", previous, outputs, stride
                previous = outputs

    def init(rng, dtype=np.float32):
        rng = np.random.default_rng(rng)
        params = init_convolution(rng, "conv1", 3, channels, width, dtype, bias=False)
        params |= init_batch_norm("bn1", width, dtype)
        for name, inputs, outputs, stride in block_list():
            for k, fan_in in (1, inputs), (2, outputs):
                conv = f"{name}.conv{k}"
                params |= init_convolution(rng, conv, 3, fan_in, outputs, dtype, bias=False)
                params |= init_batch_norm(f"{name}.bn{k}", outputs, dtype)
            if stride > 1:
                conv = f"{name}.downsample.0"
                params |= init_convolution(rng, conv, 1, inputs, outputs, dtype, bias=False)
                params |= init_batch_norm(f"{name}.downsample.1", outputs, dtype)
        return params | init_dense(rng, "fc", width * 2 ** (stages - 1), classes, dtype, gain=1.0)

    def statistics_at_start():
        statistics = initial_statistics("bn1", width)
        for name, _, outputs, stride in block_list():
            norms = ["bn1", "bn2"] + ["downsample.1"] * (stride > 1)
            for norm in norms:
                statistics |= initial_statistics(f"{name}.{norm}", outputs)
        return statistics

    def forward(params, images, statistics, training):
        check_images(images, None, None, channels)
        new = {}

        def conv_norm(x, conv, norm, stride=1, padding=1):
            y = convolution(params, conv, x, stride, padding)
            y, updated = batch_norm(params, norm, y, statistics, training)
            new.update(updated)
            return y

        x = relu(conv_norm(images, "conv1", "bn1"))
        for name, _, _, stride in block_list():
            y = relu(conv_norm(x, f"{name}.conv1", f"{name}.bn1", stride))
            y = conv_norm(y, f"{name}.conv2", f"{name}.bn2")
            if stride > 1:
                x = conv_norm(x, f"{name}.downsample.0", f"{name}.downsample.1", stride, padding=0)
            x = relu(x + y)
        return dense(params, "fc", global_average(x)), new

    return Model(
        name="resnet",
        init=init,
        initial_statistics=statistics_at_start,
        apply=lambda params, images, statistics: forward(params, images, statistics, False)[0],
        apply_training=lambda params, images, stats: forward(params, images, stats, True),
    )
