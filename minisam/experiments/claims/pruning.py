"""Which weights matter: Optimal Brain Damage's saliencies, and pruning by them or by magnitude.

Setting a weight to 0 raises the loss at a minimum by about its saliency ½ h w² (LeCun, Denker and
Solla 1989, eq. 5), h the Hessian's diagonal. Hutchinson's estimate of h would not do: from a few
probes a hundred thousand small entries drown in the noise of the few large ones. The logits of a
ReLU network are piecewise linear in each single weight, so that h can be had exactly,

    h_ij = mean over examples of  x_i² Var_{c~p}[∂z_c/∂a_j]      (a = x W, p = softmax(z)).

Their recipe (section 2.2) is to prune a little, train what is left, and to begin again with new
saliencies: `pruned_in_rounds`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from minisam.checks import check_number
from minisam.nn.gradients import training_objective
from minisam.nn.kernels.activations import softmax
from minisam.trees import Params, multiply


def hessian_diagonal(params: Params, images: np.ndarray) -> Params:
    """Return the diagonal of the Hessian of a ReLU MLP's cross-entropy, exactly.

    Args:
        params: of `minisam.nn.mlp`: ``fc1.weight``, ``fc1.bias``, ….
        images: shape (batch, height, width, channels).

    Returns:
        h, of the structure of ``params``. It does not depend on the labels.
    """
    depth, x = len(params) // 2, images.reshape(len(images), -1)
    inputs, open_gates = [], []
    for k in range(1, depth + 1):
        inputs.append(x)
        a = x @ params[f"fc{k}.weight"] + params[f"fc{k}.bias"]
        open_gates.append(a > 0)
        x = np.maximum(a, 0)
    p = softmax(a)
    slopes = np.broadcast_to(np.eye(a.shape[1])[:, None], (a.shape[1], *a.shape))  # ∂z_c/∂a_j
    h: Params = {}
    for k in range(depth, 0, -1):
        mean_slope = np.einsum("bc,cbj->bj", p, slopes)
        variance = np.einsum("bc,cbj->bj", p, slopes**2) - mean_slope**2
        h[f"fc{k}.weight"] = (inputs[k - 1] ** 2).T @ variance / len(images)
        h[f"fc{k}.bias"] = variance.mean(axis=0)
        if k > 1:
            slopes = (slopes @ params[f"fc{k}.weight"].T) * open_gates[k - 2]
    return {key: h[key] for key in params}


def saliency(params: Params, rule: str, curvature: Params) -> Params:
    """Return what each weight is worth: ½ h w², or |w|."""
    if rule == "magnitude":
        return {key: np.abs(w) for key, w in params.items()}
    return {key: 0.5 * curvature[key] * w**2 for key, w in params.items()}


def pruned(params: Params, worth: Params, kept: float) -> Params:
    """Keep a share of the weights, those worth most of all layers together; biases all stay.

    Example:
        >>> w = {"fc.weight": np.array([[3.0, -1.0]]), "fc.bias": np.array([0.1, 0.2])}
        >>> pruned(w, {key: abs(leaf) for key, leaf in w.items()}, kept=0.5)["fc.weight"]
        array([[3., 0.]])
    """
    check_number("kept", kept, high=1.0)
    names = [key for key in params if key.endswith("weight")]
    values = np.concatenate([worth[key].ravel() for key in names])
    count = round(kept * values.size)
    keep = np.zeros(values.size, bool)
    keep[np.argsort(-values, kind="stable")[:count]] = True
    result, start = dict(params), 0
    for key in names:
        stop = start + params[key].size
        result[key] = np.where(keep[start:stop].reshape(params[key].shape), params[key], 0)
        start = stop
    return result


def masked_objective(mask: Params) -> Callable[..., Callable]:
    """Return the ``objective`` for `minisam.train.train` that leaves pruned weights at 0.

    Their gradients are multiplied by 0, at A as at B; momentum and weight decay of a weight that is
    0 are 0 as well.

    Args:
        mask: 1 where a weight is kept, 0 where it was pruned.
    """

    def objective(*arguments: Any) -> Callable:
        value_and_grad = training_objective(*arguments)

        def of_kept_weights(params: Params) -> tuple:
            loss, gradients, *auxiliary = value_and_grad(params)
            return loss, multiply(gradients, mask), *auxiliary

        return of_kept_weights

    return objective


def pruned_in_rounds(
    params: Params,
    shares: Sequence[float],
    worth: Callable[[Params], Params],
    retrain: Callable[[Params, Callable[..., Callable]], Params],
) -> Iterator[Params]:
    """Prune to each share in turn and train what is left, as Optimal Brain Damage was published.

    Args:
        params: of a trained network.
        shares: of the weights to keep, falling; at 1 nothing is pruned and nothing trained.
        worth: params → what each weight is worth, found again in every round.
        retrain: (params, objective) → params after more training with this ``objective``.

    Returns:
        The network after each round, one at a time.
    """
    if any(after > before for before, after in pairwise(shares)):
        raise ValueError(f"shares must not rise: what was pruned is gone, got {tuple(shares)}")
    mask = {key: np.ones_like(leaf) for key, leaf in params.items()}
    for share in shares:
        if share < 1:
            found = worth(params)  # 0 for a dead unit's weights: what was pruned goes below them
            values = {key: np.where(mask[key] > 0, leaf, -1.0) for key, leaf in found.items()}
            params = pruned(params, values, share)
            mask = {
                key: (leaf != 0).astype(leaf.dtype) if key.endswith("weight") else mask[key]
                for key, leaf in params.items()
            }
            params = retrain(params, masked_objective(mask))
        yield params
