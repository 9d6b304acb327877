"""Parse the two formats that CIFAR comes in: a file's bytes become images and labels.

An image is stored as three planes, red, green and blue, each of 32 rows of 32 bytes: 3072 bytes.
The python version is a pickled dictionary with an array ``data``, an image to a row, and lists of
labels. The binary version is a sequence of records. A record is the labels (CIFAR-100: coarse, then
fine), one byte each, and then the image.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from minisam.data.cifar.layouts import Layout
from minisam.data.cifar.safe_pickle import loads

VALUES = 3 * 32 * 32


class Batch(NamedTuple):
    """The images and labels of one file.

    Attributes:
        planes: uint8 array of shape (n, 3072).
        labels: for each kind of labels an int64 array of shape (n,), from 0.
    """

    planes: np.ndarray
    labels: tuple[np.ndarray, ...]


def parse(data: bytes | memoryview, layout: Layout) -> Batch:
    """Read one file.

    Args:
        data: the file's bytes.
        layout: the version, and the kinds of labels.

    Raises:
        ValueError: saying what is wrong with the file.
    """
    if layout.version == "binary":
        return parse_binary(data, layout)
    return check_batch(loads(data), layout)


def parse_binary(data: bytes | memoryview, layout: Layout) -> Batch:
    """Read one file of the binary version."""
    kinds = len(layout.labels)
    size = kinds + VALUES
    if not len(data) or len(data) % size:
        raise ValueError(f"its {len(data)} bytes are no whole number of records of {size} bytes")
    records = np.frombuffer(data, np.uint8).reshape(-1, size)
    stored = [records[:, kind] for kind in reversed(range(kinds))]  # the last kind comes first
    return Batch(records[:, kinds:], labels_from_0(stored, layout))


def check_batch(content: dict[str, Any], layout: Layout) -> Batch:
    """Return the images and labels of an unpickled dictionary; refuse any that do not fit."""
    for key in ("data", *layout.labels):
        if key not in content:
            raise ValueError(f"it has no {key!r}")
    planes = content["data"]
    if not (isinstance(planes, np.ndarray) and planes.dtype == np.uint8):
        raise ValueError("its 'data' is no array of bytes")
    if planes.ndim != 2 or planes.shape[1] != VALUES or not len(planes):
        raise ValueError(f"its 'data' has shape {planes.shape}, not (images, {VALUES})")
    labels = labels_from_0([content[key] for key in layout.labels], layout)
    for key, kind in zip(layout.labels, labels, strict=True):
        if len(kind) != len(planes):
            raise ValueError(f"it has {len(planes)} images but {len(kind)} {key}")
    return Batch(planes, labels)


def labels_from_0(stored: list[Any], layout: Layout) -> tuple[np.ndarray, ...]:
    """Return each kind of labels as integers from 0; refuse what is out of range."""
    checked = []
    for key, classes, values in zip(layout.labels, layout.classes, stored, strict=True):
        whole = isinstance(values, np.ndarray) and values.dtype.kind in "iu" and values.ndim == 1
        if not whole and not (isinstance(values, list) and all(type(v) is int for v in values)):
            raise ValueError(f"its {key!r} are no whole numbers")
        low, high = layout.first_label, layout.first_label + classes - 1
        if len(values) and not (low <= min(values) and max(values) <= high):
            raise ValueError(f"its {key!r} do not lie from {low} to {high}")
        checked.append(np.asarray(values).astype(np.int64) - layout.first_label)
    return tuple(checked)


def channels_last(planes: np.ndarray, images: np.ndarray) -> None:
    """Write planes of shape (n, 3072) into images of shape (n, 32, 32, 3).

    It takes 128 images at a time, which stay in the processor's cache from channel to channel.
    """
    pixels = images.reshape(len(images), 1024, 3)
    for first in range(0, len(planes), 128):
        part = slice(first, first + 128)
        for channel in range(3):
            pixels[part, :, channel] = planes[part, 1024 * channel : 1024 * (channel + 1)]
