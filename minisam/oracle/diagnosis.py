"""Name the mistake: replay every known one on what was seen.

An explanation is a set of conventions and mutants under which the reference does exactly what the
implementation did. It has to hold in every ordinary probe of the dtype that shows most; of what is
rare, tiny gradients, tensors without one, a NaN, other dtypes, it explains what it can, and the
rest is told. When several explain the same they are all printed, and when none does nothing is
named: a wrong name would be worse.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from minisam.oracle.candidates import NUMBERS, known_parts, preferred
from minisam.oracle.epsilons import epsilon_parts
from minisam.oracle.factors import are_multiples
from minisam.oracle.following import followed
from minisam.oracle.parts import (
    Part,
    Parts,
    changes_and_settings,
    convention_part,
    decayed,
    explains,
    judge_parts,
)
from minisam.oracle.replays import Replays
from minisam.oracle.stabilizers import eta_parts
from minisam.oracle.strata import strata
from minisam.oracle.watch import Trace, watch
from minisam.variants.conventions import CONVENTIONS
from minisam.variants.mutants import mutant_adapter


class Diagnosis(NamedTuple):
    """Say what explains the traces.

    Attributes:
        survivors: the explanations; empty when nothing known does it.
        tried: how many mistakes and conventions were tried, by themselves and together.
        rest: the failing traces that they do not explain.
    """

    survivors: list[Parts]
    tried: int
    rest: tuple[Trace, ...] = ()


def diagnose(
    failing: Sequence[Trace], passing: Sequence[Trace], declared: dict[str, Any] | None = None
) -> Diagnosis:
    """Find what explains the traces of an implementation that does not conform.

    Args:
        failing: complete traces that disagree with the reference under what is declared.
        passing: those that agree.
        declared: the conventions that were declared.

    Returns:
        A `Diagnosis`.
    """
    declared = declared or {}
    base = convention_part(declared)
    if any(trace.hp.weight_decay for trace in (*failing, *passing)):
        failing = [decayed(trace) for trace in failing]
    again = redeclared([*failing, *passing], declared)
    if again:
        return Diagnosis(again, len(declared))
    settled, every = dict(declared), [*failing, *passing]
    if "restore" not in declared and restores_a_copy(passing, base):
        settled["restore"] = "copy"
    parts = known_parts(every, settled) + eta_parts(every, settled)
    replays = Replays(base)
    beam = [bare_copy(one, every, base) for one in followed(replays, strata(every), parts, failing)]
    rest = tuple(t for t in failing if not any(replays.agrees(one, t) for one in beam))
    survivors = [borne_out(needed(replays, one, every), every, base) for one in beam if one]
    return Diagnosis(preferred(survivors), len(parts), rest)


def needed(replays: Replays, parts: Parts, traces: Sequence[Trace]) -> Parts:
    """Leave out the conventions that a mistake which was found later made needless."""
    for one in parts:
        fewer = tuple(part for part in parts if part != one)
        if (
            not one.is_mutant
            and fewer
            and all(
                replays.agrees(fewer, trace) for trace in traces if replays.agrees(parts, trace)
            )
        ):
            parts = fewer
    return parts


def borne_out(parts: Parts, traces: Sequence[Trace], declared: Part) -> Parts:
    """Leave out a norm in float32 beside a mistake, where it is no norm that has fewer digits.

    It has room for all that is off by as little, for an epsilon in a formula that is wrong, say.
    Then every entry is off by a share of its own, and not all by one.
    """
    others = tuple(part for part in parts if "norm_dtype" not in part.declare)
    beside = any(part.is_mutant for part in others)
    return others if beside and not are_multiples(others, traces, declared) else parts


def bare_copy(parts: Parts, traces: Sequence[Trace], base: Part) -> Parts:
    """Leave out a restore by subtraction, where with all the rest it is seen to be none."""
    others = tuple(part for part in parts if "restore" not in part.declare)
    subtracts = len(others) < len(parts)
    return others if subtracts and restores_a_copy(traces, base, others) else parts


def restores_a_copy(traces: Sequence[Trace], base: Part, beside: Parts = ()) -> bool:
    """Return whether weights came back to the bit, where subtracting ε would not bring them.

    The reference that subtracts is allowed the rounding of a subtraction, and so explains every
    copy, too. What speaks against it is that rounding was to be seen, and was not. It takes the
    right ε to see it, since few entries are rounded: those whose exponent grows from A to B.
    """
    parts = (base, *beside, convention_part({"restore": "subtract"}))
    still = [t for t in traces if t.hp.lr == 0 and t.dtype != "bfloat16" and comes_back(t)]
    return any(not judge_parts(beside, watched_again(parts, trace), base).agrees for trace in still)


def watched_again(parts: Parts, trace: Trace) -> Trace:
    """Return what is seen of the reference with some parts, where a trace was seen."""
    changes, settings = changes_and_settings(parts, trace)
    return watch(mutant_adapter(*changes), trace.probe, trace.dtype, settings)


def comes_back(trace: Trace) -> bool:
    """Return whether each step ends where it began, to the bit."""
    return all(all(map(np.array_equal, step.end, step.start)) for step in trace.steps)


def redeclared(traces: Sequence[Trace], declared: dict[str, Any]) -> list[Parts]:
    """Try other values of what was declared, one at a time; a number is solved for."""
    if not declared:
        return []
    beside = convention_part({k: value for k, value in declared.items() if k not in NUMBERS})
    solved = [*eta_parts(traces, ()), *epsilon_parts((), traces, beside)]
    return [
        (convention_part({name: value}),)
        for name, now in declared.items()
        for value in dict.fromkeys(
            (
                CONVENTIONS[name].default,
                *CONVENTIONS[name].values,
                *(part.declare[name] for part in solved if name in part.declare),
            )
        )
        if value != now and explains([], traces, convention_part({**declared, name: value}))
    ]
