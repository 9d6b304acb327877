"""Let go of what code that is not trusted leaves: processes, folders and files."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

OPEN = ("/tmp", "/var/tmp", "/dev/shm")  # where everybody may write
LONGEST = 60.0  # seconds that one removal may take


def kill_marked(mark: bytes, user: int | None) -> int:
    """End the processes that have this mark or this user; return how many there were."""
    count = 0
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            theirs = user is not None and path.stat().st_uid == user
            if theirs or mark in (path / "environ").read_bytes().split(b"\0"):
                os.kill(int(path.name), signal.SIGKILL)
                count += (path / "stat").read_text().rpartition(") ")[2][:1] not in "ZX"
    return count


def is_root() -> bool:
    """Return whether nothing is forbidden to us."""
    return hasattr(os, "geteuid") and os.geteuid() == 0


def remove_files_of(user: int, folders: Iterable[str]) -> None:
    """Let go of what a child's own user has left in folders where everybody may write."""
    for folder in folders:
        for path in Path(folder).glob("*"):
            with suppress(OSError):  # another child's may go meanwhile
                if path.lstat().st_uid == user:
                    remove_tree(str(path))


def remove_tree(path: str) -> None:
    """Let go of a folder or a file, and of what is in it, as far as it can be.

    A submission may have closed the folders in it, or have removed it: nothing outside is changed.
    Root needs no folder opened, and could be made to open another's by a link that comes meanwhile.
    """
    with suppress(OSError, RecursionError):
        if os.path.islink(path) or not os.path.isdir(path):
            os.unlink(path)
            return
        if not is_root():
            os.chmod(path, stat.S_IRWXU)
            for place, folders, _ in os.walk(path):  # from above: what is opened here is read next
                for one in (os.path.join(place, name) for name in folders):
                    if not os.path.islink(one):
                        os.chmod(one, stat.S_IRWXU)
        shutil.rmtree(path, ignore_errors=True)
    if os.path.lexists(path) and shutil.which("rm"):  # folders within folders, deeper than we go
        with suppress(subprocess.TimeoutExpired):
            subprocess.run(["rm", "-rf", "--", path], stderr=subprocess.DEVNULL, timeout=LONGEST)
