"""Hold a submission in a child process, from the parent's side: start it, ask it, end it."""

from __future__ import annotations

import os
import queue
import shutil
import signal
import tempfile
import threading
import time
import uuid
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from minisam.course.child import LONGEST_LINE, Peer, PeerError, Told
from minisam.course.guard import WALL, Guard, guards_to_try, numpy_in
from minisam.isolation.leftovers import OPEN, kill_marked, remove_files_of, remove_tree
from minisam.isolation.pipes import PipedProcess
from minisam.isolation.warden import below

MOST_BYTES = 64 << 20  # that one child may say
MARK = "MINISAM_PUPIL"
QUIET = ("OPENBLAS", "OMP", "MKL", "VECLIB_MAXIMUM", "NUMEXPR")


class CannotGrade(RuntimeError):
    """The grader itself does not work; nothing is known about the submission."""


class Stopped(Exception):
    """A submission's process is gone: ``how`` is "timed out", "ended" or "forged"."""

    def __init__(self, how: str, text: str) -> None:
        super().__init__(text)
        self.how = how


class Pupil:
    """A child process that holds one submission.

    Args:
        guard: what protects us from it.
        file: the submission's name, such as ``hw2.py``.

    Raises:
        CannotGrade: if it does not start.
    """

    def __init__(self, guard: Guard, file: str = "hw.py") -> None:
        self.guard, self.user, self.mark = guard, guard.next_user(), uuid.uuid4().hex
        self.lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self.said, self.overdue, self.waited, self.began = 0, False, 0.0, False
        try:
            self.folder = tempfile.mkdtemp(prefix="minisam-")
            if self.user is not None:
                os.chown(self.folder, self.user, self.user)
            self.piped = PipedProcess(
                guard.command(self.folder, file),
                self.take,
                alone=True,
                longest=LONGEST_LINE,
                cwd=self.folder,
                env=self.environment(),
                **({} if self.user is None else self.credentials()),
            )
        except OSError as error:
            shutil.rmtree(getattr(self, "folder", ""), ignore_errors=True)
            raise CannotGrade(f"a child process cannot be started: {error}") from None
        self.process = self.piped.process
        self.until = time.monotonic() + WALL * guard.seconds
        self.timer = threading.Timer(WALL * guard.seconds, self.end_late)
        self.timer.daemon = True
        self.timer.start()
        passing = (Stopped, PeerError, CannotGrade, KeyboardInterrupt, SystemExit, MemoryError)
        self.peer = Peer(self.receive, self.piped.send, passing=passing)
        try:
            self.about = self.ask("start", guard.limits(self.user), numpy_in())[0]
        except (Stopped, Told) as error:
            said = self.piped.last_lines()[-1:]
            self.close()
            why = "; ".join([str(error), *said])
            raise CannotGrade(f"the child process does not start: {why}") from None
        except BaseException:  # Ctrl-C came meanwhile
            self.close()
            raise
        self.began = True

    def environment(self) -> dict[str, str]:
        """Return the child's environment: nothing of ours."""
        kept = {name: os.environ[name] for name in ("SYSTEMROOT",) if name in os.environ}
        one = {f"{name}_NUM_THREADS": "1" for name in QUIET}
        home = {name: self.folder for name in ("HOME", "TMPDIR", "TEMP")}
        return {**kept, **one, **home, MARK: self.mark, "LANG": "C.UTF-8"}

    def credentials(self) -> dict[str, Any]:
        """Return the options that make the child another user's."""
        return {"user": self.user, "group": self.user, "extra_groups": []}

    def take(self, line: bytes | None) -> None:
        """Keep a line that the child wrote; of one that says too much, nothing more."""
        self.said += len(line or b"")
        if self.said > MOST_BYTES:
            self.kill()
        else:
            self.lines.put(line)

    def receive(self) -> bytes:
        """Return the child's next line.

        Raises:
            Stopped: if it has ended, or says what is no line.
        """
        gone = 0
        while True:
            try:
                line = self.lines.get(timeout=0.2)
            except queue.Empty:
                gone += self.process.poll() is not None or time.monotonic() > self.until + 5
                if gone < 3:  # another process may hold the pipe of one that is gone
                    continue
                line = None
            if line is None:
                raise self.stopped()
            if not line.endswith(b"\n"):
                raise Stopped("forged", f"it wrote a line of more than {len(line)} bytes")
            return line

    def ask(self, what: str, *args: Any, **named: Any) -> tuple[Any, list]:
        """Ask for one of the child's functions; see `minisam.course.child`.

        Raises:
            Stopped: if the child ends, or does not keep to the messages.
            Told: if the function raises.
        """
        try:
            return self.peer.ask(what, *args, **named)
        except PeerError as error:
            raise Stopped("forged", f"something else came through the grader's pipe: {error}") \
                from None  # fmt: skip

    def call(self, name: str, *args: Any, **named: Any) -> tuple[Any, list]:
        """Call a function of the submission; return its value, and its arguments afterwards."""
        value, after = self.ask("call", name, list(args), named)
        if len(after) != 3 or not isinstance(after[1], list) or len(after[1]) != len(args):
            raise Stopped("forged", "something else came through the grader's pipe")
        return value, after[1]

    def stopped(self) -> Stopped:
        """Say how the process ended.

        Raises:
            CannotGrade: if it had no time, for others had it.
        """
        limit = self.guard.seconds
        if self.said > MOST_BYTES:
            return Stopped("forged", f"it wrote more than {MOST_BYTES >> 20} MiB to the grader")
        with suppress(Exception):
            self.process.wait(timeout=1)
        code = self.process.poll()
        code = 128 - code if self.guard.bwrap and code and code > 128 else code
        cpu = -getattr(signal, "SIGXCPU", 0)
        if self.overdue and self.waited > WALL * limit / 2:
            raise CannotGrade(f"the machine was too busy: in {WALL * limit} s by the clock the "
                              f"submission waited {self.waited:.0f} s for a processor")  # fmt: skip
        if self.overdue or code is None or (code < 0 and code == cpu):
            return Stopped("timed out", f"it took longer than {limit} s")
        if code < 0:
            name = signal.strsignal(-code) or "unknown"
            return Stopped("ended", f"the process was killed by signal {-code} ({name})")
        return Stopped("ended", f"it ended the process, with exit code {code}")

    def end_late(self) -> None:
        """End a child whose time by the clock is over."""
        self.waited, self.overdue = waited_for_processor(self.process.pid), True
        self.kill()

    def kill(self) -> None:
        """End the child, and every process that it has started."""
        self.piped.kill_group()
        for _ in range(3):  # one may start another meanwhile
            if not kill_marked(f"{MARK}={self.mark}".encode(), self.user):
                break

    def close(self) -> None:
        """End everything, and remove what it wrote."""
        self.timer.cancel()
        self.kill()
        self.piped.close()
        remove_tree(self.folder)
        if self.user is not None:
            remove_files_of(self.user, {tempfile.gettempdir(), *OPEN})


def waited_for_processor(process: int) -> float:
    """Return the seconds that a process, or one below it, could have run and did not; 0 if none."""
    longest = 0.0
    for one in (process, *below(process)):
        with suppress(OSError, ValueError, IndexError):  # nobody counts them here
            waited = int(Path(f"/proc/{one}/schedstat").read_text().split()[1]) / 1e9
            longest = max(longest, waited)
    return longest


def chosen_guard(wanted: Guard | None = None, among: Sequence[Guard] = ()) -> Guard:
    """Return the strongest guard that works here, found by trying.

    Args:
        wanted: its limits and interpreter.
        among: the guards to try, the strongest first; by default what the machine may have.

    Raises:
        CannotGrade: if not even the weakest works.
    """
    why = ""
    for guard in among or guards_to_try(wanted or Guard()):
        try:
            pupil = Pupil(guard)
            try:
                pupil.ask("run", ["def f(x):\n    return x + 1.0\n"], True)
                if pupil.call("f", 1.0)[0] == 2.0:
                    return guard
            finally:
                pupil.close()
        except (CannotGrade, Stopped, Told) as error:
            why = str(error)
    raise CannotGrade(why)
