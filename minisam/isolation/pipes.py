"""Read what a process writes while it runs, so that it never waits for us."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from minisam.isolation.warden import end_below

KEPT_BYTES = 4096  # of what a process wrote to its standard error


class PipedProcess:
    """A started process, with a thread for each of its outputs.

    Args:
        command: program and arguments.
        take: is called with every line of its standard output, and with None at the end.
        alone: whether it begins a session, and so a group of processes that can be killed with it.
        longest: bytes of a line of its standard output, after which the rest comes as another line;
            any number by default.
        **options: for `subprocess.Popen`.

    Raises:
        OSError: if it cannot be started.
    """

    def __init__(
        self,
        command: Sequence[str],
        take: Callable[[bytes | None], Any],
        alone: bool = False,
        longest: int = -1,
        **options: Any,
    ) -> None:
        pipe = subprocess.PIPE
        self.longest = longest
        self.process: Any = subprocess.Popen(
            command, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=alone, **options
        )
        self.printed = b""
        self.readers = [
            threading.Thread(target=read, daemon=True)
            for read in (partial(self._listen, take), self._drain)
        ]
        for reader in self.readers:
            reader.start()

    def _listen(self, take: Callable[[bytes | None], Any]) -> None:
        """Pass on every line of standard output, and None at its end."""
        while line := self.process.stdout.readline(self.longest):
            take(line)
        take(None)

    def _drain(self) -> None:
        """Read what goes to standard error, and keep the end."""
        while part := self.process.stderr.read1(KEPT_BYTES):
            self.printed = (self.printed + part)[-KEPT_BYTES:]

    def send(self, line: str) -> None:
        """Write a line to its standard input."""
        with suppress(OSError):  # it has ended; what it wrote before says why
            self.process.stdin.write(line.encode() + b"\n")
            self.process.stdin.flush()

    def last_lines(self) -> list[str]:
        """Return the end of what it wrote to standard error."""
        self.readers[1].join(timeout=0.1 if self.process.poll() is None else 1)
        return self.printed.decode("utf-8", "replace").strip().splitlines()

    def kill_group(self) -> None:
        """End the process, if it was started alone, what descends from it, and its group."""
        if self.process.poll() is None:  # else its number may be another's
            end_below(self.process.pid)
        with suppress(OSError):
            if hasattr(os, "killpg"):
                os.killpg(self.process.pid, signal.SIGKILL)
            else:
                self.process.kill()

    def close(self) -> None:
        """Close its input, kill it if it does not end within a second, and close its outputs."""
        with suppress(OSError):
            self.process.stdin.close()
        try:
            self.process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        pipes = (self.process.stdout, self.process.stderr)
        for reader, pipe in zip(self.readers, pipes, strict=True):
            reader.join(timeout=1)
            if not reader.is_alive():  # else another process holds the pipe
                pipe.close()
