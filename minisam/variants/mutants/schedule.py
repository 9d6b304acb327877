"""Wrong SAMs: weight decay, momentum and learning rate of the base update."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from minisam.adapters.library import base_of
from minisam.trees import Params, add_scaled
from minisam.variants.mutants.catalogue import enter
from minisam.variants.recipe import Recipe, only, piece

enter(
    "M16-decay-in-the-climb",
    "adds the weight decay to the gradient that climbs, and decays at A",
    "Decay either the base update alone, or the loss, in both gradients (weight_decay='in_loss').",
    only(
        lambda hp: hp.weight_decay and hp.decay != "in_loss",
        lambda r: r.having(
            ascent=lambda now: add_scaled(r.ascent(now), r.hp.weight_decay, now.params)
        ),
    ),
)


def decay_at_B(recipe: Recipe) -> Recipe:
    """Add λB to the gradient, or take ηλB from the weights beside the step."""
    share, base = recipe.hp.weight_decay, base_of(recipe.hp, weight_decay=0.0)
    if recipe.hp.decay == "coupled":
        return recipe.having(
            base=base, direction=lambda now: add_scaled(recipe.direction(now), share, now.perturbed)
        )
    return recipe.having(
        base=base, origin=lambda now: add_scaled(recipe.origin(now), -now.lr * share, now.perturbed)
    )


enter(
    "M17-decay-at-B",
    "takes the weight decay at B instead of A",
    "The decay is added while the weights are still perturbed. Restore A first.",
    only(lambda hp: hp.weight_decay and hp.decay == "coupled", decay_at_B),
    others=(
        (
            "takes the weight decay at B instead of A, beside the step too",
            only(lambda hp: hp.weight_decay and hp.decay != "in_loss", decay_at_B),
        ),
    ),
)

enter(
    "R07-decay-ignored",
    "ignores the weight decay",
    "The base optimizer does not get weight_decay.",
    lambda r: r.having(hp=r.hp.having(weight_decay=0.0), base=base_of(r.hp, weight_decay=0.0)),
)


def along_the_velocity(now: SimpleNamespace) -> Params:
    """Return the velocity, with momentum or without; d1 in the first step."""
    if now.velocity is None:
        return now.previous.d2 if now.previous else now.d1
    return now.velocity


enter(
    "M18-velocity-climbs",
    "climbs along the momentum buffer",
    "The climb follows the gradient at A, not the velocity.",
    piece(ascent=lambda now: now.velocity if now.velocity is not None else now.d1),
    others=(
        (
            "climbs along the momentum buffer, which is the last d2 where there is no momentum",
            piece(ascent=along_the_velocity),
        ),
    ),
)


def momentum_in_both(now: SimpleNamespace, state: Any, origin: Params, direction: Params) -> tuple:
    """Show the velocity d1, then d2."""
    _, between = now.base.update(now.params, state, now.d1)
    return now.base.update(origin, between._replace(count=state.count), direction)


enter(
    "M19-momentum-in-both-passes",
    "updates the momentum buffer in both passes",
    "The base optimizer's step is used for the climb as well. Its state must see d2 only.",
    piece(update=momentum_in_both),
)


def momentum_of_first(now: SimpleNamespace, state: Any, origin: Params, direction: Params) -> tuple:
    """Step to w − η(d2 + μ v) with a velocity of d1s."""
    new, _ = now.base.update(origin, state, direction)
    _, state = now.base.update(now.params, state, now.d1)
    return new, state


enter(
    "M20-momentum-of-first",
    "feeds the momentum buffer with d1",
    "The buffer is updated before the climb. Its state must see d2 only.",
    piece(update=momentum_of_first),
)


def lookahead_with_first(
    now: SimpleNamespace, state: Any, origin: Params, direction: Params
) -> tuple:
    """Step to w − η(d1 + μ v), v ← μ v + d2."""
    new, state = now.base.update(origin, state, direction)
    new = add_scaled(new, now.lr, direction)
    return add_scaled(new, -now.lr, now.d1), state


enter(
    "R08-nesterov-of-first",
    "looks ahead with d1 in Nesterov's update",
    "w − η(g + μv) takes the same g as the velocity: d2.",
    only(lambda hp: hp.nesterov, piece(update=lookahead_with_first)),
)

enter(
    "R09-nesterov-ignored",
    "ignores nesterov",
    "The base optimizer does not get nesterov=True.",
    lambda r: r.having(base=base_of(r.hp, nesterov=False)),
)

enter(
    "M31-last-learning-rate",
    "uses the learning rate of the step before",
    "The scheduler steps before the optimizer, or its value is copied one step late.",
    lambda r: r.having(base=base_of(r.hp, lr=lambda count: r.hp.at(max(count - 1, 0)).lr)),
)


def first_rate(recipe: Recipe) -> Recipe:
    """Keep the learning rate of the first step."""
    return recipe.having(base=base_of(recipe.hp, lr=recipe.hp.at(0).lr))


enter(
    "R10-learning-rate-stays",
    "keeps the first learning rate of a schedule",
    "The scheduler acts on the wrapper's parameter groups; the base optimizer has its own copy. "
    "Share the groups between the two, also after load_state_dict, which makes new ones.",
    first_rate,
    others=(
        (
            "keeps the first learning rate of a schedule once its state was loaded",
            only(lambda hp: hp.saved and hp.scheduler, first_rate),
        ),
    ),
)
