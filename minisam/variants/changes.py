"""Change a recipe as honest implementations do, one piece at a time.

`conventions` lists these changes with what they mean. Several are mistakes to those who do not mean
them, and so `mutants` has them, too.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np

from minisam.adapters.hyperparameters import HyperParameters
from minisam.optim.sgd import sgd
from minisam.trees import Params, add, add_scaled, map_leaves, multiply, scale, subtract
from minisam.variants.recipe import Change, Recipe, average, default_norm, only, piece


def with_epsilon(epsilon: float) -> Callable[..., Any]:
    """Return the length of a climb whose norm has ``epsilon`` added: ρ/(‖g‖ + epsilon)."""
    return lambda now, rho, length: rho / (length + epsilon)


def with_floor(floor: float) -> Callable[..., Any]:
    """Return the length of a climb whose norm is at least ``floor``: ρ/max(‖g‖, floor)."""
    return lambda now, rho, length: rho / np.maximum(length, floor)


def with_epsilon_inside(epsilon: float) -> Callable[..., Any]:
    """Return the length of a climb with ``epsilon`` under the root: ρ/√(‖g‖² + epsilon)."""
    return lambda now, rho, length: rho / np.sqrt(length * length + epsilon)


def with_float32_norm(
    now: SimpleNamespace, g: Params, of: Callable[..., Any] = default_norm
) -> Any:
    """Compute ‖g‖ in float32."""
    return of(now, map_leaves(lambda leaf: leaf.astype(np.float32), g))


def per_tensor_norm(
    now: SimpleNamespace, g: Params, of: Callable[..., Any] = default_norm
) -> Params:
    """Compute ‖g‖ of every tensor by itself."""
    return {key: of(now, {key: leaf}) for key, leaf in g.items()}


def another_norm(function: Callable[..., Any]) -> Change:
    """Return the change to a norm that is made of the recipe's own."""
    return lambda recipe: recipe.having(norm=partial(function, of=recipe.norm))


def or_nan(now: SimpleNamespace, rho: float, length: Any) -> Any:
    """Compute ρ/‖g‖, also where it is 0/0."""
    return np.divide(rho, length)


restore_by_subtraction = piece(origin=lambda now: subtract(now.perturbed, now.perturbation))


def is_adaptive(hp: HyperParameters) -> bool:
    """Return whether ASAM is asked for."""
    return hp.method == "asam"


# ε = ρ T g/‖g‖
big_vision_climb = only(
    is_adaptive, piece(numerator=lambda now, T, g: multiply(T, g), measured=lambda now, T, g: g)
)


def momentum_form(form: str) -> Change:
    """Take v ← μv + ηg, w ← w − v ("lr_inside"), or v ← μv + (1−μ)g, w ← w − ηv ("ema")."""

    def change(recipe: Recipe) -> Recipe:
        hp = recipe.hp
        inside = form == "lr_inside"
        bare = sgd(1.0 if inside else hp.lr, hp.momentum, hp.nesterov)

        def update(params: Params, state: Any, grads: Params) -> tuple:
            lr = hp.at(state.count).lr
            if hp.weight_decay and hp.decay == "coupled":
                grads = add_scaled(grads, hp.weight_decay, params)
            if hp.weight_decay and hp.decay == "decoupled":
                params = scale(1 - lr * hp.weight_decay, params)
            return bare.update(params, state, scale(lr if inside else 1 - hp.momentum, grads))

        return recipe.having(base=bare._replace(update=update))

    return only(lambda hp: hp.momentum, change)


def forgetting(recipe: Recipe) -> Recipe:
    """Begin every step with a velocity of zero, as after a state that was loaded without it."""

    def update(now: SimpleNamespace, state: Any, origin: Params, direction: Params) -> tuple:
        return recipe.update(now, state._replace(velocity=None), origin, direction)

    return recipe.having(update=update)


def in_shards(hp: HyperParameters) -> bool:
    """Return whether the batch is split."""
    return hp.shards > 1


def shard_gradients(now: SimpleNamespace) -> list[Params]:
    """Return the gradient of every shard at A."""
    now.by_shard = [now.gradient(now.params, shard) for shard in range(now.hp.shards)]
    return now.by_shard


def second_of_own_climbs(now: SimpleNamespace) -> Params:
    """Average the shards' gradients, each at the end of its own climb."""
    points = [add(now.params, now.climb(g, now.rho)) for g in now.by_shard]
    return average([now.gradient(point, shard) for shard, point in enumerate(points)])


summed = only(
    in_shards, piece(ask=lambda now, point: scale(float(now.hp.shards), now.gradient(point)))
)
own_climbs = only(
    in_shards, piece(first=lambda now: average(shard_gradients(now)), second=second_of_own_climbs)
)
