"""Write a grade as other systems read it."""

from __future__ import annotations

import json
from typing import Any

from minisam.course.judging import Grade
from minisam.course.pages import in_lines
from minisam.course.rubric import POINTS, RIGHT, STAFF, Assignment

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
