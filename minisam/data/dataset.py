"""`load`: one call from a data set's name to images, labels and label noise."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import numpy as np

from minisam.data import cifar, streams, toy
from minisam.data.cifar import Labelled, Source
from minisam.data.layouts import LAYOUTS
from minisam.data.noise import LabelNoise, corrupt


class Split(NamedTuple):
    """Images with the labels to train on and the true ones.

    Args:
        images: uint8 array of shape (n, 32, 32, 3).
        labels: int64 array of shape (n,), noisy where noise was asked for.
        clean_labels: the true labels, of the same shape.
        flipped: where the two differ, bool of shape (n,).
        index: the place of each image in the data set's own order, int64 of shape (n,).
        coarse_labels: the true superclasses, int64 of shape (n,); None where there are none.
    """

    images: np.ndarray
    labels: np.ndarray
    clean_labels: np.ndarray
    flipped: np.ndarray
    index: np.ndarray
    coarse_labels: np.ndarray | None = None


class Dataset(NamedTuple):
    name: str
    train: Split
    test: Split
    validation: Split | None
    class_names: tuple[str, ...]
    noise: object = None


def load(
    name: str = "toy",
    data_dir: str | os.PathLike[str] | None = None,
    noise: LabelNoise | None = None,
    train_size: int | None = None,
    test_size: int | None = None,
    validation: float = 0,
    validation_labels: str = "clean",
    seed: int = 0,
    download: bool = False,
) -> Dataset:
    if name == "toy":
        train_size, test_size = train_size or 2000, test_size or 1000
        held_out = validation_count(validation, train_size)
        images, labels, test_images, test_labels = toy.toy(train_size + held_out, test_size)
        source = Source(
            Labelled(images, labels), Labelled(test_images, test_labels), toy.CLASS_NAMES
        )
    else:
        layout = LAYOUTS[name, "python"]
        folder = Path(data_dir or os.environ["MINISAM_DATA"])
        if (folder / layout.folder).is_dir():
            folder = folder / layout.folder
        source = cifar.read(layout, folder, 10)
    classes = len(source.class_names)
    n = len(source.train.labels)
    held_out = validation_count(validation, train_size or n)
    size = train_size or n - held_out
    if size + held_out > n:
        raise ValueError(f"train_size {size} and validation {held_out} together exceed {n} images")
    order = stratified_order(source.train.labels, streams.stream(seed, "train subset"))
    train = take(source.train, np.sort(order[:size]))
    held = take(source.train, np.sort(order[n - held_out :])) if held_out else None
    test_n = len(source.test.labels)
    test_order = stratified_order(source.test.labels, streams.stream(seed, "test subset"))
    test = take(source.test, np.sort(test_order[: test_size or test_n]))
    if noise is not None:
        train = relabelled(train, corrupt(train.clean_labels, noise, classes))
        if held is not None and validation_labels == "noisy":
            held = relabelled(
                held, corrupt(held.clean_labels, noise, classes, purpose="validation noise")
            )
    return Dataset(name, train, test, held, source.class_names)


def validation_count(validation: float, train_size: int) -> int:
    return round(validation * train_size) if isinstance(validation, float) else validation


def take(source: Labelled, index: np.ndarray) -> Split:
    everything = len(index) == len(source.labels)
    images = source.images if everything else source.images[index]
    labels = source.labels[index]
    return Split(images, labels.copy(), labels, np.zeros(len(labels), bool), index)


def relabelled(split: Split, labels: np.ndarray) -> Split:
    return split._replace(labels=labels, flipped=labels != split.clean_labels)


def stratified_order(labels: np.ndarray, bits: np.random.PCG64) -> np.ndarray:
    """Put examples in an order whose beginning, and whose end, holds each class in its due share.

    The r-th of a class's n examples, in random order, comes at the place (r − ½)/n of the whole.
    """
    random = streams.words(bits, len(labels))
    place = np.empty(len(labels))
    for label in np.unique(labels):
        of_class = np.flatnonzero(labels == label)
        of_class = of_class[np.argsort(random[of_class], kind="stable")]
        place[of_class] = (2 * np.arange(len(of_class)) + 1) / (2 * len(of_class))
    return np.lexsort((random, place))
