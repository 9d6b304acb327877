"""Take one half of what was seen as it was, to judge the other half alone.

climb      is B where the parts put it? The descent is taken as it was.
descent    do the parts lead from A to the new weights, by way of the B that was seen?
"""

from __future__ import annotations

from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

from minisam.adapters.protocol import Arrays
from minisam.anatomy.measuring import by_name, first_asked
from minisam.oracle.parts import Part, Parts, judge_parts
from minisam.oracle.watch import Trace
from minisam.trees import Params, zeros_like
from minisam.variants.recipe import Change, Recipe, only

View = tuple[Trace, tuple[Change, ...]]


def whole(trace: Trace) -> View:
    """Judge all of it."""
    return trace, ()


def climb_of(trace: Trace) -> View:
    """Judge A and B; whatever comes after is as it was."""
    steps = []
    for seen in trace.steps:
        first = first_asked(seen)[:2]
        points, answers = [point for point, _ in first], [answer for _, answer in first]
        steps.append(seen._replace(queries=points, answers=answers, shards=(0,) * len(first)))

    def as_it_was(now: SimpleNamespace, state: Any, origin: Params, direction: Params) -> tuple:
        _, state = now.base.update(origin, state, direction)
        return of_trained(trace, trace.steps[now.count].end, now.params), state

    def change(recipe: Recipe) -> Recipe:
        return recipe.having(
            second=lambda now: now.ask(now.perturbed),
            direction=lambda now: now.d2,
            origin=lambda now: now.params,
            update=as_it_was,
        )

    return trace._replace(steps=steps), (climbing(change),)


def descent_of(trace: Trace) -> View:
    """Judge the new weights, and every gradient after the one at B; B is where it was."""

    def adjust(now: SimpleNamespace, perturbation: Params) -> Params:
        points = first_asked(trace.steps[now.count])
        if len(points) < 2:
            return zeros_like(now.params)
        B, _ = points[1]
        return {
            key: above - now.params[key] for key, above in of_trained(trace, B, now.params).items()
        }

    return trace, (climbing(lambda recipe: recipe.having(adjust=adjust)),)


def climbing(change: Change) -> Change:
    """Return the change for methods that climb."""
    return only(lambda hp: hp.method != "sgd", change)


def of_trained(trace: Trace, arrays: Arrays, like: Params) -> Params:
    """Return arrays by the names of those tensors that are trained."""
    every = by_name(trace, arrays)
    return {key: every[key] for key in like}


VIEWS = {"exact": whole, "rough": whole, "climb": climb_of, "descent": descent_of}


class Replays:
    """What the reference with some parts did on each trace, replayed once, and counted."""

    def __init__(self, declared: Part):
        self.declared = declared
        self.known: dict[tuple[str, ...], bool] = {}

    @property
    def count(self) -> int:
        """Return how many replays there were."""
        return len(self.known)

    def agrees(self, parts: Parts, trace: Trace, how: str = "exact") -> bool:
        """Return whether the reference does what was seen: "exact", or roughly in some respect."""
        key = (how, trace.probe.slug, trace.dtype, *(part.key for part in parts))
        if key not in self.known:
            rough = how != "exact" and trace.dtype != "bfloat16"
            seen, beside = VIEWS[how](trace)
            try:
                self.known[key] = judge_parts(parts, seen, self.declared, rough, beside).agrees
            except (ArithmeticError, LookupError, TypeError, ValueError):
                self.known[key] = False  # parts that do not go together explain nothing
        return self.known[key]

    def explain(self, parts: Parts, traces: Iterable[Trace], how: str = "exact") -> bool:
        """Return whether it does in all of some traces."""
        return all(self.agrees(parts, trace, how) for trace in traces)
