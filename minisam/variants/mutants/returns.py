"""Wrong SAMs: how the weights come back from B, and whether a step is taken from there."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

from minisam.trees import Params, add, map_leaves, scale, subtract
from minisam.variants.mutants.catalogue import enter, enter_with
from minisam.variants.mutants.climbs import coarse
from minisam.variants.mutants.restore import put_back_stale, take_back_stale
from minisam.variants.recipe import only, piece, then, then_weights

enter(
    "M89-climbs-again",
    "adds ε again instead of taking it back",
    "The base update is taken from A + 2ε. Subtract ε, or better, restore the saved A.",
    piece(origin=lambda now: add(now.perturbed, now.perturbation)),
)

enter(
    "M90-half-restored",
    "goes only half of the way back from B to A",
    "The base update is taken from A + ε/2. Restore the saved A.",
    piece(origin=lambda now: add(now.params, scale(0.5, now.perturbation))),
)

enter(
    "M91-restores-along-second",
    "takes back an ε that it computes anew from d2",
    "The gradients that are there at the restore are those of B. Keep ε, or better, A.",
    piece(origin=lambda now: subtract(now.perturbed, now.climb(now.d2, now.rho))),
)


def returning(which: Callable[[list[str], str, Any], bool]) -> Any:
    """Put some tensors back only."""

    def origin(now: SimpleNamespace) -> Params:
        keys = list(now.params)
        return {
            k: leaf if which(keys, k, leaf) else now.perturbed[k] for k, leaf in now.params.items()
        }

    return piece(origin=origin)


enter(
    "M92-vectors-not-restored",
    "restores matrices only, and leaves biases and scales at B",
    "Restore every tensor that was perturbed.",
    returning(lambda keys, key, leaf: np.ndim(leaf) > 1),
    others=(
        (
            "restores the tensors named …weight only",
            returning(lambda keys, key, leaf: key.endswith("weight")),
        ),
        ("leaves the first of several tensors at B", returning(lambda ks, k, leaf: k != ks[0])),
        ("restores the first tensor alone", returning(lambda ks, k, leaf: k == ks[0])),
    ),
)


def by_shape(now: SimpleNamespace) -> Params:
    """Return A as copies give it that are kept by shape: the last of each shape."""
    kept = {np.shape(leaf): leaf for leaf in now.params.values()}
    return map_leaves(lambda leaf: kept[np.shape(leaf)], now.params)


enter(
    "M93-copies-by-shape",
    "keeps one copy for all tensors of a shape",
    "The copies are keyed by something that tensors share. Key them by the tensor itself.",
    piece(origin=by_shape),
)

enter_with(
    "M94-copy-in-another-dtype",
    "keeps A in {}",
    "What comes back is rounded, and small updates are lost. Keep A in the weights' own dtype.",
    lambda name: then(origin=lambda now, A: coarse(A, name)),
    ("float32", "bfloat16", "float16"),
    dtypes=("float64",),
)

enter(
    "M95-no-base-step",
    "takes no base step: the weights come back, and stay",
    "The base optimizer's step is never called, or comes before the restore, which undoes it, or "
    "after zero_grad(), when there is nothing to step along.",
    piece(update=lambda now, state, origin, direction: (origin, state)),
)


enter(
    "M96-stale-climb",
    "takes back the ε of an earlier step from a tensor that has no gradient now",
    "ε stays in the optimizer's state, and the restore subtracts whatever it finds there. Remove "
    "it in every step.",
    only(lambda hp: hp.missing, piece(origin=take_back_stale)),
    others=(
        (
            "takes back the ε of an earlier step from a tensor whose gradient is zero now",
            piece(origin=take_back_stale),
        ),
    ),
)

enter(
    "M97-stale-copy-without-gradient",
    "restores the weights of an earlier step where a tensor has no gradient now",
    "The copy stays in the optimizer's state, and the restore writes back whatever it finds there. "
    "Save every tensor in every step, or remove the copies.",
    only(lambda hp: hp.missing, piece(origin=put_back_stale)),
    others=(
        (
            "restores the weights of an earlier step where a tensor's gradient is zero now",
            piece(origin=put_back_stale),
        ),
    ),
)


def last_stays(now: SimpleNamespace, origin: Params, new: Params) -> Params:
    """Update all tensors but the last."""
    *_, last = new
    return {**new, last: origin[last]}


enter(
    "M98-last-not-updated",
    "does not update the last tensor",
    "The loop stops early, or the optimizer was not given all parameters.",
    then_weights(last_stays),
)
