"""Tell a student, in the own process and at once, what is right skill by skill.

It can be cheated, since the student's code runs beside it, and it counts for nothing: the marked
run has the same rubric, other numbers, and a process of its own. It needs no processes, and where
there are neither timers nor threads, as in a browser, no limit on time either.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from minisam.course.assignments import assignment
from minisam.course.desk import NOT_WRITTEN
from minisam.course.handed_in import of_folder
from minisam.course.here import Here
from minisam.course.judging import Grade, mistakes_in, status_of, variant_of
from minisam.course.pages import in_lines
from minisam.course.rubric import RIGHT, STAFF, Assignment, Credit, Judged, Task
from minisam.course.work import SUFFIXES, read_submission
from minisam.isolation.limits import check_seconds

tries: dict[str, int] = {}  # how often each assignment was checked and was not right
PASSED = "The public checks passed. The marked run uses other numbers."
PRACTICE = "This is practice and counts for nothing. The marked run uses other numbers."


def check(
    work: Callable[..., Any] | Mapping[str, Any] | ModuleType,
    name: str,
    variant: Mapping[str, Any] | None = None,
    timeout: float = 10.0,
) -> int:
    """Check an assignment, print a line for each skill, and return the points.

    The oracle's name of a mistake is not said before the second try.

    Args:
        work: ``globals()`` of a notebook, a module, or the one function that is to be looked at.
        name: "a1" to "a5".
        variant: what the cohort's assignment differs in.
        timeout: seconds that one call may take, where there are timers or threads.

    Returns:
        The points that this would be worth, of what was looked at.

    Raises:
        ValueError: naming the argument that is not one.

    Example:
        >>> def step(w, grad_fn, *, rho, lr):
        ...     return [x - lr * g for x, g in zip(w, grad_fn(w))]
        >>> points = check(step, "a2")
        1 of 20 points, graded
           1 of 1  asks for the first gradient at A, the weights that it is given
           0 of 2  asks for a second gradient elsewhere: One gradient is asked for in a step.
        ...
    """
    found = assignment(name)
    check_seconds("timeout", timeout)
    judged, seen = judged_here(found, work, variant or {}, timeout)
    grade = as_grade(found, judged)
    shown = [one for one in judged.credits if one.name in seen]
    print(in_lines(found, grade._replace(credits=shown)))
    if all(one.status in (RIGHT, STAFF) for one in shown):
        print(PASSED)
        return sum(one.points for one in shown)
    tries[name] = tries.get(name, 0) + (grade.status != NOT_WRITTEN)
    names = mistakes_in(judged.traces) if tries[name] > 1 else ()
    if names and names != ("unidentified",):
        print(f"What you do looks like a known mistake: {' and '.join(names)}.")
    print(PRACTICE)
    return sum(one.points for one in shown)


def judged_here(
    found: Assignment, work: Any, variant: Mapping[str, Any], timeout: float = 10.0, seed: int = 0
) -> tuple[Judged, set[str]]:
    """Return the judgement of a work in this process, and the criteria that it is about.

    Raises:
        ValueError: if the work is nothing that could be looked at.
    """
    values, only = values_of(found, work)
    desk = Here(values, found.functions, timeout)
    task = Task(seed, variant_of(found, variant), values)
    judged = found.judge(desk, task)
    return judged, {one.name for one in found.criteria if only in (None, one.function)}


def credits_in(
    folder: Path, name: str, variant: Mapping[str, Any] | None = None
) -> dict[str, Credit]:
    """Return the credits of the work in a folder, by criterion; for the tests that students get.

    Raises:
        ValueError: if there is no file of the assignment's name, or it is none.
    """
    found = assignment(name)
    work = of_folder("", folder, found.file)
    if work.trouble and any((folder / f"{found.file}{end}").exists() for end in SUFFIXES):
        raise ValueError(work.trouble)
    if work.path is None or work.path.stem != found.file:
        raise ValueError(f"there is no {found.file}.py or {found.file}.ipynb in {folder}")
    submission = read_submission(work, found.file)
    values: dict[str, Any] = {}
    for text in submission.parts:
        try:
            exec(compile(text, submission.file, "exec"), values)
        except Exception:  # of a notebook, a cell that raises is passed over
            if submission.whole:
                raise
    return credits_of(values, name, variant)


def credits_of(
    values: Mapping[str, Any], name: str, variant: Mapping[str, Any] | None = None
) -> dict[str, Credit]:
    """Return the credits of what a work defines, by criterion; for otter's tests."""
    judged, _ = judged_here(assignment(name), values, variant or {})
    return {one.name: one for one in judged.credits}


def values_of(found: Assignment, work: Any) -> tuple[Mapping[str, Any], str | None]:
    """Return what a work defines, by name; and the name, if it is one function."""
    if isinstance(work, ModuleType):
        return vars(work), None
    if isinstance(work, Mapping):
        return work, None
    if not callable(work):
        raise ValueError(f"work must be globals(), a module or a function, got {work!r:.60}")
    if len(found.functions) == 1:
        (name,) = found.functions
    else:
        name = getattr(work, "__name__", "")
        if name not in found.functions:
            names = ", ".join(found.functions)
            raise ValueError(f"work must be named as in {found.name} ({names}), got {name!r}")
    return {name: work}, name


def as_grade(found: Assignment, judged: Judged) -> Grade:
    """Return what a judgement would be worth."""
    status, note = status_of(found, judged.credits)
    return Grade(sum(one.points for one in judged.credits), status, judged.credits, note)
