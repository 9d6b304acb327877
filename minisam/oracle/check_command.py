"""``minisam check FILE_OR_MODULE:NAME``: the oracle's verdict on an implementation."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from minisam.files import write_atomically

HELP = "say whether an implementation of SAM is right, and what is wrong with it"

DESCRIPTION = """\
Run an optimizer's steps on scripted gradients, compare every point at which it asks for a gradient
and every new weight with what rounding allows, and name the mistake.

NAME is a function step(w, grad_fn, *, rho, lr, ...) that returns new weights, or an adapter made by
minisam.oracle.torch, .optax, .keras or .process. With several the reports are compared.

exit codes: 0 conforms, 1 bug, 2 adapter error, 3 undeclared convention, 4 nothing ran
"""
FORMATS = ("text", "json", "junit", "html", "markdown")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the subcommand's arguments."""
    parser.description = DESCRIPTION
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    add = parser.add_argument
    add("target", nargs="+", metavar="FILE_OR_MODULE:NAME", help="what to check")
    add("--dtype", action="append", help="float64, float32 or bfloat16; all by default")
    add("--method", action="append", help="sam, asam or sgd; what the adapter says by default")
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
    add("--timeout", type=float, default=60.0, help="seconds that one step may take (60)")
    add("--format", choices=FORMATS, default="text", help="what to print (text)")
    add("--out", help="write to this file instead of the screen")
    add("--list", action="store_true", help="list the probes and conventions, check nothing")


def run(arguments: argparse.Namespace) -> int:
    """Check, print, and return the exit code."""
    from minisam.oracle.checking import check
    from minisam.oracle.loading import load, pairs

    if arguments.list:
        print(catalogue())
        return 0
    reports = []
    try:
        declare = pairs(arguments.declare, "--declare")
        known = {k: str(v) for k, v in pairs(arguments.known, "--known").items()}
    except ValueError as error:
        print(f"minisam check: {error}", file=sys.stderr)
        return 2
    for target in arguments.target:
        try:
            adapter = load(target)
            report = check(
                adapter,
                arguments.dtype,
                declare,
                known,
                arguments.method,
                arguments.probe,
                arguments.timeout,
                name=target.rpartition(":")[2],
            )
        except Exception as error:  # whatever a user's file raises when it is imported
            kind = "" if isinstance(error, ValueError) else f"{type(error).__name__}: "
            print(f"minisam check: {target}: {kind}{error}", file=sys.stderr)
            return 2
        reports.append(report)
    write(rendered(reports, arguments.format), arguments.out)
    return max((report.exit_code for report in reports), key=SEVERITY.index)


SEVERITY = (0, 3, 4, 2, 1)


def rendered(reports: list[Any], form: str) -> str:
    """The reports in one of the forms."""
    import json

    from minisam.oracle.report_html import page
    from minisam.oracle.report_junit import document
    from minisam.oracle.report_text import table, text

    if form == "json":
        data = [report.to_dict() for report in reports]
        return json.dumps(data[0] if len(data) == 1 else data, indent=1, ensure_ascii=False)
    if form == "junit":
        return document(reports)
    if form == "html":
        return page(reports)
    if form == "markdown":
        return table(reports)
    return "\n\n".join(text(report) for report in reports)


def write(text: str, path: str | None) -> None:
    """Print, or write a whole file."""
    if path is None:
        print(text)
        return
    write_atomically(path, lambda file: file.write(f"{text}\n".encode()))


def catalogue() -> str:
    """The probes and the conventions."""
    from minisam.oracle.conventions import CONVENTIONS
    from minisam.oracle.probes import PROBES

    lines = ["conventions that can be declared:"]
    for convention in CONVENTIONS.values():
        values = ", ".join(map(repr, (convention.default, *convention.values[:3])))
        lines.append(f"  {convention.name:15} {convention.meaning} ({values})")
    lines.append("probes:")
    lines += [f"  {probe.slug:28} {probe.note}".rstrip() for probe in PROBES.values()]
    return "\n".join(lines)
