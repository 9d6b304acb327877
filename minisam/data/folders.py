"""Write a folder whole or not at all, and refuse to write over a file that is read."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from minisam.files import umask


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """Yield a new folder to write to; its files go to ``path`` when the block ends, all or none.

    An error, a full disk or Ctrl-C in the block leaves ``path`` as it was. Its other files stay; a
    link in the place of a new file is replaced, not followed.

    Example:
        >>> with tempfile.TemporaryDirectory() as place:
        ...     with whole_folder(Path(place) / "a") as work:
        ...         _ = (work / "b.txt").write_text("x")
        ...     os.listdir(Path(place) / "a")
        ['b.txt']
    """
    if path.exists() and not path.is_dir():
        raise NotADirectoryError(f"{path} is a file, not a folder to write to")
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path if path.is_dir() else path.parent  # the same disk
    prefix = f".{path.name[:32]}."  # short, for a name has 255 bytes at most
    try:
        work = Path(tempfile.mkdtemp(prefix=prefix, dir=beside))
    except OSError as error:  # the user knows the path, not our temporary name
        raise OSError(error.errno, error.strerror, str(path)) from None
    try:
        yield work
        install(work, path)
    except OSError as error:
        if not str(error.filename).startswith(str(work)):
            raise
        named = str(error.filename).replace(str(work), str(path), 1)
        raise OSError(error.errno, error.strerror, named) from None
    finally:
        shutil.rmtree(work, ignore_errors=True)


def install(work: Path, final: Path) -> None:
    """Give a complete folder its final name, or move its files into the folder of that name."""
    os.chmod(work, 0o777 & ~umask())
    try:
        os.replace(work, final)
    except OSError:
        if not final.is_dir():
            raise
        files = sorted(work.iterdir())
        for file in files:
            if (final / file.name).is_dir():
                raise IsADirectoryError(f"{final / file.name} is a folder, not a file") from None
        for file in files:
            os.replace(file, final / file.name)


def check_not_read(written: Iterable[Path], read: Iterable[Path]) -> None:
    """Raise ValueError if a file to be written is one of those read, under any path or link."""
    read = list(read)
    for target in written:
        for source in read:
            if target.exists() and source.exists() and target.samefile(source):
                raise ValueError(f"{source} is read, and would be written over as {target}")
