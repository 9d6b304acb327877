"""Write what a class earned: the table, a page for each student, the page of the class."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from minisam.course import class_page, pages
from minisam.course.judging import Grade
from minisam.course.plain import file_name
from minisam.course.rubric import STAFF, Assignment
from minisam.files import write_text

FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet takes for one


def scores(assignment: Assignment, grades: Mapping[str, Grade]) -> list[list[str]]:
    """Return the table of a class: its head, and a row for each student."""
    names = [one.name for one in assignment.criteria]
    rows = [["id", "total", "status", *names]]
    for name in sorted(grades):
        grade = grades[name]
        points = {one.name: one.points for one in grade.credits if one.status != STAFF}
        total = "" if grade.total is None else str(grade.total)
        rows.append([name, total, grade.status, *(str(points.get(key, "")) for key in names)])
    return rows


def harmless(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula.

    Example:
        >>> harmless("=cmd()"), harmless("ann")
        ("'=cmd()", 'ann')
    """
    return f"'{cell}" if cell.startswith(FORMULA) else cell


def write_table(path: Path, rows: Iterable[Sequence[str]]) -> None:
    """Write a table that is whole, or is not there."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([[harmless(cell) for cell in row] for row in rows])
    write_text(path, text.getvalue())


def write_class(
    assignment: Assignment, grades: Mapping[str, Grade], layers: Sequence[str], out: Path
) -> dict[str, Exception]:
    """Write ``feedback/ID.html``, ``class.html`` and ``scores.csv``.

    Args:
        assignment: the assignment.
        grades: of the students, by their names.
        layers: what stood between the submissions and this machine, in words.
        out: the folder.

    Returns:
        Whose page could not be written, and why: one page must not cost the others.
    """
    without: dict[str, Exception] = {}
    for name, grade in grades.items():
        try:
            page = pages.feedback(assignment, name, grade)
            write_text(out / "feedback" / f"{file_name(name)}.html", page)
        except Exception as error:
            without[name] = error
    write_text(out / "class.html", class_page.class_page(assignment, grades, layers))
    write_table(out / "scores.csv", scores(assignment, grades))
    return without
