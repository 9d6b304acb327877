"""Say how a submission's functions are called, and why one may have no answer.

`minisam.course.apart` calls them in a child, `minisam.course.here` in this process.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

from minisam.course.plain import legible

NOT_WRITTEN = "not written yet"


class NoAnswer(Exception):
    """A question has no answer.

    Attributes:
        kind: "not written yet", "raises", "signature", "no function", "not importable", or as
            `minisam.course.pupil.Stopped` has it.
    """

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind


class Submission(NamedTuple):
    """What a student handed in.

    Attributes:
        file: its name.
        parts: the text of the file, or of each code cell of a notebook.
        whole: whether all must run; a notebook's cell that raises is passed over.
    """

    file: str
    parts: tuple[str, ...]
    whole: bool = True


class Desk(Protocol):
    """Where a submission's functions are called."""

    def begin(self, group: str) -> None:
        """Begin a group of questions: one that is stopped may start again, once for each group."""

    def call(self, name: str, *args: Any, **named: Any) -> tuple[Any, list]:
        """Return what a function returns, and its arguments afterwards; or raise `NoAnswer`."""


def no_function(name: str, wanted: Mapping[str, str], found: list[str]) -> NoAnswer:
    """Return the failure of a function that is not there."""
    have = legible(f"; it defines {', '.join(found[:5])}" if found else "")
    return NoAnswer("no function", f"there is no function {wanted.get(name, name)}{have}")


def failure_of(name: str, report: dict, wanted: Mapping[str, str], signature: str) -> NoAnswer:
    """Return the failure of a function that raised."""
    if report.get("raised") == "NotImplementedError":
        return NoAnswer(NOT_WRITTEN, f"{name} is not written yet")
    if report.get("raised") == "TypeError" and "line" not in report:  # it was not even entered
        how = wanted.get(name, name)
        return NoAnswer("signature", f"it is called as {how}, and yours is {legible(signature)}")
    text = f"{name} raises {in_one_line(report)}"
    if report.get("raised") == "MemoryError":
        text = f"out of memory: {text}"
    return NoAnswer("raises", text)


def in_one_line(report: dict) -> str:
    """Write an exception of a submission in one line, with its own line."""
    text = legible(f"{report.get('raised')}: {report.get('text')}".removesuffix(": "))
    source = f': "{legible(report["source"])}"' if report.get("source") else ""
    return text + (f" (line {report['line']}{source})" if report.get("line") else "")


def answered(name: str, value: Any) -> Any:
    """Return the value, unless it is none."""
    if value is None:
        raise NoAnswer(NOT_WRITTEN, f"{name} returns nothing")
    return value


Caller = Callable[..., tuple[Any, list]]
