"""From results to a verdict: what is the case, and what its author should do."""

from __future__ import annotations

import platform
import re
import time
from collections.abc import Collection
from typing import Any

import numpy as np

import minisam
from minisam.adapters.protocol import Adapter, Arrays, Observation
from minisam.oracle.conventions import CONVENTIONS
from minisam.oracle.diagnosis import Diagnosis, Parts, diagnose
from minisam.oracle.explanation import first_wrong, looks_like, reproduction
from minisam.oracle.judge import Judgement
from minisam.oracle.mutants import MUTANTS, Mutant
from minisam.oracle.probes import Probe
from minisam.oracle.recipe import TAKEN_APART
from minisam.oracle.report import Report, Result
from minisam.oracle.watch import Trace, watch

Entry = tuple[Result, Trace, Judgement | None]
ADVICE = {
    "hangs": "Look for a loop that does not end, or raise the limit with timeout=.",
    "nothing ran": "Every probe was refused. Support at least one method, dtype and setting.",
    "wrong dtype": "Keep the dtype of the weights: NumPy scalars and default arrays are float64.",
    "wrong shapes": "Return one array per tensor, in the order and shapes of the weights.",
    "wrong type": "Return a list of arrays, like the weights that came in, and nothing beside it; "
    "also where the weights are changed in place.",
    "signature": "The weights and the gradient function come first, then hyper-parameters by name.",
    "asks too often": "A step of SAM needs two gradients.",
    "not deterministic": "The same step twice gave different results. Seed or remove randomness.",
}


KEPT = (
    "A velocity, or whatever else a step remembers, belongs into `state`, a dict that is empty at "
    "the first step of every run: a global holds what another run left, of tensors of other shapes."
)


def conclude(
    adapter: Adapter,
    name: str,
    entries: list[Entry],
    declare: dict[str, Any],
    known: dict[str, str],
    timeout: float,
    started: float,
) -> Report:
    """Make the report."""
    results = [result for result, _, _ in entries]
    ran = [entry for entry in entries if entry[0].status != "not run"]
    failing = [entry for entry in ran if entry[0].status == "fail"]
    errors = [entry for entry in ran if entry[0].status == "error"]
    passing = [entry for entry in ran if entry[0].status == "pass"]
    outcome: dict[str, Any]
    if not ran:
        outcome = fault("nothing ran", "No probe ran, so nothing is known.")
    elif errors and len(errors) >= len(failing):
        outcome = faulty(errors, ran)
    elif (failing or passing) and differs_when_repeated(adapter, failing + passing, timeout):
        outcome = fault("not deterministic", "The same step, repeated, gives another result.")
    elif failing:
        outcome = wrong(failing, ran, declare, name, getattr(adapter, "accepts", None))
    elif not passing:
        outcome = {
            "verdict": "out of range",
            "headline": "Only probes at the edge of the number range ran, and they differ.",
        }
    else:
        outcome = sound(ran, declare)
    defaults = {"cause": "", "advice": [], "found": {}, "explanations": [], "reproduction": ""}
    return Report(
        **{**defaults, **outcome},
        name=name,
        results=results,
        declared=declare,
        versions={
            "minisam": minisam.__version__,
            "python": platform.python_version(),
            "numpy": np.__version__,
        },
        seconds=time.perf_counter() - started,
    )


def fault(cause: str, headline: str, advice: tuple[str, ...] = ()) -> dict[str, Any]:
    """An adapter error."""
    hint = ADVICE.get(cause)
    return {
        "verdict": "adapter error",
        "cause": cause,
        "headline": f"adapter error ({cause}): {headline}",
        "advice": [*advice, *([hint] if hint else [])],
    }


def faulty(errors: list[Entry], ran: list[Entry]) -> dict[str, Any]:
    """The adapter error that stopped most probes."""
    result, trace, _ = errors[0]
    assert trace.fault is not None
    place = f"{len(errors)} of {len(ran)} probes, first {result.probe} in {result.dtype}"
    kept = (KEPT,) if names_shape_of_another(trace, [one.probe for _, one, _ in ran]) else ()
    return fault(trace.fault.cause, f"{trace.fault} ({place}).", kept)


def names_shape_of_another(trace: Trace, probes: list[Probe]) -> bool:
    """Whether arrays could not be broadcast because one has the shape of another probe's tensor."""
    told = re.findall(r"\((\d[\d, ]*)\)", str(trace.fault))
    shapes = {tuple(map(int, re.findall(r"\d+", shape))) for shape in told}
    left = shapes - {*trace.probe.shapes.values()}
    others = {shape for probe in probes for shape in probe.shapes.values()}
    return "broadcast" in str(trace.fault) and bool(left & others)


def differs_when_repeated(adapter: Adapter, entries: list[Entry], timeout: float) -> bool:
    """Whether some probes, run again, tell another story."""
    chosen = entries[:2] + entries[-1:]
    for _, trace, _ in chosen:
        for _ in range(2):
            again = watch(adapter, trace.probe, trace.dtype, settings_of(trace), timeout)
            if again.fault is not None or not same(trace, again):
                return True
    return False


def settings_of(trace: Trace) -> dict[str, Any]:
    """The hyper-parameters as they were, to repeat a probe."""
    return {key: trace.hp[key] for key in ("eta", "scope", "decay")}


def same(one: Trace, other: Trace) -> bool:
    """Whether two traces saw the same, to within a few roundings."""
    for a, b in zip(one.steps, other.steps, strict=True):
        if len(a.queries) != len(b.queries):
            return False
        pairs = zip(everything(a), everything(b), strict=True)
        for x, y in pairs:
            size = float(np.max(np.abs(x[np.isfinite(x)]), initial=0))
            slack = 64 * float(np.finfo(x.dtype).eps) * size
            if not np.allclose(x, y, rtol=0, atol=slack, equal_nan=True):
                return False
    return True


def everything(seen: Observation) -> Arrays:
    """All points and the end of a step."""
    return [array for arrays in (*seen.queries, seen.end) for array in arrays]


def sound(ran: list[Entry], declare: dict[str, Any]) -> dict[str, Any]:
    """The steps are right; what of the manners?"""
    printed = next((trace.printed for _, trace, _ in ran if trace.printed), "")
    changed = any(trace.changed_inputs for _, trace, _ in ran)
    found = {}
    if printed and declare.get("output") != "prints":
        found["output"] = "prints"
    if changed and declare.get("inputs") != "changed":
        found["inputs"] = "changed"
    if found:
        outcome = undeclared(found, declare)
        if "output" in found:
            shown = printed.strip().splitlines()[:1]
            outcome["advice"].insert(0, f"The steps are right, but they print: {shown[0:1]}")
        if "inputs" in found:
            outcome["advice"].insert(
                0,
                "The steps are right, but arrays that were lent are changed in place: copy first.",
            )
        return outcome
    count = sum(result.status == "pass" for result, _, _ in ran)
    worst = max((r.error for r, _, _ in ran if r.status == "pass"), default=0.0)
    lines = ", ".join(f"{key}={value!r}" for key, value in declare.items())
    return {
        "verdict": "conforms as declared" if declare else "conforms",
        "headline": f"All {count} results agree{f' under {lines}' if lines else ''}; the largest "
        f"error is {worst:.2f} of what rounding can explain.",
    }


def undeclared(
    found: dict[str, Any], declare: dict[str, Any], failing: Collection[Entry] = ()
) -> dict[str, Any]:
    """A convention that was not declared."""
    names = ", ".join(sorted(found))
    meanings = "; ".join(f"{key}={found[key]!r}: {CONVENTIONS[key].meaning}" for key in found)
    line = {**declare, **found}
    mistakes = [
        f"If it is not meant: it {mutant.title}. {mutant.description}"
        for mutant in mistakes_like(found, failing)
    ]
    return {
        "verdict": f"undeclared convention: {names}",
        "headline": f"It does what some implementations do, but not the papers: {meanings}.",
        "advice": [f"If it is meant, declare it: declare={line!r}", *mistakes],
        "found": found,
        "explanations": [names],
    }


def mistakes_like(found: dict[str, Any], failing: Collection[Entry]) -> list[Mutant]:
    """The mutants that are these conventions, for those who do not mean them."""
    methods = {trace.probe.method for _, trace, _ in failing}
    by_convention = {
        tuple(mutant.convention.items()): mutant
        for mutant in MUTANTS.values()
        if mutant.convention
        and methods & set(mutant.methods)
        and set(mutant.convention.items()) <= set(found.items())
    }
    return list(by_convention.values())


def wrong(
    failing: list[Entry],
    ran: list[Entry],
    declare: dict[str, Any],
    name: str,
    accepts: frozenset[str] | None,
) -> dict[str, Any]:
    """A bug or an undeclared convention."""
    passing = [t for r, t, _ in ran if r.status == "pass" and not t.probe.extreme]
    diagnosis = diagnosed([trace for _, trace, _ in failing], passing, declare)
    survivors = diagnosis.survivors
    judged = [(trace, judgement) for _, trace, judgement in failing if judgement is not None]
    trace, judgement = min(judged, key=lambda entry: entry_size(entry[0]))
    seen = [f"First wrong: {first_wrong(trace, judgement)}."]
    same_quantity = [entry for entry in judged if entry[1].quantity == judgement.quantity]
    large, of_large = max(same_quantity, key=lambda entry: entry_size(entry[0])[0])
    looks = looks_like(large, of_large)
    if looks and not survivors:
        seen.append(f"It looks like this: {looks}.")
    code = reproduction(trace, judgement, name if name.isidentifier() else "step", accepts)
    if survivors and not any(part.is_mutant for part in survivors[0]):
        outcome = undeclared(dict(survivors[0][0].declare), declare, failing)
        outcome["advice"] += seen[:1]
        return outcome
    if not survivors:
        return unidentified(diagnosis, seen, code)
    by_name: dict[str, Parts] = {}
    for parts in survivors:
        by_name.setdefault(label(parts), parts)
    names = list(by_name)
    mutants = [part for part in survivors[0] if part.is_mutant]
    conventions = {k: v for part in survivors[0] for k, v in part.declare.items()}
    if len(names) == 1:
        headline = "It " + ", and it ".join(MUTANTS[part.name].title for part in mutants) + "."
        advice = [MUTANTS[part.name].description for part in mutants]
    else:
        headline = f"{len(names)} known mistakes explain everything that was seen."
        titles = [
            " and ".join(MUTANTS[part.name].title for part in by_name[name] if part.is_mutant)
            for name in names[:4]
        ]
        advice = [f"Either it {title}." for title in titles]
    if conventions:
        advice += [
            f"It also {mutant.title}. {mutant.description}"
            for mutant in mistakes_like(conventions, failing)
        ]
        advice.append(f"What it does by convention: declare={ {**declare, **conventions}!r}")
    return {
        "verdict": f"bug: {' or '.join(names[:4])}",
        "headline": headline,
        "advice": advice + seen,
        "found": conventions,
        "explanations": names,
        "reproduction": code,
    }


def diagnosed(failing: list[Trace], passing: list[Trace], declare: dict[str, Any]) -> Diagnosis:
    """The diagnosis of what failed, but for follow-ups, of which no mistakes are known."""
    failing, passing = (
        [trace for trace in traces if trace.probe.method in TAKEN_APART]
        for traces in (failing, passing)
    )
    return diagnose(failing, passing, declare) if failing else Diagnosis([], 0)


def unidentified(diagnosis: Diagnosis, seen: list[str], code: str) -> dict[str, Any]:
    """A bug without a name."""
    ended = "" if diagnosis.complete else " (the search was stopped)"
    headline = f"None of {diagnosis.tried} known mistakes and conventions explains it{ended}."
    if not diagnosis.tried:
        headline = "A step is wrong. Only mistakes in SGD, SAM and ASAM are known by name."
    return {
        "verdict": "bug: unidentified",
        "headline": headline,
        "advice": seen,
        "reproduction": code,
    }


def label(parts: Parts) -> str:
    """The mutants of an explanation."""
    return " + ".join(part.name for part in parts if part.is_mutant)


def entry_size(trace: Trace) -> tuple[int, int]:
    """What makes a trace easy to show: few entries, few steps."""
    return sum(int(np.prod(s)) for s in trace.probe.shapes.values()), len(trace.steps)
