"""Find a data set's files and read them: nothing is unpickled before its hash is checked.

The files are looked for in the folder that the caller names, else in ``$MINISAM_DATA``, else in the
platform's cache folder. Each may have the unpacked folder or the archive.
"""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

from minisam.data.cifar.layouts import Layout
from minisam.files import expanded

CHUNK = 1 << 20
SMALL = 100_000_000  # bytes of a file of labels or of a matrix; real ones have a few million
WEB_PAGE = (b"<!doctype", b"<html", b"<?xml")
LARGEST = 1 << 30  # bytes of one file; the largest official ones have 400 million


class BadFile(ValueError):
    """A file is not what its name says."""


def cache_folder() -> Path:
    """Return where downloads are kept: ``$MINISAM_DATA``, else the platform's cache folder."""
    if chosen := os.environ.get("MINISAM_DATA"):
        return expanded(chosen, "$MINISAM_DATA")
    return platform_cache()


def platform_cache() -> Path:
    """Return the platform's cache folder for this package, which need not exist.

    Raises:
        ValueError: if it would be in a home folder that is not known, as of a user id without name.
    """
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or "~/AppData/Local"
    elif sys.platform == "darwin":
        base = "~/Library/Caches"
    else:
        base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    try:
        return expanded(base) / "minisam"
    except ValueError:
        raise ValueError(
            "data is kept in the home folder, which is not known: name a folder for it "
            "(data_dir, --data-dir, $MINISAM_DATA)"
        ) from None


def data_folder(data_dir: str | os.PathLike[str] | None) -> Path:
    """Return the named folder, or `cache_folder` if none is named."""
    root = cache_folder() if data_dir is None else expanded(data_dir, "data_dir")
    if root.is_file():
        raise ValueError(f"data_dir must be a folder, {root} is a file: name {root.parent} instead")
    return root


def find_files(
    layouts: tuple[Layout, ...], data_dir: str | os.PathLike[str] | None
) -> tuple[Layout, Path]:
    """Find a data set.

    Args:
        layouts: its versions, the preferred first.
        data_dir: the folder to look in, which may be the unpacked folder itself; None for
            ``$MINISAM_DATA`` or the platform's cache folder.

    Returns:
        The version found, and the folder of its files or the path of its archive.

    Raises:
        FileNotFoundError: saying which file to put where, and what its hash must be.
        ValueError: if ``data_dir`` is a file, or in a home folder that is not known.
    """
    root = data_folder(data_dir)
    for layout in layouts:
        if not missing(layout, root):
            return layout, root
    for layout in layouts:
        if layout.archive and (root / layout.archive).is_file():
            return layout, root / layout.archive
    for layout in layouts:
        absent = missing(layout, root)
        if len(absent) < len(file_names(layout)):
            raise FileNotFoundError(
                f"{root} has a part of {layout.name} ({layout.version} version) but lacks "
                f"{', '.join(absent)}; {how_to_get(layout, root)}"
            )
    raise FileNotFoundError(how_to_get(layouts[0], root))


def file_names(layout: Layout) -> tuple[str, ...]:
    """Return the names of all files of a layout."""
    return *layout.train, layout.test, *layout.names


def missing(layout: Layout, root: Path) -> list[str]:
    """Return the names of the files that are missing."""
    return [name for name in file_names(layout) if not path_of(name, layout, root).is_file()]


def path_of(name: str, layout: Layout, root: Path) -> Path:
    """Return where a file is: in one of the layout's folders, or in the root itself."""
    candidates = [root / folder / name for folder in (*layout.folders, ".")]
    return next((path for path in candidates if path.is_file()), candidates[0])


def how_to_get(layout: Layout, root: Path) -> str:
    """Say which file to put where."""
    if not layout.archive:
        return (
            f"{layout.name} is not in {root}: put {layout.train[0]} … {layout.train[-1]} and "
            f"{layout.test} there (its authors give it to registered users of image-net.org only)"
        )
    algorithm, digest = layout.hashes[layout.archive].split(":")
    return (
        f"{layout.name} is not in {root}: put {layout.archive} there ({algorithm} {digest}), from "
        f"{layout.urls[0]}{layout.archive}, or the folder {layout.folders[0]} that it unpacks to; "
        "or name another folder (data_dir, $MINISAM_DATA); or download it (download=True, "
        f"`minisam data fetch {layout.name}`)"
    )


def file_hash(path: Path, algorithm: str) -> str:
    """Return a file's hash, without reading all of it into memory."""
    digest = hashlib.new(algorithm, usedforsecurity=False)
    with open(path, "rb") as file:
        while piece := file.read(CHUNK):
            digest.update(piece)
    return digest.hexdigest()


def read_checked(
    path: Path, layout: Layout, unknown_files: bool, buffer: bytearray | None = None
) -> memoryview:
    """Read a file and compare its hash with the one that it should have.

    The bytes are read once, so those that are parsed are those that were hashed.

    Args:
        path: the file.
        layout: has the hash, by the file's name.
        unknown_files: return a file of another hash, too.
        buffer: memory to read into; if it is large enough, the result is a view of it.

    Raises:
        BadFile: if the file is a pickle of another hash, and ``unknown_files`` is not set, or if
            another thing is in its place.
    """
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size > LARGEST:
            raise BadFile(f"{path} has {size:,} bytes, more than any file of {layout.name}")
        data = memoryview(buffer if buffer and len(buffer) >= size else bytearray(size))[:size]
        if file.readinto(data) != size:
            raise BadFile(f"{path} was changed while it was read")
    algorithm, _, expected = layout.hashes.get(path.name, ":").partition(":")
    actual = hashlib.new(algorithm or "sha256", data, usedforsecurity=False).hexdigest()
    if actual == expected:
        return data
    if not unknown_files and layout.version == "python":
        raise BadFile(
            f"{path} {seems_to_be(data)}: its {algorithm} is {actual}, that of the official file "
            f"{expected}. Get it again, or pass unknown_files=True if you know where it comes from"
        )
    if foreign := placeholder(data):
        raise BadFile(f"{path} {foreign}: get it again")
    return data


def read_small(path: Path) -> bytes:
    """Read a file of labels or numbers, of at most `SMALL` bytes.

    Raises:
        BadFile: if it is empty or too large, or if another thing is in its place.
        OSError: if it is missing, or may not be read.
    """
    with open(path, "rb") as file:
        content = file.read(SMALL + 1)
    if len(content) > SMALL:
        raise BadFile(f"{path} is too large: it has more than {SMALL:,} bytes")
    if foreign := placeholder(content):
        raise BadFile(f"{path} {foreign}")
    return content


def seems_to_be(data: bytes | memoryview, archive: bool = False) -> str:
    """Say what a wrong file seems to be, where a pickle or an archive is expected."""
    if foreign := placeholder(data):
        return foreign
    start, end = bytes(data[:2]), bytes(data[-1:])
    if start == b"\x1f\x8b":
        return "is cut short or damaged" if archive else "is compressed, perhaps the archive itself"
    if start.startswith(b"\x80") and end != b".":
        return "is cut short"
    return "is another file than the official one"


def placeholder(data: bytes | memoryview) -> str | None:
    """Say what is in a file's place, whatever its kind; None if it may be the file itself."""
    start = bytes(data[:512])
    if not start:
        return "is empty"
    if start.removeprefix(b"\xef\xbb\xbf").lstrip().lower().startswith(WEB_PAGE):
        return "is a web page, perhaps an error message"
    if start.startswith(b"version https://git-lfs.github.com/"):
        return "is a pointer of Git LFS, not the file itself (`git lfs pull` gets it)"
    return None
