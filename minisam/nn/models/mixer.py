"""The MLP-Mixer (Tolstikhin et al. 2021): patches mixed by dense layers, without convolution."""

from __future__ import annotations

from collections.abc import Sequence

import autograd.numpy as anp
import numpy as np

from minisam.checks import check_whole
from minisam.nn.layers import dense, gelu, init_dense, init_layer_norm, layer_norm
from minisam.nn.models.model import Model, as_sizes, check_images, whole_sizes, without_statistics


def patches(images, size: int):
    """Cut images into square patches: (batch, patches, size · size · channels).

    Example:
        >>> patches(np.zeros((2, 8, 8, 3)), 4).shape
        (2, 4, 48)
    """
    batch, height, width, channels = images.shape
    rows, columns = height // size, width // size
    grid = images.reshape(batch, rows, size, columns, size, channels)
    return grid.transpose(0, 1, 3, 2, 4, 5).reshape(batch, rows * columns, -1)


def check_patch(size: int, input_shape: Sequence[int]) -> int:
    """Return the number of patches, or raise ValueError if ``size`` does not divide the image."""
    height, width, _ = as_sizes("input_shape", input_shape, 3)
    size = check_whole("patch", size, low=1)
    if height % size or width % size:
        raise ValueError(f"patch must divide images of {height}×{width}, got {size}")
    return (height // size) * (width // size)


def mixer(
    width: int = 64,
    blocks: int = 4,
    patch: int = 4,
    token_hidden: int | None = None,
    channel_hidden: int | None = None,
    input_shape: Sequence[int] = (32, 32, 3),
    classes: int = 10,
) -> Model:
    """Return an MLP-Mixer: x ← x + MLPₜ(norm(x)ᵀ)ᵀ, then x ← x + MLP_c(norm(x)), eq. (1).

    The first MLP mixes patches, the second channels; each is dense, gelu, dense. The logits are a
    dense layer of the mean over patches.

    Args:
        width: channels of each patch.
        blocks: number of mixer blocks.
        patch: side of a patch, which divides the image's height and width.
        token_hidden: hidden width of the MLP over patches; half of ``width`` if None.
        channel_hidden: hidden width of the MLP over channels; 4 times ``width`` if None.
        input_shape: of one image, (height, width, channels).
        classes: number of logits.

    Returns:
        The model.

    Raises:
        ValueError: if ``patch`` does not divide the image; from the model, if images do not fit.

    Example:
        >>> model = mixer(width=8, blocks=1, patch=8)
        >>> model.apply(model.init(0), np.zeros((2, 32, 32, 3), np.float32)).shape
        (2, 10)
    """
    count = check_patch(patch, input_shape)
    patch, blocks = int(patch), check_whole("blocks", blocks)
    width, classes = whole_sizes(width=width, classes=classes)
    token_hidden, channel_hidden = whole_sizes(
        token_hidden=max(1, width // 2) if token_hidden is None else token_hidden,
        channel_hidden=4 * width if channel_hidden is None else channel_hidden,
    )

    def init(rng, dtype=np.float32):
        rng = np.random.default_rng(rng)
        params = init_dense(rng, "stem", patch * patch * input_shape[2], width, dtype, gain=1.0)
        for k in range(blocks):
            block = f"blocks.{k}"
            sizes = ("tokens", count, token_hidden), ("channels", width, channel_hidden)
            for number, (name, size, hidden) in enumerate(sizes, start=1):
                mlp = f"{block}.mlp_{name}"
                params |= init_layer_norm(f"{block}.norm{number}", width, dtype)
                params |= init_dense(rng, f"{mlp}.fc1", size, hidden, dtype)
                params |= init_dense(rng, f"{mlp}.fc2", hidden, size, dtype, gain=1.0)
        params |= init_layer_norm("norm", width, dtype)
        return params | init_dense(rng, "fc", width, classes, dtype, gain=1.0)

    def forward(params, images):
        def mlp(name, x):
            return dense(params, f"{name}.fc2", dense(params, f"{name}.fc1", x, gelu))

        check_images(images, *input_shape)
        x = dense(params, "stem", patches(images, patch))
        for k in range(blocks):
            block = f"blocks.{k}"
            y = anp.swapaxes(layer_norm(params, f"{block}.norm1", x), 1, 2)
            x = x + anp.swapaxes(mlp(f"{block}.mlp_tokens", y), 1, 2)
            x = x + mlp(f"{block}.mlp_channels", layer_norm(params, f"{block}.norm2", x))
        x = layer_norm(params, "norm", x)
        return dense(params, "fc", x.sum(axis=1) * (1.0 / count))

    return without_statistics("mixer", init, forward)
