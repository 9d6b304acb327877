"""CIFAR-10 and CIFAR-100, from the python (pickle) and the binary version's files.

An image is stored as three planes, red then green then blue, each 32 rows of 32 bytes; the arrays
here are channels-last.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from minisam.data import pickles
from minisam.data.layouts import LAYOUTS, Layout

PIXELS = 3 * 32 * 32


class Labelled(NamedTuple):
    """Images and their true labels.

    Args:
        images: uint8 array of shape (n, 32, 32, 3).
        labels: int64 array of shape (n,).
        coarse_labels: superclasses, int64 of shape (n,), or None.
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


def parse_python(data: bytes, n_classes: int) -> Labelled:
    """Read one pickled batch.

    Args:
        data: the file's bytes.
        n_classes: labels must lie below it; 100 asks for CIFAR-100's two kinds of labels.

    Raises:
        ValueError: saying what is wrong with the batch.
    """
    batch = pickles.loads(data)
    del data  # the arrays have their own copy: let the caller's go
    labels = _labels(batch, "fine_labels" if n_classes == 100 else "labels", n_classes)
    coarse = _labels(batch, "coarse_labels", 20) if n_classes == 100 else None
    planes = batch.get("data")
    if not (isinstance(planes, np.ndarray) and planes.dtype == np.uint8):
        raise ValueError("its 'data' is no array of bytes")
    if planes.shape != (len(labels), PIXELS):
        raise ValueError(f"its 'data' has shape {planes.shape}, its labels are {len(labels)}")
    return Labelled(channels_last(planes), labels, coarse)


def channels_last(planes: np.ndarray) -> np.ndarray:
    """Turn planes of shape (n, 3072) into images of shape (n, 32, 32, 3)."""
    images = np.empty((len(planes), 32 * 32, 3), np.uint8)
    for channel in range(3):
        images[:, :, channel] = planes[:, 1024 * channel : 1024 * (channel + 1)]
    return images.reshape(-1, 32, 32, 3)


def read(layout: Layout, folder: Path, n_classes: int) -> Source:
    parts = [parse_python(checked(folder / name, layout), n_classes) for name in layout.train]
    test = parse_python(checked(folder / layout.test, layout), n_classes)
    names = pickles.loads(checked(folder / layout.names[0], layout))
    label_names = tuple(name.decode() for name in names["label_names"])
    train = Labelled(
        np.concatenate([part.images for part in parts]),
        np.concatenate([part.labels for part in parts]),
    )
    return Source(train, test, label_names)


def checked(path: Path, layout: Layout) -> bytes:
    """Return a file's bytes, after checking that they have the hash that they should have."""
    data = path.read_bytes()
    algorithm, expected = layout.hashes[path.name].split(":")
    actual = hashlib.new(algorithm, data).hexdigest()
    if actual != expected:
        raise ValueError(f"{path} is not the official file: {algorithm} {actual}, not {expected}")
    return data


def _labels(batch: dict[str, Any], key: str, n_classes: int) -> np.ndarray:
    try:
        labels = np.asarray(batch[key])
    except KeyError:
        raise ValueError(f"it has no {key!r}") from None
    if labels.ndim != 1 or labels.dtype.kind not in "iu":
        raise ValueError(f"its {key!r} are no list of whole numbers")
    if labels.size and not (0 <= labels.min() and labels.max() < n_classes):
        raise ValueError(f"its {key!r} do not lie from 0 to {n_classes - 1}")
    return labels.astype(np.int64)
