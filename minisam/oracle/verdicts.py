"""Conclude from results to a verdict: what is the case, and what its author should do."""

from __future__ import annotations

import platform
import re
from collections.abc import Sequence
from functools import partial
from itertools import chain, product, takewhile
from typing import Any, NamedTuple

import numpy as np

import minisam
from minisam.adapters.protocol import Adapter, Unsupported
from minisam.anatomy.conditions import condition
from minisam.anatomy.features import features_of_probe
from minisam.oracle.coverage import depended_on, unshown
from minisam.oracle.diagnosis import Diagnosis, diagnose
from minisam.oracle.explanation import first_wrong, looks_like
from minisam.oracle.factors import are_multiples
from minisam.oracle.judge import Judgement
from minisam.oracle.matters import by_cost, entry_size, plainest
from minisam.oracle.parts import (
    Part,
    Parts,
    convention_part,
    conventions_of,
    decayed,
    judge_parts,
    mistake_of,
)
from minisam.oracle.probes import Probe
from minisam.oracle.report import UNSHOWN, Report, Result, Verdict
from minisam.oracle.reproduction import reproduction
from minisam.oracle.script import Script
from minisam.oracle.shrinking import Hanging, share, smallest_failure
from minisam.oracle.skills import skills_of
from minisam.oracle.strata import DTYPES
from minisam.oracle.unknown import explain_unknown, rest_of, when_it_fails
from minisam.oracle.watch import Raised, Trace, watch
from minisam.variants.conventions import CONVENTIONS
from minisam.variants.mutants import MUTANTS, Mutant
from minisam.variants.recipe import TAKEN_APART

ADVICE = {
    "hangs": "Look for a loop that does not end, or raise the limit with timeout=.",
    UNSHOWN: "Take rho and lr as arguments, and refuse only what the implementation does not have.",
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
VISIBLE = 1e-6  # a share that a reader sees in short numbers; a smaller one needs no script
LIST = "`w` is a list of arrays, and so is `grad_fn(w)`: loop over it."
# What Python and NumPy say where a list is taken for an array.
TAKEN_FOR_AN_ARRAY = re.compile(
    r"can't multiply sequence|operand type.*'list'|can only concatenate list"
    r"|'list' object has no attribute|inhomogeneous shape"
)


class Entry(NamedTuple):
    """One probe in one dtype: its result, what was seen, and how that was judged if it ran."""

    result: Result
    trace: Trace
    judgement: Judgement | None = None


def conclude(
    adapter: Adapter, name: str, entries: list[Entry], declare: dict[str, Any], timeout: float
) -> Report:
    """Make the report."""
    ran = [entry for entry in entries if entry.result.status != "not run"]
    failing, errors, passing = (
        [entry for entry in ran if entry.result.status == status]
        for status in ("fail", "error", "pass")
    )
    report = Report(
        name=name,
        outcome=Verdict.OUT_OF_RANGE,
        cause="",
        headline="Only probes at the edge of the number range ran, and they differ.",
        advice=[],
        results=[entry.result for entry in entries],
        declared=declare,
        found={},
        explanations=[],
        reproduction="",
        versions={
            "minisam": minisam.__version__,
            "python": platform.python_version(),
            "numpy": np.__version__,
        },
        seconds=0.0,
    )
    if not ran:
        why = "; ".join(f"{count} not run because {reason}" for count, reason in report.not_run())
        return broken(report, "nothing ran", f"No probe ran, so nothing is known: {why}.")
    if errors and len(errors) >= len(failing):
        return faulty(report, errors, ran)
    if (failing or passing) and differs_when_repeated(adapter, failing + passing, timeout):
        return broken(report, "not deterministic", "The same step, repeated, gives another result.")
    if failing:
        report = is_asam(report, failing) or wrong(report, failing, ran, adapter, timeout)
        first, rest = report.advice[:1], report.advice[1:]
        return report._replace(advice=[*first, *crashes(errors, ran), *rest])
    return sound(report, entries) if passing else report


def crashes(errors: list[Entry], ran: list[Entry]) -> list[str]:
    """Tell of the probes that an implementation does not come through."""
    if not errors:
        return []
    (result, trace, _), more = errors[0], len(errors) - 1
    others = f", and in {more} more of {len(ran)} results" if more else ""
    return [f"It stops in {result.probe}, {result.dtype}{others}: {trace.fault}."]


def is_asam(report: Report, failing: list[Entry]) -> Report | None:
    """Report an ASAM that was checked as SAM: it climbs as one in every ordinary probe.

    Roughly is enough, since an epsilon in its norm is no reason against it.
    """
    traces = [
        trace._replace(hp=trace.hp.having(method="asam"))
        for _, trace, _ in failing
        if trace.probe.method == "sam" and trace.probe.scale == 1.0 and not trace.probe.special
        if not (trace.probe.once or trace.hp.missing)
    ]
    for eta, scope in product((0.01, 0.0), ("weights", "all")):
        found = {"eta": eta, "scope": scope}
        part = convention_part({**report.declared, **found})
        if traces and all(judge_parts([], one, part, rough=True).agrees for one in traces):
            declare = {**report.declared, **({} if (eta, scope) == (0.01, "weights") else found)}
            more = f", declare={declare!r}" if declare else ""
            return report._replace(
                outcome=Verdict.BUG,
                headline="This is no SAM, but ASAM: its climb is that of adaptive SAM.",
                advice=[f'If that is meant, check it as ASAM: check(…, method="asam"{more}).'],
            )
    return None


def broken(report: Report, cause: str, headline: str, advice: Sequence[str] = ()) -> Report:
    """Report an adapter error."""
    return report._replace(
        outcome=Verdict.ADAPTER_ERROR,
        cause=cause,
        headline=f"adapter error ({cause}): {headline}",
        advice=[*advice, *([ADVICE[cause]] if cause in ADVICE else [])],
    )


def faulty(report: Report, errors: list[Entry], ran: list[Entry]) -> Report:
    """Report the adapter error that stopped most probes."""
    result, trace, _ = errors[0]
    assert trace.fault is not None
    place = f"{len(errors)} of {len(ran)} probes, first {result.probe} in {result.dtype}"
    advice = []
    if isinstance(trace.fault, Raised):
        probes = [entry.trace.probe for entry in ran]
        advice += [KEPT] if names_shape_of_another(trace.fault.words, trace.probe, probes) else []
        advice += [LIST] if TAKEN_FOR_AN_ARRAY.search(trace.fault.words) else []
    return broken(report, trace.fault.cause, f"{trace.fault} ({place}).", advice)


def names_shape_of_another(words: str, probe: Probe, probes: list[Probe]) -> bool:
    """Return whether arrays do not broadcast because one is shaped as another probe's tensor."""
    told = re.findall(r"\((\d[\d, ]*)\)", words)
    shapes = {tuple(map(int, re.findall(r"\d+", shape))) for shape in told}
    left = shapes - {*probe.shapes.values()}
    others = {shape for other in probes for shape in other.shapes.values()}
    return "broadcast" in words and bool(left & others)


def differs_when_repeated(adapter: Adapter, entries: list[Entry], timeout: float) -> bool:
    """Return whether some probes, run again, tell another story."""
    for _, trace, _ in entries[:2] + entries[-1:]:
        settings = {key: trace.hp[key] for key in ("eta", "scope", "decay")}
        for _ in range(2):
            again = watch(adapter, trace.probe, trace.dtype, settings, timeout)
            if again.fault is not None or not same(trace, again):
                return True
    return False


def same(one: Trace, other: Trace) -> bool:
    """Return whether two traces saw the same, to within a few roundings."""
    for a, b in zip(one.steps, other.steps, strict=True):
        if len(a.queries) != len(b.queries):
            return False
        for x, y in zip(chain(*a.queries, a.end), chain(*b.queries, b.end), strict=True):
            size = float(np.max(np.abs(x[np.isfinite(x)]), initial=0))
            slack = 64 * float(np.finfo(x.dtype).eps) * size
            if not np.allclose(x, y, rtol=0, atol=slack, equal_nan=True):
                return False
    return True


def sound(report: Report, entries: list[Entry]) -> Report:
    """Check the side effects of right steps, and whether there are enough of them."""
    ran = [entry for entry in entries if entry.result.status != "not run"]
    declare, traces = report.declared, [entry.trace for entry in ran]
    asked = [entry.trace.probe for entry in entries]
    passing = [entry.trace for entry in ran if entry.result.status == "pass"]
    printed = next((trace.printed for trace in traces if trace.printed), "")
    found, advice = {}, []
    if printed and declare.get("output") != "prints":
        found["output"] = "prints"
        shown = printed.strip().splitlines()[:1]
        advice.append(f"The steps are right, but they print: {shown}")
    if any(trace.changed_inputs for trace in traces) and declare.get("inputs") != "changed":
        found["inputs"] = "changed"
        changed = "The steps are right, but arrays that were lent are changed in place: copy first."
        advice.insert(0, changed)
    if found:
        return undeclared(report, found, advice)
    known = [entry.trace for entry in ran if entry.result.status == "known"]
    if lack := unshown(passing + known, asked):
        return broken(report, UNSHOWN, f"What ran agrees, but shows too little: {lack}.")
    errors = [result.error for result, _, _ in ran if result.status == "pass"]
    followed = depended_on(declare, passing)
    lines, idle = (
        ", ".join(f"{key}={value!r}" for key, value in declare.items() if (key in followed) == yes)
        for yes in (True, False)
    )
    agree = "The only result agrees" if len(errors) == 1 else f"All {len(errors)} results agree"
    headline = (
        f"{agree}{f' under {lines}' if lines else ''}; the largest error is {max(errors):.2f} "
        f"of what rounding can explain."
    )
    if idle:
        headline += f" No probe that ran depends on {idle}."
    outcome = Verdict.AS_DECLARED if followed else Verdict.CONFORMS
    return report._replace(outcome=outcome, headline=headline)


def undeclared(
    report: Report,
    found: dict[str, Any],
    advice: Sequence[str] = (),
    failing: Sequence[Trace] = (),
) -> Report:
    """Report a convention that was not declared."""
    meanings = "; ".join(f"{key}={found[key]!r}: {CONVENTIONS[key].meaning}" for key in found)
    mistakes = [
        f"If it is not meant: it {mutant.title}. {mutant.description}"
        for mutant in mistakes_like((convention_part(found),), failing, report.declared)
    ]
    mistakes += [
        f"If it is not meant: it is given {name}, and takes {value!r} whatever that is."
        for name, value in unfollowed(found, failing)
    ]
    line = f"If it is meant, declare it: declare={ {**report.declared, **found}!r}"
    return report._replace(
        outcome=Verdict.UNDECLARED,
        headline=f"It does what some implementations do, but not the papers: {meanings}.",
        advice=[*advice, line, *mistakes],
        found=found,
        explanations=[", ".join(sorted(found))],
    )


def unfollowed(found: dict[str, Any], failing: Sequence[Trace]) -> list[tuple[str, Any]]:
    """Return the hyper-parameters that conventions fix though they are read, and their values."""
    return [
        (name, value)
        for name, value in convention_part(found).settings.items()
        if any(name in trace.read and trace.hp[name] != value for trace in failing)
    ]


def mistakes_like(parts: Parts, failing: Sequence[Trace], declare: dict[str, Any]) -> list[Mutant]:
    """Return the mutants that are conventions among some parts, for those who do not mean them.

    A norm in float32 has room for an ε of which every entry is rounded: that is told as it is.
    """
    found = conventions_of(parts)
    methods = {trace.probe.method for trace in failing}
    by_convention = {
        tuple(mutant.convention.items()): mutant
        for mutant in MUTANTS.values()
        if mutant.convention
        and methods & set(mutant.methods)
        and set(mutant.convention.items()) <= set(found.items())
    }
    if "norm_dtype" in found and not are_multiples(parts, failing, convention_part(declare)):
        narrow = MUTANTS["M74-perturbation-in-half-precision"]
        narrow = narrow._replace(title="computes ε, not its norm alone, in float32")
        by_convention[(("norm_dtype", "float32"),)] = narrow
    return list(by_convention.values())


def wrong(
    report: Report, failing: list[Entry], ran: list[Entry], adapter: Adapter, timeout: float
) -> Report:
    """Report a bug or an undeclared convention."""
    wrong_ones = [trace for _, trace, _ in failing]
    passing = [t for result, t, _ in ran if result.status == "pass" and not t.probe.extreme]
    survivors, tried, rest = diagnosed(wrong_ones, passing, report.declared)
    judged = [(trace, judgement) for _, trace, judgement in failing if judgement]
    named = survivors and any(part.is_mutant for part in survivors[0])
    conventions = conventions_of(survivors[0]) if survivors else {}
    if survivors:  # else they are judged where all of it is explained
        dtype = min((trace.dtype for trace in wrong_ones), key=DTYPES.index)
        usual = [trace for trace in passing if not trace.probe.once]
        telling = [trace for trace in (*wrong_ones, *usual) if trace.dtype == dtype]
        skills = skills_of(telling, report.declared)  # the others show no other skills
        report = report._replace(skills=tuple(skills))
    if named or rest:
        judged = beyond(conventions, judged, report.declared)
    trace, judgement = plainest(judged)
    seen = [f"First wrong: {first_wrong(trace, judgement)}."]
    only_conventions = survivors and not named and not rest
    declared = convention_part(report.declared | ({} if only_conventions else conventions))
    look = partial(look_again, adapter, declared, trace.dtype, timeout)
    shown = reproduction(*smallest_failure(trace, judgement, look, judged), adapter, report.name)
    if only_conventions:
        report = undeclared(report, conventions, failing=wrong_ones)
        shown = shown if share(judgement) > VISIBLE else ""
        return report._replace(advice=report.advice + seen, reproduction=shown)
    report = report._replace(outcome=Verdict.BUG, reproduction=shown, found=conventions)
    if named:
        report = with_names(report, survivors, seen, wrong_ones)
        return report._replace(advice=report.advice + also(rest, wrong_ones))
    return without_a_name(report, tried, (trace, judgement), wrong_ones, passing)


def without_a_name(
    report: Report,
    tried: int,
    shown: tuple[Trace, Judgement],
    failing: list[Trace],
    passing: list[Trace],
) -> Report:
    """Report a bug that nothing known explains, by its parts; ``shown`` is what shows it best."""
    headline = f"None of {tried} known mistakes and conventions explains it."
    if not tried:
        headline = "A step is wrong. Only mistakes in SGD, SAM and ASAM are known by name."
    declared = {**report.declared, **report.found}
    unknown = explain_unknown([*failing, *passing], declared)
    advice = unknown.told or [when_it_fails(failing, passing)]
    if not any(", should be " in line for line in advice):  # no formula was found
        advice = [*advice, looks_so(*shown)]
    advice = [line for line in advice if line]
    advice.append(f"First wrong: {first_wrong(*shown)}.")
    advice += [declaration(report)] if report.found else []
    right = rest_of(unknown.skills)
    advice += [f"What it does right: it {right}."] if right else []
    skills = report.skills or tuple(unknown.skills)
    return report._replace(headline=headline, advice=advice, skills=skills)


def looks_so(trace: Trace, judgement: Judgement) -> str:
    """Say what a failure looks like."""
    looks = looks_like(trace, judgement)
    return f"It looks like this: {looks}." if looks else ""


def also(rest: Sequence[Trace], failing: Sequence[Trace]) -> list[str]:
    """Say what a name does not explain."""
    if not rest:
        return []
    first, differ = min(rest, key=entry_size), {(one.probe.slug, one.dtype) for one in rest}
    others = [one for one in failing if (one.probe.slug, one.dtype) not in differ]
    when = condition(*([features_of_probe(one) for one in some] for some in (rest, others)))
    told = f"That does not explain everything: {len(rest)} of the {len(failing)} results that fail"
    told += f" differ from it, the first {first.probe.slug} in {first.dtype}"
    return [f"{told}; all of them are {when}." if when not in ("", "always") else f"{told}."]


def declaration(report: Report) -> str:
    """Say what to declare of what was found beside a mistake."""
    return f"What it does by convention: declare={ {**report.declared, **report.found}!r}"


def look_again(
    adapter: Adapter, declared: Part, dtype: str, timeout: float, probe: Probe, drawn: Script
) -> tuple[Trace, Judgement] | None:
    """Judge what is seen in another situation, under what is declared; None if that can't be.

    Raises:
        Hanging: if it does.
    """
    trace = watch(adapter, probe, dtype, declared.settings, timeout, drawn=drawn)
    if trace.fault is not None and trace.fault.cause == "hangs":
        raise Hanging
    if trace.skipped or trace.fault is not None:
        return None
    try:
        seen = decayed(trace) if trace.hp.decay == "in_loss" else trace
        return trace, judge_parts([], seen, declared)
    except Unsupported:  # of a follow-up, under what is declared
        return None


def with_names(
    report: Report, survivors: list[Parts], seen: list[str], failing: Sequence[Trace]
) -> Report:
    """Report a bug with the names of the mistakes that explain it."""
    mistakes = [[mistake_of(part) for part in parts if part.is_mutant] for parts in survivors]
    by_name = {" + ".join(mutant.name for mutant in several): several for several in mistakes}
    names = list(by_name)
    conventions = conventions_of(survivors[0])
    costs = by_cost(survivors[0], failing, convention_part(report.declared))
    if len(names) == 1:
        ordered = [mistake_of(part) for part, _ in costs if part.is_mutant]
        headline = "It " + ", and it ".join(mutant.title for mutant in ordered) + "."
        advice = [mutant.description for mutant in ordered]
    else:
        headline = f"{len(names)} known mistakes explain everything that was seen."
        titles = [" and ".join(mutant.title for mutant in by_name[name]) for name in names[:4]]
        advice = [f"Either it {title}." for title in titles]
    above = [part.name for part, _ in takewhile(lambda entry: not entry[0].is_mutant, costs)]
    if above:
        what = f"conventions that are not the papers': {', '.join(above)}"
        headline = f"Above all, it has {what}. {headline}"
    if conventions:
        advice.append(declaration(report))
        advice += [
            f"It also {mutant.title}. {mutant.description}"
            for mutant in mistakes_like(survivors[0], failing, report.declared)
        ]
    return report._replace(headline=headline, advice=advice + seen, explanations=names)


def beyond(
    conventions: dict[str, Any], judged: list[tuple[Trace, Judgement]], declare: dict[str, Any]
) -> list[tuple[Trace, Judgement]]:
    """Return what still fails once conventions are declared: it shows the mistake, not them."""
    if not conventions:
        return judged
    declared = convention_part({**declare, **conventions})
    in_loss = declared.settings.get("decay") == "in_loss"
    again = [
        (trace, judge_parts([], decayed(trace) if in_loss else trace, declared))
        for trace, _ in judged
        if trace.probe.method in TAKEN_APART
    ]
    return [(trace, judgement) for trace, judgement in again if not judgement.agrees] or judged


def diagnosed(failing: list[Trace], passing: list[Trace], declare: dict[str, Any]) -> Diagnosis:
    """Diagnose what failed, but for follow-ups, of which no mistakes are known."""
    failing, passing = (
        [trace for trace in traces if trace.probe.method in TAKEN_APART]
        for traces in (failing, passing)
    )
    return diagnose(failing, passing, declare) if failing else Diagnosis([], 0)
