"""The command line: parse, call, print. Each subcommand lives beside the code that it runs."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

import minisam
from minisam import console

COMMANDS = {
    "compare": "minisam.experiments.compare",
    "reproduce": "minisam.experiments.reproduce",
    "sharpness": "minisam.sharpness.command",
    "data": "minisam.data.command",
    "specification": "minisam.oracle.specification_command",
    "check": "minisam.oracle.check_command",
    "vectors": "minisam.oracle.vectors_command",
}


def build_parser(command: str | None = None) -> argparse.ArgumentParser:
    """Return the parser of every subcommand, or of one, without loading the others.

    Example:
        >>> build_parser().parse_args(["compare", "--epochs", "3"]).epochs
        3
    """
    parser = argparse.ArgumentParser(
        prog="minisam",
        description="Sharpness-Aware Minimization: read it, run it, check others against it.",
    )
    parser.add_argument("--version", action="version", version=f"minisam {minisam.__version__}")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, home in COMMANDS.items():
        if command in COMMANDS and command != name:
            subparsers.add_parser(name)
            continue
        module = importlib.import_module(home)
        subparser = subparsers.add_parser(name, help=module.HELP, description=module.HELP)
        module.configure(subparser)
        subparser.set_defaults(run=module.run)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one subcommand and return its exit code.

    A ValueError, a missing file or too little memory is the user's to mend, so it is printed as one
    line, without a traceback; runs of a sweep that failed are listed with their settings.
    Ctrl-C exits with 130, and what was finished stays.
    """
    console.take_any_text()
    try:
        code = run(sys.argv[1:] if arguments is None else arguments)
    except SystemExit:  # of argparse
        console.flush()
        raise
    except BrokenPipeError:  # while it prints its help
        console.leave()
        return 0
    return code if console.flush() else 2


def run(words: Sequence[str]) -> int:
    """Parse the words, run the subcommand, and tell what went wrong."""
    command = next((word for word in words if not word.startswith("-")), None)
    parsed = build_parser(command).parse_args(words)
    try:
        return parsed.run(parsed)
    except BrokenPipeError:  # the reader, such as head, has seen enough
        console.leave()
        return 0
    except (ValueError, OSError) as error:
        print(f"minisam {parsed.command}: {error}", file=sys.stderr)
        return 2
    except MemoryError as error:
        print(f"minisam {parsed.command}: out of memory ({error})", file=sys.stderr)
        return 2
    except RuntimeError as error:
        from minisam.experiments.sweep import (
            SweepError,  # not at the start, where it costs every command
        )

        if not isinstance(error, SweepError):
            raise
        print(f"minisam {parsed.command}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"\nminisam {parsed.command}: interrupted", file=sys.stderr)
        return 130
