"""m-SAM of an MLP at SAM's price: what every shard's own climb does, without any shard's gradient.

The gradient of a dense layer is a sum of outer products, Xᵀ D with the layer's inputs X and the
derivatives D of the shard's loss with respect to its outputs. Its norm, and what a step along it
adds to the outputs of any input x̃, need only inner products of examples:

    ‖g‖² = Σ_layers Σ_ij (x_i · x_j + 1) (d_i · d_j)
    x̃ (W + c Xᵀ D) + (b + c Σ_j d_j) = x̃ W + b + c Σ_j (x̃ · x_j + 1) d_j,    c = ρ/‖g‖.

So two passes over the whole batch serve all shards, whether of one example or of all. The result is
that of `minisam.optim.m_sam` up to rounding.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from minisam.checks import check_whole
from minisam.trees import Params

TINY = 1e-30  # derivatives below it are 0: arithmetic on denormal numbers takes ten times as long


class Pass(NamedTuple):
    """What one pass over equal shards saw.

    Attributes:
        losses: of the examples, shape (shards, m).
        inputs: of each layer, shape (shards, m, in).
        slopes: derivatives of the shard's mean loss by each layer's outputs, (shards, m, out).
    """

    losses: np.ndarray
    inputs: list[np.ndarray]
    slopes: list[np.ndarray]


def one_pass(
    params: Params, x: np.ndarray, labels: np.ndarray, climbed: Pass | None = None, c: Any = None
) -> Pass:
    """Pass through an MLP and back, at w or where every shard climbed to.

    Args:
        params: of `minisam.nn.mlp`: ``fc1.weight``, ``fc1.bias``, ….
        x: flat images, shape (shards, m, in).
        labels: shape (shards, m).
        climbed: the pass at w along whose gradients each shard climbs.
        c: how far, in units of the gradient, shape (shards, 1, 1).
    """
    depth, (shards, m, _) = len(params) // 2, x.shape
    inputs: list[np.ndarray] = []

    def times(x: np.ndarray, w: np.ndarray) -> np.ndarray:  # as one product, not one for each shard
        return (x.reshape(shards * m, -1) @ w).reshape(shards, m, -1)

    for k in range(1, depth + 1):
        inputs.append(x)
        a = times(x, params[f"fc{k}.weight"]) + params[f"fc{k}.bias"]
        if climbed is not None:
            near = x @ climbed.inputs[k - 1].swapaxes(1, 2) + 1
            a += c * (near @ climbed.slopes[k - 1])
        x = np.maximum(a, 0)
    a -= a.max(axis=-1, keepdims=True)
    p = np.exp(a)
    total = p.sum(axis=-1, keepdims=True)
    chosen = labels[..., None]
    losses = (np.log(total) - np.take_along_axis(a, chosen, -1))[..., 0]
    d = p / total
    np.put_along_axis(d, chosen, np.take_along_axis(d, chosen, -1) - 1, -1)
    d = np.where(np.abs(d) < TINY, 0, d / m)
    slopes = [d]
    for k in range(depth, 1, -1):
        back = times(d, params[f"fc{k}.weight"].T)
        if climbed is not None:
            back += c * ((d @ climbed.slopes[k - 1].swapaxes(1, 2)) @ climbed.inputs[k - 1])
        d = back * (inputs[k - 1] > 0)
        slopes.insert(0, d)
    return Pass(losses, inputs, slopes)


def squared_norms(seen: Pass) -> np.ndarray:
    """Return the square of each shard's gradient norm, shape (shards,)."""
    return sum(
        np.sum((x @ x.swapaxes(1, 2) + 1) * (d @ d.swapaxes(1, 2)), axis=(1, 2))
        for x, d in zip(seen.inputs, seen.slopes, strict=True)
    )


def m_sam_gradient(
    params: Params, rho: float, images: np.ndarray, labels: np.ndarray, m: int
) -> tuple[float, float, Params]:
    """Return the loss at w, the mean loss where the shards climbed to, and the mean gradient there.

    Args:
        params: of a ReLU MLP.
        rho: radius ρ of every shard's ball.
        images: shape (batch, height, width, channels).
        labels: integers of shape (batch,).
        m: examples per shard; the last one may have fewer.

    Returns:
        The two losses and d2 = Σ_s n_s ∇L_s(w + ε̂_s) / Σ_s n_s.

    Raises:
        ValueError: if ``m`` is less than 1.

    Example:
        >>> from minisam.nn.models import mlp
        >>> params = mlp((4,), input_shape=(2, 2, 1), classes=3).init(0)
        >>> images, labels = np.ones((5, 2, 2, 1), np.float32), np.arange(5) % 3
        >>> low, high, d2 = m_sam_gradient(params, 0.1, images, labels, m=2)
        >>> low < high, d2.keys() == params.keys()
        (True, True)
    """
    check_whole("m", m, low=1)
    n, x = len(images), images.reshape(len(images), -1)
    whole = n // m * m
    grads: Params = {name: np.zeros_like(leaf) for name, leaf in params.items()}
    losses = np.zeros(2)
    for part, size in ((slice(0, whole), m), (slice(whole, n), n - whole)):
        if part.start == part.stop:
            continue
        shards, share = x[part].reshape(-1, size, x.shape[1]), size / n
        at_a = one_pass(params, shards, labels[part].reshape(-1, size))
        norms = np.sqrt(squared_norms(at_a))
        c = np.divide(rho, norms, out=np.zeros_like(norms), where=norms > 0)[:, None, None]
        at_b = one_pass(params, shards, labels[part].reshape(-1, size), at_a, c)
        losses += at_a.losses.sum() / n, at_b.losses.sum() / n
        for k, (inputs, d) in enumerate(zip(at_b.inputs, at_b.slopes, strict=True), start=1):
            flat = share * d.reshape(-1, d.shape[-1])
            grads[f"fc{k}.weight"] += inputs.reshape(len(flat), -1).T @ flat
            grads[f"fc{k}.bias"] += flat.sum(axis=0)
    return float(losses[0]), float(losses[1]), grads
