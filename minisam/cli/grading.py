"""Grade a class for ``minisam course grade``: look at every option, then write anything at all."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from minisam.adapters.targets import pairs
from minisam.cli.console import say
from minisam.course import batch, doors, kept, marks, pupil
from minisam.course.assignments import assignment
from minisam.course.guard import Guard
from minisam.course.handed_in import passed_over
from minisam.course.judging import Grade, variant_of
from minisam.course.plain import legible
from minisam.course.rubric import STAFF, Assignment, Task
from minisam.course.seed import known_seed, new_seed, refuse_new_seed
from minisam.course.written import write_class
from minisam.files import check_writable, expanded, write_text
from minisam.progress import clock


class Asked(NamedTuple):
    """What is to be graded, how, and where it goes; all of it has been looked at.

    Attributes:
        assignment: the assignment.
        variant: this cohort's.
        submissions: the folder.
        alone: whether it is one student's.
        given: the points that people gave.
        out: the folder of the results.
        secret: the file of the seed.
        seed: what it says; None if it is not there yet.
        results: where other systems want theirs, by the name of the option.
    """

    assignment: Assignment
    variant: dict[str, Any]
    submissions: Path
    alone: bool
    given: marks.Marks
    out: Path
    secret: Path
    seed: int | None
    results: dict[str, Path]


def grade_them(arguments: argparse.Namespace) -> int:
    """Grade a class."""
    asked = looked_over(arguments)
    guard = guard_of(arguments.seconds, arguments.as_root)
    if not asked.out.exists():
        asked.out.mkdir(parents=True, mode=0o700)  # for a submission may read what others may
    seed = new_seed(asked.secret) if asked.seed is None else asked.seed
    if os.name == "posix" and asked.secret.stat().st_mode & 0o044:
        print(f"others may read the seed file: chmod go= {asked.secret}", file=sys.stderr)
    let_go_of_old_results(asked)
    if not asked.alone and (left := passed_over(asked.submissions)):
        told = ", ".join(map(legible, left[:4])) + (", …" if len(left) > 4 else "")
        print(f"passed over, for it is neither a folder nor code: {told}", file=sys.stderr)
    tell_layers(guard)
    settings = batch.Settings(
        asked.assignment, Task(seed, asked.variant), guard, asked.out, arguments.jobs, asked.alone
    )
    grades = batch.grade_class(asked.submissions, settings, Progress())
    grades = marks.with_marks(asked.assignment, grades, asked.given)
    without = write_class(asked.assignment, grades, guard.layers(), asked.out)
    for name, error in without.items():
        print(f"{legible(name)} has no page: {legible(error)}", file=sys.stderr)
    tell_others(asked, grades)
    waiting = sum(any(c.status == STAFF for c in one.credits) for one in grades.values())
    if waiting:
        say(f"{waiting} without the points that people give: see --marks")
    return conclusion(grades, asked.out) or int(bool(without))


def looked_over(arguments: argparse.Namespace) -> Asked:
    """Return what is asked for; nothing is written.

    Raises:
        ValueError: naming the option that cannot be used.
    """
    if arguments.jobs < 1:
        raise ValueError(f"--jobs must be a whole number of at least 1, got {arguments.jobs}")
    found = assignment(arguments.assignment)
    variant = variant_of(found, pairs(arguments.variant, "--variant"))
    folder, out = expanded(arguments.submissions), expanded(arguments.out)
    if folder.resolve() in (out / "x").resolve().parents:
        raise ValueError("--out must not be inside the submissions: it would be graded next time")
    if out.exists() and not out.is_dir():
        raise ValueError(f"--out must be a folder, or none yet, got {arguments.out!r}")
    check_writable(out / "scores.csv", "scores.csv in --out")
    named = {name: getattr(arguments, name) for name in ("gradescope", "classroom50", "nbgrader")}
    results = {name: expanded(path) for name, path in named.items() if path}
    for name, path in results.items():
        check_writable(path, f"--{name}")
    if "classroom50" in results:
        doors.check_runner(os.environ)
    if "nbgrader" in results:
        doors.check_gradebook(results["nbgrader"])
    alone = "gradescope" in results or "classroom50" in results
    everybody = {one.id for one in batch.class_in(folder, found, alone)}
    kept.refuse_another(out, found, variant)
    secret = expanded(arguments.seed_file or out / "secret")
    refuse_new_seed(out, secret)
    seed = known_seed(secret)
    given: marks.Marks = {}
    if arguments.marks is not None:
        given = marks.read_marks(found, expanded(arguments.marks), everybody)
    return Asked(found, variant, folder, alone, given, out, secret, seed, results)


def guard_of(seconds: float, as_root: bool = True) -> Guard:
    """Choose what protects the grader.

    Raises:
        ValueError: if submissions would run as root and unprotected, unless that is said.
    """
    guard = pupil.chosen_guard(Guard(seconds=max(1, round(seconds))))
    if guard.exposed() and not as_root:
        raise ValueError(f"submissions would run as root: {guard.exposed()}; or say --as-root")
    return guard


def tell_layers(guard: Guard) -> None:
    """Say what protects us, and loudly what is least of all protected."""
    say("\n".join(guard.layers()))
    if guard.exposed():
        print(f"SUBMISSIONS RUN AS ROOT: {guard.exposed()}", file=sys.stderr)


def let_go_of_old_results(asked: Asked) -> None:
    """Leave no result of another run, or of the student's making, that could be taken for this one.

    Gradescope has a new one even if we are killed meanwhile; Classroom 50 hears an exit code.
    """
    path = asked.results.get("gradescope")
    if path and (path.is_file() or not path.exists()):  # to a pipe only one is written
        write_text(path, doors.gradescope(asked.assignment, doors.NOT_ENDED))
    path = asked.results.get("classroom50")
    theirs = path and (path.is_symlink() or path.is_file())  # for the runner's folder is theirs
    if path and theirs and Path("/dev") not in path.absolute().parents:
        path.unlink()


def tell_others(asked: Asked, grades: Mapping[str, Grade]) -> None:
    """Write the points as the other systems read them."""
    if asked.alone:
        (grade,) = grades.values()
        if "gradescope" in asked.results:
            write_text(asked.results["gradescope"], doors.gradescope(asked.assignment, grade))
        if "classroom50" in asked.results and grade.total is not None:
            result = doors.classroom50(asked.assignment, grade, os.environ)
            write_text(asked.results["classroom50"], result)
    if "nbgrader" in asked.results:
        path = asked.results["nbgrader"]
        left = doors.to_nbgrader(asked.assignment, grades, path)
        say(f"{len(grades) - len(left)} written into {path}")
        if left:
            say(f"not there, for nbgrader has not graded them or we could not: {', '.join(left)}")


def conclusion(grades: Mapping[str, Grade], out: Path) -> int:
    """Say what came out, and return the exit code."""
    ungraded = [name for name, grade in grades.items() if grade.total is None]
    say(f"{len(grades) - len(ungraded)} graded: {out / 'scores.csv'}, {out / 'class.html'}")
    for name in ungraded:
        print(f"{legible(name)} could not be graded: {grades[name].note}", file=sys.stderr)
    return 1 if ungraded else 0


class Progress:
    """Tell how many are done, and how long the rest may take."""

    first: tuple[float, int] | None = None  # when we were told, and what was done before

    def __call__(self, done: int, of: int) -> None:
        """Tell it."""
        now = time.monotonic()
        since, before = self.first = self.first or (now, done)
        fresh = done - before
        left = (now - since) / fresh * (of - done) if fresh else 0.0
        rest = f", {clock(left)} left" if fresh and done < of else ""
        print(f"{done} of {of}{rest}", file=sys.stderr, flush=True)
