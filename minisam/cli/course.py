"""``minisam course``: release an assignment, grade a class, show one result, look at the grader."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from minisam.adapters.targets import pairs
from minisam.cli.console import say
from minisam.files import expanded, given_path
from minisam.isolation.limits import seconds

ASSIGNMENTS = ("a1", "a2", "a3", "a4", "a5")
EXIT_CODES = (
    "exit code: 0 where every submission was graded, whatever it earned; 1 where one could not be "
    "graded, which is never a zero; 2 for an option or a file that cannot be used; 130 after Ctrl-C"
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the subcommand's arguments."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)

    release = actions.add_parser("release", help="write what students get: stub, notebook, tests")
    release.add_argument("assignment", choices=ASSIGNMENTS)
    add_out(release, "an empty folder, or none yet")
    release.add_argument(
        "--staff", action="store_true", help="write the solution, and nbgrader's source, instead"
    )
    release.add_argument(
        "--install",
        metavar="WHAT",
        help="what pip is told to install, such as an address; default: a wheel put beside",
    )

    grade = actions.add_parser("grade", help="grade a class", epilog=EXIT_CODES)
    grade.add_argument(
        "submissions",
        type=given_path,
        help="a folder for each student, or what the learning platform exports",
    )
    grade.add_argument("--assignment", required=True, choices=ASSIGNMENTS)
    add_out(grade, "scores.csv, class.html, feedback/ID.html")
    grade.add_argument("--jobs", type=int, default=1, help="children at once (1)")
    grade.add_argument(
        "--seed-file",
        type=given_path,
        metavar="FILE",
        help="a secret text, made before the first run (DIR/secret)",
    )
    grade.add_argument(
        "--marks",
        type=given_path,
        metavar="FILE",
        help="points that people gave: a table with a column id",
    )
    for name, file in (("--gradescope", "results.json"), ("--classroom50", "result.json")):
        what = f"SUBMISSIONS is one: write {file}, too"
        grade.add_argument(name, type=given_path, metavar="FILE", help=what)
    grade.add_argument(
        "--nbgrader",
        type=given_path,
        metavar="GRADEBOOK",
        help="write the points into this gradebook.db, too",
    )

    show = actions.add_parser("show", help="the full report on one submission, for the staff")
    show.add_argument("id", help="as in scores.csv")
    show.add_argument("--assignment", choices=ASSIGNMENTS, help="the one that was graded")
    add_out(show, "where it was graded to")

    doctor = actions.add_parser("doctor", help="try the grader, and say what protects it")
    for one in (release, grade, doctor, show):
        one.add_argument(
            "--variant",
            action="append",
            default=[],
            metavar="NAME=VALUE",
            help="what this cohort's assignment differs in, such as p=3",
        )
    for one in (grade, show):
        one.add_argument(
            "--as-root",
            action="store_true",
            help="run submissions as root and unprotected, where nothing else works",
        )
    for one in (grade, doctor):
        one.add_argument(
            "--seconds", type=seconds, default=10.0, help="of computing for one submission (10)"
        )
    doctor.add_argument("--assignment", action="append", choices=ASSIGNMENTS, help="all by default")


def add_out(parser: argparse.ArgumentParser, what: str) -> None:
    """Add the folder, which must be given."""
    parser.add_argument("--out", type=given_path, required=True, metavar="DIR", help=what)


def run(arguments: argparse.Namespace) -> int:
    """Do what is asked for, and return the exit code."""
    from minisam.course.interrupts import interruptible  # for this subcommand only
    from minisam.course.pupil import CannotGrade  # with NumPy, which the parser does not need

    actions: dict[str, Callable[[argparse.Namespace], int]] = {
        "release": release_it,
        "grade": grade_it,
        "show": show_one,
        "doctor": look_at_it,
    }
    try:
        with interruptible():
            return actions[arguments.action](arguments)
    except CannotGrade as error:
        print(f"minisam course: could not be graded: {error}", file=sys.stderr)
        return 1


def release_it(arguments: argparse.Namespace) -> int:
    """Write what students get."""
    from minisam.course.assignments import assignment  # with NumPy, as above
    from minisam.course.for_staff import release_to_staff  # as above
    from minisam.course.judging import variant_of  # as above
    from minisam.course.release import release  # as above

    found = assignment(arguments.assignment)
    variant = variant_of(found, pairs(arguments.variant, "--variant"))
    write = release_to_staff if arguments.staff else release
    for path in write(found, variant, expanded(arguments.out), arguments.install):
        say(str(path))
    return 0


def grade_it(arguments: argparse.Namespace) -> int:
    """Grade a class."""
    from minisam.cli.grading import grade_them  # with NumPy, as above

    return grade_them(arguments)


def show_one(arguments: argparse.Namespace) -> int:
    """Print everything that is known of a submission."""
    from minisam.course import kept, pages  # with NumPy, as above
    from minisam.course.judging import GRADED  # as above
    from minisam.course.plain import file_name, legible  # as above

    results = expanded(arguments.out) / "results"
    names = (arguments.id, arguments.id.removeprefix("'"))  # as a cell of scores.csv may begin
    place, *_ = sorted((results / f"{file_name(name)}.json" for name in names),
                       key=lambda path: not path.is_file())  # fmt: skip
    if not place.is_file():
        raise ValueError(f"there is no result for {arguments.id!r} in {arguments.out!r}")
    result = kept.result_in(place)
    work, grade, found, *_ = result
    if arguments.assignment not in (None, found.name):
        raise ValueError(f"--assignment must be {found.name}, of which this is a result")
    variant = kept.variant_shown(result, pairs(arguments.variant, "--variant"))
    differs = "".join(f", {key}={value}" for key, value in variant.items())
    say(f"{legible(work.id)}, {found.name}{differs}, {legible(work.path)}")
    say(pages.in_lines(found, grade))
    for title, lines in (("mistakes", grade.mistakes), ("passed over", grade.notes),
                         ("printed", grade.printed.splitlines())):  # fmt: skip
        if lines:
            say(f"{title}:\n  " + "\n  ".join(lines))
    if found.name == "a2" and grade.status == GRADED and work.path and work.path.is_file():
        say(f"\n{full_report(found, work.path, variant, arguments.as_root)}")
    return 0


def full_report(found: Any, path: Path, variant: dict[str, Any], as_root: bool) -> str:
    """Return the oracle's report on a step, which is called in a child as when it is graded."""
    from minisam.cli.grading import guard_of  # with NumPy, as above
    from minisam.course.judging import report_on_step  # as above
    from minisam.course.work import Work, read_submission  # as above

    submission = read_submission(Work("", path), found.file)
    return report_on_step(found, submission, guard_of(10.0, as_root), variant)


def look_at_it(arguments: argparse.Namespace) -> int:
    """Try the grader on its own references and stubs."""
    from minisam.cli.grading import guard_of, tell_layers  # with NumPy, as above
    from minisam.course.assignments import assignment  # as above
    from minisam.course.judging import check_itself, variant_of  # as above
    from minisam.course.rubric import Task  # as above

    every = [assignment(name) for name in arguments.assignment or ASSIGNMENTS]
    given = pairs(arguments.variant, "--variant")
    unknown = [key for key in given if not any(key in found.variants for found in every)]
    if unknown:
        names = " or ".join(found.name for found in every)
        raise ValueError(f"--variant names what {names} has not: {', '.join(unknown)}")
    tasks = [Task(1, variant_of(found, {key: value for key, value in given.items()
                                        if key in found.variants})) for found in every]  # fmt: skip
    guard = guard_of(arguments.seconds)
    tell_layers(guard)
    for found, task in zip(every, tasks, strict=True):
        check_itself(found, guard, task)
        say(f"{found.name}: the reference gets all points, the stub none")
    return 0
