"""Write to standard output, wherever it leads: an old encoding, a closed pipe, a full disk."""

from __future__ import annotations

import os
import sys


def take_any_text() -> None:
    """Let standard output and error write as an escape what their encoding lacks."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # not in a notebook
            stream.reconfigure(errors="backslashreplace")


def say(text: str, end: str = "\n") -> None:
    """Print; where the reader, such as ``head``, has seen enough, go on without."""
    try:
        print(text, end=end)
    except BrokenPipeError:
        leave()


def flush() -> bool:
    """Write what is still to be written; return whether it was, or nobody wants it."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        leave()
    except OSError as error:
        leave()
        print(f"minisam: cannot write the output: {error}", file=sys.stderr)
        return False
    return True


def leave() -> None:
    """Write to nowhere from now on."""
    sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - lives until the interpreter ends
