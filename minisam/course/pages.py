"""Write what a student reads of a graded submission, and what the staff read of a class."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from statistics import fmean, median

from minisam.course.judging import GRADED, UNGRADED, Grade
from minisam.course.plain import legible
from minisam.course.rubric import POINTS, RIGHT, STAFF, Assignment, Credit
from minisam.progress import clock
from minisam.variants.conventions import CONVENTIONS
from minisam.variants.mutants import MUTANTS

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


def class_page(assignment: Assignment, grades: Mapping[str, Grade], layers: Sequence[str]) -> str:
    """Return the page of a class, for its staff."""
    heading = f"Homework {assignment.number}: {assignment.title}"
    totals = [one.total for one in grades.values() if one.total is not None]
    body = [f"<h1>{escape(heading)}</h1>", f"<p>{len(grades)} submissions.</p>"]
    if totals:
        body.append(f"<p>Mean {fmean(totals):.1f}, median {median(totals):g} of {POINTS}.</p>")
        body += bars(Counter(totals))
    body += ["<h2>By skill</h2>", *tabled(("what", "full marks", "some", "none"),
                                          by_skill(assignment, grades), (1, 2, 3))]  # fmt: skip
    named = Counter(name for one in grades.values() for name in one.mistakes)
    if named:
        body += ["<h2>Mistakes</h2>", "<p>What explains a step that lost points; of several "
                 "together each counts.</p>"]  # fmt: skip
        rows = [[*row, escape(meaning_of(row[0]))] for row in counted(named)]
        body += tabled(("mistake", "how often", "what it is"), rows, (1,))
    body += ["<h2>Status</h2>", *tabled(("status", "how often"),
             counted(Counter(one.status for one in grades.values())), (1,))]  # fmt: skip
    for name, one in grades.items():
        if one.status == UNGRADED:
            body.append(f'<p class="wrong">{escape(legible(name))}: {escape(one.note)}</p>')
    seconds = sum(one.seconds for one in grades.values())
    body += ["<h2>What stood between the submissions and this machine</h2>", "<ul>"]
    body += [f"<li>{escape(layer)}</li>" for layer in layers]
    return whole_page(
        heading, [*body, "</ul>", f"<p>{clock(seconds)} in all children together.</p>"]
    )


def meaning_of(name: str) -> str:
    """Say what a mistake, or a convention that explains one, is; "" for what is neither."""
    if name in MUTANTS:
        return MUTANTS[name].title
    return CONVENTIONS[name].meaning if name in CONVENTIONS else ""


def by_skill(assignment: Assignment, grades: Mapping[str, Grade]) -> list[list[str]]:
    """Return how many got everything, something and nothing of each criterion."""
    rows = []
    for criterion in assignment.criteria:
        got = [one for grade in grades.values() for one in grade.credits
               if one.name == criterion.name and one.status != STAFF]  # fmt: skip
        full = sum(one.status == RIGHT for one in got)
        some = sum(0 < one.points < criterion.points for one in got)
        counts = (full, some, len(got) - full - some)
        rows.append([escape(criterion.what), *map(str, counts)])
    return rows


def counted(counts: Counter) -> list[list[str]]:
    """Return the rows of a table of counts, the most frequent first."""
    ordered = sorted(counts.items(), key=lambda item: (-item[1], str(item[0])))
    return [[escape(str(name)), str(count)] for name, count in ordered]


def bars(counts: Counter) -> list[str]:
    """Draw how many have how many points."""
    height, width = 80, 18
    tallest = max(counts.values())
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="Points of the class" '
             f'width="{width * (POINTS + 1)}" height="{height + 20}">']  # fmt: skip
    for points in range(POINTS + 1):
        tall = height * counts.get(points, 0) / tallest
        x = points * width
        lines.append(f'<rect x="{x + 2}" y="{height - tall:.1f}" width="{width - 4}" '
                     f'height="{tall:.1f}" fill="#1f5fa8"/>')  # fmt: skip
        lines.append(f'<text x="{x + width / 2:g}" y="{height + 14}" font-size="10" '
                     f'text-anchor="middle">{points}</text>')  # fmt: skip
    return [*lines, "</svg>"]


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
