"""``minisam check FILE_OR_MODULE:NAME``: the oracle's verdict on an implementation."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Any

from minisam.cli.console import say
from minisam.files import given_path, write_text
from minisam.isolation import parent
from minisam.isolation.limits import seconds

DESCRIPTION = """\
Run an optimizer's steps on scripted gradients, compare every point at which it asks for a gradient
and every new weight with what rounding allows, and name the mistake.

NAME is a function step(w, grad_fn, *, rho, lr, ...) that returns new weights, or an adapter made by
minisam.oracle.torch, .optax, .keras or .process. With several the reports are compared. Each runs
in a process of its own, without input; what it prints is not shown.

exit codes: 0 conforms, 1 bug, 2 adapter error, 3 undeclared convention, 4 nothing ran
"""
FORMATS = ("text", "json", "junit", "html", "markdown")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the subcommand's arguments."""
    parser.description = DESCRIPTION
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    add = parser.add_argument
    add("target", nargs="*", metavar="FILE_OR_MODULE:NAME", help="what to check")
    add("--dtype", action="append", help="float64, float32 or bfloat16; all by default")
    add(
        "--method",
        action="append",
        help="sam, asam, gsam, …; what the adapter says by default",
    )
    add(
        "--declare",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a convention that it follows, such as norm_epsilon=1e-12",
    )
    add(
        "--known",
        action="append",
        default=[],
        metavar="PROBE=REASON",
        help="a failure that does not count",
    )
    add("--probe", action="append", help="run only this probe; can be repeated")
    add(
        "--timeout",
        type=seconds,
        metavar="SECONDS",
        help="how long one step may take (60); an import may take ten times as long",
    )
    add("--format", choices=FORMATS, help="what to print (text)")
    add("--verbose", action="store_true", help="say everything, not only what fits on one screen")
    add("--out", type=given_path, help="write to this file instead of the screen")
    add(
        "--list",
        action="store_true",
        help="list conventions and probes, of --method if given",
    )


def run(arguments: argparse.Namespace) -> int:
    """Check, print, and return the exit code."""
    if arguments.list:
        refuse_beside_list(arguments)
        from minisam.oracle.checking import catalogue  # loads NumPy, which a check does not need

        deliver(catalogue(arguments.method), arguments.out)
        return 0
    if not arguments.target:
        raise ValueError("give a FILE_OR_MODULE:NAME to check, or --list")
    form = arguments.format or "text"
    reports, codes = [], set()
    try:
        for target, name in zip(arguments.target, names(arguments.target), strict=True):
            judged, report = report_on(target, name, arguments)
            codes.add(report.exit_code)
            if not judged:
                print(f"minisam check: {target}: {report.headline}", file=sys.stderr)
            if judged or form != "text":
                reports.append(report)
    finally:  # also after Ctrl-C
        if reports:
            deliver(rendered(reports, form, arguments.verbose), arguments.out)
    return max(codes, key=SEVERITY.index)


SEVERITY = (0, 3, 4, 2, 1)


def refuse_beside_list(arguments: argparse.Namespace) -> None:
    """Refuse options that have no use with ``--list``."""
    for option in ("dtype", "declare", "known", "probe", "timeout", "format", "verbose"):
        if getattr(arguments, option):
            raise ValueError(f"--{option} without effect: --list checks nothing")


def names(targets: Sequence[str]) -> list[str]:
    """Name each target by its function, or by all of it where that name is not the only one.

    Example:
        >>> names(["ann.py:step", "bob.py:step", "bob.py:other"])
        ['ann.py:step', 'bob.py:step', 'other']
    """
    short = [target.rpartition(":")[2] for target in targets]
    pairs = zip(targets, short, strict=True)
    return [target if short.count(name) > 1 else name for target, name in pairs]


def report_on(target: str, name: str, arguments: argparse.Namespace) -> tuple[bool, Any]:
    """Return whether a target was judged, and the report on it.

    Raises:
        ValueError: if an option is wrong.
    """
    from minisam.oracle.report import restored, without_results  # only when a child has answered

    options = [getattr(arguments, key) for key in ("dtype", "declare", "known", "method", "probe")]
    timeout = arguments.timeout or 60.0
    try:
        (answer,) = parent.run("minisam.cli.judging:judge_target", target, *options, timeout)
    except parent.Ended as end:
        answer = {"fault": str(end)}
    if "refused" in answer:
        raise ValueError(answer["refused"])
    if "report" in answer:
        return True, restored(answer["report"])._replace(name=name)
    return False, without_results(name, answer["fault"])


def rendered(reports: list[Any], form: str, verbose: bool = False) -> str:
    """Return the reports in one of the forms; those for programs in ASCII on every terminal."""
    from minisam.oracle.reports import junit, table  # only when a child has answered

    if form == "json":
        data = [report.to_dict() for report in reports]
        return json.dumps(data[0] if len(data) == 1 else data, indent=1)
    if form == "junit":
        return junit(reports)
    if form == "html":
        from minisam.oracle.report_html import page  # only for a page

        return page(reports).encode("ascii", "xmlcharrefreplace").decode()
    if form == "markdown":
        return table(reports)
    return "\n\n".join(report.text(verbose) for report in reports)


def deliver(text: str, path: str | None) -> None:
    """Print, or write a whole file."""
    if path is None:
        say(text)
        return
    write_text(path, f"{text}\n")
