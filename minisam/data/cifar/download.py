"""Fetch a data set's archive from one of several servers, check it, and unpack it.

This needs the ``data`` extra (requests, tqdm and filelock). No server is contacted if the files are
there. The archive has another name until its hash is right. While one process fetches, others that
want the same wait for it.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from minisam.data.cifar.archive import unpack_archive
from minisam.data.cifar.find import BadFile, data_folder, file_hash, file_names, how_to_get, missing
from minisam.data.cifar.layouts import Layout, layouts

MOST_DOWNLOADED = 1 << 29  # of an archive; the official ones have 170 million
ROUND_PAUSE = 2.0  # seconds before the servers are all asked again


class FetchError(ConnectionError):
    """No server gave the archive."""


def fetch(
    name: str,
    version: str = "python",
    data_dir: str | os.PathLike[str] | None = None,
    urls: tuple[str, ...] | None = None,
    rounds: int = 2,
    timeout: float = 30.0,
    progress: bool | None = None,
) -> Path:
    """Fetch a data set and unpack it.

    Args:
        name: ``"cifar10"`` or ``"cifar100"``.
        version: ``"python"`` or ``"binary"``.
        data_dir: the folder to put it in; None for ``$MINISAM_DATA`` or the platform's cache
            folder.
        urls: folders on servers, asked in this order; None for the known ones.
        rounds: how often to ask all of them.
        timeout: seconds to wait for a server that sends nothing.
        progress: whether to show progress; None to show it on a terminal only.

    Returns:
        The folder that holds the data set's folder.

    Raises:
        FetchError: if no server gave the archive: what each said, and how to do without.
        FileNotFoundError: if the data set is not public.
        ImportError: if the ``data`` extra is not installed.
        OSError: if the disk is full, or may not be written to.
    """
    layout = layouts(name, version)[0]
    root = data_folder(data_dir)
    if not missing(layout, root):
        return root
    if not layout.urls:
        raise FileNotFoundError(how_to_get(layout, root))
    try:  # an optional extra, needed only where the files are missing
        import filelock
        import requests  # noqa: F401
        import tqdm  # noqa: F401
    except ImportError as error:
        raise ImportError(
            "a download needs the data extra (pip install 'minisam[data]'); without it: "
            f"{how_to_get(layout, root)}"
        ) from error

    root.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(root / f".{layout.archive}.lock")
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        print(f"waiting for another process that fetches {layout.archive}", file=sys.stderr)
        lock.acquire()
    try:
        if missing(layout, root):
            archive = root / layout.archive
            algorithm, expected = layout.hashes[layout.archive].split(":")
            if not (archive.is_file() and file_hash(archive, algorithm) == expected):
                show = sys.stderr.isatty() if progress is None else progress
                download(layout, archive, urls or layout.urls, rounds, timeout, show)
            unpack_archive(archive, layout.folders[0], file_names(layout), root)
    finally:
        lock.release()
    return root


def download(
    layout: Layout,
    archive: Path,
    urls: tuple[str, ...],
    rounds: int,
    timeout: float,
    progress: bool,
) -> None:
    """Ask one server after the other for an archive, until its hash is right.

    The caller holds the lock, so what an interrupted download left can be removed.
    """
    import requests  # of the optional extra

    part = archive.with_name(f".{archive.name}.part")
    algorithm, expected = layout.hashes[archive.name].split(":")
    said: dict[str, str] = {}
    try:
        for attempt in range(rounds):
            time.sleep(ROUND_PAUSE if attempt else 0)
            for url in urls:
                try:
                    receive(url + archive.name, part, timeout, progress)
                    if (actual := file_hash(part, algorithm)) == expected:
                        os.replace(part, archive)
                        return
                    said[url] = f"the file's {algorithm} hash is {actual}"
                except (requests.RequestException, ValueError) as error:
                    said[url] = str(error).partition("\n")[0]
    finally:
        part.unlink(missing_ok=True)
    reasons = "; ".join(f"{url}: {reason}" for url, reason in said.items())
    advice = how_to_get(layout, archive.parent)
    raise FetchError(f"{layout.archive} could not be fetched ({reasons}); {advice}")


def receive(url: str, path: Path, timeout: float, progress: bool) -> None:
    """Write what a server sends to a file; stop if it is too large."""
    import requests  # of the optional extra, as is tqdm
    from tqdm import tqdm

    headers = {"Accept-Encoding": "identity"}  # the archive, not what is inside it
    with requests.get(url, headers=headers, stream=True, timeout=timeout) as response:
        response.raise_for_status()
        size = int(response.headers.get("Content-Length", 0)) or None
        options = {"desc": url.rpartition("/")[2], "leave": False, "disable": not progress}
        with (
            open(path, "wb") as file,
            tqdm(total=size, unit="B", unit_scale=True, **options) as bar,
        ):
            for piece in response.iter_content(1 << 16):
                file.write(piece)
                bar.update(len(piece))
                if file.tell() > MOST_DOWNLOADED:
                    raise BadFile(f"it has more than {MOST_DOWNLOADED:,} bytes")
