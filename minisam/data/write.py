"""Write a data set in CIFAR's own formats, so that any framework's loader reads it.

The pickles use the instructions that Python 2 wrote the official files with, because loaders differ
in how they decode them: one reads the keys as text, another as bytes, and only Python 2's strings
serve both.
"""

from __future__ import annotations

import os
import struct
from pathlib import Path

import numpy as np

from minisam.data.layouts import Layout, layouts


def write(
    folder: str | os.PathLike[str],
    train: tuple[np.ndarray, ...],
    test: tuple[np.ndarray, ...],
    names: tuple[tuple[str, ...], ...],
    layout: Layout | None = None,
) -> Path:
    """Write training and test images as CIFAR-10 or CIFAR-100.

    The training images are spread over as many files as the official version has. Each file is
    written under another name first, so that none is ever found half written.

    Args:
        folder: the folder in which the layout's folder is made.
        train: uint8 images of shape (n, 32, 32, 3), and one int array of shape (n,) for each kind
            of labels: noisy or clean.
        test: the same for the test images.
        names: class names, for each kind of labels.
        layout: which data set, and which version; CIFAR-10's python version by default.

    Returns:
        The folder of the files.

    Raises:
        ValueError: if images or labels do not fit the layout.
    """
    layout = layout or layouts("cifar10")[0]
    for images, *labels in (train, test):
        check(images, labels, layout)
    for kind, classes in zip(names, layout.classes, strict=True):
        if len(kind) != classes:
            raise ValueError(f"names must be {classes} for {layout.name}, got {len(kind)}")
    target = Path(folder) / layout.folders[0]
    target.mkdir(parents=True, exist_ok=True)
    parts = zip(*(np.array_split(array, len(layout.train)) for array in train), strict=True)
    for i, (name, (images, *labels)) in enumerate(zip(layout.train, parts, strict=True), 1):
        title = f"training batch {i} of {len(layout.train)}"
        save(target / name, encode(images, labels, layout, title))
    save(target / layout.test, encode(test[0], list(test[1:]), layout, "testing batch 1 of 1"))
    for name, content in encode_names(names, layout).items():
        save(target / name, content)
    return target


def check(images: np.ndarray, labels: list[np.ndarray], layout: Layout) -> None:
    """Raise ValueError unless images and labels fit the layout."""
    if images.dtype != np.uint8 or images.shape[1:] != (32, 32, 3):
        raise ValueError(f"images must be uint8 (n, 32, 32, 3), got {images.dtype} {images.shape}")
    if len(images) < len(layout.train):
        raise ValueError(f"images must be at least {len(layout.train)}, got {len(images)}")
    if len(labels) != len(layout.labels):
        raise ValueError(
            f"{layout.name} has {len(layout.labels)} kinds of labels, got {len(labels)}"
        )
    for kind, classes in zip(labels, layout.classes, strict=True):
        if kind.shape != (len(images),) or kind.min() < 0 or kind.max() >= classes:
            raise ValueError(f"labels must be {len(images)} numbers of 0 … {classes - 1}")


def encode(images: np.ndarray, labels: list[np.ndarray], layout: Layout, title: str) -> bytes:
    """Return the bytes of one file of images."""
    planes = images.transpose(0, 3, 1, 2).reshape(len(images), -1)
    if layout.version == "binary":
        columns = [kind.astype(np.uint8)[:, None] for kind in reversed(labels)]
        return np.concatenate([*columns, planes], axis=1).tobytes()
    lists = dict(zip(layout.labels, (kind.tolist() for kind in labels), strict=True))
    filenames = [f"image_{i:05}.png" for i in range(len(images))]
    return pickle_2({"batch_label": title, **lists, "data": planes, "filenames": filenames})


def encode_names(names: tuple[tuple[str, ...], ...], layout: Layout) -> dict[str, bytes]:
    """Return the content of each file of class names."""
    if layout.version == "binary":
        return {
            file: "".join(f"{name}\n" for name in kind).encode()
            for file, kind in zip(layout.names, names, strict=True)
        }
    keys = [key.replace("labels", "label_names") for key in layout.labels]
    content = {key: list(kind) for key, kind in zip(keys, names, strict=True)}
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
    return b"\x80\x02" + instructions(value) + b"."


def instructions(value: object) -> bytes:
    """Return the pickle instructions that push a value."""
    if isinstance(value, int):
        return b"J" + struct.pack("<i", value)
    if isinstance(value, str | bytes):
        value = value.encode() if isinstance(value, str) else value
        return b"T" + struct.pack("<i", len(value)) + value
    if isinstance(value, list):
        return b"](" + b"".join(map(instructions, value)) + b"e"
    if isinstance(value, dict):
        items = (instructions(part) for item in value.items() for part in item)
        return b"}(" + b"".join(items) + b"u"
    if isinstance(value, tuple):
        return b"(" + b"".join(map(instructions, value)) + b"t"
    if isinstance(value, np.ndarray) and value.dtype == np.uint8:
        # _reconstruct(ndarray, (0,), "b"), then its state: version, shape, dtype("u1"), order,
        # bytes
        empty = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\n(J\0\0\0\0tT\1\0\0\0b\x87R"
        kind = b"cnumpy\ndtype\n" + instructions(("u1", 0, 1)) + b"R" + b"(J\3\0\0\0T\1\0\0\0|NNNJ"
        kind += struct.pack("<i", -1) + b"J" + struct.pack("<i", -1) + b"J\0\0\0\0tb"
        shape, content = instructions(value.shape), instructions(value.tobytes())
        return empty + b"(J\1\0\0\0" + shape + kind + b"\x89" + content + b"tb"
    raise TypeError(f"a CIFAR file holds no {type(value).__name__}")


def save(path: Path, content: bytes) -> None:
    """Write a file under another name first, then give it its own."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        draft.write_bytes(content)
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)
