"""Name the mistake: replay every known one on what was seen.

An explanation is a set of conventions and mutants under which the reference does exactly what the
implementation did, in every step of every probe. One convention or one mutant is tried first, then
conventions that go together, then pairs, then up to four mistakes, each of which explains more
than the ones before it. What explains everything is the name; when several do
they are all printed, and when none does nothing is named: a wrong name would be worse.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np

from minisam.oracle.judge import Judgement, judge
from minisam.oracle.watch import Trace, watch
from minisam.variants.conventions import CONVENTIONS, declared_changes, declared_settings
from minisam.variants.mutants import MUTANTS, mutant_adapter
from minisam.variants.recipe import FORMULA, Change, recipe_of

# Conventions that go together in implementations that people use.
PACKAGES: tuple[dict[str, Any], ...] = (
    {"eta": 0.0, "scope": "all"},
    {"eta": 0.0, "scope": "all", "norm_epsilon": 1e-12},
    {"eta": 0.0, "scope": "all", "norm_epsilon": 1e-12, "norm_dtype": "float32"},
    {"eta": 0.0, "scope": "all", "norm_epsilon": 1e-12, "restore": "subtract"},
    {"eta": 0.0, "scope": "all", "norm_epsilon": 1e-12, "asam_form": "Tg/|g|"},
    {"norm_epsilon": 1e-12, "norm_dtype": "float32"},
    {"norm_epsilon": 1e-12, "restore": "subtract"},
    {"norm_epsilon": 1e-16, "restore": "subtract"},
    {"zero_gradient": "nan", "restore": "subtract"},
    {"weight_decay": "in_loss", "norm_epsilon": 1e-12},
    {"weight_decay": "decoupled", "momentum_form": "lr_inside"},
)
SMALLEST = float(np.finfo(np.float64).tiny)


class Part(NamedTuple):
    """A convention's value or a mutant."""

    name: str
    declare: dict[str, Any]
    settings: dict[str, Any]
    changes: tuple[Change, ...]

    @property
    def is_mutant(self) -> bool:
        """Return whether it is a mistake."""
        return not self.declare


Parts = tuple[Part, ...]


def convention_part(declare: dict[str, Any]) -> Part:
    """Make a part of one or several conventions."""
    name = ", ".join(sorted(declare))
    return Part(name, declare, declared_settings(declare), declared_changes(declare))


def mutant_part(name: str) -> Part:
    """Make a part of a mutant."""
    return Part(name, {}, {}, (MUTANTS[name].change,))


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
    parts: Sequence[Part], trace: Trace, declared: Part, rough: bool = False
) -> Judgement:
    """Judge a trace against the reference with what is declared and these parts."""
    together = sorted([declared, *parts], key=lambda part: part.is_mutant)  # conventions first
    if trace.hp.p != 2:  # what is wrong with the climb for p = 2 says nothing of other p
        together = [part for part in together if not FORMULA & pieces_of(part, trace)]
    settings = {key: value for part in together for key, value in part.settings.items()}
    changes = [change for part in together for change in part.changes]
    return judge(trace, changes, settings, rough)


class Diagnosis(NamedTuple):
    """Say what explains the traces.

    Attributes:
        survivors: the explanations; empty when nothing known does it.
        tried: how many were tried.
        complete: whether the search came to its end in time.
    """

    survivors: list[Parts]
    tried: int
    complete: bool = True


def single_parts(traces: Sequence[Trace], settled: dict[str, Any]) -> list[Part]:
    """Return the conventions and mutants that could be at work in these traces."""
    methods = {trace.probe.method for trace in traces}
    dtypes = {trace.dtype for trace in traces}
    parts = [
        convention_part({name: value})
        for name, convention in CONVENTIONS.items()
        for value in convention.values
        if name not in settled and name not in ("output", "inputs")
    ]
    parts += [
        mutant_part(mutant.name)
        for mutant in MUTANTS.values()
        if methods & set(mutant.methods)
        and not mutant.equivalent
        and not mutant.convention
        and dtypes & {*mutant.dtypes, "bfloat16"}
    ]
    return parts


def diagnose(
    failing: Sequence[Trace],
    passing: Sequence[Trace],
    declared: dict[str, Any] | None = None,
    patience: float = 12.0,
) -> Diagnosis:
    """Find what explains the traces of an implementation that does not conform.

    Args:
        failing: complete traces that disagree with the reference under what is declared.
        passing: those that agree.
        declared: the conventions that were declared.
        patience: seconds of computing after which the search for pairs is given up.

    Returns:
        A `Diagnosis`.
    """
    started = time.process_time()
    declared = declared or {}
    base = convention_part(declared)
    if any(trace.hp.weight_decay for trace in (*failing, *passing)):
        failing = [decayed(trace) for trace in failing]
    ordered = [*sorted(failing, key=lambda trace: len(trace.steps)), *passing]
    settled = declared
    if "restore" not in declared and restores_a_copy(passing, base):
        settled = {**declared, "restore": "copy"}
    parts = single_parts(ordered, settled)
    survivors = (
        redeclared(ordered, declared)
        or [(part,) for part in parts if explains([part], ordered, base)]
        or together(failing, ordered, parts, settled, base)
        or [several for several in one_by_one(failing, ordered, parts, base) if len(several) > 2]
    )
    tried, complete = len(parts), True
    if not survivors:
        for pair in pairs_of(parts, failing, settled, base):
            tried += 1
            complete = time.process_time() - started < patience
            if not complete:
                break
            if pair is not None and explains(pair, ordered, base):
                survivors.append(pair)
    conventions = [s for s in survivors if not any(part.is_mutant for part in s)]
    return Diagnosis(simplest(conventions or survivors), tried, complete)


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


def decayed(trace: Trace) -> Trace:
    """Return a trace with a NaN as if the weight decay were not quite zero.

    0 · NaN is NaN: an optimizer that decays at B, or in the loss, spreads the NaN of B whether it
    is asked for a weight decay or not.
    """
    if trace.probe.special != "nan at A" or trace.hp.weight_decay:
        return trace
    return trace._replace(hp=trace.hp.having(weight_decay=SMALLEST))


def restores_a_copy(passing: Sequence[Trace], base: Part) -> bool:
    """Return whether weights came back to the bit, where subtracting ε would not bring them.

    The reference that subtracts is allowed the rounding of a subtraction, and so explains every
    copy, too. What speaks against it is that rounding was to be seen, and was not.
    """
    part = convention_part({"restore": "subtract"})
    adapter = mutant_adapter(*base.changes, *part.changes)
    still = [t for t in passing if t.hp.lr == 0 and t.dtype != "bfloat16"]
    again = (watch(adapter, trace.probe, trace.dtype, base.settings) for trace in still)
    return any(not judge_parts([], trace, base).agrees for trace in again)


def redeclared(traces: Sequence[Trace], declared: dict[str, Any]) -> list[Parts]:
    """Try other values of what was declared, one at a time."""
    return [
        (convention_part({name: value}),)
        for name, now in declared.items()
        for value in (CONVENTIONS[name].default, *CONVENTIONS[name].values)
        if value != now and explains([], traces, convention_part({**declared, name: value}))
    ]


def together(
    failing: Sequence[Trace],
    traces: Sequence[Trace],
    parts: Sequence[Part],
    settled: dict[str, Any],
    base: Part,
) -> list[Parts]:
    """Find conventions that explain the traces together: first packages, then one by one."""
    for package in PACKAGES:
        left = {name: value for name, value in package.items() if name not in settled}
        if left and explains([convention_part(left)], traces, base):
            return [(convention_part(smallest(left, traces, base)),)]
    single = [part for part in parts if not part.is_mutant]
    chosen: dict[str, Any] = {}
    sample = failing[:: max(1, len(failing) // 12)]
    best = 0
    while not explains([convention_part(chosen)], traces, base):
        options = [{**chosen, **part.declare} for part in single if part.name not in chosen]
        scores = [count_explained((convention_part(o),), sample, base) for o in options]
        if not scores or max(scores) <= best:
            return []
        best = max(scores)
        chosen = options[scores.index(best)]
    return [(convention_part(chosen),)]


def one_by_one(
    failing: Sequence[Trace], traces: Sequence[Trace], parts: Sequence[Part], base: Part
) -> list[Parts]:
    """Grow sets of up to four parts by what explains the most; none unless all is explained."""
    sample = failing[:: max(1, len(failing) // 16)]
    beam: list[Parts] = [()]
    best = 0
    for _ in range(4):
        top = 0
        scores: dict[frozenset, tuple[int, Parts]] = {}
        for chosen in beam:
            taken = {key for one in chosen for key in one.declare}
            for part in parts:
                more = (*chosen, part)
                key = frozenset((one.name, repr(one.declare)) for one in more)
                if part not in chosen and not taken & set(part.declare) and key not in scores:
                    scores[key] = (count_explained(more, sample, base, top), more)
                    top = max(top, scores[key][0])
        if top <= best:
            return []
        best = top
        beam = [more for score, more in scores.values() if score == top][:6]
        if best == len(sample):
            return [more for more in beam if explains(more, traces, base)]
    return []


def count_explained(parts: Parts, traces: Sequence[Trace], base: Part, at_least: int = 0) -> int:
    """Count the traces that parts explain; stop early if ``at_least`` cannot be reached."""
    count = 0
    for number, trace in enumerate(traces):
        if count + len(traces) - number < at_least:
            break
        count += explains_one(parts, trace, base)
    return count


def smallest(declare: dict[str, Any], traces: Sequence[Trace], base: Part) -> dict[str, Any]:
    """Leave out the conventions that are not needed."""
    for name in list(declare):
        fewer = {key: value for key, value in declare.items() if key != name}
        if fewer and explains([convention_part(fewer)], traces, base):
            declare = fewer
    return declare


def pairs_of(
    parts: Sequence[Part], failing: Sequence[Trace], settled: dict[str, Any], base: Part
) -> Iterable[Parts | None]:
    """Yield pairs that roughly explain the trace which fewest parts touch; None for others."""
    touched = {}
    for trace in [trace for trace in failing if not trace.probe.ends_only][:8]:
        alone = judge_parts([], trace, base)[:4]  # whether it agrees, how well, and where
        touched[trace.probe.slug, trace.dtype] = (
            trace,
            {part.name for part in parts if judge_parts([part], trace, base)[:4] != alone},
        )
    if not touched:
        return
    trace, touching = min(touched.values(), key=lambda entry: len(entry[1]))
    packages = [convention_part(package) for package in PACKAGES if not set(package) & set(settled)]
    for a, b in combinations([*packages, *parts], 2):
        if not (a.is_mutant or b.is_mutant) or not {a.name, b.name} & touching:
            continue
        for pair in ((a, b), (b, a)) if clash(a, b, trace) else ((a, b),):
            yield pair if judge_parts(pair, trace, base, rough=True).agrees else None


def clash(a: Part, b: Part, trace: Trace) -> bool:
    """Return whether two mutants replace the same piece, so that their order matters."""
    both = pieces_of(a, trace) & pieces_of(b, trace) - {"hp", "base"}
    return a.is_mutant and b.is_mutant and bool(both)


def pieces_of(part: Part, trace: Trace) -> frozenset[str]:
    """Return the pieces of a recipe that a part replaces."""
    if not part.changes:
        return frozenset()
    return recipe_of(trace.hp, *part.changes).changed
