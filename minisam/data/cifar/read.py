"""Read a data set's files into arrays."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np

from minisam.data.cifar.archive import unpack_archive
from minisam.data.cifar.find import (
    LARGEST,
    BadFile,
    cache_folder,
    file_hash,
    file_names,
    find_files,
    path_of,
    placeholder,
    platform_cache,
    read_checked,
    seems_to_be,
)
from minisam.data.cifar.formats import VALUES, Batch, channels_last, parse
from minisam.data.cifar.layouts import Layout, layouts
from minisam.data.cifar.pickled_arrays import UnsafePickle, short_text
from minisam.data.cifar.safe_pickle import loads


class Labelled(NamedTuple):
    """Images and their true labels.

    Attributes:
        images: uint8 array of shape (n, 32, 32, 3).
        labels: int64 array of shape (n,).
        coarse_labels: superclasses, int64 array of shape (n,), or None.
    """

    images: np.ndarray
    labels: np.ndarray
    coarse_labels: np.ndarray | None = None


class CleanDataset(NamedTuple):
    """A whole data set with its true labels: no subset, no noise.

    Attributes:
        train: the training images.
        test: the test images.
        class_names: a name to each label.
        coarse_class_names: a name to each coarse label; empty if there are none.
    """

    train: Labelled
    test: Labelled
    class_names: tuple[str, ...]
    coarse_class_names: tuple[str, ...] = ()


def read_dataset(
    name: str,
    data_dir: str | os.PathLike[str] | None = None,
    version: str | None = None,
    unknown_files: bool = False,
) -> CleanDataset:
    """Read a data set from its folder, or from its archive, which is unpacked beside itself.

    Args:
        name: ``"cifar10"``, ``"cifar100"`` or ``"imagenet32"``.
        data_dir: the folder to look in, see `find_files`.
        version: ``"python"`` or ``"binary"``; None for whichever is there.
        unknown_files: read files whose hash is unknown, too, as those of `write_dataset`.

    Raises:
        FileNotFoundError: saying which file to put where.
        BadFile: naming the file that is wrong, and how.
    """
    layout, place = find_files(layouts(name, version), data_dir)
    folder = unpacked(place, layout, unknown_files) if place.is_file() else place
    names = read_names(folder, layout, unknown_files)
    paths = [path_of(file, layout, folder) for file in (*layout.train, layout.test)]
    # Room for as many images as the files have bytes for: a little too much, but memory that is not
    # written to costs nothing.
    *room, test_room = (path.stat().st_size // VALUES for path in paths)
    with ThreadPoolExecutor(max_workers=2) as pool:
        batches = read_batches(paths, layout, unknown_files, pool)
        train = assemble(islice(batches, len(room)), sum(room), pool)
        test = assemble(batches, test_room, pool)
    return CleanDataset(train, test, *names)


def unpacked(archive: Path, layout: Layout, unknown_files: bool) -> Path:
    """Unpack an archive beside itself, or in a cache folder if that folder is read-only."""
    algorithm, expected = layout.hashes[archive.name].split(":")
    with open(archive, "rb") as file:
        start = file.read(512)
    if unknown_files and (foreign := placeholder(start)):
        raise BadFile(f"{archive} {foreign}: get it again")
    if not unknown_files and (actual := file_hash(archive, algorithm)) != expected:
        raise BadFile(
            f"{archive} {seems_to_be(start, archive=True)}: its {algorithm} is {actual}, that of "
            f"the official archive {expected}. Get it again, or pass unknown_files=True if you "
            "know where it comes from"
        )
    wanted = file_names(layout)
    target = archive.parent
    if not os.access(target, os.W_OK):
        cache = cache_folder()
        target = platform_cache() if cache.resolve() == target.resolve() else cache
    return unpack_archive(archive, layout.folders[0], wanted, target)


def read_batches(
    paths: list[Path], layout: Layout, unknown_files: bool, pool: ThreadPoolExecutor
) -> Iterator[Batch]:
    """Yield the batch of each file; meanwhile another thread reads and hashes the next file.

    One buffer takes one file after the other. A pickled batch is a copy, so the buffer is free at
    once. A binary batch is a view: the next file waits until the batch has been used.
    """
    buffer = bytearray(min(max(path.stat().st_size for path in paths), LARGEST))

    def read_ahead(path: Path) -> Future[memoryview]:
        return pool.submit(read_checked, path, layout, unknown_files, buffer)

    ahead = read_ahead(paths[0])
    for path, following in zip(paths, [*paths[1:], None], strict=True):
        data = ahead.result()
        batch = parse_file(path, data, layout)
        if following and layout.version == "python":
            ahead = read_ahead(following)
        elif not following:
            del data, ahead, buffer
        yield batch
        del batch
        if following and layout.version == "binary":
            ahead = read_ahead(following)


def assemble(batches: Iterable[Batch], room: int, pool: ThreadPoolExecutor) -> Labelled:
    """Put batches into one array of images, of which there are at most ``room``."""
    images, n = None, 0
    labels: list[tuple[np.ndarray, ...]] = []
    for batch in batches:
        if images is None:
            images = np.empty((room, 32, 32, 3), np.uint8)
        part = images[n : n + len(batch.planes)]
        half = len(part) // 2
        first_half = pool.submit(channels_last, batch.planes[:half], part[:half])
        channels_last(batch.planes[half:], part[half:])
        first_half.result()
        n += len(part)
        labels.append(batch.labels)
        del batch  # before the next is asked for
    assert images is not None  # a layout has training files
    return Labelled(images[:n], *(np.concatenate(kind) for kind in zip(*labels, strict=True)))


def parse_file(path: Path, data: memoryview, layout: Layout) -> Batch:
    """Parse one file, naming it in every error."""
    try:
        return parse(data, layout)
    except UnsafePickle as error:
        raise UnsafePickle(f"{path} is not safe to read: {error}") from error
    except ValueError as error:
        raise BadFile(f"{path} is no batch of {layout.name}: {error}") from error


def read_names(folder: Path, layout: Layout, unknown_files: bool) -> list[tuple[str, ...]]:
    """Return the names of each kind of labels; numbers if no file names them."""
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
            names = [tuple(short_text(name) for name in kind) for kind in kinds]
        except (ValueError, KeyError, TypeError) as error:
            raise BadFile(f"{path} has no names of {layout.name}'s classes: {error}") from error
        for kind, classes in zip(names, layout.classes[len(found) :], strict=False):
            if len(kind) != classes or len(set(kind)) != classes:
                raise BadFile(f"{path} names {len(set(kind))} classes, {layout.name} has {classes}")
        found += names
    return found
