"""Write several reports as one: a Markdown table of implementations, or JUnit XML."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING
from xml.etree import ElementTree

if TYPE_CHECKING:  # a report loads this module to be written as JUnit XML
    from minisam.oracle.report import Report

JUNIT = {"fail": "failure", "error": "error", "not run": "skipped", "known": "skipped"}


def table(reports: Sequence[Report], versions: dict[str, str] | None = None) -> str:
    """Return a Markdown table of several reports: name, version, verdict, what to declare.

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


def junit(reports: Sequence[Report]) -> str:
    """Return JUnit XML: a suite per report, a case per probe and dtype, and one for the verdict."""
    root = ElementTree.Element("testsuites")
    for report in reports:
        name, new = report.name, ElementTree.SubElement
        elements = Counter(JUNIT.get(result.status) for result in report.results)
        suite = new(
            root,
            "testsuite",
            name=name,
            tests=str(len(report.results) + 1),
            failures=str(elements["failure"] + (not report.conforms)),
            errors=str(elements["error"]),
            skipped=str(elements["skipped"]),
            time=f"{report.seconds:.3f}",
        )
        verdict = new(suite, "testcase", classname=name, name="verdict")
        if not report.conforms:
            new(verdict, "failure", message=report.verdict).text = report.text(verbose=True)
        for result in report.results:
            case = new(suite, "testcase", classname=f"{name}.{result.dtype}", name=result.probe)
            if result.status in JUNIT:
                new(case, JUNIT[result.status], message=result.reason)
    ElementTree.indent(root)
    return ElementTree.tostring(root, xml_declaration=True).decode("ascii") + "\n"
