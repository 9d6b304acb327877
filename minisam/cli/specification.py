"""``minisam specification``: what SAM must do, as numbered statements; and whether yours does."""

from __future__ import annotations

import argparse
import json
import sys
import textwrap
from typing import TYPE_CHECKING, Any

from minisam.cli.console import say
from minisam.isolation import parent
from minisam.isolation.limits import seconds

if TYPE_CHECKING:
    from minisam.specification import Property

DESCRIPTION = """\
Without arguments: every statement, in words and as an equation. With slugs: those, with their
proof or its source, where their tolerance comes from, and the command that draws their picture.

With --try FILE_OR_MODULE:NAME, a function step(w, grad_fn, *, rho, lr, ...) or an adapter: whether
each statement holds for it, on random problems. It runs in a process of its own, without input.

exit codes with --try: 0 all that could be tried hold, 1 one does not, 2 the implementation raises,
exits or hangs, 4 none could be tried
"""
WIDTH = 96
EXPLAINED = 3  # so many failures are told in full; the others are usually the same mistake
NAMED = 12  # so many statements are named after one reason; more are counted


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the subcommand's arguments."""
    parser.description = DESCRIPTION
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    add = parser.add_argument
    add("slug", nargs="*", metavar="SLUG", help="statements, by name or number; all by default")
    add("--json", action="store_true", help="print JSON")
    add("--try", dest="target", metavar="FILE_OR_MODULE:NAME", help="hold this against them")
    for option, kind, default, metavar, text in WITH_TRY:
        shown = "" if default is None else f" ({default:g})"
        add(f"--{option}", type=kind, metavar=metavar, help=f"with --try: {text}{shown}")


WITH_TRY: tuple[tuple[str, Any, Any, str, str], ...] = (
    (
        "method",
        str,
        None,
        "NAME",
        "what it implements, such as gsam; by default what it says, or sam",
    ),
    ("trials", int, 20, "N", "random problems for each statement"),
    ("seed", int, 0, "N", "of the random problems"),
    ("norm-epsilon", float, 0.0, "E", "it climbs ρ g/(‖g‖ + E) by convention, such as 1e-12"),
    ("timeout", seconds, 60.0, "SECONDS", "how long one step may take, and an import ten times"),
)


def run(arguments: argparse.Namespace) -> int:
    """Print the statements, or try them, and return the exit code."""
    given = {option: getattr(arguments, option.replace("-", "_")) for option, *_ in WITH_TRY}
    if arguments.target is not None:
        if arguments.json:
            raise ValueError(
                "--json without effect: it prints the statements, and --try tries them"
            )
        defaults = {option: default for option, _, default, *_ in WITH_TRY}
        settings = [default if given[o] is None else given[o] for o, default in defaults.items()]
        return hold_against(arguments.target, arguments.slug, settings)
    for option, value in given.items():
        if value is not None:
            raise ValueError(f"--{option} without effect: there is no --try")
    from minisam.specification import find  # not with --try, where the child alone needs NumPy

    chosen = find(arguments.slug)
    if arguments.json:
        print(json.dumps([as_record(statement) for statement in chosen], indent=1))
        return 0
    section = ""
    for statement in chosen:
        if statement.section != section:
            section = statement.section
            print(f"{section}\n")
        print(explained(statement, whole=bool(arguments.slug)))
        print()
    return 0


def explained(statement: Property, whole: bool) -> str:
    """Return a statement as text; the whole of it has the proof and the bound too."""

    def paragraph(text: str, label: str = "") -> str:
        first = f"     {label}"
        return textwrap.fill(text, WIDTH, initial_indent=first, subsequent_indent=" " * len(first))

    title = f"{statement.number:3d}. {statement.slug}"
    methods = ", ".join(statement.methods)
    lines = [f"{title}{methods:>{WIDTH - len(title)}}", paragraph(statement.statement)]
    lines.append(paragraph(statement.equation))
    if whole:
        lines.append(paragraph(statement.source, "because: "))
        lines.append(paragraph(statement.bound, "to within: "))
        if statement.picture:
            lines.append(paragraph(f"minisam reproduce {statement.picture}", "picture: "))
    return "\n".join(lines)


def as_record(statement: Property) -> dict[str, Any]:
    """Return a statement as JSON holds it."""
    fields = (
        "number", "slug", "section", "statement", "equation", "source", "bound", "methods",
        "picture", "requires",
    )  # fmt: skip
    return {field: getattr(statement, field) for field in fields}


def hold_against(target: str, slugs: list[str], settings: list[Any]) -> int:
    """Try the statements on an implementation, and print each failure when it is found."""
    held, failed, skipped, faults = 0, [], [], []
    try:
        for answer in parent.run("minisam.cli.holding:hold", target, slugs, *settings):
            if "refused" in answer:
                raise ValueError(answer["refused"])
            slug = answer.get("slug", "")
            if "fault" in answer:
                faults.append((slug, answer["fault"]))
            elif "skipped" in answer:
                skipped.append((slug, answer["skipped"]))
            elif answer["failure"]:
                failed.append(slug)
                if len(failed) <= EXPLAINED:
                    say(answer["failure"], end="\n\n")
            else:
                held += 1
    except parent.Ended as end:
        faults.append(("", str(end)))
    if held or failed or skipped:
        say(f"{held} statements hold.")
        say(f"{len(failed)} do not: {named(failed)}.")
        say(f"{len(skipped)} were not tried:")
        say("".join(f"  {line}\n" for line in grouped(skipped)), end="")
    if not (held or failed or faults):
        say("--method says what it implements, if that is not SAM.")
    for line in grouped(faults):
        print(f"minisam specification: {target}: {line}", file=sys.stderr)
    if faults and len(faults) >= len(failed):
        return 2
    return 1 if failed else 0 if held else 4


def grouped(reasons: list[tuple[str, str]]) -> list[str]:
    """Return each reason once, with the names that it goes for, or how many there are.

    Example:
        >>> grouped([("a", "it hangs"), ("b", "it hangs"), ("", "it exits")])
        ['it hangs: a, b', 'it exits']
    """
    lines = []
    for why in dict.fromkeys(why for _, why in reasons):
        names = [name for name, reason in reasons if reason == why and name]
        shown = named(names) if len(names) <= NAMED else f"{len(names)} statements"
        lines.append(f"{why}: {shown}" if names else why)
    return lines


def named(names: list[str]) -> str:
    """Return names in one line, or a word for none."""
    return ", ".join(names) or "none"
