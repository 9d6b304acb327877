"""List what could be at work, and keep the simplest of what explains the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minisam.oracle.parts import Part, Parts, convention_part, mutant_parts
from minisam.oracle.watch import Trace
from minisam.variants.conventions import CONVENTIONS
from minisam.variants.mutants import MUTANTS

# Conventions that go together: nobody has one of them without the other.
PACKAGES: tuple[dict[str, Any], ...] = ({"eta": 0.0, "scope": "all"},)
# Conventions whose value is any number: it is solved for.
NUMBERS = ("norm_epsilon", "norm_floor", "norm_epsilon_inside")
TOO_LARGE = "M51-epsilon-too-large"  # and the mistake that such a number is, from some size on
MOST = 24  # explanations that are followed


def known_parts(traces: Sequence[Trace], settled: dict[str, Any]) -> list[Part]:
    """Return the conventions and mutants that could be at work in these traces.

    Not among them is what has any number for its value: it is solved for, see `epsilons`.
    """
    methods = {trace.probe.method for trace in traces}
    dtypes = {trace.dtype for trace in traces}
    conventions = [
        convention_part({name: value})
        for name, convention in CONVENTIONS.items()
        for value in convention.values
        if name not in settled
        and name not in ("output", "inputs", *NUMBERS)
        and any(convention.shows(trace.hp) for trace in traces)
    ]
    mutants = [
        part
        for mutant in MUTANTS.values()
        for part in mutant_parts(mutant.name)
        if methods & set(mutant.methods)
        and not mutant.equivalent
        and not mutant.convention
        and mutant.name != TOO_LARGE
        and dtypes & {*mutant.dtypes, "bfloat16"}
    ]
    packages = [convention_part(one) for one in PACKAGES if not one.keys() & settled.keys()]
    return conventions + mutants + (packages if "asam" in methods else [])


def union(a: Parts, b: Parts) -> Parts:
    """Return the parts of two explanations, each once."""
    keys = {part.key for part in a}
    return (*a, *(part for part in b if part.key not in keys))


def fewest(several: Sequence[Parts]) -> list[Parts]:
    """Return those of the fewest parts: what is rarer will tell which of them it is."""
    least = min(map(len, several))
    return [parts for parts in several if len(parts) == least][:MOST]


def preferred(survivors: Sequence[Parts]) -> list[Parts]:
    """Return those of the fewest mistakes, with no needless convention."""

    def mistakes(parts: Parts) -> int:
        return sum(part.is_mutant for part in parts)

    least = min(map(mistakes, survivors), default=0)
    return simplest([parts for parts in survivors if mistakes(parts) == least])


def simplest(survivors: Sequence[Parts]) -> list[Parts]:
    """Leave out explanations that only add conventions to another one's."""

    def content(parts: Parts) -> tuple[list[str], set[str]]:
        mistakes = sorted(part.name for part in parts if part.is_mutant)
        conventions = {repr(item) for part in parts for item in part.declare.items()}
        return mistakes, conventions

    contents = [content(parts) for parts in survivors]
    return [
        parts
        for parts, (mistakes, conventions) in zip(survivors, contents, strict=True)
        if not any(same == mistakes and fewer < conventions for same, fewer in contents)
    ]
