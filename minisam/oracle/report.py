"""A report: the verdict, what led to it, and what to do about it."""

from __future__ import annotations

import json
import platform
from collections import Counter
from typing import Any, NamedTuple

import minisam

SCHEMA = "minisam-oracle-report/1"
UNJUDGED = "no result"  # the cause where an implementation could not even be tried
ALIKE = ("it has no ", "it does not take ", "it does not read ", "it was not asked for ")


class Result(NamedTuple):
    """One probe in one dtype.

    Attributes:
        probe: the probe's slug.
        dtype: the dtype.
        status: "pass", "fail", "error", "not run", "known" or "out of range".
        reason: why it failed or was not run.
        error: the largest error, in units of the accepted one.
        step: where it failed: the step, from 0.
        quantity: and what was wrong first.
    """

    probe: str
    dtype: str
    status: str
    reason: str = ""
    error: float = 0.0
    step: int = 0
    quantity: str = ""


class NotConforming(AssertionError):
    """Raised by `Report.raise_for_failures`; its text is the report's."""


class Report(NamedTuple):
    """What the oracle found.

    Attributes:
        name: the implementation.
        verdict: ``conforms``, ``conforms as declared``, ``undeclared convention: <name>``,
            ``bug: <name>``, ``bug: unidentified``, ``adapter error`` or ``out of range``.
        cause: for an adapter error its kind, such as "hangs".
        headline: the verdict in a sentence.
        advice: what to do, line by line.
        results: one `Result` per probe and dtype.
        declared: the declared conventions.
        found: the conventions that it follows without having declared them.
        explanations: the names of all explanations that remain.
        reproduction: Python that shows the first failure without minisam.
        versions: of Python, NumPy and minisam.
        seconds: how long it took.
    """

    name: str
    verdict: str
    cause: str
    headline: str
    advice: list[str]
    results: list[Result]
    declared: dict[str, Any]
    found: dict[str, Any]
    explanations: list[str]
    reproduction: str
    versions: dict[str, str]
    seconds: float

    @property
    def conforms(self) -> bool:
        """Whether the verdict is ``conforms`` or ``conforms as declared``."""
        return self.verdict.startswith("conforms")

    @property
    def ran(self) -> int:
        """How many probes ran."""
        return sum(result.status != "not run" for result in self.results)

    @property
    def exit_code(self) -> int:
        """0 conforms, 1 bug, 2 adapter error, 3 undeclared convention, 4 nothing ran."""
        if not self.ran:
            return 2 if self.cause == UNJUDGED else 4
        if self.conforms:
            return 0
        if self.verdict.startswith("undeclared convention"):
            return 3
        return 2 if self.verdict == "adapter error" else 1

    def counts(self) -> dict[str, int]:
        """How many results have each status."""
        return dict(Counter(result.status for result in self.results))

    def not_run(self) -> list[tuple[int, str]]:
        """The reasons for which probes were not run, with how many each; like ones together."""
        groups: dict[str, Counter] = {}
        for result in self.results:
            if result.status == "not run":
                start = next((s for s in ALIKE if result.reason.startswith(s)), "")
                counts = groups.setdefault(start or result.reason, Counter())
                counts[result.reason.removeprefix(start) if start else ""] += 1
        reasons = [
            (sum(counts.values()), start + ", ".join(what for what, _ in counts.most_common()))
            for start, counts in groups.items()
        ]
        return sorted(reasons, reverse=True)

    def summary(self) -> str:
        """How many probes ran, and why the others did not."""
        text = f"ran {self.ran} of {len(self.results)}"
        reasons = "; ".join(f"{count} not run because {reason}" for count, reason in self.not_run())
        return f"{text}; {reasons}" if reasons else text

    def raise_for_failures(self) -> None:
        """Raise unless the implementation conforms.

        Raises:
            NotConforming: an AssertionError whose text is the report.
        """
        if not self.conforms:
            raise NotConforming(str(self))

    def to_dict(self) -> dict[str, Any]:
        """The report as plain data, of which every other form is a rendering."""
        data = self._asdict()
        data["results"] = [result._asdict() for result in self.results]
        for result in data["results"]:
            result["error"] = None if result["error"] == float("inf") else result["error"]
        return {
            "schema": SCHEMA,
            **data,
            "ran": self.ran,
            "of": len(self.results),
            "exit_code": self.exit_code,
        }

    def to_json(self) -> str:
        """The report as JSON."""
        return json.dumps(self.to_dict(), indent=1, ensure_ascii=False)

    def to_html(self) -> str:
        """One HTML page that needs nothing else."""
        from minisam.oracle.report_html import page

        return page([self])

    def to_junit(self) -> str:
        """JUnit XML, a test case per probe and dtype."""
        from minisam.oracle.report_junit import document

        return document([self])

    def _repr_html_(self) -> str:
        from minisam.oracle.report_html import fragment

        return fragment(self)

    def __str__(self) -> str:
        from minisam.oracle.report_text import text

        return text(self)


def without_results(name: str, why: str) -> Report:
    """The report on an implementation that could not be judged: an adapter error.

    Example:
        >>> without_results("step", "the import did not return within 10 s").exit_code
        2
    """
    versions = {"minisam": minisam.__version__, "python": platform.python_version()}
    rest: dict[str, Any] = {"declared": {}, "found": {}, "explanations": [], "reproduction": ""}
    return Report(
        name,
        "adapter error",
        UNJUDGED,
        headline=why,
        advice=[],
        results=[],
        versions=versions,
        seconds=0.0,
        **rest,
    )


def from_dict(data: dict[str, Any]) -> Report:
    """Read a report back from its plain data.

    Raises:
        ValueError: if it is none of this schema.
    """
    if data.get("schema") != SCHEMA:
        raise ValueError(f"report must be of schema {SCHEMA!r}, got {data.get('schema')!r}")
    results = []
    for result in data["results"]:
        error = float("inf") if result["error"] is None else result["error"]
        results.append(Result(**{**result, "error": error}))
    return Report(**{**{key: data[key] for key in Report._fields}, "results": results})
