"""Measure the parts of a step one by one, with the errors of the earlier ones carried forward.

The gradients are scripted, so each part can be judged by itself. A climb is held against the
gradient that was given at the first point, wherever that was. A last step is held against the one
from A along the gradient that was given at the second point, whatever that was, with a velocity
made of the earlier ones. So a climb down is a wrong direction and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from minisam.adapters.hyperparameters import HyperParameters
from minisam.adapters.library import with_loss_decay
from minisam.adapters.protocol import Arrays, Observation
from minisam.anatomy.climbs import Ruler, compare_climb, compare_ending
from minisam.anatomy.facts import Facts, same_point
from minisam.rounding import UNITS, exact, value_of
from minisam.trees import Params, multiply, norm, subtract, zeros_like
from minisam.variants.conventions import declared_changes, declared_settings
from minisam.variants.recipe import FORMULA, Recipe, climb, recipe_of

if TYPE_CHECKING:
    from minisam.oracle.watch import Trace

EPSILON = 1e-6  # in the norm or under its root: what costs nothing


def facts_of(
    trace: Trace, declare: dict[str, Any] | None = None, epsilon: float = EPSILON
) -> list[Facts]:
    """Measure the steps of a probe of SAM or ASAM.

    Args:
        trace: what was seen, of whole batches.
        declare: the conventions that are followed.
        epsilon: how much may be added to the norm, or to its square, without being declared.

    Returns:
        The facts of each step, up to one that starts from what is not finite.

    Example:
        >>> from minisam.oracle.probes import PROBES
        >>> from minisam.oracle.watch import watch
        >>> from minisam.variants.mutants import MUTANTS
        >>> downhill = MUTANTS["M07-downhill"].adapter
        >>> one = facts_of(watch(downhill, PROBES["sam-one-tensor"], "float64"))[0]
        >>> one.climb.along, one.climb.exact, one.ending.right
        (False, True, True)
        >>> round(one.climb.cosine, 9)
        -1.0
    """
    recipe = recipe_under(trace, declare or {})
    found: list[Facts] = []
    state = None
    with np.errstate(all="ignore"):
        for step, seen in enumerate(trace.steps):
            if not all(np.isfinite(x).all() for x in seen.start):
                break
            start, end = by_name(trace, seen.start), by_name(trace, seen.end)
            asked = [(by_name(trace, p), by_name(trace, g)) for p, g in first_asked(seen)]
            now = Now(trace, step, recipe, state, start, end, asked, epsilon)
            several = [read(now, *choice) for choice in choices(now)]
            best, state = max(several, key=lambda one: one[0].rights)  # the first of the best
            found.append(best)
    return found


class Now(NamedTuple):
    """One step, what is held against it, and what the steps before it left."""

    trace: Trace
    step: int
    recipe: Recipe
    state: Any
    start: Params
    end: Params
    asked: list[tuple[Params, Params]]
    epsilon: float

    def lift(self, tree: Params) -> dict[str, Any]:
        """Return the tensors that are trained, as numbers that carry their error."""
        frozen = self.recipe.hp.frozen
        return {k: exact(x, self.trace.dtype) for k, x in tree.items() if k not in frozen}

    def trained(self, tree: Params) -> Params:
        """Return the tree with zeros for the tensors that are not trained."""
        frozen = self.recipe.hp.frozen
        return {key: np.zeros_like(x) if key in frozen else x for key, x in tree.items()}

    def whole(self, tree: dict[str, Any], rest: Params) -> dict[str, Any]:
        """Return the tree with the tensors that are not trained, in order."""
        return {key: tree.get(key, exact(rest[key], self.trace.dtype)) for key in self.start}


def recipe_under(trace: Trace, declare: dict[str, Any]) -> Recipe:
    """Return the recipe that a trace is held against."""
    hp = trace.hp.having(**declared_settings(declare))
    changes = [
        change
        for change in declared_changes(declare)
        if hp.p == 2 or not FORMULA & recipe_of(hp, change).changed
    ]
    return recipe_of(hp, *changes)


def by_name(trace: Trace, arrays: Arrays) -> Params:
    """Return arrays by name, in float64."""
    return {k: np.asarray(x, np.float64) for k, x in zip(trace.hp.names, arrays, strict=True)}


def values(tree: dict[str, Any]) -> Params:
    """Return the numbers without their errors."""
    return {key: np.asarray(value_of(x), np.float64) for key, x in tree.items()}


def first_asked(seen: Observation) -> list[tuple[Arrays, Arrays]]:
    """Return the points of a step at which it asked for the first time, and the answers."""
    found: dict[tuple, tuple[Arrays, Arrays]] = {}
    for point, answer in zip(seen.queries, seen.answers, strict=True):
        found.setdefault(tuple(tensor.tobytes() for tensor in point), (point, answer))
    return list(found.values())


def choices(now: Now) -> Iterator[tuple[Params, Params, Params | None, Params]]:
    """Yield (where the climb starts, d1, B, d2) as they may have been meant.

    Who asks for more than two gradients, or for the first one elsewhere, is not told so at every
    part: what fits best is taken.
    """
    if not now.asked:
        nothing = zeros_like(now.start)
        yield now.start, nothing, None, nothing
        return
    first, gradient = now.asked[0]
    at_start = next((d for point, d in now.asked if same_point(point, now.start)), gradient)
    seconds = [one for one in now.asked[1:] if not same_point(one[0], now.start)]
    if not seconds:
        yield now.start, at_start, None, at_start
    for second, d2 in seconds:
        yield now.start, at_start, second, d2
        if not same_point(first, now.start):
            yield first, gradient, second, d2


def read(
    now: Now, origin: Params, d1: Params, second: Params | None, d2: Params
) -> tuple[Facts, Any]:
    """Return the facts of a step under one reading of it, and what it leaves to be remembered."""
    recipe, hp = now.recipe, now.recipe.hp.at(now.step)
    point = origin if second is None else second
    d1, d2 = now.trained(d1), now.trained(d2)
    d1, d2 = decayed_in_loss(hp, d1, origin), decayed_in_loss(hp, d2, point)
    state = recipe.base.init(now.lift(now.start)) if now.state is None else now.state
    piece = SimpleNamespace(params=now.lift(origin), hp=hp, count=now.step, base=recipe.base)
    piece.previous, piece.velocity = None, getattr(state, "velocity", None)
    piece.rho, piece.lr, piece.d1, piece.d2 = hp.rho, hp.lr, now.lift(d1), now.lift(d2)
    wanted = climb(recipe, piece, piece.d1, recipe.radius(piece))
    ruler = ruler_of(now, piece)
    reach = ruler.shortest * float(norm(values(wanted)))
    due = reach > 16 * ruler.unit.u * float(norm(now.start))
    whole = now.whole(wanted, zeros_like(now.start))
    climbed = compare_climb(origin, point, whole, ruler)
    piece.params, piece.perturbed = now.lift(now.start), now.lift(point)
    piece.perturbation = subtract(piece.perturbed, piece.params)
    new, state = recipe.update(piece, state, recipe.origin(piece), piece.d2)
    expected = now.whole(new, now.start)
    ending = compare_ending(now.start, point, expected, now.end, ruler.unit)
    velocity = values(now.whole(piece.velocity or {}, zeros_like(now.start)))
    facts = Facts(
        now.trace, now.step, now.asked, now.start, origin, second, d1, d2, velocity, due,
        values(whole), climbed, values(expected), now.end, ending,
    )  # fmt: skip
    return facts, state


def decayed_in_loss(hp: HyperParameters, gradient: Params, point: Params) -> Params:
    """Return a gradient with what the loss adds to it, if the weight decay is there."""
    return with_loss_decay(hp, lambda _: (0.0, gradient))(point)[1]


def ruler_of(now: Now, piece: SimpleNamespace) -> Ruler:
    """Return how a step's climb is measured: ‖T⁻¹ ε‖ is ρ, or less by what an epsilon takes."""
    T = now.recipe.operator(piece)
    scaled = values(piece.d1 if T is None else multiply(T, piece.d1))
    size = float(norm(scaled, 2 if piece.hp.p == 2 else np.inf))  # no norm is below the largest
    enough = 1.0
    if size and now.epsilon:
        in_the_root = float(np.hypot(size, np.sqrt(now.epsilon)))
        enough = min(size / (size + now.epsilon), size / in_the_root)
    return Ruler(piece.hp.p, None if T is None else values(T), enough, UNITS[now.trace.dtype])
