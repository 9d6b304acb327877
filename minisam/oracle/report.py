"""Report the verdict, what led to it and what to do about it, as text, JSON, Markdown or JUnit."""

from __future__ import annotations

import json
import platform
from collections import Counter
from collections.abc import Sequence
from enum import Enum
from typing import Any, NamedTuple

import minisam
from minisam.adapters.reason import Reason
from minisam.oracle.report_text import at_length, on_one_screen
from minisam.oracle.reports import junit
from minisam.oracle.skill import Skill

SCHEMA = "minisam-oracle-report/1"
UNJUDGED = "no result"  # the cause where an implementation could not even be tried
UNSHOWN = "nothing shown"  # the cause where what ran says nothing about the whole


class Verdict(str, Enum):
    """What the oracle concludes, without the names that go with it."""

    CONFORMS = "conforms"
    AS_DECLARED = "conforms as declared"
    BUG = "bug"
    OUT_OF_RANGE = "out of range"
    ADAPTER_ERROR = "adapter error"
    UNDECLARED = "undeclared convention"


CODES = {
    Verdict.CONFORMS: 0,
    Verdict.AS_DECLARED: 0,
    Verdict.BUG: 1,
    Verdict.OUT_OF_RANGE: 1,
    Verdict.ADAPTER_ERROR: 2,
    Verdict.UNDECLARED: 3,
}
NOTHING_RAN = 4


class Result(NamedTuple):
    """One probe in one dtype.

    Attributes:
        probe: the probe's slug.
        dtype: the dtype.
        status: "pass", "fail", "error", "not run", "known" or "out of range".
        why: why it failed or was not run; ``reason`` is the same as a sentence.
        error: the largest error, in units of the accepted one.
        step: where it failed: the step, from 0.
        quantity: and what was wrong first.
    """

    probe: str
    dtype: str
    status: str
    why: Reason = Reason()
    error: float = 0.0
    step: int = 0
    quantity: str = ""

    @property
    def reason(self) -> str:
        """Say why it failed or was not run."""
        return str(self.why)

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain data."""
        data = {"reason" if k == "why" else k: value for k, value in self._asdict().items()}
        error = None if self.error == float("inf") else self.error
        return {**data, "reason": self.reason, "error": error}


class NotConforming(AssertionError):
    """Raised by `Report.raise_for_failures`; its text is the report's."""


class Report(NamedTuple):
    """What the oracle found.

    Attributes:
        name: the implementation.
        outcome: the kind of verdict; ``verdict`` is the same with names, as a text.
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
        skills: how well each part of a wrong step is done, whatever the other parts are.
    """

    name: str
    outcome: Verdict
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
    skills: tuple[Skill, ...] = ()

    @property
    def verdict(self) -> str:
        """Say ``conforms``, ``bug: <names>``, ``bug: unidentified`` or another of `Verdict`."""
        names = " or ".join(self.explanations[:4])
        if self.outcome is Verdict.BUG:
            names = names or "unidentified"
        return f"{self.outcome.value}: {names}" if names else self.outcome.value

    @property
    def beside(self) -> str:
        """Return the title of the reproduction."""
        if self.reproduction.startswith("import json, subprocess"):
            return "To see it without minisam, in the folder of the program:"
        if "minisam" in self.reproduction:
            return "To see it, beside what was checked:"
        return "To see it without minisam, beside your function:"

    @property
    def conforms(self) -> bool:
        """Return whether the verdict is ``conforms`` or ``conforms as declared``."""
        return self.outcome in (Verdict.CONFORMS, Verdict.AS_DECLARED)

    @property
    def ran(self) -> int:
        """Count the probes that ran."""
        return sum(result.status != "not run" for result in self.results)

    @property
    def exit_code(self) -> int:
        """Return 0 conforms, 1 bug, 2 adapter error, 3 undeclared convention, 4 nothing ran.

        Nothing that shows anything, that is: a SAM that takes no radius has not been shown right.
        """
        if self.cause == UNSHOWN or not (self.ran or self.cause == UNJUDGED):
            return NOTHING_RAN
        return CODES[self.outcome]

    def counts(self) -> dict[str, int]:
        """Count the results of each status."""
        return dict(Counter(result.status for result in self.results))

    def not_run(self) -> list[tuple[int, str]]:
        """Return the reasons for which probes were not run, with how many each, by kind."""
        kinds: dict[str, Counter] = {}
        for result in self.results:
            if result.status == "not run":
                kinds.setdefault(result.why.kind, Counter())[result.why.what] += 1
        reasons = [
            (sum(counts.values()), str(Reason(kind, ", ".join(w for w, _ in counts.most_common()))))
            for kind, counts in kinds.items()
        ]
        return sorted(reasons, reverse=True)

    def summary(self) -> str:
        """Say how many probes ran, and why the others did not."""
        text = f"ran {self.ran} of {len(self.results)}"
        reasons = "; ".join(f"{count} not run because {reason}" for count, reason in self.not_run())
        return f"{text}; {reasons}" if reasons else text

    def failures(self) -> str:
        """Say how many results fail, and in which probes; nothing if none does."""
        failing = [result for result in self.results if result.status in ("fail", "error")]
        probes = list(dict.fromkeys(result.probe for result in failing))
        if not probes:
            return ""
        more = f", and {len(probes) - 6} more" if len(probes) > 6 else ""
        count = "1 result fails" if len(failing) == 1 else f"{len(failing)} results fail"
        where = "probe" if len(probes) == 1 else "probes"
        return f"{count}, in {where} {', '.join(probes[:6])}{more}"

    def remarks(self) -> list[str]:
        """Say what is known to fail, what is out of range, and how much ran."""
        lines = []
        for status in ("known", "out of range"):
            some = [result for result in self.results if result.status == status]
            if some:
                names = ", ".join(dict.fromkeys(result.probe for result in some))
                reasons = "; ".join(dict.fromkeys(result.reason for result in some))
                lines.append(f"{status}: {names} ({reasons})")
        return [*lines, f"{self.summary()}. {self.seconds:.1f} s"]

    def raise_for_failures(self) -> None:
        """Raise unless the implementation conforms.

        Raises:
            NotConforming: an AssertionError whose text is the report.
        """
        if not self.conforms:
            raise NotConforming(str(self))

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain data."""
        data = {"verdict" if k == "outcome" else k: value for k, value in self._asdict().items()}
        return {
            "schema": SCHEMA,
            **data,
            "verdict": self.verdict,
            "results": [result.to_dict() for result in self.results],
            "skills": [skill._asdict() for skill in self.skills],
            "ran": self.ran,
            "of": len(self.results),
            "exit_code": self.exit_code,
        }

    def to_json(self) -> str:
        """Return the report as JSON."""
        return json.dumps(self.to_dict(), indent=1, ensure_ascii=False)

    def to_html(self) -> str:
        """Return one HTML page that needs nothing else."""
        from minisam.oracle.report_html import page  # it imports this module

        return page([self])

    def to_junit(self) -> str:
        """Return JUnit XML, a test case per probe and dtype."""
        return junit([self])

    def _repr_html_(self) -> str:
        from minisam.oracle.report_html import fragment  # it imports this module

        return fragment(self)

    def text(self, verbose: bool = False) -> str:
        """Return the report for a terminal.

        Args:
            verbose: whether to say everything; else one screen, of at most 24 lines.
        """
        return at_length(self) if verbose else on_one_screen(self)

    def __str__(self) -> str:
        return self.text()


def without_results(name: str, why: str) -> Report:
    """Report on an implementation that could not be judged: an adapter error.

    Example:
        >>> without_results("step", "the import did not return within 10 s").exit_code
        2
    """
    versions = {"minisam": minisam.__version__, "python": platform.python_version()}
    return Report(
        name, Verdict.ADAPTER_ERROR, UNJUDGED, why, [], [], {}, {}, [], "", versions, seconds=0.0
    )


def restored(fields: Sequence[Any]) -> Report:
    """Return the report whose fields went through JSON as lists and strings.

    Example:
        >>> report = without_results("step", "the import did not return within 10 s")
        >>> restored(json.loads(json.dumps(report))) == report
        True
    """
    report = Report(*fields)
    results = [Result(*result) for result in report.results]
    results = [result._replace(why=Reason(*result.why)) for result in results]
    skills = tuple(Skill(*skill) for skill in report.skills)
    return report._replace(outcome=Verdict(report.outcome), results=results, skills=skills)
