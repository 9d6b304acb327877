"""Take SAM apart into the pieces that a convention declares and that a mutant gets wrong.

`minisam.optim.sam` is the algorithm to read. Here the same step is laid out as a `Recipe`, a record
of small functions, so that another SAM can be said by naming the one piece in which it differs:

    first      d1, the gradient at A
    ascent     the gradient that the climb follows            d1
    radius     how far to climb                               ρ
    operator   ASAM's T_w; None for SAM
    numerator  the direction of the climb                     T² g, or g
    measured   whose norm is taken                            T g, or g
    norm       what the direction is divided by               its norm
    length     the factor made of the two                     ρ / norm, and 0 where the norm is 0
    adjust     what is done to ε afterwards                   nothing
    second     d2, the gradient at B = A + ε
    direction  what the base update is given                  d2
    origin     where the base update starts                   A
    update     the base update

A change is a function ``Recipe -> Recipe``. Every piece is a function of ``now``, the step's record
so far: ``now.params`` is A, then ``now.d1``, ``now.perturbation``, ``now.perturbed``, ``now.d2`` as
they become known; ``now.previous`` is the record of the step before, ``now.velocity`` the momentum
buffer, ``now.ask(point)`` evaluates a gradient. ``now.asked.fixed`` are the tensors that are not
trained, and ``now.asked.slopes`` their gradients.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial, reduce
from types import SimpleNamespace
from typing import Any

from minisam.adapters.hyperparameters import HyperParameters
from minisam.adapters.library import base_of, optimizer_of, with_loss_decay
from minisam.adapters.protocol import Unsupported, mark
from minisam.optim.optimizer import Optimizer, Step, ValueAndGrad
from minisam.optim.perturbation import asam_perturbation, sam_perturbation, scaling
from minisam.trees import Params, add, map_leaves, multiply, norm, scale, zeros_like

Piece = Callable[..., Any]
TAKEN_APART = ("sgd", "sam", "asam")  # what is taken apart here; the follow-ups are not
# What makes the climb for p = 2.
FORMULA = frozenset({"operator", "numerator", "measured", "norm", "length"})


def default_length(now: SimpleNamespace, rho: float, length: Any) -> Any:
    """Return ρ / norm, and 0 for a norm of 0: a zero gradient gives a zero climb."""
    return rho / length if length != 0 else 0.0


def default_norm(now: SimpleNamespace, scaled_gradient: Params) -> Any:
    """Return ‖T g‖₂ over all tensors."""
    return norm(scaled_gradient)


def default_numerator(now: SimpleNamespace, T: Params | None, g: Params) -> Params:
    """Return T² g, or g."""
    return g if T is None else multiply(T, multiply(T, g))


def default_measured(now: SimpleNamespace, T: Params | None, g: Params) -> Params:
    """Return T g, or g."""
    return g if T is None else multiply(T, g)


def default_operator(now: SimpleNamespace) -> Params | None:
    """Return T_w for ASAM, None for SAM."""
    if now.hp.method != "asam":
        return None
    return scaling(now.params, now.hp.eta, now.hp.scope)


@dataclass(frozen=True)
class Recipe:
    """The pieces of one step, see the module's head; ``changed`` names those that are not SAM's."""

    hp: HyperParameters
    base: Optimizer
    ask: Piece = lambda now, point: now.gradient(point)
    first: Piece = lambda now: now.ask(now.params)
    ascent: Piece = lambda now: now.d1
    radius: Piece = lambda now: now.rho
    operator: Piece = default_operator
    numerator: Piece = default_numerator
    measured: Piece = default_measured
    norm: Piece = default_norm
    length: Piece = default_length
    adjust: Piece = lambda now, perturbation: perturbation
    second: Piece = lambda now: now.ask(now.perturbed)
    direction: Piece = lambda now: now.d2
    origin: Piece = lambda now: now.params
    update: Piece = lambda now, state, origin, direction: now.base.update(origin, state, direction)
    changed: frozenset[str] = frozenset()

    def having(self, **pieces: Any) -> Recipe:
        """Return the recipe with other pieces.

        Example:
            >>> from minisam.adapters.protocol import HYPERPARAMETERS
            >>> recipe_of(HYPERPARAMETERS).having(second=lambda now: now.d1).changed
            frozenset({'second'})
        """
        return replace(self, **pieces, changed=self.changed.union(pieces))


Change = Callable[[Recipe], Recipe]


def piece(**pieces: Any) -> Change:
    """Return the change that replaces pieces of a recipe."""
    return lambda recipe: recipe.having(**pieces)


def then(**more: Callable[[Any, Any], Any]) -> Change:
    """Return the change that does more to what pieces return: ``more(now, what it returned)``."""

    def change(recipe: Recipe) -> Recipe:
        def made(own: Piece, do: Piece) -> Piece:
            return lambda now, *rest: do(now, own(now, *rest))

        return recipe.having(**{name: made(getattr(recipe, name), do) for name, do in more.items()})

    return change


def then_weights(do: Callable[[SimpleNamespace, Params, Params], Params]) -> Change:
    """Return the change that does more to the new weights: ``do(now, origin, new)``."""

    def change(recipe: Recipe) -> Recipe:
        def update(now: SimpleNamespace, state: Any, origin: Params, direction: Params) -> tuple:
            new, state = recipe.update(now, state, origin, direction)
            return do(now, origin, new), state

        return recipe.having(update=update)

    return change


def only(where: Callable[[HyperParameters], Any], change: Change) -> Change:
    """Return the change, limited to hyper-parameters of which something holds."""
    return lambda recipe: change(recipe) if where(recipe.hp) else recipe


def optimizer(hp: Mapping[str, Any], changes: Sequence[Change] = ()) -> Optimizer:
    """Make the reference: the optimizer that hyper-parameters describe, with changed pieces.

    Without changes it is `minisam.optim`'s own, of any method; with changes it is built from the
    same pieces. It asks each shard of a split batch by itself.

    Args:
        hp: see `HyperParameters`.
        changes: functions ``Recipe -> Recipe``: conventions or mutants.

    Raises:
        Unsupported: if the method does not exist, or cannot be changed.

    Example:
        >>> import numpy as np
        >>> from minisam.adapters.protocol import HYPERPARAMETERS
        >>> opt = optimizer(HYPERPARAMETERS)
        >>> w = {"w": np.array([3.0])}
        >>> half_square = lambda w: (0.5 * float(w["w"] @ w["w"]), w)
        >>> opt.step(w, opt.init(w), half_square)[0]["w"]
        array([2.695])
    """
    hp = HyperParameters.of(hp)
    own_rho = any("rho" in group for group in hp.groups)
    chosen = build(recipe_of(hp, *changes)) if changes or own_rho else optimizer_of(hp)
    shards = hp.shards
    if shards == 1:
        return chosen

    def step(params: Params, state: Any, value_and_grad: ValueAndGrad) -> tuple:
        return chosen.step(params, state, over_shards(value_and_grad, shards))

    return chosen._replace(step=step)


def over_shards(value_and_grad: Piece, shards: int) -> ValueAndGrad:
    """Average a batch's shards, each of which is asked by itself, or by its number."""
    by_number = [partial(value_and_grad, shard=index) for index in range(shards)]
    each = getattr(value_and_grad, "shards", by_number)

    def mean(point: Params) -> tuple:
        return 0.0, average([one(point)[1] for one in each])

    return mark(mean, shards=each)


def average(several: Sequence[Params]) -> Params:
    """Return the mean of gradients, added one after the other."""
    return scale(1 / len(several), reduce(add, several))


def recipe_of(hp: Mapping[str, Any], *changes: Change) -> Recipe:
    """Return the recipe of SAM or ASAM, with ``changes`` applied in order.

    Raises:
        Unsupported: if the method is none that is taken apart here.
    """
    hp = HyperParameters.of(hp)
    if hp.method not in TAKEN_APART:
        raise Unsupported(f"{hp.method} is not taken apart: it has no conventions, no mutants")
    recipe = Recipe(hp=hp, base=base_of(hp))
    for change in changes:
        recipe = change(recipe)
    return recipe


def climb(recipe: Recipe, now: SimpleNamespace, grads: Params, rho: float) -> Params:
    """Return ε for the gradient ``grads``, as long in every parameter group as its own ρ says."""
    whole = climb_of_all(recipe, now, grads, rho)
    for names, own in recipe.hp.by_group(whole) if recipe.hp.groups else ():
        share = own.rho / recipe.hp.rho
        whole = {**whole, **scale(share, {name: whole[name] for name in names})}
    return whole


def climb_of_all(recipe: Recipe, now: SimpleNamespace, grads: Params, rho: float) -> Params:
    """Return numerator · length(ρ, norm), tensor by tensor.

    Raises:
        Unsupported: if the formula is changed, which is that of p = 2, and p is another.
    """
    hp, touched = recipe.hp, sorted(recipe.changed & FORMULA)
    if touched and hp.p != 2:
        raise Unsupported(f"no recipe with p = {hp.p} has another {' and '.join(touched)}")
    if rho >= 0 and not touched:  # the library's own climb
        if hp.method == "asam":
            return asam_perturbation(now.params, grads, rho, hp.p, hp.eta, hp.scope)
        return sam_perturbation(now.params, grads, rho, hp.p)
    T = recipe.operator(now)
    now.climbing = grads
    length = recipe.norm(now, recipe.measured(now, T, grads))
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
        now = SimpleNamespace(params=params, hp=hp.at(count), count=count, base=recipe.base)
        now.previous, now.velocity = previous, getattr(base_state, "velocity", None)
        now.rho, now.lr = now.hp.rho, now.hp.lr
        now.asked = value_and_grad
        value_and_grad = with_loss_decay(hp, value_and_grad)
        now.gradient = partial(gradient_of, value_and_grad)
        now.ask = partial(recipe.ask, now)
        now.climb = partial(climb, recipe, now)
        now.d1 = now.perturbation = now.d2 = None
        now.d1 = recipe.first(now)
        if hp.method == "sgd":
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


def gradient_of(value_and_grad: Any, point: Params, shard: int | None = None) -> Params:
    """Return the gradient at ``point``, of one shard or of the whole batch."""
    asked = value_and_grad if shard is None else value_and_grad.shards[shard]
    return asked(point)[1]
