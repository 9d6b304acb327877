"""Reports as JUnit XML, which continuous integration services read."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree

from minisam.oracle.report import Report

ELEMENTS = {"fail": "failure", "error": "error"}


def document(reports: Sequence[Report]) -> str:
    """One test suite per report: a test case per probe and dtype, and one for the verdict."""
    root = ElementTree.Element("testsuites")
    for report in reports:
        counts = report.counts()
        suite = ElementTree.SubElement(
            root,
            "testsuite",
            name=report.name,
            tests=str(len(report.results) + 1),
            failures=str(counts.get("fail", 0) + (not report.conforms)),
            errors=str(counts.get("error", 0)),
            skipped=str(counts.get("not run", 0) + counts.get("known", 0)),
            time=f"{report.seconds:.3f}",
        )
        verdict = ElementTree.SubElement(suite, "testcase", classname=report.name, name="verdict")
        if not report.conforms:
            failure = ElementTree.SubElement(verdict, "failure", message=report.verdict)
            failure.text = str(report)
        for result in report.results:
            case = ElementTree.SubElement(
                suite,
                "testcase",
                classname=f"{report.name}.{result.dtype}",
                name=result.probe,
            )
            if result.status in ELEMENTS:
                ElementTree.SubElement(case, ELEMENTS[result.status], message=result.reason)
            elif result.status in ("not run", "known"):
                ElementTree.SubElement(case, "skipped", message=result.reason)
    ElementTree.indent(root)
    return ElementTree.tostring(root, xml_declaration=True).decode("ascii") + "\n"
