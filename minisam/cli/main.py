"""The command line: parse, call, print. Each subcommand has a module beside this one."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Collection, Sequence

import minisam
from minisam.cli import console

COMMANDS = {  # the module of each, which is loaded when it is asked for, and its help
    "compare": (
        "minisam.cli.compare",
        "Train with SGD, SAM and ASAM on noisy labels; print a table, write JSON and a picture.",
    ),
    "reproduce": (
        "minisam.cli.reproduce",
        "Run the experiment behind a claim: its results as JSON, as a table, as a picture.",
    ),
    "sharpness": (
        "minisam.cli.sharpness",
        "Measure the sharpness of a trained network: eigenvalues, trace, worst case, slices.",
    ),
    "data": (
        "minisam.cli.data",
        "look at a data set, make label noise, fetch or write files",
    ),
    "specification": (
        "minisam.cli.specification",
        "print what SAM must do, statement by statement, or hold an implementation against it",
    ),
    "check": (
        "minisam.cli.check",
        "say whether an implementation of SAM is right, and what is wrong with it",
    ),
    "course": (
        "minisam.cli.course",
        "release an assignment, grade a class, show one result, try the grader",
    ),
    "vectors": (
        "minisam.cli.vectors",
        "export the exact vectors, with a README that lets you write a harness from it alone",
    ),
}


def build_parser(loaded: Collection[str] = tuple(COMMANDS)) -> argparse.ArgumentParser:
    """Return the parser of the command line.

    Args:
        loaded: the subcommands whose arguments are known; the others are only listed.

    Example:
        >>> build_parser(["compare"]).parse_args(["compare", "--epochs", "3"]).epochs
        3
    """
    parser = argparse.ArgumentParser(
        prog="minisam",
        description="Sharpness-Aware Minimization: read it, run it, check others against it.",
    )
    parser.add_argument("--version", action="version", version=f"minisam {minisam.__version__}")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, (home, text) in COMMANDS.items():
        subparser = subparsers.add_parser(name, help=text, description=text)
        if name in loaded:
            module = importlib.import_module(home)
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
    command = next((word for word in words if not word.startswith("-")), "")
    parsed = build_parser([command]).parse_args(words)
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
        from minisam.sweeps.sweep import SweepError  # not at the start, for it is slow

        if not isinstance(error, SweepError):
            raise
        print(f"minisam {parsed.command}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"\nminisam {parsed.command}: interrupted", file=sys.stderr)
        return 130
