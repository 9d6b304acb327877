"""Write a data set in CIFAR's own formats, so that any framework's loader reads it.

The pickles use the instructions with which Python 2 wrote the official files. Some loaders read the
keys as text and some as bytes, and only Python 2's strings serve both.
"""

from __future__ import annotations

import os
import struct
from operator import methodcaller
from pathlib import Path

import numpy as np

from minisam.data.cifar.find import file_names, find_files, path_of
from minisam.data.cifar.layouts import Layout, layouts
from minisam.data.dataset import Dataset, Split
from minisam.data.folders import whole_folder
from minisam.files import expanded, write_atomically


def write_dataset(
    data: Dataset,
    folder: str | os.PathLike[str],
    like: str = "cifar10",
    version: str = "python",
    force: bool = False,
) -> Path:
    """Write a data set as CIFAR-10 or CIFAR-100, with its labels to learn.

    The training images are spread over as many files as the official version has. `load` reads them
    with ``unknown_files=True``. Tell other loaders not to check the MD5.

    Args:
        data: what `load` returned; its noisy labels, if any, are written.
        folder: where the layout's folder is made.
        like: ``"cifar10"`` or ``"cifar100"``, which needs coarse labels.
        version: ``"python"`` or ``"binary"``.
        force: replace a data set that is there, which may be the one that was read.

    Returns:
        The folder of the files.

    Raises:
        ValueError: if the data set has too few images, or other classes.
        FileExistsError: if that would replace a data set, or be found in place of one.
        OSError: if the disk is full, or may not be written to; then nothing is left.
    """
    layout = layouts(like, version)[0]
    check_fits(data, layout)
    target = expanded(folder, "folder") / layout.folders[0]
    if not force and (kept := hidden(layout, target)):
        raise FileExistsError(
            f"{kept} is there already, and would be lost or no longer found: write {layout.name} "
            "to another folder, or say that it may be replaced (force=True, --force)"
        )
    parts = np.array_split(np.arange(len(data.train.labels)), len(layout.train))
    content = {
        name: encode_batch(data.train, part, layout, f"training batch {i} of {len(parts)}")
        for i, (name, part) in enumerate(zip(layout.train, parts, strict=True), start=1)
    }
    everything = np.arange(len(data.test.labels))
    content[layout.test] = encode_batch(data.test, everything, layout, "testing batch 1 of 1")
    content.update(encode_names((data.class_names, data.coarse_class_names), layout))
    with whole_folder(target) as work:
        for name in content:
            write_atomically(work / name, methodcaller("write", content[name]))
    return target


def hidden(layout: Layout, target: Path) -> Path | None:
    """Return what is there and could no longer be read after a layout is written."""
    for name in file_names(layout):
        if os.path.lexists(target / name):  # a link counts, wherever it leads
            return target / name
    others = layouts(layout.name)
    if not target.parent.is_dir():
        return None
    try:
        found, place = find_files(others, target.parent)
    except FileNotFoundError:
        return None
    if place.is_file():  # an archive, which `find_files` looks for last
        return place
    if others.index(found) < others.index(layout):
        return None  # and is still found first
    return path_of(found.train[0], found, place)


def check_fits(data: Dataset, layout: Layout) -> None:
    """Refuse a data set that does not fit a layout."""
    if not layout.names:
        raise ValueError(f"like must be cifar10 or cifar100, got {layout.name!r}")
    kinds = (data.class_names, data.coarse_class_names)[: len(layout.classes)]
    if tuple(map(len, kinds)) != layout.classes:
        raise ValueError(
            f"{layout.name} has {' and '.join(map(str, layout.classes))} classes, {data.name} has "
            f"{' and '.join(str(len(kind)) for kind in kinds)}"
        )
    if len(data.train.labels) < len(layout.train):
        raise ValueError(
            f"{layout.name} has {len(layout.train)} files, which need an image each, "
            f"{data.name} has {len(data.train.labels)} images"
        )


def encode_batch(split: Split, part: np.ndarray, layout: Layout, title: str) -> bytes:
    """Return the bytes of one file: some of a split's images, with their labels."""
    planes = split.images[part].transpose(0, 3, 1, 2).reshape(len(part), -1)
    kinds = [split.labels, split.coarse_labels][: len(layout.labels)]
    labels = [kind[part] for kind in kinds if kind is not None]
    if layout.version == "binary":
        columns = [kind.astype(np.uint8)[:, None] for kind in reversed(labels)]
        return np.concatenate([*columns, planes], axis=1).tobytes()
    lists = dict(zip(layout.labels, (kind.tolist() for kind in labels), strict=True))
    filenames = [f"image_{i:05}.png" for i in split.indices[part].tolist()]
    return pickle_2({"batch_label": title, **lists, "data": planes, "filenames": filenames})


def encode_names(names: tuple[tuple[str, ...], ...], layout: Layout) -> dict[str, bytes]:
    """Return the content of each file of class names."""
    if layout.version == "binary":
        return {
            file: "".join(f"{name}\n" for name in kind).encode()
            for file, kind in zip(layout.names, names, strict=False)
        }
    keys = [key.replace("labels", "label_names") for key in layout.labels]
    content = {key: list(kind) for key, kind in zip(keys, names, strict=False)}
    return {layout.names[0]: pickle_2(content)}


def pickle_2(value: object) -> bytes:
    """Pickle a dictionary as Python 2 did: protocol 2, strings as bytes.

    Example:
        >>> import pickle
        >>> pickle.loads(pickle_2({"labels": [6, 9]}), encoding="latin1")
        {'labels': [6, 9]}
        >>> pickle.loads(pickle_2({"labels": [6, 9]}), encoding="bytes")
        {b'labels': [6, 9]}
    """
    return b"\x80\x02" + push_value(value) + b"."


def push_value(value: object) -> bytes:
    """Return the pickle instructions that push a value onto the stack."""
    if isinstance(value, int):
        return b"J" + struct.pack("<i", value)
    if isinstance(value, str | bytes):
        value = value.encode() if isinstance(value, str) else value
        return b"T" + struct.pack("<i", len(value)) + value
    if isinstance(value, list):
        return b"](" + b"".join(map(push_value, value)) + b"e"
    if isinstance(value, dict):
        items = (push_value(part) for item in value.items() for part in item)
        return b"}(" + b"".join(items) + b"u"
    if isinstance(value, tuple):
        return b"(" + b"".join(map(push_value, value)) + b"t"
    if isinstance(value, np.ndarray) and value.dtype == np.uint8:
        # _reconstruct(ndarray, (0,), "b"), then its state: version, shape, dtype("u1"), order,
        # bytes
        empty = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\n(J\0\0\0\0tT\1\0\0\0b\x87R"
        kind = b"cnumpy\ndtype\n" + push_value(("u1", 0, 1)) + b"R" + b"(J\3\0\0\0T\1\0\0\0|NNNJ"
        kind += struct.pack("<i", -1) + b"J" + struct.pack("<i", -1) + b"J\0\0\0\0tb"
        shape, content = push_value(value.shape), push_value(value.tobytes())
        return empty + b"(J\1\0\0\0" + shape + kind + b"\x89" + content + b"tb"
    raise TypeError(f"a CIFAR file holds no {type(value).__name__}")
