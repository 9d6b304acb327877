"""``minisam specification``: what SAM must do, as numbered statements; and whether yours does."""

from __future__ import annotations

import argparse
import json
import textwrap
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from minisam.oracle.properties import Property

HELP = "print what SAM must do, statement by statement, or hold an implementation against it"

DESCRIPTION = """\
Without arguments: every statement, in words and as an equation. With slugs: those, with their
proof or its source, where their tolerance comes from, and the command that draws their picture.

With --try FILE_OR_MODULE:NAME, a function step(w, grad_fn, *, rho, lr, ...) or an adapter: whether
each statement holds for it, on random problems.

exit codes with --try: 0 all that could be tried hold, 1 one does not, 4 none could be tried
"""
WIDTH = 96
EXPLAINED = 3  # so many failures are told in full; the others are usually the same mistake


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the subcommand's arguments."""
    parser.description = DESCRIPTION
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    add = parser.add_argument
    add("slug", nargs="*", metavar="SLUG", help="statements, by name or number; all by default")
    add("--json", action="store_true", help="print JSON")
    add("--try", dest="target", metavar="FILE_OR_MODULE:NAME", help="hold this against them")
    add("--trials", type=int, default=20, help="random problems for each statement (20)")
    add("--seed", type=int, default=0, help="of the random problems (0)")
    add(
        "--norm-epsilon",
        type=float,
        default=0.0,
        metavar="E",
        help="with --try: it climbs ρ g/(‖g‖ + E) by convention, such as 1e-12 (0)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the statements, or try them, and return the exit code."""
    from minisam.oracle.properties import PROPERTIES

    chosen = [find(name) for name in arguments.slug] or list(PROPERTIES.values())
    if arguments.target is not None:
        if arguments.trials < 1:
            raise ValueError(f"--trials must be at least 1, got {arguments.trials}")
        return hold_against(chosen, arguments)
    if arguments.json:
        print(json.dumps([as_record(statement) for statement in chosen], indent=1))
        return 0
    section = ""
    for statement in chosen:
        if statement.section != section:
            section = statement.section
            print(f"{section}\n")
        print(in_words(statement, whole=bool(arguments.slug)))
        print()
    return 0


def find(name: str) -> Property:
    """The property of this slug or number."""
    from minisam.oracle.properties import PROPERTIES

    if name.isdigit() and 1 <= int(name) <= len(PROPERTIES):
        return list(PROPERTIES.values())[int(name) - 1]
    if name not in PROPERTIES:
        import difflib

        near = difflib.get_close_matches(name, PROPERTIES, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"there is no statement {name!r}{hint}")
    return PROPERTIES[name]


def in_words(statement: Property, whole: bool) -> str:
    """A statement as text; the whole of it has the proof and the bound too."""

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
    """A statement as JSON."""
    fields = (
        "number", "slug", "section", "statement", "equation", "source", "bound", "methods",
        "picture", "requires",
    )  # fmt: skip
    return {field: getattr(statement, field) for field in fields}


def hold_against(chosen: list[Property], arguments: argparse.Namespace) -> int:
    """Try the statements on an implementation."""
    from minisam.oracle.checking import as_adapter
    from minisam.oracle.loading import load
    from minisam.oracle.protocol import Unsupported

    adapter = as_adapter(load(arguments.target))
    held, failed, skipped = 0, [], []
    for statement in chosen:
        try:
            outcome = statement.try_on(
                adapter, arguments.trials, arguments.seed, arguments.norm_epsilon
            )
        except Unsupported as reason:
            skipped.append((statement.slug, str(reason)))
            continue
        held += outcome.holds
        if not outcome.holds:
            failed.append(outcome)
            if len(failed) <= EXPLAINED:
                print(outcome.explain(), end="\n\n")
    print(f"{held} statements hold.")
    print(f"{len(failed)} do not: {named(outcome.slug for outcome in failed)}.")
    print(f"{len(skipped)} were not tried:")
    for why in dict.fromkeys(why for _, why in skipped):
        print(f"  {why}: {named(slug for slug, reason in skipped if reason == why)}")
    return 1 if failed else 0 if held else 4


def named(names: Any) -> str:
    """Names in one line, or a word for none."""
    return ", ".join(names) or "none"
