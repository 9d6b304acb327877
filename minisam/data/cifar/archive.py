"""Unpack a tar archive without trusting it.

Only the wanted files are written, under their own plain names, into a new folder. Anything
suspicious in the archive (a path that leads elsewhere, a link, a device) gets the whole of it
refused. The folder appears under its final name when it is complete, or not at all.
"""

from __future__ import annotations

import gzip
import shutil
import tarfile
import zlib
from pathlib import Path, PurePosixPath
from typing import Any

from minisam.data.cifar.find import BadFile
from minisam.data.folders import whole_folder

MOST_UNPACKED = 1 << 29  # unpacked; the official archives have 186 million
MOST_AT_ONCE = 1 << 22  # bytes of one read, which bounds what the archive's headers may take
MOST_MEMBERS = 100


def unpack_archive(archive: Path, folder: str, wanted: tuple[str, ...], target: Path) -> Path:
    """Unpack the wanted files of an archive's only folder.

    Args:
        archive: a .tar.gz or .tar file.
        folder: name of the folder in the archive.
        wanted: names of the files that it must hold; others are left out.
        target: the folder in which ``folder`` is made.

    Returns:
        The new folder, ``target / folder``.

    Raises:
        BadFile: if the archive is damaged, unsafe, too large or lacks a file; nothing is left.
        OSError: if the disk is full, or may not be written to; nothing is left.
    """
    try:
        with whole_folder(target / folder) as work, open(archive, "rb") as raw:
            content: Any = LimitedStream(raw)
            with tarfile.open(fileobj=content, mode="r:") as tar:
                found = write_members(tar, folder, wanted, work)
            while content.read(MOST_AT_ONCE):
                pass  # to the very end, where the compressed data's checksum is
            if absent := [name for name in wanted if name not in found]:
                raise BadFile(f"it lacks {', '.join(absent)}")
    except BadFile as error:
        raise BadFile(f"{archive} was not unpacked: {error}") from error
    except (tarfile.TarError, EOFError, zlib.error, ValueError, gzip.BadGzipFile) as error:
        raise BadFile(f"{archive} is damaged, or no archive: {error}") from error
    return target / folder


def write_members(
    tar: tarfile.TarFile, folder: str, wanted: tuple[str, ...], work: Path
) -> set[str]:
    """Write the wanted members after checking each; return their names."""
    found: set[str] = set()
    for count, member in enumerate(tar):
        path = PurePosixPath(member.name)
        if count >= MOST_MEMBERS:
            raise BadFile(f"it has more than {MOST_MEMBERS} members")
        if path.is_absolute() or ".." in path.parts or "\\" in member.name or ":" in member.name:
            raise BadFile(f"its member {member.name!r} leads outside its folder")
        if not (member.isreg() or member.isdir()) or member.issparse():
            raise BadFile(f"its member {member.name!r} is no plain file")
        if member.isreg() and path.parts[:-1] == (folder,) and path.name in wanted:
            source = tar.extractfile(member)
            assert source is not None  # a regular file has content
            with open(work / path.name, "wb") as file:
                shutil.copyfileobj(source, file, MOST_AT_ONCE // 2)
            if (work / path.name).stat().st_size != member.size:
                raise BadFile(f"it is cut short in {member.name!r}")
            found.add(path.name)
    return found


class LimitedStream:
    """A stream of a plain or compressed file that raises when more than `MOST_UNPACKED` is read."""

    def __init__(self, raw: Any) -> None:
        compressed = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        self.file = gzip.GzipFile(fileobj=raw) if compressed else raw

    def read(self, n: int) -> bytes:
        """Read ``n`` bytes, at most `MOST_AT_ONCE`."""
        if not 0 <= n <= MOST_AT_ONCE:
            raise BadFile(f"it has a header of {n:,} bytes")
        self.check(self.file.tell() + n)
        return self.file.read(n)

    def seek(self, position: int) -> int:
        """Go to a place, which must be within the limit."""
        self.check(position)
        return self.file.seek(position)

    def tell(self) -> int:
        """Return the place."""
        return self.file.tell()

    def check(self, position: int) -> None:
        """Refuse a place beyond the limit."""
        if position > MOST_UNPACKED + MOST_AT_ONCE:
            raise BadFile(f"it unpacks to more than {MOST_UNPACKED:,} bytes")
