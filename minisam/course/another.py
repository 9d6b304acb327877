"""Notice that what was handed in answers another assignment: a zero would say nothing of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from minisam.course.assignments import NAMES, assignment
from minisam.course.reading import defined
from minisam.course.rubric import Assignment
from minisam.course.work import Work, read_submission

FILE = re.compile(r"(?<![a-z0-9])hw([1-9])(?![0-9])", re.IGNORECASE)


class Another(NamedTuple):
    """Which assignment a submission looks like, and why; "" for the one that was asked."""

    name: str = ""
    why: str = ""


def another(asked: Assignment, file: str, parts: Iterable[str]) -> Another:
    """Say which other assignment a submission looks like.

    It does if it defines nothing that is asked for and something that another one asks for, or
    nothing of both under the name of the other's file.

    Args:
        asked: the assignment.
        file: the name that it was handed in under.
        parts: its texts.

    Example:
        >>> another(assignment("a2"), "hw2.py", ["def flip(labels): return labels"])
        Another(name='a4', why='it defines flip')
        >>> another(assignment("a2"), "hw4.py", ["def step(w): return w"])
        Another(name='', why='')
    """
    there: set[str] = set().union(*map(defined, parts))
    if there & set(asked.functions):
        return Another()
    others = [assignment(name) for name in NAMES if name != asked.name]
    most = max(others, key=lambda one: len(there & set(one.functions)))
    if seen := [name for name in most.functions if name in there]:
        return Another(most.name, f"it defines {', '.join(seen)}")
    numbers = {int(number) for number in FILE.findall(file)} - {asked.number}
    named = [one for one in others if {one.number} == numbers]
    return Another(named[0].name, f"it is called {named[0].file}") if named else Another()


def another_of(asked: Assignment, found: Work) -> Another:
    """Say which other assignment a student's work looks like."""
    if found.path is None:
        return Another()
    try:
        parts = read_submission(found, asked.file).parts
    except (OSError, ValueError):  # which is said when it is graded
        return Another()
    return another(asked, found.path.name, parts)


def for_assignment(asked: Assignment, everybody: Sequence[Work], alone: bool = False) -> list[Work]:
    """Return the works of a class, with a word to the staff about each that looks like another's.

    Args:
        asked: the assignment.
        everybody: their works.
        alone: whether it is one student's, who may have handed in the wrong file.

    Raises:
        ValueError: if all of a class look like one other assignment's.
    """
    seen = [another_of(asked, one) for one in everybody]
    told = [one for one, work in zip(seen, everybody, strict=True) if work.path is not None]
    if not alone and told and told[0].name and len({one.name for one in told}) == 1:
        raise ValueError(f"--assignment must be {told[0].name}, got {asked.name}: what was handed "
                         f"in has nothing of {asked.name} ({told[0].why})")  # fmt: skip
    return [work._replace(trouble=f"it looks like {one.name}, and has nothing of {asked.name}: "
                          f"{one.why}") if one.name else work
            for one, work in zip(seen, everybody, strict=True)]  # fmt: skip
