"""Read the points that people gave, and add them to grades."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from minisam.course.judging import Grade
from minisam.course.rubric import Assignment


def with_marks(
    assignment: Assignment, grades: Mapping[str, Grade], path: Path | None
) -> dict[str, Grade]:
    """Return grades with the points that the staff gave, from a table with a column ``id``.

    Raises:
        ValueError: naming what in the table cannot be.
    """
    given = dict(grades)
    by_staff = {one.name: one.points for one in assignment.criteria if one.by_staff}
    if path is None:
        return given
    check_marks(assignment, path)
    for row in rows_of_marks(path, list(by_staff)):
        name = (row.get("id") or "").removeprefix("'")
        if name not in grades:
            raise ValueError(f"{path.name} has points for {name!r}, who handed nothing in")
        for key, most in by_staff.items():
            text = (row.get(key.lower()) or "").strip()
            if not text:
                continue
            if not text.isdecimal() or int(text) > most:
                raise ValueError(f"{path.name}: {key} of {name!r} must be from 0 to {most}, "
                                 f"got {text!r}")  # fmt: skip
            given[name] = marked(given[name], key, int(text), most)
    return given


def check_marks(assignment: Assignment, path: Path) -> None:
    """Refuse, before anything is graded, what can be no table of points; a pipe is not read yet.

    Raises:
        ValueError: if there is no such file, or nobody gives points.
    """
    if not any(one.by_staff for one in assignment.criteria):
        raise ValueError(f"{path.name} is not wanted: no points of this assignment are given by "
                         "people")  # fmt: skip
    if not path.exists() or path.is_dir():
        raise ValueError(f"--marks must be a file, got {str(path)!r}")


def rows_of_marks(path: Path, wanted: Sequence[str]) -> list[dict[str, str]]:
    """Read a table of points, with commas or semicolons; its columns are in small letters.

    Raises:
        ValueError: if it is no such table.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(f"{path.name} is not UTF-8: save it as UTF-8") from None
    head = text.partition("\n")[0]
    comma = ";" if ";" in head and "," not in head else ","
    reader = csv.DictReader(io.StringIO(text), delimiter=comma)
    columns = [one.strip().lower() for one in reader.fieldnames or ()]
    if "id" not in columns or not {one.lower() for one in wanted} & set(columns):
        due = ", ".join(["id", *wanted])
        raise ValueError(f"{path.name} must have the columns {due}, got {', '.join(columns)}")
    reader.fieldnames = columns
    return list(reader)


def marked(grade: Grade, key: str, points: int, most: int) -> Grade:
    """Return a grade with the points of one criterion."""
    status = "right" if points == most else "partly" if points else "wrong"
    credits = [
        one._replace(points=points, status=status, said="Read by the staff.")
        if one.name == key
        else one
        for one in grade.credits
    ]
    total = None if grade.total is None else sum(one.points for one in credits)
    return grade._replace(credits=credits, total=total)
