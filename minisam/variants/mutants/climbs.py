"""Wrong SAMs: which way the climb goes, and which tensors it moves."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

from minisam.rounding import Rounded, to_bfloat16
from minisam.trees import Params, add, add_scaled, map_leaves, scale
from minisam.variants.mutants.catalogue import enter, enter_with
from minisam.variants.recipe import Change, piece


def averaged(keep: float | None, new: float | None = None) -> Change:
    """Climb along m ← keep m + new g, or along the mean of all gradients so far."""

    def ascent(now: SimpleNamespace) -> Params:
        before = getattr(now.previous, "averaged", None)
        share = now.count / (now.count + 1) if keep is None else keep
        weight = 1 - share if new is None else new
        now.averaged = (
            now.d1 if before is None else add_scaled(scale(share, before), weight, now.d1)
        )
        return now.averaged

    return piece(ascent=ascent)


def averaged_from_zero(keep: float) -> Change:
    """Climb along m ← keep m + g, which starts at zero; a factor does not matter."""
    return averaged(keep, 1.0)


enter_with(
    "M68-averaged-ascent",
    "climbs along an average of gradients, m ← {0} m + (1 − {0}) g",
    "The climb follows the gradient at A alone.",
    averaged,
    (0.9, 0.99, 0.95, 0.5, 0.1),
)

enter_with(
    "M69-accumulated-ascent",
    "climbs along accumulated gradients, m ← {} m + g",
    "The first gradient is added to what is left of the steps before, or averaged with a start at "
    "zero. The climb follows the gradient at A alone.",
    averaged_from_zero,
    (0.9, 1.0, 0.99, 0.95, 0.5, 0.1),
)


def second_of_before(now: SimpleNamespace) -> Params:
    """Return the step before's d2 for d1, which is asked for in the first step only."""
    return now.previous.d2 if now.previous else now.ask(now.params)


enter(
    "M70-last-second-gradient-climbs",
    "climbs along d2 of the step before, which saves a gradient",
    "d1 is the gradient at this step's A, and has to be asked for.",
    piece(first=second_of_before),
)

enter(
    "M71-absolute-ascent",
    "climbs along |g|",
    "A magnitude stands where the gradient belongs: every entry then grows.",
    piece(ascent=lambda now: map_leaves(np.abs, now.d1)),
)


def moving(which: Callable[[list[str], str, Any], bool]) -> Change:
    """Let only some tensors climb."""

    def adjust(now: SimpleNamespace, eps: Params) -> Params:
        keys = list(eps)
        return {k: leaf if which(keys, k, leaf) else 0.0 * leaf for k, leaf in eps.items()}

    return piece(adjust=adjust)


enter(
    "M72-last-not-perturbed",
    "does not perturb the last tensor",
    "The loop stops early. ε covers all parameters.",
    moving(lambda keys, key, leaf: key != keys[-1]),
    others=(
        ("does not perturb the first tensor", moving(lambda keys, key, leaf: key != keys[0])),
        ("perturbs the first tensor alone", moving(lambda keys, key, leaf: key == keys[0])),
        ("perturbs the last tensor alone", moving(lambda keys, key, leaf: key == keys[-1])),
    ),
)

enter(
    "M73-vectors-not-perturbed",
    "perturbs matrices only, not biases or scales",
    "ε covers all parameters.",
    moving(lambda keys, key, leaf: np.ndim(leaf) > 1),
)


def coarsened(leaf: Any, to: Callable[[Any], Any]) -> Any:
    """Return a leaf that was rounded to a coarser format on the way."""
    if isinstance(leaf, Rounded):
        return Rounded(np.asarray(to(leaf.value), np.float64), leaf.bound, leaf.unit)
    return np.asarray(to(leaf), leaf.dtype)


FORMATS: dict[str, Callable[[Any], Any]] = {
    "float16": lambda x: np.asarray(x).astype(np.float16),
    "bfloat16": to_bfloat16,
    "float32": lambda x: np.asarray(x).astype(np.float32),
}


def coarse(tree: Params, name: str) -> Params:
    """Return a tree that was rounded to a coarser format on the way."""
    return map_leaves(lambda leaf: coarsened(leaf, FORMATS[name]), tree)


enter_with(
    "M74-perturbation-in-half-precision",
    "computes ε in {}",
    "ε is made under autocast, or kept in a smaller format. Compute it in the weights' dtype.",
    lambda name: piece(adjust=lambda now, eps: coarse(eps, name)),
    ("bfloat16", "float16"),
)


def twice_half(now: SimpleNamespace) -> Params:
    """Return d2 at the end of two climbs of half the length."""
    half = scale(0.5, now.perturbation)
    between = add(now.params, half)
    now.perturbed = add(between, now.climb(now.ask(between), 0.5 * now.rho))
    return now.ask(now.perturbed)


enter(
    "M75-two-half-climbs",
    "climbs in two steps of half the length, with a gradient between",
    "SAM climbs once, from A, by ρ along the gradient at A.",
    piece(second=twice_half),
)
