"""Choose what stands between a submission and the machine, layer by layer, and say what does."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from minisam.isolation import warden
from minisam.isolation.leftovers import is_root

CHILD = Path(__file__).with_name("child.py")
WALL = 5  # times the limit on computing time, since a machine may be busy
FIRST_USER = 61184  # from here on systemd hands out users for a short time, too
USERS = 4000
ROOM = 64 << 20  # bytes of files that a submission may have in bubblewrap
EXTRA_PROCESSES = 32  # that a submission may start, beside those that its user has
used = itertools.count(os.getpid() * 31)


class Guard(NamedTuple):
    """What protects the grader from a submission.

    Attributes:
        python: the interpreter of the child.
        seconds: of computing in all, for one child; the clock may show `WALL` times as many.
        memory: in bytes.
        file_size: in bytes, of one file that it writes.
        other_user: whether the child runs as a user that nobody else is.
        bwrap: the path of bubblewrap, or none.
        why_not: why a layer is not on.
    """

    python: str = getattr(sys, "_base_executable", None) or sys.executable
    seconds: int = 10
    memory: int = 2 << 30
    file_size: int = 1 << 20
    other_user: bool = False
    bwrap: str | None = None
    why_not: tuple[str, ...] = ()

    def limits(self, user: int | None) -> dict[str, int]:
        """Return the limits that the child sets itself, by the names of ``resource``."""
        processes = EXTRA_PROCESSES + (0 if user is not None else tasks_of_this_user())
        return {
            "CPU": self.seconds,
            "AS": self.memory,
            "FSIZE": self.file_size,
            "CORE": 0,
            "NPROC": processes,
        }

    def command(self, folder: str, file: str) -> list[str]:
        """Return how the child is started, in an empty folder that it may write to."""
        python = [self.python, "-I", "-S", "-X", "utf8"]
        if self.bwrap:  # which ends all processes in it
            return [*sandbox(self.bwrap, folder, self.python), *python, str(CHILD), file]
        return [*python, warden.__file__, str(CHILD), file]

    def next_user(self) -> int | None:
        """Return the user of the next child; none if it is ours."""
        return FIRST_USER + next(used) % USERS if self.other_user else None

    def exposed(self) -> str:
        """Say what to do where a submission is root and sees the machine; "" where it is not."""
        if not is_root() or self.other_user or self.bwrap:
            return ""
        return ("each can read and change everything here. Install bubblewrap, or use a Python "
                "that other users can read, such as one outside of /root")  # fmt: skip

    def layers(self) -> list[str]:
        """Say what is on, and why something is not."""
        on = [f"own process and interpreter ({self.python} -I), NumPy only"]
        if os.name == "posix":
            few = "" if is_root() and not self.other_user else "few processes, "  # not for root
            on.append(
                f"limits: {self.seconds} s of computing, {self.memory >> 20} MiB of memory, files "
                f"of {self.file_size >> 10} KiB, {few}own session"
            )
        on.append(f"{WALL * self.seconds} s by the clock")
        if self.other_user:
            on.append("another user for every submission")
        if self.bwrap:
            on.append(f"bubblewrap ({self.bwrap}): no network, own processes, read-only system")
        return [*(f"on: {one}" for one in on), *(f"off: {one}" for one in self.why_not)]


def tasks_of_this_user() -> int:
    """Count the processes and threads of our user, which a limit counts, too."""
    count, user = 0, os.getuid() if hasattr(os, "getuid") else None
    for path in Path("/proc").glob("[0-9]*/task"):
        try:
            count += len(os.listdir(path)) if path.stat().st_uid == user else 0
        except OSError:  # it has ended
            continue
    return count or 4096


def numpy_in() -> str:
    """Return the folder that NumPy lies in."""
    return str(Path(np.__file__).resolve().parents[1])


def sandbox(bwrap: str, folder: str, python: str) -> list[str]:
    """Return the beginning of a command that runs in bubblewrap."""
    seen = [sys.base_prefix, os.path.dirname(os.path.realpath(python)), "/usr", str(CHILD)]
    seen += [path for path in numpy_files() if os.path.exists(path)]
    words = [bwrap, "--unshare-all", "--die-with-parent", "--new-session"]
    size = ["--size", str(ROOM)] if knows_size(bwrap) else []
    words += [*size, "--tmpfs", "/tmp"]
    for place in ("/bin", "/sbin", "/lib", "/lib32", "/lib64"):
        if os.path.islink(place):
            words += ["--symlink", os.readlink(place), place]
        elif os.path.exists(place):
            words += ["--ro-bind", place, place]
    words += ["--ro-bind-try", "/etc/ld.so.cache", "/etc/ld.so.cache", "--proc", "/proc"]
    for path in dict.fromkeys(seen):
        words += ["--ro-bind", path, path]
    own = [*size, "--tmpfs", folder] if size else ["--bind", folder, folder]
    return [*words, "--dev", "/dev", *own, "--chdir", folder]


@lru_cache
def knows_size(bwrap: str) -> bool:
    """Return whether this bubblewrap can limit a folder's size, as 0.7 and later ones do."""
    try:
        told = subprocess.run([bwrap, "--help"], capture_output=True, text=True, timeout=10)
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return False
    return "--size" in told.stdout + told.stderr


def numpy_files() -> list[str]:
    """Return what belongs to NumPy: its package, and the libraries beside it."""
    return [os.path.join(numpy_in(), name) for name in ("numpy", "numpy.libs")]


def guards_to_try(wanted: Guard) -> Sequence[Guard]:
    """Return guards to try, the strongest first."""
    bwrap, root = wanted.bwrap or shutil.which("bwrap"), is_root()
    refused = (
        "it cannot read the interpreter or NumPy" if root else "the grader does not run as root"
    )
    no_user = f"another user: {refused}"
    no_bwrap = f"bubblewrap: {'it does not work here' if bwrap else 'it is not installed'}"
    return [
        wanted._replace(bwrap=path, other_user=user,
                        why_not=(*(() if path else (no_bwrap,)), *(() if user else (no_user,))))
        for path in ((bwrap, None) if bwrap else (None,))
        for user in ((True, False) if root else (False,))
    ]  # fmt: skip
