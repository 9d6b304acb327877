"""Wrong SAMs: other weight decays in the base update."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

from minisam.adapters.hyperparameters import HyperParameters
from minisam.adapters.library import base_of
from minisam.trees import Params, add_scaled, scale
from minisam.variants.mutants.catalogue import enter
from minisam.variants.recipe import Change, Recipe, only, then_weights

Pull = Callable[[SimpleNamespace, Params], Params]
After = Callable[[SimpleNamespace, Params, Params], Params]


def decaying(hp: HyperParameters) -> Any:
    """Return whether the base update decays the weights."""
    return hp.weight_decay and hp.decay != "in_loss"


def decaying_by(factor: float) -> Change:
    """Let the weights decay by a multiple of what is asked for."""
    return only(
        decaying, lambda r: r.having(base=base_of(r.hp, weight_decay=factor * r.hp.weight_decay))
    )


def pulling(pull: Pull) -> Change:
    """Let something else decay than A: ``pull(now, A)``, in the gradient or beside the step."""

    def change(recipe: Recipe) -> Recipe:
        share, coupled = recipe.hp.weight_decay, recipe.hp.decay == "coupled"

        def update(now: SimpleNamespace, state: Any, origin: Params, direction: Params) -> tuple:
            if coupled:
                direction = add_scaled(direction, share, pull(now, origin))
            new, state = recipe.update(now, state, origin, direction)
            if not coupled:
                new = add_scaled(new, -now.lr * share, pull(now, origin))
            return new, state

        return recipe.having(base=base_of(recipe.hp, weight_decay=0.0), update=update)

    return only(decaying, change)


def afterwards(after: After, **base: Any) -> Change:
    """Do ``after(now, A, new)`` to the new weights, with another base update."""
    more = then_weights(after)
    return only(decaying, lambda r: more(r.having(base=base_of(r.hp, **base))))


def some(keep: Callable[[str, Any], bool]) -> Pull:
    """Return A, but zero for the tensors that do not decay."""
    return lambda now, origin: {k: w if keep(k, w) else 0.0 * w for k, w in origin.items()}


enter(
    "M104-decay-twice",
    "decays twice",
    "The weight decay is in the gradient and in the base optimizer. Leave it to one of them.",
    decaying_by(2.0),
    others=(
        (
            "decays in the gradient and beside the step",
            afterwards(
                lambda now, origin, new: add_scaled(new, -now.lr * now.hp.weight_decay, origin)
            ),
        ),
    ),
)

enter(
    "M105-decay-halved",
    "decays by half of what is asked for",
    "The gradient of ½λ‖w‖² is λw.",
    decaying_by(0.5),
)

enter(
    "M106-decay-on-matrices",
    "does not decay vectors, such as biases and scales",
    "That is a choice which parameter groups make. Where there are none all tensors decay.",
    pulling(some(lambda key, w: np.ndim(w) > 1)),
    others=(
        (
            "does not decay what is named a bias",
            pulling(some(lambda key, w: not key.endswith("bias"))),
        ),
    ),
)

enter(
    "M107-decay-grows",
    "lets the weights grow instead of decay",
    "The decay's sign is wrong: the gradient of ½λ‖w‖² is +λw.",
    pulling(lambda now, origin: scale(-1.0, origin)),
)

enter(
    "M108-decay-without-rate",
    "decays by λ itself, without the learning rate",
    "w ← w − lr (d2 + λw): the decay is multiplied by the learning rate.",
    afterwards(
        lambda now, origin, new: add_scaled(new, -now.hp.weight_decay, origin), weight_decay=0.0
    ),
)

enter(
    "M109-decay-afterwards",
    "decays the new weights, after the step",
    "The decay is that of A: it is added to d2, or is beside the step that starts at A.",
    afterwards(
        lambda now, origin, new: scale(1 - now.lr * now.hp.weight_decay, new), weight_decay=0.0
    ),
)

enter(
    "M110-decay-in-the-climb-only",
    "adds the weight decay to the gradient that climbs, and to nothing else",
    "Decay the base update, at A, or the loss, in both gradients (weight_decay='in_loss').",
    only(
        decaying,
        lambda r: r.having(
            base=base_of(r.hp, weight_decay=0.0),
            ascent=lambda now: add_scaled(r.ascent(now), r.hp.weight_decay, now.params),
        ),
    ),
)
