"""Write a grade as other systems read it: Gradescope, Classroom 50, nbgrader."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from minisam.course.judging import Grade
from minisam.course.pages import in_lines
from minisam.course.rubric import POINTS, RIGHT, STAFF, Assignment
from minisam.course.texts import CHECK_CELL

LATER = "after_published"  # when Gradescope shows what was found with secret numbers


def gradescope(assignment: Assignment, grade: Grade) -> str:
    """Return Gradescope's ``results.json``.

    Raises:
        ValueError: if the submission could not be graded, for Gradescope would show a zero.
    """
    if grade.total is None:
        raise ValueError(f"there is no result for Gradescope: {grade.note}")
    most = {one.name: one for one in assignment.criteria}
    tests: list[dict[str, Any]] = []
    for number, one in enumerate(grade.credits, 1):
        if one.status == STAFF:
            continue
        criterion = most[one.name]
        tests.append({
            "number": str(number),
            "name": criterion.what,
            "score": one.points,
            "max_score": criterion.points,
            "status": "passed" if one.status == RIGHT else "failed",
            "output": " ".join(text for text in (one.said, one.question) if text),
            "output_format": "text",
            "visibility": LATER,
        })  # fmt: skip
    whole = {
        "score": grade.total,
        "output": in_lines(assignment, grade._replace(credits=[])),
        "output_format": "text",
        "visibility": LATER,
        "stdout_visibility": "hidden",
        "tests": tests,
        "extra_data": {"status": grade.status, "of": POINTS},
    }
    return json.dumps(whole, indent=1) + "\n"


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
    missing = [name for name in CLASSROOM.values() if not environment.get(name)]
    if missing:
        raise ValueError(f"this is no runner of Classroom 50: it does not set {missing[0]}")
    most = {one.name: one for one in assignment.criteria}
    tests: list[dict[str, Any]] = [
        {
            "test-name": one.name,
            "passed": one.status == RIGHT,
            "score": one.points,
            "max-score": most[one.name].points,
            "output": " ".join(text for text in (one.said, one.question) if text),
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
    if not gradebook.is_file():
        raise ValueError(f"there is no gradebook {str(gradebook)!r}: run nbgrader autograde first")
    try:
        from nbgrader.api import Gradebook, MissingEntry  # an extra that not everybody has
    except ImportError as error:
        raise ValueError(f"nbgrader is not installed: {error}") from None
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
