"""A harness while it runs: send it a message, and wait for its reply no longer than agreed."""

from __future__ import annotations

import json
import queue
import shlex
from collections.abc import Sequence
from typing import Any

from minisam.adapters.protocol import AdapterError
from minisam.isolation.pipes import PipedProcess


class Harness:
    """A harness that is started when it is first asked.

    Args:
        command: program and arguments.
        timeout: seconds that one reply may take.
        startup: seconds that the first one may take.
    """

    def __init__(self, command: Sequence[str], timeout: float, startup: float) -> None:
        self.command, self.timeout, self.startup = list(command), timeout, startup
        self.patience = startup
        self.running: PipedProcess | None = None
        self.lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()

    def start(self) -> PipedProcess:
        """Start the process."""
        self.lines, self.patience = queue.SimpleQueue(), self.startup
        try:
            return PipedProcess(self.command, self.lines.put)
        except OSError as error:
            raise AdapterError(f"cannot start {shlex.join(self.command)}: {error}") from error

    def ask(self, message: dict[str, Any]) -> dict[str, Any]:
        """Send one message and return the reply.

        Raises:
            AdapterError: if the harness ends, hangs, or does not answer with exactly one line of
                JSON.
        """
        self.running = self.running or self.start()
        self.running.send(json.dumps(message, allow_nan=False))
        try:
            line = self.lines.get(timeout=self.patience)
        except queue.Empty:
            raise self.failure(f"gave no answer within {self.patience:g} s", message) from None
        self.patience = self.timeout
        if line is None:
            code = self.running.process.wait()
            raise self.failure(f"ended with exit code {code}", message)
        try:
            reply = json.loads(line)
            if not isinstance(reply, dict):
                raise ValueError
        except ValueError:
            raise self.failure(
                f"wrote {line.decode(errors='replace').strip()[:80]!r} to standard output, which "
                "is for replies, one JSON object a line; print to standard error instead",
                message,
            ) from None
        return reply

    def failure(self, what: str, message: dict[str, Any]) -> AdapterError:
        """Return an error about the harness, with the end of its standard error."""
        text = f"the harness {shlex.join(self.command)} {what} (asked to {message['type']})"
        printed = "\n".join(self.running.last_lines()[-20:]) if self.running else ""
        return AdapterError(
            text + (f"; its standard error ends with:\n{printed}" if printed else "")
        )

    def stop(self) -> None:
        """Ask the harness to stop, and end it."""
        if self.running is None:
            return
        running, self.running = self.running, None
        running.send('{"type": "stop"}')
        running.close()
