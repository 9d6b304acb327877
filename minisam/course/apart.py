"""Call a submission's functions in a child process."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Mapping
from typing import Any, ClassVar

from minisam.course.child import PeerError, Told, checked_report
from minisam.course.desk import (
    NOT_WRITTEN,
    NoAnswer,
    Submission,
    answered,
    failure_of,
    in_one_line,
    no_function,
)
from minisam.course.guard import Guard
from minisam.course.plain import legible
from minisam.course.pupil import CannotGrade, Pupil, Stopped


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
