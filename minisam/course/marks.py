"""Read the points that people gave, and add them to grades."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from minisam.course.judging import Grade
from minisam.course.rubric import Assignment, Criterion, earned

Marks = Mapping[tuple[str, str], int]  # the points by student and criterion


def read_marks(assignment: Assignment, path: Path, everybody: Collection[str]) -> Marks:
    """Return the points that the staff gave, from a table with a column ``id``.

    Args:
        assignment: whose criteria the other columns are.
        path: the table; it may be a pipe, which can be read only once.
        everybody: who handed something in.

    Raises:
        ValueError: naming what in the table cannot be, if nobody gives points, or there is none.
    """
    by_staff = [one for one in assignment.criteria if one.by_staff]
    if not by_staff:
        raise ValueError(f"--marks {path} is not wanted: no points of this assignment are given "
                         "by people")  # fmt: skip
    if not path.exists() or path.is_dir():
        raise ValueError(f"--marks must be a file, got {str(path)!r}")
    given: dict[tuple[str, str], int] = {}
    for row in rows_of_marks(path, [one.name for one in by_staff]):
        name = row["id"].removeprefix("'")
        if name not in everybody:
            raise ValueError(f"{path.name} has points for {name!r}, who handed nothing in")
        for criterion in by_staff:
            points = points_in(row, criterion, path.name)
            if points is None:
                continue
            if given.setdefault((name, criterion.name), points) != points:
                raise ValueError(f"{path.name} has {given[name, criterion.name]} and {points} as "
                                 f"{criterion.name} of {name!r}: which is it?")  # fmt: skip
    return given


def points_in(row: Mapping[str, str], criterion: Criterion, file: str) -> int | None:
    """Return the points of a criterion in a row; None if none are given yet.

    Raises:
        ValueError: if there are not so many.
    """
    text = row.get(criterion.name.lower(), "")
    # an int has 4300 digits at most, a float any number of them
    if text and not (text.isdecimal() and float(text) <= criterion.points):
        raise ValueError(f"{file}: {criterion.name} of {row['id']!r} must be from 0 to "
                         f"{criterion.points}, got {text!r:.60}")  # fmt: skip
    return int(text) if text else None


def with_marks(
    assignment: Assignment, grades: Mapping[str, Grade], given: Marks
) -> dict[str, Grade]:
    """Return grades with the points that the staff gave."""
    found = dict(grades)
    for (name, key), points in given.items():
        found[name] = marked(found[name], assignment.criterion(key), points)
    return found


def rows_of_marks(path: Path, wanted: Sequence[str]) -> list[dict[str, str]]:
    """Read a table of points, with commas or semicolons; its columns are in small letters.

    Cells have no blanks around them, and rows of empty cells, as spreadsheets write, are none.

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
    try:
        reader.fieldnames = columns = [one.strip().lower() for one in reader.fieldnames or ()]
        found = list(reader)
    except csv.Error as error:
        raise ValueError(f"{path.name} is no table of points: {error}") from None
    if "id" not in columns or not {one.lower() for one in wanted} & set(columns):
        due = ", ".join(["id", *wanted])
        raise ValueError(f"{path.name} must have the columns {due}, got {', '.join(columns)}")
    rows = [{key: (row.get(key) or "").strip() for key in columns} for row in found]
    return [row for row in rows if any(row.values())]


def marked(grade: Grade, criterion: Criterion, points: int) -> Grade:
    """Return a grade with the points of one criterion."""
    read = earned(criterion, points, "Read by the staff.", "")
    credits = [read if one.name == criterion.name else one for one in grade.credits]
    total = None if grade.total is None else sum(one.points for one in credits)
    return grade._replace(credits=credits, total=total)
