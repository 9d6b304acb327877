"""Run code that is not trusted in another process.

    parent                                     child, another interpreter
    run("module:function", *arguments) ──────▶ calls the function, which imports and calls
                                               what is not trusted, within limits
    takes what it yields, as JSON      ◀────── yields

What is imported, printed, patched and exited there stays there. The parent keeps the time: the
child announces what begins and how long it may take (`minisam.isolation.limits.within` does), and
when it is late it is killed, with every process that it started (see `minisam.isolation.warden`).
The child has no input; what it prints is thrown away but for the end. It ends when its parent does.

This guards against mistakes, not against malice: who looks for the pipe can write to it.
"""

from __future__ import annotations

import json
import math
import queue
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from minisam.isolation.pipes import PipedProcess

START = (
    "import sys; sys.path[:] = sys.argv[1:]; from minisam.isolation.warden import stand; "
    "warded = stand(); from minisam.isolation.child import answer; answer(warded)"
)
GRACE = 0.5  # seconds after the limit, in which the child may stop by itself and say more
PATIENCE = 600.0  # seconds that our own work may take between two pieces of untrusted code


class Ended(RuntimeError):
    """The child ended, or was ended, before its function did; the text says how."""


def run(function: str, *arguments: Any) -> Iterator[Any]:
    """Call a function in another process, and yield what it yields there.

    Args:
        function: ``"package.module:name"`` of a function that yields what JSON can hold.
        *arguments: for the function; what JSON can hold.

    Returns:
        Each value when it comes.

    Raises:
        Ended: if the process ends, or something in it takes longer than it was announced to.

    Example:
        >>> list(run("minisam.adapters.targets:pairs", ["eta=0"], "--declare"))
        ['eta']
    """
    child = Child(function, arguments)
    try:
        yield from child.values()
    finally:
        child.kill()


class Child(PipedProcess):
    """A process that calls one function, seen from its parent."""

    def __init__(self, function: str, arguments: tuple) -> None:
        self.messages: queue.SimpleQueue = queue.SimpleQueue()
        self.announcements: dict[bytes | None, list] = {}  # what begins and ends, again and again
        self.hear("its start", PATIENCE)
        command = [sys.executable, "-c", START, *sys.path]
        super().__init__(command, self.take, alone=True)
        self.send(json.dumps([function, arguments]))

    def hear(self, doing: str, limit: float) -> None:
        """Note what the child does, and by when it must say something else."""
        self.doing, self.limit = (doing, limit) if doing else ("our own work", PATIENCE)
        self.until = time.monotonic() + self.limit + GRACE

    def take(self, line: bytes | None) -> None:
        """Sort a message of the child's."""
        try:
            kind, *content = self.announcements.get(line) or json.loads(line) if line else ["gone"]
        except (ValueError, TypeError):  # something else has come through the pipe
            kind, content = "gone", []
        if kind == "doing":
            self.announcements[line] = [kind, *content]
            self.hear(*content)
        else:
            self.messages.put((kind, *content))

    def values(self) -> Iterator[Any]:
        """Yield what the child's function yields."""
        gone, overdue = math.inf, 0
        while True:
            try:
                kind, *content = self.messages.get(timeout=0.05)
            except queue.Empty:
                now = time.monotonic()
                if self.process.poll() is None:
                    overdue = overdue + 1 if now > self.until else 0
                    if overdue < 3:  # word of the next step may be on its way, if we slept
                        continue
                    raise Ended(f"{self.doing} did not return within {self.limit:g} s") from None
                gone = min(gone, now + 1)  # its last words may be on their way
                if now < gone:
                    continue
                kind = "gone"  # another process, which it started, holds the pipe
            if kind == "gone":
                raise Ended(self.last_words())
            if kind == "raised":
                raise Ended(f"it raised {content[0]}")
            if kind == "end":
                return
            yield content[0]

    def last_words(self) -> str:
        """Say how the process ended, and what it printed last."""
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=1)
        code = self.process.poll()
        if code is None:
            how = "closed the pipe to its parent"
        elif code < 0:
            how = f"was killed by signal {-code} ({signal.strsignal(-code)})"
        else:
            how = f"ended the process with exit code {code}"
        lines = self.last_lines()
        return f"{self.doing} {how}" + (f"; it printed: {lines[-1][:200]}" if lines else "")

    def kill(self) -> None:
        """End the process and every one that it has started."""
        self.kill_group()
        self.close()
