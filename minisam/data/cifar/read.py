"""From files to arrays: a data set's batches, put together."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np

from minisam.data.cifar import formats as cifar
from minisam.data.cifar.archive import unpack
from minisam.data.cifar.find import (
    LARGEST,
    BadFile,
    cache_folder,
    file_hash,
    file_names,
    find,
    looks_like,
    path_of,
    platform_cache,
    read_checked,
    stands_in,
)
from minisam.data.cifar.layouts import Layout, layouts
from minisam.data.cifar.pickled_arrays import UnsafePickle, text
from minisam.data.cifar.safe_pickle import loads


class Labelled(NamedTuple):
    """Images and their true labels.

    Args:
        images: uint8 array of shape (n, 32, 32, 3).
        labels: int64 array of shape (n,).
        coarse_labels: superclasses, int64 array of shape (n,), or None.
    """

    images: np.ndarray
    labels: np.ndarray
    coarse_labels: np.ndarray | None = None


class Source(NamedTuple):
    """A data set as its files give it: no subset, no noise.

    Args:
        train: the training images.
        test: the test images.
        class_names: a name to each label.
        coarse_class_names: a name to each coarse label; empty where there are none.
    """

    train: Labelled
    test: Labelled
    class_names: tuple[str, ...]
    coarse_class_names: tuple[str, ...] = ()


def read(
    name: str,
    data_dir: str | os.PathLike[str] | None = None,
    version: str | None = None,
    unknown_files: bool = False,
) -> Source:
    """Read a data set from its folder, or from its archive, which is unpacked beside itself.

    Args:
        name: ``"cifar10"``, ``"cifar100"`` or ``"imagenet32"``.
        data_dir: the folder to look in, see `files.find`.
        version: ``"python"`` or ``"binary"``; None for whichever is there.
        unknown_files: read files whose hash is unknown, too, as those written by `write`.

    Raises:
        FileNotFoundError: saying which file to put where.
        BadFile: saying which file is wrong, and how.
    """
    layout, place = find(layouts(name, version), data_dir)
    folder = unpacked(place, layout, unknown_files) if place.is_file() else place
    names = read_names(folder, layout, unknown_files)
    paths = [path_of(file, layout, folder) for file in (*layout.train, layout.test)]
    # Room for as many images as the files have bytes for: a little too much, which costs nothing
    # as long as it is not written to.
    *room, test_room = (path.stat().st_size // cifar.VALUES for path in paths)
    with ThreadPoolExecutor(max_workers=2) as pool:
        batches = read_batches(paths, layout, unknown_files, pool)
        train = assemble(islice(batches, len(room)), sum(room), pool)
        test = assemble(batches, test_room, pool)
    return Source(train, test, *names)


def unpacked(archive: Path, layout: Layout, unknown_files: bool) -> Path:
    """Unpack an archive beside itself, or in a cache folder when that may not be written to."""
    algorithm, expected = layout.hashes[archive.name].split(":")
    with open(archive, "rb") as file:
        start = file.read(512)
    if unknown_files and (foreign := stands_in(start)):
        raise BadFile(f"{archive} {foreign}: get it again")
    if not unknown_files and (actual := file_hash(archive, algorithm)) != expected:
        raise BadFile(
            f"{archive} {looks_like(start, archive=True)}: its {algorithm} is {actual}, that of "
            f"the official archive {expected}. Get it again, or pass unknown_files=True if you "
            "know where it comes from"
        )
    wanted = file_names(layout)
    target = archive.parent
    if not os.access(target, os.W_OK):
        cache = cache_folder()
        target = platform_cache() if cache.resolve() == target.resolve() else cache
    return unpack(archive, layout.folders[0], wanted, target)


def read_batches(
    paths: list[Path], layout: Layout, unknown_files: bool, pool: ThreadPoolExecutor
) -> Iterator[cifar.Batch]:
    """Yield what each file holds; while that is used, another thread reads and hashes the next.

    One buffer takes one file after the other. What is unpickled is a copy of it, so that the buffer
    is free at once; a binary batch is a view, whose file is followed by the next when it was used.
    """
    buffer = bytearray(min(max(path.stat().st_size for path in paths), LARGEST))

    def read_ahead(path: Path) -> Future[memoryview]:
        return pool.submit(read_checked, path, layout, unknown_files, buffer)

    ahead = read_ahead(paths[0])
    for path, following in zip(paths, [*paths[1:], None], strict=True):
        data = ahead.result()
        batch = parse(path, data, layout)
        if following and layout.version == "python":
            ahead = read_ahead(following)
        elif not following:
            del data, ahead, buffer
        yield batch
        del batch
        if following and layout.version == "binary":
            ahead = read_ahead(following)


def assemble(batches: Iterable[cifar.Batch], room: int, pool: ThreadPoolExecutor) -> Labelled:
    """Put batches into one array of images; ``room`` is how many there are at most."""
    images, n = None, 0
    labels: list[tuple[np.ndarray, ...]] = []
    for batch in batches:
        if images is None:
            images = np.empty((room, 32, 32, 3), np.uint8)
        part = images[n : n + len(batch.planes)]
        half = len(part) // 2
        first_half = pool.submit(cifar.channels_last, batch.planes[:half], part[:half])
        cifar.channels_last(batch.planes[half:], part[half:])
        first_half.result()
        n += len(part)
        labels.append(batch.labels)
        del batch  # before the next is asked for
    assert images is not None  # a layout has training files
    return Labelled(images[:n], *(np.concatenate(kind) for kind in zip(*labels, strict=True)))


def parse(path: Path, data: memoryview, layout: Layout) -> cifar.Batch:
    """Parse one file, naming it in every error."""
    try:
        return cifar.parse(data, layout)
    except UnsafePickle as error:
        raise UnsafePickle(f"{path} is not safe to read: {error}") from error
    except ValueError as error:
        raise BadFile(f"{path} is no batch of {layout.name}: {error}") from error


def read_names(folder: Path, layout: Layout, unknown_files: bool) -> list[tuple[str, ...]]:
    """Return the names of each kind of labels; numbers where no file names them."""
    if not layout.names:
        return [tuple(str(label) for label in range(1, n + 1)) for n in layout.classes]
    found: list[tuple[str, ...]] = []
    for file in layout.names:
        path = path_of(file, layout, folder)
        data = read_checked(path, layout, unknown_files)
        try:
            if layout.version == "binary":
                lines = bytes(data).decode("utf-8-sig").splitlines()
                kinds = [[line.strip() for line in lines if line.strip()]]
            else:
                content = loads(data)
                kinds = [content[key.replace("labels", "label_names")] for key in layout.labels]
            names = [tuple(text(name) for name in kind) for kind in kinds]
        except (ValueError, KeyError, TypeError) as error:
            raise BadFile(f"{path} has no names of {layout.name}'s classes: {error}") from error
        for kind, classes in zip(names, layout.classes[len(found) :], strict=False):
            if len(kind) != classes or len(set(kind)) != classes:
                raise BadFile(f"{path} names {len(set(kind))} classes, {layout.name} has {classes}")
        found += names
    return found
