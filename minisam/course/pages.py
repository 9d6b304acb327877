"""Write what a student reads of a graded submission, and the frame of every page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape

from minisam.course.judging import GRADED, Grade
from minisam.course.plain import legible
from minisam.course.rubric import POINTS, RIGHT, STAFF, Assignment, Credit

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 46em; margin: 2em auto; padding: 0 1em; }
table { border-collapse: collapse; width: 100%; }
td, th { border-bottom: 1px solid #ccc; padding: .4em .6em; text-align: left; vertical-align: top; }
td.n, th.n { text-align: right; white-space: nowrap; }
.right { color: #1a6e2e; } .wrong, .not { color: #9b1c1c; } .question { font-style: italic; }
pre { background: #f4f4f4; padding: .6em; overflow: auto; white-space: pre-wrap; }
"""
OTHER_NUMBERS = "The marked run uses other numbers than the check in your notebook."


def whole_page(title: str, body: Iterable[str]) -> str:
    """Return a whole page that needs nothing else."""
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    return "\n".join([
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>",
        *body,
        "</body>\n</html>\n",
    ])  # fmt: skip


def tabled(head: Sequence[str], rows: Iterable[Sequence[str]], numbers: Sequence[int]) -> list[str]:
    """Return a table; what is in its cells is markup already."""

    def line(tag: str, cells: Sequence[str]) -> str:
        marks = [f'<{tag} class="n">' if k in numbers else f"<{tag}>" for k in range(len(cells))]
        inside = "".join(f"{m}{cell}</{tag}>" for m, cell in zip(marks, cells, strict=True))
        return f"<tr>{inside}</tr>"

    return ["<table>", line("th", head), *(line("td", row) for row in rows), "</table>"]


def feedback(assignment: Assignment, name: str, grade: Grade) -> str:
    """Return a student's page."""
    total = "not graded yet" if grade.total is None else out_of(assignment, grade)
    heading = f"Homework {assignment.number}: {assignment.title}"
    body = [f"<h1>{escape(heading)}</h1>", f"<p>{escape(legible(name))}: <b>{total}</b></p>"]
    if grade.status != GRADED:
        told = f"{grade.status}: {grade.note}" if grade.note else grade.status
        body.append(f'<p class="wrong">{escape(told)}</p>')
    rows = []
    for one, told, asked in told_once(grade):
        criterion = assignment.criterion(one.name)
        question = f'<br><span class="question">{escape(asked)}</span>' if asked else ""
        said = escape(told) + question
        points = "–" if one.status == STAFF else str(one.points)
        rows.append([escape(criterion.what), f"{points} of {criterion.points}",
                     f'<span class="{escape(one.status.split()[0])}">{escape(one.status)}</span>',
                     said])  # fmt: skip
    if rows:
        body += tabled(("what", "points", "", "what was seen"), rows, (1,))
    if grade.picture:
        body += ["<h2>Your step</h2>", grade.picture,
                 "<p>Dashed: your climb from A to B. Solid: your step. Grey: the right ones, for "
                 "the gradients that you were given.</p>"]  # fmt: skip
    if grade.notes:
        body.append("<h2>Passed over</h2>")
        body += [f"<p>{escape(note)}</p>" for note in grade.notes]
    return whole_page(heading, [*body, f"<p>{OTHER_NUMBERS}</p>"])


def out_of(assignment: Assignment, grade: Grade) -> str:
    """Return the points, of how many; "so far", as long as a person has to give some."""
    left = sum(assignment.criterion(one.name).points for one in grade.credits
               if one.status == STAFF)  # fmt: skip
    return f"{grade.total} of {POINTS - left} points" + (" so far" if left else "")


def told_once(grade: Grade) -> Iterator[tuple[Credit, str, str]]:
    """Yield each line with what was seen and the question, unless the head or a line said it."""
    said = set() if grade.status == GRADED else {grade.note}
    for one in grade.credits:
        told, asked = ("" if text in said else text for text in (one.said, one.question))
        yield one, told, asked
        said |= {one.said, one.question}


def in_lines(assignment: Assignment, grade: Grade) -> str:
    """Return a grade for a terminal: a line for each skill."""
    lines = []
    for one, told, asked in told_once(grade):
        points = "-" if one.status == STAFF else str(one.points)
        criterion = assignment.criterion(one.name)
        text = f"  {points:>2} of {criterion.points:<2} {criterion.what}"
        lines.append(f"{text}: {told}" if told and one.status != RIGHT else text)
        if asked:
            lines.append(f"           {asked}")
    return "\n".join([in_a_line(assignment, grade), *lines])


def in_a_line(assignment: Assignment, grade: Grade) -> str:
    """Return a grade's points and status."""
    total = "not graded" if grade.total is None else out_of(assignment, grade)
    note = f" ({grade.note})" if grade.note else ""
    return f"{total}, {grade.status}{note}"
