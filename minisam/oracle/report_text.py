"""A report on one screen of a terminal, and as a row of a Markdown table."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from minisam.oracle.report import Report

WIDTH = 88
BESIDE = "To see it without minisam, beside your function:"


def wrapped(text: str, first: str = "  ", rest: str = "  ") -> list[str]:
    """A paragraph, folded."""
    return textwrap.wrap(text, WIDTH, initial_indent=first, subsequent_indent=rest) or [""]


def failures(report: Report) -> str:
    """How many results fail, and in which probes; empty if none does."""
    failing = [r for r in report.results if r.status in ("fail", "error")]
    probes = list(dict.fromkeys(result.probe for result in failing))
    more = f", and {len(probes) - 6} more" if len(probes) > 6 else ""
    if not probes:
        return ""
    count = "1 result fails" if len(failing) == 1 else f"{len(failing)} results fail"
    return f"{count}, in {'probe' if len(probes) == 1 else 'probes'} {', '.join(probes[:6])}{more}"


def remarks(report: Report) -> list[str]:
    """What is known to fail, what is out of range, and how much ran."""
    lines = []
    for status in ("known", "out of range"):
        some = [r for r in report.results if r.status == status]
        if some:
            names = ", ".join(dict.fromkeys(r.probe for r in some))
            reasons = "; ".join(dict.fromkeys(r.reason for r in some))
            lines.append(f"{status}: {names} ({reasons})")
    return [*lines, f"{report.summary()}. {report.seconds:.1f} s"]


def text(report: Report) -> str:
    """The report for a terminal: verdict, reason, what to do, what ran."""
    lines = [f"{report.name}: {report.verdict}", "", *wrapped(report.headline)]
    for advice in report.advice:
        lines += wrapped(advice, "  → ", "    ")
    if failures(report):
        lines += ["", *wrapped(failures(report))]
    if report.reproduction:
        lines += ["", f"  {BESIDE}", ""]
        lines += ["    " + line for line in report.reproduction.splitlines()]
    for remark in remarks(report):
        lines += ["", *wrapped(remark)]
    return "\n".join(lines)


def table(reports: Sequence[Report], versions: dict[str, str] | None = None) -> str:
    """A Markdown table of several reports: name, version, verdict, what to declare.

    Args:
        reports: one row each.
        versions: the implementations' versions, by the reports' names.
    """
    rows = ["| implementation | version | verdict | declare | ran |", "|---|---|---|---|---|"]
    for report in reports:
        version = (versions or {}).get(report.name, "")
        declare = {**report.declared, **report.found}
        shown = f"`{declare!r}`" if declare else ""
        of = f"{report.ran} of {len(report.results)}"
        rows.append(f"| {report.name} | {version} | {report.verdict} | {shown} | {of} |")
    return "\n".join(rows)
