"""SAM taken apart: the pieces that a convention declares and that a mutant gets wrong.

`minisam.optim.sam` is the algorithm to read. Here the same step is laid out as a `Recipe`, a tuple
of small functions, so that another SAM can be said by naming the one piece in which it differs:

    first      d1, the gradient at A
    ascent     the gradient that the climb follows            d1
    radius     how far to climb                               ρ
    operator   ASAM's T_w; None for SAM
    numerator  the direction of the climb                     T² g, or g
    norm       what it is divided by                          ‖T g‖, or ‖g‖
    length     the factor made of the two                     ρ / norm, and 0 where the norm is 0
    adjust     what is done to ε afterwards                   nothing
    second     d2, the gradient at B = A + ε
    direction  what the base update is given                  d2
    origin     where the base update starts                   A
    update     the base update

A change is a function ``Recipe -> Recipe``. Every piece is a function of ``now``, the step's record
so far: ``now.params`` is A, then ``now.d1``, ``now.perturbation``, ``now.perturbed``, ``now.d2`` as
they become known; ``now.previous`` is the record of the step before, ``now.velocity`` the momentum
buffer, ``now.ask(point)`` evaluates a gradient.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any, NamedTuple

from minisam.optim.l2 import add_l2
from minisam.optim.optimizer import Optimizer, Step, ValueAndGrad
from minisam.optim.perturbation import asam_perturbation, sam_perturbation, scaling
from minisam.optim.sgd import sgd
from minisam.oracle.protocol import at_step
from minisam.trees import Params, add, map_leaves, multiply, norm, scale, zeros_like

Piece = Callable[..., Any]


def default_length(now: SimpleNamespace, rho: float, length: Any) -> Any:
    """ρ / norm, and 0 for a norm of 0: a zero gradient gives a zero climb."""
    return rho / length if length != 0 else 0.0


def default_norm(now: SimpleNamespace, scaled_gradient: Params) -> Any:
    """‖T g‖₂ over all tensors."""
    return norm(scaled_gradient)


def default_numerator(now: SimpleNamespace, T: Params | None, g: Params) -> Params:
    """T² g, or g."""
    return g if T is None else multiply(T, multiply(T, g))


def default_operator(now: SimpleNamespace) -> Params | None:
    """T_w for ASAM, None for SAM."""
    if now.hp["method"] != "asam":
        return None
    return scaling(now.params, now.hp["eta"], now.hp["scope"])


class Recipe(NamedTuple):
    """The pieces of one step, see the module's head."""

    hp: dict[str, Any]
    base: Optimizer
    ask: Piece = lambda now, point: now.gradient(point)
    first: Piece = lambda now: now.ask(now.params)
    ascent: Piece = lambda now: now.d1
    radius: Piece = lambda now: now.rho
    operator: Piece = default_operator
    numerator: Piece = default_numerator
    norm: Piece = default_norm
    length: Piece = default_length
    adjust: Piece = lambda now, perturbation: perturbation
    second: Piece = lambda now: now.ask(now.perturbed)
    direction: Piece = lambda now: now.d2
    origin: Piece = lambda now: now.params
    update: Piece = lambda now, state, origin, direction: now.base.update(origin, state, direction)


Change = Callable[[Recipe], Recipe]


def lr_at(hyperparameters: dict[str, Any]) -> Callable[[int], float]:
    """The learning rate as a function of the step count."""
    return lambda count: at_step(hyperparameters, count)["lr"]


def base_of(hp: dict[str, Any], **changed: Any) -> Optimizer:
    """The base update that hyper-parameters ask for; ``changed`` overrides some of its arguments.

    Example:
        >>> from minisam.oracle.protocol import HYPERPARAMETERS
        >>> base_of(HYPERPARAMETERS, momentum=0.5).update is not None
        True
    """
    in_loss = hp["decay"] == "in_loss"
    arguments = {
        "lr": lr_at(hp),
        "momentum": hp["momentum"],
        "nesterov": hp["nesterov"],
        "weight_decay": 0.0 if in_loss else hp["weight_decay"],
        "decay": "coupled" if in_loss else hp["decay"],
        **changed,
    }
    return sgd(**arguments)


def recipe_of(hp: dict[str, Any], *changes: Change) -> Recipe:
    """The recipe of SAM or ASAM for these hyper-parameters, with ``changes`` applied in order."""
    recipe = Recipe(hp=hp, base=base_of(hp))
    for change in changes:
        recipe = change(recipe)
    return recipe


def climb(recipe: Recipe, now: SimpleNamespace, grads: Params, rho: float) -> Params:
    """ε for the gradient ``grads``: numerator · length(ρ, norm), tensor by tensor."""
    hp = recipe.hp
    standard = Recipe(hp, recipe.base)
    formula = ("operator", "numerator", "norm", "length")
    untouched = all(getattr(recipe, piece) is getattr(standard, piece) for piece in formula)
    if rho >= 0 and (untouched or hp["p"] != 2):  # the library's own climb
        if hp["method"] == "asam":
            return asam_perturbation(now.params, grads, rho, hp["p"], hp["eta"], hp["scope"])
        return sam_perturbation(now.params, grads, rho, hp["p"])
    T = recipe.operator(now)
    now.climbing = grads
    length = recipe.norm(now, grads if T is None else multiply(T, grads))
    numerator = recipe.numerator(now, T, grads)
    if isinstance(length, dict):  # one norm per tensor
        factors = {key: recipe.length(now, rho, one) for key, one in length.items()}
        return map_leaves(lambda c, leaf: c * leaf, factors, numerator)
    return scale(recipe.length(now, rho, length), numerator)


def build(recipe: Recipe) -> Optimizer:
    """Make an optimizer that does the recipe's steps."""
    hp = recipe.hp

    def init(params: Params) -> tuple:
        return 0, recipe.base.init(params), None

    def step(params: Params, state: tuple, value_and_grad: ValueAndGrad) -> tuple:
        count, base_state, previous = state
        now = SimpleNamespace(params=params, hp=at_step(hp, count), count=count, base=recipe.base)
        now.previous, now.velocity = previous, getattr(base_state, "velocity", None)
        now.rho, now.lr = now.hp["rho"], now.hp["lr"]
        now.gradient = partial(decayed_gradient, hp, value_and_grad)
        now.ask = partial(recipe.ask, now)
        now.climb = partial(climb, recipe, now)
        now.d1 = now.perturbation = now.d2 = None
        now.d1 = recipe.first(now)
        if hp["method"] == "sgd":
            now.perturbation, now.perturbed, now.d2 = zeros_like(params), params, now.d1
            direction, origin = now.d1, params
        else:
            now.perturbation = recipe.adjust(now, now.climb(recipe.ascent(now), recipe.radius(now)))
            now.perturbed = add(params, now.perturbation)
            now.d2 = recipe.second(now)
            direction, origin = recipe.direction(now), recipe.origin(now)
        new, base_state = recipe.update(now, base_state, origin, direction)
        if previous is not None:
            previous.previous = None  # one step's memory is enough
        seen = Step(None, now.d1, now.perturbation, now.perturbed, None, direction)
        return new, (count + 1, base_state, now), seen

    return Optimizer(init, step)


def decayed_gradient(
    hp: dict[str, Any], value_and_grad: Piece, point: Params, shard: int | None = None
) -> Params:
    """The gradient at ``point``, of one shard or averaged over all; decay in the loss included."""

    def one(index: int | None) -> Params:
        function = value_and_grad if index is None else partial(value_and_grad, shard=index)
        if hp["decay"] == "in_loss" and hp["weight_decay"]:
            function = add_l2(function, hp["weight_decay"])
        return function(point)[1]

    shards = hp.get("shards", 1)
    if shards == 1 or shard is not None:
        return one(shard)
    total = one(0)
    for index in range(1, shards):
        total = add(total, one(index))
    return scale(1 / shards, total)
