"""Grade one submission: run it apart, put the assignment's questions, add up."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any, NamedTuple

from minisam.adapters.protocol import Arrays, GradFn
from minisam.course.apart import Apart
from minisam.course.desk import NOT_WRITTEN, Submission, in_one_line
from minisam.course.guard import Guard
from minisam.course.plain import legible
from minisam.course.pupil import CannotGrade
from minisam.course.reading import constants, no_python
from minisam.course.rubric import POINTS, STAFF, UNSEEN, WRONG, Assignment, Credit, Task
from minisam.course.texts import reference, stub
from minisam.isolation.child import in_words
from minisam.oracle.checking import check
from minisam.oracle.diagnosis import diagnose
from minisam.oracle.parts import convention_part, judge_parts
from minisam.oracle.watch import Trace

GRADED, UNGRADED = "graded", "could not be graded"
MOST_NOTES = 50  # that a person may want to know
SEVERE = ("forged", "timed out", "ended", "not importable")  # what stops a process


class Grade(NamedTuple):
    """What a submission earned.

    Attributes:
        total: the points; None if it could not be graded.
        status: "graded", or what stopped it.
        credits: line by line.
        note: in a sentence, what stopped it.
        notes: what else a person may want to know.
        printed: the end of what it printed.
        seconds: by the clock.
        mistakes: the oracle's names of what is wrong, for the staff.
        picture: of what the submission does, as SVG.
        ran: whether it was called, so that what it says may hold secret numbers.
    """

    total: int | None
    status: str
    credits: list[Credit]
    note: str = ""
    notes: tuple[str, ...] = ()
    printed: str = ""
    seconds: float = 0.0
    mistakes: tuple[str, ...] = ()
    picture: str = ""
    ran: bool = False


def graded(assignment: Assignment, submission: Submission, guard: Guard, task: Task) -> Grade:
    """Grade a submission in a child process.

    Args:
        assignment: the assignment.
        submission: what was handed in.
        guard: what protects us from it.
        task: the seed, and the cohort's variant.

    Returns:
        A `Grade`; its status is "could not be graded" where the grader itself does not work.
    """
    started = time.monotonic()
    values = constants(*submission.parts)
    guard = guard._replace(seconds=guard.seconds * assignment.patience)
    desk = Apart(guard, submission, assignment.functions)
    try:
        judged = assignment.judge(desk, task._replace(values=values))
    except CannotGrade as error:
        return not_graded(str(error), time.monotonic() - started)
    except Exception as error:  # a fault of ours must not end the class
        why = f"the grader itself raised {in_words(error)}"
        return not_graded(why, time.monotonic() - started)
    finally:
        desk.close()
    notes = tuple(in_one_line(one) for one in desk.notes)
    credits = unread(assignment, judged.credits, submission)
    status, note = status_of(assignment, credits)
    total = sum(one.points for one in credits)
    shown = {one.name for one in assignment.criteria if one.function}
    lost = any(one.status == WRONG for one in credits if one.name in shown)
    names = mistakes_in(judged.traces) if status == GRADED and lost else ()
    seconds = time.monotonic() - started
    return Grade(total, status, credits, note, notes, desk.printed, seconds, names, judged.picture,
                 ran=True)  # fmt: skip


def not_graded(why: str, seconds: float = 0.0) -> Grade:
    """Return the grade of a submission that ran, perhaps, and could not be graded."""
    return Grade(None, UNGRADED, [], why, seconds=seconds, ran=True)


def unread(assignment: Assignment, credits: list[Credit], submission: Submission) -> list[Credit]:
    """Return credits where an answer that cannot be read is not called wrong."""
    why = next(filter(None, map(no_python, submission.parts)), "")
    said = f"What is written down cannot be read: {why}."
    written = {one.name for one in assignment.criteria if not one.function and not one.by_staff}
    return [one._replace(status=UNSEEN, said=said, question="")
            if why and one.name in written and one.failure == NOT_WRITTEN else one
            for one in credits]  # fmt: skip


def harmless_grade(grade: Grade) -> Grade:
    """Return a grade whose texts can be written and shown, wherever they came from."""
    credits = [one._replace(said=legible(one.said, 2000), question=legible(one.question))
               for one in grade.credits]  # fmt: skip
    printed = "\n".join(legible(line) for line in grade.printed.splitlines())
    return grade._replace(credits=credits, note=legible(grade.note), printed=printed,
                          notes=tuple(map(legible, grade.notes[:MOST_NOTES])),
                          mistakes=tuple(map(legible, grade.mistakes)))  # fmt: skip


def mistakes_in(traces: Sequence[Trace]) -> tuple[str, ...]:
    """Return the oracle's names of what is wrong with a step, all together; none if it is right."""
    whole = [trace for trace in traces if trace.fault is None and trace.steps]
    declared = {"inputs": "changed"}
    base = convention_part(declared)
    right = [judge_parts([], trace, base).agrees for trace in whole]
    failing = [trace for trace, agrees in zip(whole, right, strict=True) if not agrees]
    passing = [trace for trace, agrees in zip(whole, right, strict=True) if agrees]
    if not failing:
        return ()
    survivors = diagnose(failing, passing, declared).survivors
    return tuple(part.name for part in survivors[0]) if survivors else ("unidentified",)


def status_of(assignment: Assignment, credits: list[Credit]) -> tuple[str, str]:
    """Return a submission's status, and what is to be said about it.

    It is graded if any of its functions was seen, and not for what is only written down.
    """
    failures = [one for one in credits if one.failure]
    for kind in SEVERE:
        for one in failures:
            if one.failure == kind:
                return kind, one.said
    counted = [one for one in credits if one.status != STAFF]
    unwritten = [one for one in failures if one.failure == NOT_WRITTEN]
    if counted and len(unwritten) == len(counted):
        return NOT_WRITTEN, "Nothing is written yet."
    unseen = [one for one in failures if one.failure != NOT_WRITTEN]
    shown = {one.name for one in assignment.criteria if one.function}
    if unseen and not any(one.points for one in credits if one.name in shown):
        return unseen[0].failure, unseen[0].said
    return GRADED, ""


def report_on_step(
    assignment: Assignment, submission: Submission, guard: Guard, variant: Mapping[str, Any]
) -> str:
    """Return the oracle's whole report on a step, which is called in a child, for the staff.

    The oracle's questions are about the 2-norm: a step for another gets no report.
    """
    if variant.get("p", 2) != 2:
        return f"The oracle asks about the 2-norm, and this step is for p = {variant['p']:g}."
    desk = Apart(guard._replace(seconds=6 * guard.seconds), submission, assignment.functions)
    desk.begin("report")

    def step(w: Arrays, grad_fn: GradFn, *, rho: float, lr: float) -> Arrays:
        return desk.call("step", w, grad_fn, rho=float(rho), lr=float(lr))[0]

    try:
        report = str(check(step, method="sam", name="step"))
        return "\n".join(legible(line) for line in report.splitlines())
    finally:
        desk.close()


def check_itself(assignment: Assignment, guard: Guard, task: Task) -> None:
    """Grade the reference and the stub, before anybody's work.

    Raises:
        CannotGrade: if the one does not get everything, or the other something.
    """
    most = sum(one.points for one in assignment.criteria if not one.by_staff)
    texts = reference(assignment, task.variant), stub(assignment, task.variant)
    for what, text, due in zip(("reference", "stub"), texts, (most, 0), strict=True):
        grade = graded(assignment, Submission(f"{assignment.file}.py", (text,)), guard, task)
        if grade.total != due:
            lost = [f"{one.name}: {one.said}" for one in grade.credits if one.status == UNSEEN]
            lost += [f"{one.name}: {one.said}" for one in grade.credits if one.question]
            why = grade.note or "; ".join(lost[:2])
            raise CannotGrade(
                f"the {what} of {assignment.name} gets {grade.total} of {POINTS} points, not {due}"
                + (f" ({why})" if why else "")
            )


def variant_of(assignment: Assignment, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the cohort's variant, with the defaults.

    Raises:
        ValueError: naming what the assignment has not.
    """
    if not isinstance(given, Mapping):
        raise ValueError(f"variant must be a dictionary of names and values, got {given!r:.60}")
    chosen = assignment.defaults
    for name, value in given.items():
        single = isinstance(value, Real | str) and not isinstance(value, bool)  # no array
        same = [one for one in assignment.variants.get(name, ()) if single and one == value]
        if not same:
            there = {key: list(values) for key, values in assignment.variants.items()}
            raise ValueError(
                f"--variant must be among {there or 'none'} for {assignment.name}, "
                f"got {name}={value!r}"
            )
        chosen[name] = same[0]  # 3, where 3.0 was given
    return chosen
