"""A small vision transformer (Dosovitskiy et al. 2021), of adjustable size."""

from __future__ import annotations

from collections.abc import Sequence

import autograd.numpy as anp
import numpy as np

from minisam.checks import check_whole
from minisam.nn.kernels.activations import softmax
from minisam.nn.layers import dense, gelu, init_dense, init_layer_norm, layer_norm
from minisam.nn.models.mixer import check_patch, patches
from minisam.nn.models.model import Model, check_images, whole_sizes, without_statistics


def attention(query, key, value, heads: int):
    """Return softmax(q kᵀ / √d) v in each head (Vaswani et al. 2017, eq. 1).

    Args:
        query: ndarray of shape (batch, tokens, width).
        key: of the same shape.
        value: of the same shape.
        heads: number of heads, which divides the width.

    Returns:
        ndarray of shape (batch, tokens, width), the heads side by side.

    Example:
        >>> attention(*(np.ones((1, 5, 8)) for _ in range(3)), heads=2).shape
        (1, 5, 8)
    """
    batch, tokens, width = query.shape
    depth = width // heads

    def split(x):
        return anp.transpose(anp.reshape(x, (batch, tokens, heads, depth)), (0, 2, 1, 3))

    q, k, v = split(query), split(key), split(value)
    weights = softmax(anp.matmul(q, anp.swapaxes(k, 2, 3)) * float(depth**-0.5))
    mixed = anp.transpose(anp.matmul(weights, v), (0, 2, 1, 3))
    return anp.reshape(mixed, (batch, tokens, width))


def vit(
    width: int = 64,
    blocks: int = 4,
    heads: int = 4,
    patch: int = 4,
    input_shape: Sequence[int] = (32, 32, 3),
    classes: int = 10,
) -> Model:
    """Return a vision transformer: x ← x + attention(norm(x)), x ← x + MLP(norm(x)), eqs. (2)-(3).

    Positions are learned; the logits come from the mean over tokens, instead of a class token.

    Args:
        width: channels of each token.
        blocks: number of transformer blocks.
        heads: attention heads, which divide the width.
        patch: side of a patch, which divides the image's height and width.
        input_shape: of one image, (height, width, channels).
        classes: number of logits.

    Returns:
        The model.

    Raises:
        ValueError: if ``heads`` does not divide ``width``, or ``patch`` the image; from the model,
            if images do not fit.

    Example:
        >>> model = vit(width=8, blocks=1, heads=2, patch=8)
        >>> model.apply(model.init(0), np.zeros((2, 32, 32, 3), np.float32)).shape
        (2, 10)
    """
    count = check_patch(patch, input_shape)
    patch, blocks = int(patch), check_whole("blocks", blocks)
    width, heads, classes = whole_sizes(width=width, heads=heads, classes=classes)
    if width % heads:
        raise ValueError(f"heads must divide the width {width}, got {heads}")

    def init(rng, dtype=np.float32):
        rng = np.random.default_rng(rng)
        params = init_dense(rng, "stem", patch * patch * input_shape[2], width, dtype, gain=1.0)
        params["position"] = (0.02 * rng.standard_normal((count, width))).astype(dtype)
        for k in range(blocks):
            block = f"blocks.{k}"
            for norm in "norm1", "norm2":
                params |= init_layer_norm(f"{block}.{norm}", width, dtype)
            for name in "query", "key", "value", "out":
                params |= init_dense(rng, f"{block}.{name}", width, width, dtype, gain=1.0)
            params |= init_dense(rng, f"{block}.fc1", width, 4 * width, dtype)
            params |= init_dense(rng, f"{block}.fc2", 4 * width, width, dtype, gain=1.0)
        params |= init_layer_norm("norm", width, dtype)
        return params | init_dense(rng, "fc", width, classes, dtype, gain=1.0)

    def forward(params, images):
        check_images(images, *input_shape)
        x = dense(params, "stem", patches(images, patch)) + params["position"]
        for k in range(blocks):
            block = f"blocks.{k}"
            y = layer_norm(params, f"{block}.norm1", x)
            q, key, v = (dense(params, f"{block}.{name}", y) for name in ("query", "key", "value"))
            x = x + dense(params, f"{block}.out", attention(q, key, v, heads))
            y = layer_norm(params, f"{block}.norm2", x)
            x = x + dense(params, f"{block}.fc2", dense(params, f"{block}.fc1", y, gelu))
        x = layer_norm(params, "norm", x)
        return dense(params, "fc", x.sum(axis=1) * (1.0 / count))

    return without_statistics("vit", init, forward)
