"""Report what is wrong: by its name if it has one, else by what it does.

The known mistakes are tried first. If one of them explains what was seen, `naming` tells of it. If
none does, the step is told part by part. Either way the plainest failure is shown, shrunk to the
smallest input that has it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from minisam.adapters.protocol import Adapter, Unsupported
from minisam.anatomy.conditions import condition
from minisam.anatomy.features import features_of_probe
from minisam.optim.methods import METHODS
from minisam.oracle.comparing import Judgement
from minisam.oracle.diagnosis import Diagnosis, diagnose
from minisam.oracle.entries import Entry
from minisam.oracle.explanation import first_wrong
from minisam.oracle.looks import looks_like
from minisam.oracle.matters import entry_size, plainest
from minisam.oracle.naming import declaration, undeclared, with_names
from minisam.oracle.parts import Part, convention_part, conventions_of, decayed, judge_parts
from minisam.oracle.probes import Probe
from minisam.oracle.report import Report, Verdict
from minisam.oracle.reproduction import reproduction
from minisam.oracle.script import Script
from minisam.oracle.shrinking import Hanging, share, smallest_failure
from minisam.oracle.skills import RIGHT, SKILLS, skills_of
from minisam.oracle.strata import DTYPES
from minisam.oracle.unknown import explain_unknown, when_it_fails
from minisam.oracle.watch import Trace, watch
from minisam.variants.recipe import TAKEN_APART

VISIBLE = 1e-6  # a share that a reader sees in short numbers; a smaller one needs no script


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
    advice += [] if tried else [as_sam(shown[0].probe.method)]
    right = [SKILLS[one.name] for one in unknown.skills if one.status == RIGHT]
    advice += [f"What it does right: it {', '.join(right)}."] if right else []
    skills = report.skills or tuple(unknown.skills)
    return report._replace(headline=headline, advice=advice, skills=skills)


def as_sam(method: str) -> str:
    """Say how a follow-up can be checked with its conventions."""
    told = f"What {method} does by convention, such as an epsilon in the norm, cannot be declared."
    at = METHODS[method].is_sam_at
    if not at:
        return told
    where = " and ".join(f"{name} = {value:g}" for name, value in at.items())
    return f'{told} With {where} it is SAM: check that as method="sam", with what it declares.'


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


def diagnosed(failing: list[Trace], passing: list[Trace], declare: dict[str, Any]) -> Diagnosis:
    """Diagnose what failed, but for follow-ups, of which no mistakes are known."""
    failing, passing = (
        [trace for trace in traces if trace.probe.method in TAKEN_APART]
        for traces in (failing, passing)
    )
    return diagnose(failing, passing, declare) if failing else Diagnosis([], 0)
