"""Be the child of `minisam.isolation.parent`: call the function that it names, and report."""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
import threading
from functools import lru_cache
from typing import Any

_channel: int | None = None  # where a child writes its messages; None in any other process
_process = 0  # the child's id


def answer(warded: bool = False) -> None:
    """Call the function that the parent names, tell what it yields, and end.

    Args:
        warded: whether a process above this one ends what it started; see
            `minisam.isolation.warden`.
    """
    global _channel, _process
    requests, _channel, _process = os.fdopen(os.dup(0), "rb"), os.dup(1), os.getpid()
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)  # what is printed goes elsewhere
    streams: tuple[Any, ...] = (sys.stdout, sys.stderr)
    for stream in streams:
        stream.reconfigure(encoding="utf-8", errors="replace", line_buffering=True)
    sys.argv[1:] = []
    name, arguments = json.loads(requests.readline())
    threading.Thread(target=end_with_parent, args=(requests, warded), daemon=True).start()
    module, _, function = name.partition(":")
    try:
        for value in getattr(importlib.import_module(module), function)(*arguments):
            send(as_line("value", value))
        send(as_line("end"))
    except BaseException as error:
        send(as_line("raised", in_words(error)))
    os._exit(0)


def end_with_parent(requests: Any, warded: bool) -> None:
    """Wait until the parent closes the pipe, which it does last, and end the whole group."""
    requests.read()
    if hasattr(os, "killpg") and not warded:
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


def announce(doing: str = "", limit: float = 0.0) -> None:
    """Tell the parent, if there is one, what begins and how long it may take, or that it ended."""
    if _channel is not None:
        send(announcement(doing, limit))


@lru_cache
def announcement(doing: str, limit: float) -> bytes:
    """Return the message; it is kept, since the same things begin and end all the time."""
    return as_line("doing", doing, limit)


def as_line(*message: Any) -> bytes:
    """Return a message as a line of JSON."""
    return json.dumps(message).encode() + b"\n"


def send(line: bytes) -> None:
    """Write to the parent; a copy of the child, forked by untrusted code, ends here."""
    if os.getpid() != _process:
        os._exit(0)
    assert _channel is not None
    while line:
        line = line[os.write(_channel, line) :]


def in_words(error: BaseException) -> str:
    """Return the type and the text of an exception.

    Example:
        >>> in_words(KeyError("rho")), in_words(MemoryError())
        ("KeyError: 'rho'", 'MemoryError')
    """
    try:
        text = str(error)
    except Exception:  # it is untrusted code's own
        text = ""
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
