"""Put questions to a submission's functions, in a child or in this process, in the same way."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, NamedTuple, Protocol

import numpy as np

from minisam.course.child import (
    PeerError,
    Seeded,
    Told,
    checked_report,
    error_report,
    seeded_generator,
    signature_of,
)
from minisam.course.guard import Guard
from minisam.course.plain import legible
from minisam.course.pupil import CannotGrade, Pupil, Stopped
from minisam.isolation.limits import Late, within

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


class Apart:
    """Call a submission's functions in a child process.

    Args:
        guard: what protects us from it.
        submission: the text.
        wanted: the functions that the assignment asks for, ``{name: how it is called}``.
    """

    open: ClassVar[weakref.WeakSet[Apart]] = weakref.WeakSet()
    over = threading.Event()  # no child may start any more

    def __init__(self, guard: Guard, submission: Submission, wanted: Mapping[str, str]) -> None:
        self.guard, self.submission, self.wanted = guard, submission, wanted
        self.pupil: Pupil | None = None
        self.functions: dict[str, str] = {}
        self.notes: list[dict] = []
        self.fault: NoAnswer | None = None  # why there is no child now
        self.for_good = False  # whether it stays so
        self.late: dict[str, NoAnswer] = {}  # the functions that took too long
        self.printed = ""

    @classmethod
    def end_all(cls) -> None:
        """End every child of this process; until ``over`` is cleared, no other one starts."""
        cls.over.set()
        for one in list(cls.open):
            if one.pupil is not None:
                one.pupil.kill()

    def begin(self, group: str) -> None:
        """Start a child if there is none; see `Desk`.

        Raises:
            CannotGrade: if none starts, or none may start any more.
        """
        if self.pupil is not None or self.for_good:
            return
        self.fault = None
        self.open.add(self)
        if not self.over.is_set():
            self.pupil = Pupil(self.guard, self.submission.file)
        if self.over.is_set():  # perhaps only since the child was started
            self.close()
            raise CannotGrade("interrupted")
        assert self.pupil is not None
        try:
            about = self.pupil.ask("run", list(self.submission.parts), self.submission.whole)[0]
            self.functions, self.notes = told_about(about)
        except Told as error:
            unwritten = error.report.get("raised") == "NotImplementedError"
            self.stop(
                NoAnswer(NOT_WRITTEN if unwritten else "not importable", in_one_line(error.report)),
                True,
            )
        except Stopped as error:
            self.stop(NoAnswer(error.how, f"{error} when it was imported"), True)
        except PeerError:
            self.stop(NoAnswer("forged", "something else came through the grader's pipe"), True)

    def stop(self, fault: NoAnswer, for_good: bool) -> None:
        """End the child."""
        self.fault, self.for_good = fault, for_good
        self.close()

    def close(self) -> None:
        """End the child, if there is one."""
        if self.pupil is not None:
            self.pupil.close()
            self.printed = "\n".join(map(legible, self.pupil.piped.last_lines()))
            self.pupil = None

    def call(self, name: str, *args: Any, **named: Any) -> tuple[Any, list]:
        """Call a function in the child, unless it took too long before; see `Desk`."""
        if name in self.late:
            raise self.late[name]
        if self.pupil is None:
            raise self.fault or NoAnswer("ended", "there is no process")
        if name not in self.functions:
            raise no_function(name, self.wanted, list(self.functions))
        try:
            value, after = self.pupil.call(name, *args, **named)
        except Stopped as error:
            fault = NoAnswer(error.how, f"{error} in {name}")
            if error.how == "timed out":
                self.late[name] = fault
            self.stop(fault, error.how == "forged")
            raise fault from None
        except Told as error:
            raise failure_of(name, error.report, self.wanted, self.functions[name]) from None
        return answered(name, value), after


class Here:
    """Call a student's functions in this process: fast, everywhere, and without any protection.

    Args:
        functions: by name.
        wanted: the functions that the assignment asks for, ``{name: how it is called}``.
        timeout: seconds that one call may take, where there are timers or threads.
    """

    def __init__(
        self, functions: Mapping[str, Any], wanted: Mapping[str, str], timeout: float = 10.0
    ) -> None:
        self.functions, self.wanted, self.timeout = functions, wanted, timeout
        self.fault: NoAnswer | None = None

    def begin(self, group: str) -> None:
        """Do nothing: there is no child to start; see `Desk`."""

    def call(self, name: str, *args: Any, **named: Any) -> tuple[Any, list]:
        """Call a function; see `Desk`."""
        if self.fault:
            raise self.fault
        function = self.functions.get(name)
        if not callable(function):
            raise no_function(name, self.wanted, [])
        given = [seeded_generator(one.seed) if isinstance(one, Seeded) else one for one in args]
        report: dict[str, Any] = {}

        def call() -> Any:
            try:
                with np.errstate():
                    value = function(*given, **named)
                    return list(value) if isinstance(value, Iterator) else value
            except Exception as error:
                report.update(error_report(error, own_file(function)), error=error)

        try:
            value = within(self.timeout, call, name)
        except Late as late:
            self.fault = NoAnswer("timed out", str(late))
            raise self.fault from None
        if report:
            raise failure_of(name, report, self.wanted, signature_of(name, function))
        return answered(name, value), given


def told_about(about: Any) -> tuple[dict[str, str], list[dict]]:
    """Return a submission's functions, and what of it failed, as its child tells them.

    Raises:
        PeerError: if that is not what it tells.
    """
    functions, failed = (
        (about.get("functions"), about.get("failed")) if isinstance(about, dict) else (None, None)
    )
    if not isinstance(functions, dict) or not isinstance(failed, list):
        raise PeerError("it does not tell its functions")
    if not all(isinstance(one, str) for pair in functions.items() for one in pair):
        raise PeerError("its functions are none")
    return functions, [checked_report(one) for one in failed]


def own_file(function: Any) -> str:
    """Return the file, or the cell, that a function is written in."""
    return getattr(getattr(function, "__code__", None), "co_filename", "\0")


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
