"""Write what the staff read of a class."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape
from statistics import fmean, median

from minisam.course.judging import UNGRADED, Grade
from minisam.course.pages import tabled, whole_page
from minisam.course.plain import legible
from minisam.course.rubric import POINTS, RIGHT, STAFF, Assignment
from minisam.progress import clock
from minisam.variants.conventions import CONVENTIONS
from minisam.variants.mutants import MUTANTS


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
