"""Run code that is not trusted in a process of its own.

    parent                                     child, another interpreter
    run("module:function", *arguments) ──────▶ calls the function, which imports and calls
                                               what is not trusted, within limits
    takes what it yields, as JSON      ◀────── yields

What is imported, printed, patched and exited there stays there. The parent keeps the time: the
child announces what begins and how long it may take (`minisam.isolation.limits.within` does), and
when it is late it is killed, with every process that it started. The child has no input; what it
prints is thrown away but for the end. It ends when its parent does.

This guards against mistakes, not against malice: a process that leaves its group lives on, and who
looks for the pipe can write to it.
"""

from __future__ import annotations

import json
import math
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

START = "import sys; sys.path[:] = sys.argv[1:]; from minisam.isolation.child import serve; serve()"
GRACE = 0.5  # seconds after the limit, in which the child may stop by itself and say more
PATIENCE = 600.0  # seconds that our own work may take between two pieces of untrusted code
KEPT = 4096  # bytes of what a child printed


class Ended(RuntimeError):
    """The child ended, or was ended, before its function did; the text says how."""


def run(function: str, *arguments: Any) -> Iterator[Any]:
    """Call a function in a process of its own, and yield what it yields there.

    Args:
        function: ``"package.module:name"`` of a function that yields what JSON can hold.
        *arguments: for the function; what JSON can hold.

    Yields:
        Each value when it comes.

    Raises:
        Ended: if the process ends, or something in it takes longer than it was announced to.

    Example:
        >>> list(run("minisam.adapters.find:pairs", ["eta=0"], "--declare"))
        ['eta']
    """
    child = Child(function, arguments)
    try:
        yield from child.values()
    finally:
        child.kill()


class Child:
    """A process that calls one function, seen from its parent."""

    def __init__(self, function: str, arguments: tuple) -> None:
        self.process: Any = subprocess.Popen(
            [sys.executable, "-c", START, *sys.path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        self.messages: queue.SimpleQueue = queue.SimpleQueue()
        self.printed = b""
        self.hear("its start", PATIENCE)
        self.readers = [
            threading.Thread(target=reader, daemon=True) for reader in (self.listen, self.drain)
        ]
        for reader in self.readers:
            reader.start()
        requests: Any = self.process.stdin
        with suppress(OSError):  # it has ended already, and `values` says how
            requests.write(json.dumps([function, arguments]).encode() + b"\n")
            requests.flush()

    def hear(self, doing: str, limit: float) -> None:
        """Note what the child does, and by when it must say something else."""
        self.doing, self.limit = (doing, limit) if doing else ("our own work", PATIENCE)
        self.until = time.monotonic() + self.limit + GRACE

    def listen(self) -> None:
        """Read the child's messages."""
        known: dict[bytes, list] = {}  # what begins and ends, again and again
        with suppress(ValueError, TypeError):  # something else has come through the pipe
            for line in self.process.stdout:
                kind, *content = known.get(line) or json.loads(line)
                if kind == "doing":
                    known[line] = [kind, *content]
                    self.hear(*content)
                else:
                    self.messages.put((kind, *content))
        self.messages.put(("gone",))

    def drain(self) -> None:
        """Read what the child prints, and keep the end."""
        while part := self.process.stderr.read1(KEPT):
            self.printed = (self.printed + part)[-KEPT:]

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
        """How the process ended, and what it printed last."""
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=1)
        code = self.process.poll()
        if code is None:
            how = "closed the pipe to its parent"
        elif code < 0:
            how = f"was killed by signal {-code} ({signal.strsignal(-code)})"
        else:
            how = f"ended the process with exit code {code}"
        self.readers[1].join(timeout=1)
        lines = self.printed.decode("utf-8", "replace").strip().splitlines()
        return f"{self.doing} {how}" + (f"; it printed: {lines[-1][:200]}" if lines else "")

    def kill(self) -> None:
        """End the process and every one that it has started in its group."""
        with suppress(OSError):
            if hasattr(os, "killpg"):
                os.killpg(self.process.pid, signal.SIGKILL)
            else:
                self.process.kill()
        self.process.wait()
        with suppress(OSError):
            self.process.stdin.close()
        pipes = (self.process.stdout, self.process.stderr)
        for reader, pipe in zip(self.readers, pipes, strict=True):
            reader.join(timeout=1)
            if not reader.is_alive():  # else another process holds the pipe
                pipe.close()
