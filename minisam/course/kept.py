"""Read the results that are kept of a class, and refuse to mix two classes in one folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from minisam.course.assignments import assignment
from minisam.course.judging import Grade, harmless_grade, variant_of
from minisam.course.plain import legible
from minisam.course.rubric import Assignment, Credit
from minisam.course.work import Work


class Kept(NamedTuple):
    """What is kept of one submission.

    Attributes:
        work: whose it is, and the file.
        grade: what it earned.
        assignment: which was graded.
        variant: of it; None if nobody wrote it down.
        key: what it depends on; see `minisam.course.batch.Settings.key`.
    """

    work: Work
    grade: Grade
    assignment: Assignment
    variant: dict[str, Any] | None
    key: str = ""


def result_in(path: Path) -> Kept:
    """Return the result that a file keeps.

    Raises:
        ValueError: if it keeps none.
    """
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        found = assignment(kept["assignment"])
        where = None if kept["path"] is None else Path(kept["path"])
        variant = variant_of(found, kept["variant"]) if "variant" in kept else None
        work, grade = Work(str(kept["id"]), where), grade_of(found, kept["grade"])
        return Kept(work, grade, found, variant, kept.get("key", ""))
    except (OSError, KeyError, TypeError, AttributeError, ValueError):
        raise ValueError(f"{str(path)!r} holds no result: grade again") from None


def grade_of(assignment: Assignment, stored: dict[str, Any]) -> Grade:
    """Return a grade that was stored; the total is that of its lines.

    Raises:
        ValueError: if the assignment has no such lines, or not so many points.
    """
    grade = Grade(**stored)
    credits = [Credit(**one) for one in stored["credits"]]
    most = {one.name: one.points for one in assignment.criteria}
    if grade.total is not None and [one.name for one in credits] != list(most):
        raise ValueError(f"a result is none of {assignment.name}")
    if not all(type(one.points) is int and 0 <= one.points <= most[one.name] for one in credits):
        raise ValueError(f"a result has points that {assignment.name} does not give")
    total = None if grade.total is None else sum(one.points for one in credits)
    return harmless_grade(grade._replace(credits=credits, total=total))


def refuse_another(out: Path, assignment: Assignment, variant: Mapping[str, Any]) -> None:
    """Refuse a folder that holds the results of another assignment, or of another variant of it.

    Raises:
        ValueError: naming what it holds.
    """
    for path in sorted((out / "results").glob("*.json")):
        differs = []
        try:
            kept = json.loads(path.read_text(encoding="utf-8"))
            if (name := kept["assignment"]) == assignment.name:
                differs = [f"{key}={value}" for key, value in kept["variant"].items()
                           if variant[key] != value]  # fmt: skip
        except (OSError, ValueError, KeyError, TypeError, AttributeError):  # it is graded again
            continue
        if name != assignment.name:
            raise ValueError(f"--out {str(out)!r} holds results of {legible(name)}: "
                             f"{assignment.name} needs another folder")  # fmt: skip
        if differs:
            options = " ".join(f"--variant {legible(one)}" for one in differs)
            raise ValueError(f"--out {str(out)!r} holds results of another variant: give {options} "
                             "again, or another folder")  # fmt: skip


def variant_shown(kept: Kept, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the variant that a result was graded with; what is given must be the same.

    Raises:
        ValueError: naming what was graded, if it is not.
    """
    chosen = variant_of(kept.assignment, given)
    if kept.variant is None:  # nobody wrote it down
        return chosen
    for key in given:
        if chosen[key] != kept.variant[key]:
            raise ValueError(f"--variant must be {key}={kept.variant[key]}, which was graded, "
                             f"got {key}={chosen[key]}")  # fmt: skip
    return kept.variant
