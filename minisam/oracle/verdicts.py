"""Conclude from results to a verdict.

The first that holds is said: nothing ran; the implementation stops, which is of `faults`; it gives
another result each time; a step is wrong, which is of `bugs`. Else all of it is right, and what is
left is whether it prints or changes what it was lent, and whether enough was shown.
"""

from __future__ import annotations

import platform
from itertools import product
from typing import Any

import numpy as np

import minisam
from minisam.adapters.protocol import Adapter
from minisam.oracle.bugs import wrong
from minisam.oracle.coverage import depended_on, unshown
from minisam.oracle.entries import Entry, differs_when_repeated
from minisam.oracle.faults import broken, crashes, faulty
from minisam.oracle.naming import undeclared
from minisam.oracle.parts import convention_part, judge_parts
from minisam.oracle.report import UNSHOWN, Report, Verdict


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
