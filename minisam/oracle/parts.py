"""Put what may be at work in an implementation, conventions and mistakes, into the reference.

A `Part` is a convention's value or a mutant. Several of them, and the conventions that were
declared, make the reference with which a trace is judged.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from minisam.oracle.comparing import Judgement
from minisam.oracle.judge import judge
from minisam.oracle.watch import Trace
from minisam.variants.conventions import declared_changes, declared_settings
from minisam.variants.mutants import MUTANTS, Mutant
from minisam.variants.recipe import FORMULA, Change, recipe_of

SMALLEST = float(np.finfo(np.float64).tiny)


class Part(NamedTuple):
    """A convention's value or a mutant.

    Attributes:
        name: the convention's name, or the mutant's slug.
        declare: the convention; empty for a mutant.
        settings: hyper-parameters that it fixes.
        changes: what it does to the recipe.
        title: what a mutant does, where a number that was found says it better than its own title.
    """

    name: str
    declare: dict[str, Any]
    settings: dict[str, Any]
    changes: tuple[Change, ...]
    title: str = ""

    @property
    def is_mutant(self) -> bool:
        """Return whether it is a mistake."""
        return not self.declare

    @property
    def key(self) -> str:
        """Return what tells it from every other part."""
        return f"{self.name} {self.declare} {self.title}"


Parts = tuple[Part, ...]


def convention_part(declare: dict[str, Any]) -> Part:
    """Make a part of one or several conventions."""
    name = ", ".join(sorted(declare))
    return Part(name, declare, declared_settings(declare), declared_changes(declare))


def mutant_part(name: str) -> Part:
    """Make a part of a mutant."""
    return Part(name, {}, {}, (MUTANTS[name].change,))


def mutant_parts(name: str) -> list[Part]:
    """Return the parts of a mutant, one for each way to make the mistake."""
    first = mutant_part(name)
    others = MUTANTS[name].others
    return [first, *(first._replace(changes=(change,), title=title) for title, change in others)]


def mistake_of(part: Part) -> Mutant:
    """Return the mutant that a part is, with the title that fits."""
    mutant = MUTANTS[part.name]
    return mutant._replace(title=part.title or mutant.title)


def conventions_of(parts: Parts) -> dict[str, Any]:
    """Return the conventions of an explanation."""
    return {name: value for part in parts for name, value in part.declare.items()}


def explains(parts: Sequence[Part], traces: Iterable[Trace], declared: Part) -> bool:
    """Return whether the reference with these parts does what was seen, in every trace."""
    return all(explains_one(parts, trace, declared) for trace in traces)


def explains_one(parts: Sequence[Part], trace: Trace, declared: Part) -> bool:
    """Return whether they do in one trace; look roughly first, because most do not."""
    rough = trace.dtype != "bfloat16"
    if rough and not judge_parts(parts, trace, declared, rough=True).agrees:
        return False
    return judge_parts(parts, trace, declared).agrees


def judge_parts(
    parts: Sequence[Part],
    trace: Trace,
    declared: Part,
    rough: bool = False,
    beside: Sequence[Change] = (),
) -> Judgement:
    """Judge a trace against the reference with what is declared, these parts, and more changes."""
    changes, settings = changes_and_settings([declared, *parts], trace)
    return judge(trace, [*changes, *beside], settings, rough)


def changes_and_settings(
    parts: Sequence[Part], trace: Trace
) -> tuple[list[Change], dict[str, Any]]:
    """Return the changes of the recipe and the settings that parts make in a trace."""
    together = active(parts, trace)
    settings = {key: value for part in together for key, value in part.settings.items()}
    return [change for part in together for change in part.changes], settings


def active(parts: Sequence[Part], trace: Trace) -> list[Part]:
    """Return the parts that are followed in a trace, conventions first.

    What is wrong with the climb for p = 2 says nothing of other p.
    """
    together = sorted(parts, key=lambda part: part.is_mutant)
    if trace.hp.p != 2:
        together = [part for part in together if not FORMULA & pieces_of(part, trace)]
    return together


def pieces_of(part: Part, trace: Trace) -> frozenset[str]:
    """Return the pieces of a recipe that a part replaces."""
    if not part.changes:
        return frozenset()
    return recipe_of(trace.hp, *part.changes).changed


def clash(a: Part, b: Part, pieces: Mapping[str, frozenset[str]]) -> bool:
    """Return whether two mutants replace the same piece, so that their order matters.

    ``pieces`` are those that each part replaces, by its key.
    """
    both = pieces[a.key] & pieces[b.key] - {"hp", "base"}
    return a.is_mutant and b.is_mutant and bool(both)


def decayed(trace: Trace) -> Trace:
    """Return a trace with a NaN as if the weight decay were not quite zero.

    0 · NaN is NaN: an optimizer that decays at B, or in the loss, spreads the NaN of B whether it
    is asked for a weight decay or not.
    """
    if not trace.probe.has_nan or trace.hp.weight_decay:
        return trace
    return trace._replace(hp=trace.hp.having(weight_decay=SMALLEST))
