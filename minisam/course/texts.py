"""Make what students get, and the solution, from one source in the percent format.

A source is a Python text whose cells begin with ``# %%``; what the student writes stands between
``### BEGIN SOLUTION`` and ``### END SOLUTION``, which nbgrader knows, too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from minisam.course.reading import no_python
from minisam.course.rubric import POINTS, Assignment

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
CHECK_CELL = "check"  # what nbgrader calls the cell that is graded
TO_WRITE = 'raise NotImplementedError("your code here")'
SOURCES = Path(__file__).with_name("sources")
CELL_MAGIC = re.compile(r"\s*%%(\w+).*\n?")
OF_PYTHON = ("time", "timeit", "capture", "prun")  # cell magics that run the rest of the cell
LINES = (  # what only a notebook understands, and what stands for it
    (re.compile(r"^([ \t]*)%time[ \t]+(?=\S)", re.MULTILINE), r"\1"),
    (re.compile(r"^([ \t]*(?:\w+[ \t]*=[ \t]*)?)(?:%[A-Za-z]|!(?!=)).*$", re.MULTILINE), r"\1None"),
    (re.compile(r"^([ \t]*)(?:\?{1,2}[\w.*]+|[\w.*]+\?{1,2})[ \t]*$", re.MULTILINE), r"\1None"),
)


class Cell(NamedTuple):
    """One cell: "code" or "markdown", its text, whether it calls the check, or is to be written."""

    kind: str
    text: str
    checks: bool = False
    written: bool = False


def source_of(assignment: Assignment, variant: Mapping[str, Any]) -> str:
    """Return an assignment's source, with its rubric and what the cohort's variant puts in."""
    text = (SOURCES / f"{assignment.file}.txt").read_text(encoding="utf-8")
    chosen = {**assignment.defaults, **variant}
    fills = {"rubric": as_comments(rubric(assignment)), **assignment.fill(chosen)}

    def filled(match: re.Match) -> str:
        lines = fills[match["name"]].splitlines()
        return "\n".join(match["indent"] + line for line in lines)

    return re.sub(r"^(?P<indent> *)# \{(?P<name>\w+)\}$", filled, text, flags=re.MULTILINE)


def rubric(assignment: Assignment) -> list[str]:
    """Return the lines of a table: what earns how many points."""
    rows = [f"| {one.what} | {one.points} |" for one in assignment.criteria]
    return ["| what | points |", "|---|---|", *rows]


def as_comments(lines: Iterable[str]) -> str:
    """Return lines as those of a markdown cell."""
    return "\n".join(f"# {line}".rstrip() for line in lines)


def cells_of(text: str) -> list[Cell]:
    r"""Cut a text in the percent format into its cells.

    Example:
        >>> cells_of('# %% [markdown]\n# # A title\n\n# %% tags=["check"]\nx = 1\n')
        [Cell(kind='markdown', text='# A title', checks=False, written=False),
         Cell(kind='code', text='x = 1', checks=True, written=False)]
    """
    found = []
    for part in re.split(r"^# %%", text, flags=re.MULTILINE)[1:]:
        head, _, body = part.partition("\n")
        kind = "markdown" if "[markdown]" in head else "code"
        if kind == "markdown":
            body = re.sub(r"^# ?", "", body, flags=re.MULTILINE)
        found.append(Cell(kind, body.strip("\n"), '"check"' in head, BEGIN in body))
    return found


def stripped_cells(text: str) -> list[Cell]:
    """Return the cells of a source without its solutions."""
    return [one._replace(text=stripped(one.text)) for one in cells_of(text)]


def stripped(text: str) -> str:
    r"""Return a text without its solutions; where a function lacks its body, it says so.

    Raises:
        ValueError: if a solution begins or ends where none should.

    Example:
        >>> print(stripped("def f(x):\n  ### BEGIN SOLUTION\n  return x\n  ### END SOLUTION"))
        def f(x):
          raise NotImplementedError("your code here")
    """
    kept: list[str] = []
    inside = False
    for line in text.splitlines():
        word = line.strip()
        if word in (BEGIN, END):
            if inside is (word == BEGIN):
                raise ValueError(f"the source has {word!r} where none should be")
            inside = word == BEGIN
            indent = line[: len(line) - len(line.lstrip())]
            if inside and indent:
                kept.append(indent + TO_WRITE)
        elif not inside:
            kept.append(line)
    if inside:
        raise ValueError(f"the source has no {END!r} for its last {BEGIN!r}")
    return "\n".join(kept)


def solution_lines(text: str) -> set[str]:
    """Return the lines between the marks that say something, for a search that finds no other."""
    lines = re.findall(rf"{BEGIN}\n(.*?){END}", text, flags=re.DOTALL)
    words = {line.strip() for block in lines for line in block.splitlines()}
    return {line for line in words if len(line) > 12}


def with_solutions(text: str) -> str:
    """Return a text with its solutions, without the marks around them."""
    kept = [line for line in text.splitlines() if line.strip() not in (BEGIN, END)]
    return "\n".join(kept)


def module(cells: Iterable[Cell], title: str) -> str:
    """Return the cells as a Python file: texts as comments, no calls of the check."""
    parts = []
    for cell in cells:
        if cell.kind == "markdown":
            parts.append("\n".join(f"# {line}".rstrip() for line in cell.text.splitlines()))
        elif not cell.checks:
            parts.append(cell.text)
    return f'"""{title}"""\n\n' + "\n\n\n".join(parts) + "\n"


def notebook(cells: Iterable[Cell], language: str = "python") -> str:
    """Return the cells as a notebook."""
    found: list[dict[str, Any]] = []
    for number, cell in enumerate(cells):
        lines = cell.text.splitlines(True)
        one: dict[str, Any] = {"cell_type": cell.kind, "id": f"cell-{number}", "metadata": {}}
        one["source"] = lines
        if cell.kind == "code":
            one |= {"execution_count": None, "outputs": []}
            one["metadata"] = nbgrader_metadata(cell, number)
        found.append(one)
    about = {
        "kernelspec": {"display_name": "Python 3", "language": language, "name": "python3"},
        "language_info": {"name": language},
    }
    whole = {"cells": found, "metadata": about, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


def nbgrader_metadata(cell: Cell, number: int) -> dict[str, Any]:
    """Return what nbgrader wants to know: where students write, and which cell is graded."""
    about: dict[str, Any] = {"schema_version": 3, "task": False}
    if cell.checks:
        about |= {"grade": True, "solution": False, "locked": True, "points": POINTS}
        return {"nbgrader": {**about, "grade_id": CHECK_CELL}}
    if cell.written:
        about |= {"grade": False, "solution": True, "locked": False}
        return {"nbgrader": {**about, "grade_id": f"write-{number}"}}
    return {}


def code_cells(text: str) -> list[str]:
    """Return the code cells of a notebook, without what only a notebook understands.

    Raises:
        ValueError: if it is no notebook.
    """
    try:
        cells = json.loads(text)["cells"]
        sources = [one["source"] for one in cells if one.get("cell_type") == "code"]
        return [plain_python("".join(source)) for source in sources]
    except (KeyError, TypeError, AttributeError, RecursionError, ValueError) as error:
        raise ValueError(f"it is no notebook ({type(error).__name__})") from None


def plain_python(cell: str) -> str:
    r"""Return a cell without magics, shell commands and questions; each line stays a line.

    Example:
        >>> plain_python("%%time\nx = (7\n     % 3)"), plain_python("%%html\n<b>x</b>")
        ('\nx = (7\n     % 3)', '')
        >>> plain_python("if True:\n    %matplotlib inline\n    %time x = 1\n    names = !ls\nx?")
        'if True:\n    None\n    x = 1\n    names = None\nNone'
    """
    if magic := CELL_MAGIC.match(cell):
        whole = magic[0]
        rest = "\n" * whole.count("\n") + cell[len(whole) :]
        return plain_python(rest) if magic[1] in OF_PYTHON else ""
    if not no_python(cell):  # in which a line may begin with % or !=, too
        return cell
    for line, stands in LINES:
        cell = line.sub(stands, cell)
    return cell


def reference(assignment: Assignment, variant: Mapping[str, Any]) -> str:
    """Return the solution as a Python file."""
    return module(cells_of(with_solutions(source_of(assignment, variant))), assignment.title)


def stub(assignment: Assignment, variant: Mapping[str, Any]) -> str:
    """Return what a student begins with, as a Python file."""
    title = f"Homework {assignment.number}: {assignment.title}."
    return module(stripped_cells(source_of(assignment, variant)), title)
