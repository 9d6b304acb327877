"""Write a grade as other systems read it: Gradescope, Classroom 50, nbgrader."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from minisam.course.judging import GRADED, UNGRADED, Grade
from minisam.course.pages import in_a_line
from minisam.course.rubric import ADVICE, POINTS, RIGHT, STAFF, Assignment
from minisam.course.texts import CHECK_CELL

LATER = "after_published"  # when Gradescope shows what was found with secret numbers


NOT_ENDED = Grade(None, UNGRADED, [], "grading did not come to its end")


def gradescope(assignment: Assignment, grade: Grade) -> str:
    """Return Gradescope's ``results.json``; why grading ended early is shown at once.

    Without that file the student reads of a fault of the autograder, and nothing else. The format
    has a score in any case: where a submission could not be graded it is 0, with a word that this
    is no grade.
    """
    tests: list[dict[str, Any]] = []
    for number, one in enumerate(grade.credits, 1):
        if one.status == STAFF:
            continue
        criterion = assignment.criterion(one.name)
        tests.append({
            "number": str(number),
            "name": criterion.what,
            "score": one.points,
            "max_score": criterion.points,
            "status": "passed" if one.status == RIGHT else "failed",
            "output": one.told,
            "output_format": "text",
            "visibility": LATER,
        })  # fmt: skip
    ended = grade.status != GRADED
    whole = {
        "score": grade.total or 0,
        "output": (ended_early if ended else in_a_line)(assignment, grade),
        "output_format": "text",
        "visibility": "visible" if ended else LATER,
        "stdout_visibility": "hidden",
        "tests": tests,
        "extra_data": {"status": grade.status, "of": POINTS},
    }
    return json.dumps(whole, indent=1) + "\n"


def ended_early(assignment: Assignment, grade: Grade) -> str:
    """Say why grading ended early, without what the submission itself may have put into words.

    Example:
        >>> from minisam.course.assignments import assignment
        >>> ended_early(assignment("a2"), Grade(0, "timed out", [], "said it", ran=True))
        'timed out. Which of your loops does not end?'
        >>> ended_early(assignment("a2"), Grade(0, "nothing handed in", [], "There is no file."))
        'nothing handed in: There is no file. Hand in hw2.py or hw2.ipynb.'
    """
    if grade.ran:
        said = [f"{grade.status}.", ADVICE.get(grade.status, "")]
    else:
        files = f"Hand in {assignment.file}.py or {assignment.file}.ipynb."
        files = "" if grade == NOT_ENDED else files  # which they may have
        said = [f"{grade.status}: {grade.note.rstrip('.')}.", files]
    if grade.total is None:
        said.append("This is no grade: try it once more, or tell your instructor.")
    return " ".join(filter(None, said))


CLASSROOM = {  # the fields that Classroom 50 passes on, and where
    "classroom": "CLASSROOM",
    "assignment": "ASSIGNMENT",
    "submission": "SUBMISSION_TAG",
    "commit": "COMMIT_URL",
    "release": "RELEASE_URL",
}


def classroom50(assignment: Assignment, grade: Grade, environment: Mapping[str, str]) -> str:
    """Return Classroom 50's ``result.json``, of the schema ``classroom50/result/v1``.

    What it bundles can be read by anybody, so it counts for practice only: nothing in it is secret.

    Args:
        assignment: the assignment.
        grade: what the submission earned.
        environment: what the runner tells, such as ``os.environ``.

    Raises:
        ValueError: if the submission could not be graded, which the runner is told by an exit code,
            or the runner does not tell what it has to.
    """
    if grade.total is None:
        raise ValueError(f"there is no result for Classroom 50: {grade.note}")
    check_runner(environment)
    tests: list[dict[str, Any]] = [
        {
            "test-name": one.name,
            "passed": one.status == RIGHT,
            "score": one.points,
            "max-score": assignment.criterion(one.name).points,
            "output": one.told,
        }
        for one in grade.credits
        if one.status != STAFF
    ]
    whole = {
        "schema": "classroom50/result/v1",
        **{field: environment[name] for field, name in CLASSROOM.items()},
        "review": environment.get("REVIEW_URL") or environment["COMMIT_URL"],
        "datetime": datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "score": grade.total,
        "max-score": sum(one["max-score"] for one in tests),
        "tests": tests,
    }
    return json.dumps(whole, indent=1) + "\n"


def check_runner(environment: Mapping[str, str]) -> None:
    """Raise ValueError if a runner does not tell what Classroom 50 wants to know."""
    missing = [name for name in CLASSROOM.values() if not environment.get(name)]
    if missing:
        raise ValueError(f"this is no runner of Classroom 50: it does not set {missing[0]}")


def check_gradebook(gradebook: Path) -> None:
    """Raise ValueError if there is no gradebook, or nbgrader, which writes it, is not installed."""
    if not gradebook.is_file():
        raise ValueError(f"there is no gradebook {str(gradebook)!r}: run nbgrader autograde first")
    try:
        import nbgrader.api  # noqa: F401  # an extra that not everybody has
    except ImportError as error:
        raise ValueError(f"nbgrader is not installed: {error}") from None


def to_nbgrader(assignment: Assignment, grades: Mapping[str, Grade], gradebook: Path) -> list[str]:
    """Write the points into nbgrader's gradebook, over what its own run of the notebooks gave.

    Args:
        assignment: the assignment, which nbgrader has under the name of its file, such as "hw2".
        grades: by nbgrader's name of the student.
        gradebook: the database, ``gradebook.db``.

    Returns:
        The students whose submission nbgrader has not graded yet, or who have no points.

    Raises:
        ValueError: if there is no gradebook, or nbgrader is not installed.
    """
    check_gradebook(gradebook)
    from nbgrader.api import Gradebook, MissingEntry  # an extra, which is there, as was seen

    left = []
    with Gradebook(f"sqlite:///{gradebook.absolute()}") as book:
        for name, grade in grades.items():
            try:
                cell = book.find_grade(CHECK_CELL, assignment.file, assignment.file, name)
            except MissingEntry:
                left.append(name)
                continue
            if grade.total is None:
                left.append(name)
                continue
            cell.manual_score, cell.needs_manual_grade = float(grade.total), False
        book.db.commit()
    return left
