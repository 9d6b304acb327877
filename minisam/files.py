"""Files that are either whole or not there, and the plain values that JSON holds."""

from __future__ import annotations

import argparse
import errno
import json
import math
import os
import re
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

NUMBERS = re.compile(r"\[\n([-+.,\d\seEnul]*)\]")  # an indented array of numbers and null


def expanded(path: str | os.PathLike[str], name: str = "path") -> Path:
    """Return a path whose leading ``~`` or ``~user`` is the home folder, as a shell would have it.

    Every path that a user gives goes through here: the shell leaves ``--out=~/x`` as it is, and
    Python takes an empty text, as of a variable that is not set, for the current folder.

    Args:
        path: a file's or folder's path, which need not exist.
        name: what the caller calls it, for the error.

    Raises:
        ValueError: if it is empty or blank, or nobody knows that home folder.

    Example:
        >>> expanded("~/data") == Path.home() / "data", expanded("a/~").as_posix()
        (True, 'a/~')
        >>> expanded("", "--out")
        Traceback (most recent call last):
        ...
        ValueError: --out must be the path of a file or a folder, got ''
    """
    if not os.fsdecode(path).strip():
        raise ValueError(f"{name} must be the path of a file or a folder, got {os.fspath(path)!r}")
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise ValueError(
            f"the home folder that {os.fspath(path)!r} begins with is not known "
            f"({str(error).rstrip('.')}): write the path without ~"
        ) from None


def given_path(text: str) -> str:
    """Return an option's path as it was given; for ``argparse``, which names the option.

    Raises:
        argparse.ArgumentTypeError: if no file and no folder can have it.

    Example:
        >>> given_path("~/runs"), given_path("-")
        ('~/runs', '-')
    """
    try:
        expanded(text, "it")
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


def check_writable(path: str | os.PathLike[str], name: str) -> None:
    """Refuse, before anything is done, a path at which no file can be written; nothing is made.

    Args:
        path: where a file is to go; folders that are not there yet can be made.
        name: what the caller calls it, for the error.

    Raises:
        ValueError: if it is a folder, lies below a file, or may not be written to.

    Example:
        >>> check_writable("new/folder/a.json", "--out")
        >>> check_writable("/", "--out")
        Traceback (most recent call last):
        ...
        ValueError: --out must be a file that can be written, got '/', a folder
    """
    if why := _in_the_way(Path(os.path.realpath(expanded(path, name)))):
        raise ValueError(
            f"{name} must be a file that can be written, got {os.fspath(path)!r}, {why}"
        )


def _in_the_way(target: Path) -> str:
    """Say why no file can be written at a path; "" if one can."""
    try:
        target.stat()
    except (FileNotFoundError, NotADirectoryError):
        pass  # it may be made
    except OSError as error:  # such as a name that is too long, a folder that may not be searched
        return f"but: {error.strerror}"
    if target.is_dir():
        return "a folder"
    nearest = next(one for one in (target, *target.parents) if one.exists())
    if nearest != target and not nearest.is_dir():
        return f"which lies below {str(nearest)!r}, a file"
    if not os.access(nearest, os.W_OK):
        return f"but {str(nearest)!r} may not be written to"
    return ""


def write_atomically(path: str | os.PathLike[str], write: Callable[[BinaryIO], Any]) -> Path:
    """Write a file under a temporary name, then rename it: a kill leaves the old file or the new.

    Several processes may write the same path at once: each has a temporary name of its own, and
    the last to finish stays. A link stays one, and what it points to is written. What is no file,
    such as ``/dev/stdout``, is written to directly.

    Args:
        path: where the file goes; its folder is made if need be.
        write: given the open binary file, writes its content.

    Returns:
        The path, a leading ``~`` expanded.

    Raises:
        OSError: naming the path, if it cannot be written; the old file, if any, is as it was.

    Example:
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = write_atomically(Path(folder) / "a" / "b.txt", lambda file: file.write(b"x"))
        ...     path.read_bytes()
        b'x'
    """
    path = expanded(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    if (path.exists() and not path.is_file()) or Path("/dev") in path.absolute().parents:
        with open(path, "wb") as file:
            write(file)
        return path
    target = Path(os.path.realpath(path))
    try:
        _replace(target, write)
    except OSError as error:
        ours = error.filename is None or _prefix(target) in str(error.filename)
        if ours and error.errno is not None:  # the user knows the path, not our temporary name
            raise OSError(error.errno, error.strerror, str(path)) from None
        raise
    return path


def _prefix(target: Path) -> str:
    return f".{target.name[:32]}."  # short, for a file's name has 255 bytes at most


def _replace(target: Path, write: Callable[[BinaryIO], Any]) -> None:
    """Write a file beside ``target``, and rename it when it is whole."""
    mode = target.stat().st_mode if target.exists() else None
    if mode is not None and not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(target))
    descriptor, temporary = tempfile.mkstemp(prefix=_prefix(target), dir=target.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        if mode is None:  # mkstemp makes private files; a result is as readable as any other file.
            mode = 0o666 & ~umask()
        os.chmod(temporary, stat.S_IMODE(mode))
        os.replace(temporary, target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)  # missing if Ctrl-C came just after the renaming
        raise


def umask() -> int:
    """Return which permissions new files lack; those of `tempfile` are for nobody else."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write a text that is whole, or is not there."""
    content = text.encode()
    write_atomically(path, lambda file: file.write(content))


def write_json(path: str | os.PathLike[str], value: Any) -> None:
    """Write JSON so that the file, when it is there, is whole, whoever else writes it.

    An array of numbers is one line: a curve of a line a number would be mostly indentation.
    """
    text = json.dumps(value, indent=1, allow_nan=False)
    text = NUMBERS.sub(lambda found: f"[{' '.join(found[1].split())}]", text)
    write_text(path, text)


def jsonable(value: Any, name: str = "a result", finite: bool = True) -> Any:
    """Return a value as JSON gives it back: NumPy's numbers and arrays as numbers and lists.

    Args:
        value: dicts, lists and tuples (NamedTuples become dicts) of numbers, arrays, text, truth
            values and None.
        name: what it is, for the error.
        finite: whether NaN and infinities become None, as strict JSON wants it.

    Returns:
        What ``json.loads(json.dumps(…))`` makes of it.

    Raises:
        TypeError: naming what JSON cannot hold.
        ValueError: if two keys of a dict are the same text.

    Example:
        >>> import numpy as np
        >>> jsonable({"loss": np.float32(0.5), "curve": np.array([1.0, np.nan])})
        {'loss': 0.5, 'curve': [1.0, None]}
        >>> jsonable({"widths": (8, 8), 1: math.nan}, finite=False)
        {'widths': [8, 8], '1': nan}
    """
    if hasattr(value, "tolist"):
        value = value.tolist()
    if hasattr(value, "_asdict"):
        value = value._asdict()
    if isinstance(value, dict):
        if len({str(key) for key in value}) < len(value):
            raise ValueError(f"{name} must have keys that differ as text, got {list(value)}")
        return {str(key): jsonable(item, name, finite) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [jsonable(item, name, finite) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) or not finite else None
    if value is None or isinstance(value, (bool, int, str)):
        return value
    raise TypeError(f"{name} must be what JSON can hold, got {type(value).__name__}")
