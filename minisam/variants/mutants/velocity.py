"""Wrong SAMs: other velocities in the base update."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from minisam.adapters.hyperparameters import HyperParameters
from minisam.adapters.library import base_of
from minisam.trees import Params, add_scaled, scale, zeros_like
from minisam.variants.mutants.catalogue import enter, enter_with
from minisam.variants.recipe import Change, only, piece


def with_momentum(hp: HyperParameters) -> Any:
    """Return whether there is a velocity, and no Nesterov."""
    return hp.momentum and not hp.nesterov


def velocity_of(weigh: Callable[[SimpleNamespace, Any, Params], tuple[Params, Params]]) -> Change:
    """Take another velocity: ``weigh(now, before, d)`` returns it and what the step is along."""

    def update(now: SimpleNamespace, state: Any, origin: Params, direction: Params) -> tuple:
        hp = now.hp
        decay = 0.0 if hp.decay == "in_loss" else hp.weight_decay
        if decay and hp.decay == "coupled":
            direction = add_scaled(direction, decay, origin)
        velocity, step = weigh(now, state.velocity, direction)
        start = scale(1 - now.lr * decay, origin) if decay and hp.decay == "decoupled" else origin
        new = add_scaled(start, -now.lr, step)
        return new, state._replace(count=now.count + 1, velocity=velocity)

    return only(with_momentum, piece(update=update))


def dampened(now: SimpleNamespace, before: Params | None, d: Params) -> tuple[Params, Params]:
    """Take v ← μv + (1 − μ)d, where the first velocity is d."""
    mu = now.hp.momentum
    velocity = d if before is None else add_scaled(scale(mu, before), 1 - mu, d)
    return velocity, velocity


enter(
    "M99-dampened",
    "dampens the momentum: v ← μv + (1 − μ)d2 after the first step",
    "dampening is zero unless it is asked for: v ← μv + d2.",
    velocity_of(dampened),
)


def corrected(now: SimpleNamespace, before: Params | None, d: Params) -> tuple[Params, Params]:
    """Take Adam's first moment, with its bias corrected."""
    mu = now.hp.momentum
    velocity = add_scaled(scale(mu, before or zeros_like(d)), 1 - mu, d)
    return velocity, scale(1 / (1 - mu ** (now.count + 1)), velocity)


enter(
    "M100-bias-corrected",
    "averages d2 and corrects the bias, as Adam does",
    "SGD's velocity is a sum: v ← μv + d2, w ← w − lr·v.",
    velocity_of(corrected),
)


def starting_anew(now: SimpleNamespace, before: Params | None, d: Params) -> tuple[Params, Params]:
    """Start a new velocity whenever the learning rate is another one."""
    if before is None or (now.previous and now.previous.lr != now.lr):
        return d, d
    velocity = add_scaled(d, now.hp.momentum, before)
    return velocity, velocity


enter(
    "M101-momentum-lost-at-a-new-rate",
    "forgets the velocity when the learning rate changes",
    "A new base optimizer is made for every learning rate. Set the rate of the old one.",
    velocity_of(starting_anew),
)


def twice_by_the_rate(now: Any, before: Params | None, d: Params) -> tuple[Params, Params]:
    """Take the learning rate inside the velocity and outside."""
    d = scale(now.lr, d)
    velocity = d if before is None else add_scaled(d, now.hp.momentum, before)
    return velocity, velocity


enter(
    "M102-rate-in-the-velocity-too",
    "has the learning rate inside the velocity, and multiplies by it again",
    "It belongs inside, as in Keras, or outside, as in PyTorch, not both.",
    velocity_of(twice_by_the_rate),
)


def looking_ahead_without(now: Any, state: Any, origin: Params, direction: Params) -> tuple:
    """Step to w − ημv: what Nesterov's update is without the gradient."""
    new, state = now.base.update(origin, state, direction)
    return add_scaled(new, now.lr, direction), state


enter(
    "M103-nesterov-without-gradient",
    "looks ahead by the velocity and leaves the gradient out: w − lr·μv",
    "Nesterov's update is w − lr·(d2 + μv).",
    only(lambda hp: hp.nesterov and not hp.weight_decay, piece(update=looking_ahead_without)),
)

enter_with(
    "M111-rate-ignored",
    "uses a learning rate of {} whatever it is given",
    "lr is an argument that nothing reads, or that the base optimizer was not given.",
    lambda value: lambda r: r.having(base=base_of(r.hp, lr=value)),
    (0.1, 0.01, 0.001, 1.0),
)
