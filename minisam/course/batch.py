"""Grade a class: every submission once, whatever interrupts it, in several children at once."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any, NamedTuple

import minisam
from minisam.course.another import for_assignment
from minisam.course.apart import Apart
from minisam.course.guard import Guard
from minisam.course.handed_in import found_in
from minisam.course.interrupts import undisturbed
from minisam.course.judging import UNGRADED, Grade, check_itself, graded, harmless_grade, not_graded
from minisam.course.kept import refuse_another, result_in
from minisam.course.plain import file_name, legible
from minisam.course.pupil import CannotGrade
from minisam.course.rubric import STAFF, Assignment, Credit, Task
from minisam.course.work import Work, read_submission
from minisam.files import jsonable, write_json
from minisam.isolation.child import in_words

MISSING = "nothing handed in"


class Settings(NamedTuple):
    """How a class is graded.

    Attributes:
        assignment: the assignment.
        task: the seed and the cohort's variant.
        guard: what protects us.
        out: the folder of the results.
        jobs: how many children run at once.
        alone: whether the folder of submissions is one student's.
    """

    assignment: Assignment
    task: Task
    guard: Guard
    out: Path
    jobs: int = 1
    alone: bool = False

    def key(self, found: Work) -> str:
        """Return what changes when a submission must be graded again."""
        parts = (self.assignment.name, sorted(self.task.variant.items()), self.task.seed,
                 self.guard.seconds, minisam.__version__, found.digest())  # fmt: skip
        return hashlib.sha256(repr(parts).encode()).hexdigest()

    def place(self, name: str) -> Path:
        """Return where the result of a student is kept."""
        return self.out / "results" / f"{file_name(name)}.json"


def class_in(folder: Path, assignment: Assignment, alone: bool = False) -> list[Work]:
    """Return the submissions in a folder, with a word about each that looks like another's.

    Args:
        folder: see `minisam.course.handed_in.found_in`.
        assignment: which is to be graded.
        alone: whether the folder is one student's.

    Raises:
        ValueError: if there is nothing, or nothing of this assignment.
    """
    return for_assignment(assignment, found_in(folder, assignment.file, alone), alone)


def grade_class(
    folder: Path, settings: Settings, tell: Callable[[int, int], Any] = lambda done, of: None
) -> dict[str, Grade]:
    """Grade every submission of a folder; what was graded before is not graded again.

    Args:
        folder: see `minisam.course.handed_in.found_in`.
        settings: how.
        tell: is told how many are done, of how many.

    Returns:
        A `Grade` for each student, in order.

    Raises:
        CannotGrade: if the grader does not get through the test of itself.
        ValueError: if there is nothing to grade, or that or the results there are of another
            assignment or variant.
    """
    refuse_another(settings.out, settings.assignment, settings.task.variant)
    everybody = class_in(folder, settings.assignment, settings.alone)
    grades = {one.id: kept_grade(settings, one) for one in everybody}
    left = [one for one in everybody if grades[one.id] is None]
    if left:
        check_itself(settings.assignment, settings.guard, settings.task)
    done, stop = len(everybody) - len(left), threading.Event()
    pool = ThreadPoolExecutor(settings.jobs)
    try:
        tell(done, len(everybody))
        jobs = {pool.submit(grade_and_keep, settings, one, stop): one.id for one in left}
        for job in as_completed(jobs):
            grades[jobs[job]] = job.result()
            done += 1
            tell(done, len(everybody))
    except BaseException:
        with undisturbed():
            stop.set()
            Apart.end_all()
            pool.shutdown(cancel_futures=True)
            Apart.over.clear()
        raise
    finally:
        pool.shutdown()
    return {name: grade for name, grade in grades.items() if grade is not None}


def grade_and_keep(settings: Settings, found: Work, stop: threading.Event) -> Grade:
    """Grade one submission, and keep the result; whatever is wrong is wrong with this one only."""
    if stop.is_set():
        raise CannotGrade("interrupted")
    try:
        key = settings.key(found)
        grade = harmless_grade(grade_found(settings, found))
        if not stop.is_set():
            where = None if found.path is None else str(found.path.absolute())
            about = {"key": key, "id": found.id, "assignment": settings.assignment.name,
                     "variant": dict(settings.task.variant)}  # fmt: skip
            whole = {**about, "path": where, "grade": jsonable(grade)}
            write_json(settings.place(found.id), whole)
    except Exception as error:  # one submission must not end the class
        return not_graded(legible(in_words(error)))
    return grade


def grade_found(settings: Settings, found: Work) -> Grade:
    """Grade one submission."""
    assignment = settings.assignment
    nothing = [Credit(one.name, 0, STAFF if one.by_staff else "not seen")
               for one in assignment.criteria]  # fmt: skip
    if found.trouble:
        return Grade(None, UNGRADED, [], found.trouble)
    if found.path is None:
        return Grade(0, MISSING, nothing, "There is no file.")
    try:
        submission = read_submission(found, assignment.file)
    except ValueError as error:
        return Grade(0, "not importable", nothing, f"{error}")
    except OSError as error:
        return Grade(None, UNGRADED, [], f"the file cannot be read: {error}")
    return graded(assignment, submission, settings.guard, settings.task)


def kept_grade(settings: Settings, found: Work) -> Grade | None:
    """Return the grade that is kept of a submission, if it is of this one, and one at all."""
    try:
        kept = result_in(settings.place(found.id))
        same = kept.key == settings.key(found)
    except (OSError, ValueError):
        return None
    return kept.grade if same and kept.grade.status != UNGRADED else None
