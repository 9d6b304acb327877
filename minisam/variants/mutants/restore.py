"""Wrong SAMs: where the base update starts from, and what is remembered between steps."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

from minisam.trees import Params, map_leaves, subtract, zeros_like
from minisam.variants.changes import restore_by_subtraction
from minisam.variants.mutants.catalogue import enter
from minisam.variants.recipe import Change, only, piece

enter(
    "M01-not-restored",
    "never goes back from B to A",
    "The base update is taken from A + ε. Restore the saved A before the base optimizer's step.",
    piece(origin=lambda now: now.perturbed),
)


def last_left_behind(now: SimpleNamespace) -> Params:
    """Return A, but for the last tensor."""
    *_, last = now.params
    return {**now.params, last: now.perturbed[last]}


enter(
    "M46-one-not-restored",
    "leaves the last of several tensors at B",
    "A loop over the tensors stops early or skips one. Restore every tensor that was perturbed.",
    piece(origin=last_left_behind),
)

enter(
    "M28-restore-by-subtraction",
    "goes back by subtracting ε instead of restoring a saved copy",
    "(A + ε) − ε is not A in floating point: weights drift at lr = 0 (1.5e-8 in float32, 4e-3 in "
    "bfloat16), replicas lose step, and one NaN in ε stays forever. Save A and copy it back.",
    restore_by_subtraction,
    convention={"restore": "subtract"},
)


def saved_once(now: SimpleNamespace) -> Params:
    """Return the first step's A."""
    now.first_params = getattr(now.previous, "first_params", now.params)
    return now.first_params


enter(
    "M50-stale-copy",
    "restores the weights of an earlier step",
    "The copy of A is saved once, or one step late. Save A in every step, before the climb.",
    piece(origin=lambda now: now.previous.params if now.previous else now.params),
    others=(("restores the weights of the first step", piece(origin=saved_once)),),
)


def twice(now: SimpleNamespace, state: Any, origin: Params, direction: Params) -> tuple:
    """Take two base updates with the same gradient."""
    origin, between = now.base.update(origin, state, direction)
    new, state = now.base.update(origin, between._replace(count=now.count), direction)
    return new, state._replace(count=now.count + 1)


enter(
    "M45-base-step-twice",
    "takes the base optimizer's step twice",
    "Both the wrapper and the training loop call the base optimizer's step. Call it once.",
    piece(update=twice),
)


def zero_stays_perturbed(now: SimpleNamespace) -> Params:
    """Return A, but B for tensors whose d2 is zero throughout."""
    return {
        key: now.params[key] if (now.d2[key] != 0).any() else now.perturbed[key]
        for key in now.params
    }


enter(
    "R01-no-second-gradient-no-restore",
    "leaves a tensor at B when its gradient there is zero",
    "The loop that restores skips tensors whose gradient is zero. Restore whatever was perturbed.",
    piece(origin=zero_stays_perturbed),
)


def kept_while_moving(now: SimpleNamespace, name: str, tree: Params) -> Params:
    """Return a tree, but for tensors without a gradient at A what it was when they had one."""
    before = getattr(now.previous, name, {})
    kept = {
        key: tree[key] if (now.d1[key] != 0).any() else before.get(key, tree[key]) for key in tree
    }
    setattr(now, name, kept)
    return kept


def take_back_stale(now: SimpleNamespace) -> Params:
    """Take back ε; where a tensor has no gradient, that of an earlier step."""
    return subtract(now.perturbed, kept_while_moving(now, "kept_climb", now.perturbation))


def put_back_stale(now: SimpleNamespace) -> Params:
    """Put the copy of A back; where a tensor has no gradient, that of an earlier step."""
    return kept_while_moving(now, "kept_copy", now.params)


def where_it_has_a_second(back: Callable[[SimpleNamespace], Params]) -> Change:
    """Put tensors back in some way, but leave those whose d2 is zero throughout at B."""

    def origin(now: SimpleNamespace) -> Params:
        returned = back(now)
        return {k: w if (now.d2[k] != 0).any() else now.perturbed[k] for k, w in returned.items()}

    return only(lambda hp: hp.missing, piece(origin=origin))


enter(
    "R16-missing-second-gradient-no-restore",
    "leaves a tensor at B when it has no gradient there",
    "The loop that restores skips tensors whose gradient is None in the second pass. "
    "Restore whatever was perturbed, whether it has a gradient or not.",
    only(lambda hp: hp.missing, piece(origin=zero_stays_perturbed)),
    others=(
        (
            "goes back only where a tensor has a gradient at B, and by the last ε that it kept",
            where_it_has_a_second(take_back_stale),
        ),
        (
            "goes back only where a tensor has a gradient at B, and to the last copy that it kept",
            where_it_has_a_second(put_back_stale),
        ),
    ),
)

enter(
    "R13-does-nothing",
    "returns the weights as they were, without asking for a gradient",
    "The function is not written yet, or the training loop never calls the step.",
    piece(
        first=lambda now: zeros_like(now.params),
        second=lambda now: zeros_like(now.params),
        update=lambda now, state, origin, direction: (now.params, state),
    ),
)

enter(
    "R14-returns-the-gradient",
    "returns the gradient instead of the new weights",
    "Return the new weights, w − lr · d2.",
    piece(second=lambda now: now.d1, update=lambda now, state, origin, direction: (now.d1, state)),
)

enter(
    "R15-returns-nan",
    "returns NaN",
    "Look for 0/0, inf − inf or the root of a negative number in the update.",
    piece(
        update=lambda now, state, origin, direction: (
            map_leaves(lambda w: w * np.nan, now.params),
            state,
        )
    ),
)


def forgetful(now: SimpleNamespace, state: Any, origin: Params, direction: Params) -> tuple:
    """Take a base update that starts without a velocity."""
    return now.base.update(origin, state._replace(velocity=None), direction)


enter(
    "R02-momentum-lost",
    "forgets the momentum buffer between steps",
    "The base optimizer is made again in every step, or its state is not saved and loaded. "
    "Keep one base optimizer, and its state.",
    piece(update=forgetful),
)
