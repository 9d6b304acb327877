"""Files that are either whole or not there."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO


def expanded(path: str | os.PathLike[str]) -> Path:
    """Return a path whose leading ``~`` or ``~user`` is the home folder, as a shell would have it.

    Every path that a user gives goes through here: the shell leaves ``--out=~/x`` as it is.

    Args:
        path: a file's or folder's path, which need not exist.

    Raises:
        ValueError: if nobody knows that home folder.

    Example:
        >>> expanded("~/data") == Path.home() / "data", expanded("a/~").as_posix()
        (True, 'a/~')
    """
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise ValueError(
            f"the home folder that {os.fspath(path)!r} begins with is not known "
            f"({str(error).rstrip('.')}): write the path without ~"
        ) from None


def write_atomically(path: str | Path, write: Callable[[BinaryIO], Any]) -> Path:
    """Write a file under a temporary name, then rename it: a kill leaves the old file or the new.

    Several processes may write the same path at once: each has a temporary name of its own, and
    the last to finish stays. What is no file, such as ``/dev/stdout``, is written to directly.

    Args:
        path: where the file goes; its folder is made if need be.
        write: given the open binary file, writes its content.

    Returns:
        The path.

    Example:
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = write_atomically(Path(folder) / "a" / "b.txt", lambda file: file.write(b"x"))
        ...     path.read_bytes()
        b'x'
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and not path.is_file():
        with open(path, "wb") as file:
            write(file)
        return path
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        # mkstemp makes private files; a result is as readable as any other file.
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)  # missing if Ctrl-C came just after the renaming
        raise
    return path
