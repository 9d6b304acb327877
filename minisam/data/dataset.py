"""Load a data set by its name: images, labels, label noise, validation images.

`load` first reads the files, then chooses a training subset and validation images, and last draws
the noise, of the training labels from the clean training labels alone. So the validation images do
not depend on the noise, nor the noise on the validation labels. Test labels are never changed.
"""

from __future__ import annotations

import math
import os
from typing import NamedTuple

import numpy as np

from minisam.checks import check_choice, check_number, check_whole
from minisam.data import toy
from minisam.data.cifar.download import fetch
from minisam.data.cifar.find import cache_folder
from minisam.data.cifar.read import CleanDataset, Labelled, read_dataset
from minisam.data.human_noise import human_labels
from minisam.data.instance_noise import instance_noise
from minisam.data.look_alikes import look_alikes
from minisam.data.noise import LabelNoise, check_noise, corrupt, expected_rate
from minisam.data.noise_report import NoiseReport, compare_labels
from minisam.data.portable_random import random_words, stream


class Split(NamedTuple):
    """Images with the labels to learn and the true ones.

    Attributes:
        images: uint8 array of shape (n, 32, 32, 3).
        labels: int64 array of shape (n,), noisy where noise was asked for.
        clean_labels: the true labels, of the same shape.
        flipped: where the two differ, bool array of shape (n,).
        indices: the place of each image in the data set's own order, int64 array of shape (n,).
        coarse_labels: the true superclasses, int64 array of shape (n,); None where there are none.
    """

    images: np.ndarray
    labels: np.ndarray
    clean_labels: np.ndarray
    flipped: np.ndarray
    indices: np.ndarray
    coarse_labels: np.ndarray | None = None


class Dataset(NamedTuple):
    """A data set, ready to train on.

    Attributes:
        name: as asked for.
        train: the training images.
        test: the test images, with their true labels always.
        validation: images held out of the training set; None when none were asked for.
        class_names: a name to each label.
        coarse_class_names: a name to each coarse label; empty where there are none.
        noise: what the noise did to the training labels; None without noise.
    """

    name: str
    train: Split
    test: Split
    validation: Split | None
    class_names: tuple[str, ...]
    coarse_class_names: tuple[str, ...]
    noise: NoiseReport | None


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
    version: str | None = None,
    unknown_files: bool = False,
) -> Dataset:
    """Load a data set, with label noise on its training labels.

    Args:
        name: ``"toy"``, ``"cifar10"``, ``"cifar100"`` or ``"imagenet32"``.
        data_dir: the folder of its files or archive; None for ``$MINISAM_DATA`` or the platform's
            cache folder. The toy set needs none.
        noise: the recipe, or None.
        train_size: number of training images; None for all that validation leaves (toy: 2,000, and
            a million at most, validation included). A subset has as large a share of each class as
            the whole.
        test_size: number of test images; None for all (toy: 1,000).
        validation: number of images to hold out of the training set, or (below 1) the share of
            those that are trained on otherwise.
        validation_labels: ``"clean"``, or ``"noisy"`` for the same noise on the held-out images.
        seed: chooses the subsets, and draws the images of the toy set; nothing else. The noise has
            its own.
        download: fetch the files when they are not there (needs the ``data`` extra).
        version: ``"python"`` or ``"binary"``; None for whichever is there.
        unknown_files: read pickles and archives whose hash is unknown, too. They can do no harm,
            but need not hold what their names say.

    Returns:
        The data set.

    Raises:
        ValueError: if an argument is wrong; `BadFile`, which is one, if a file is.
        FileNotFoundError: saying which file to put where, and what its hash must be.

    Example:
        >>> data = load("toy", noise=LabelNoise("symmetric", 0.4, seed=0), train_size=100)
        >>> data.train.images.shape, int(data.train.flipped.sum()), data.noise.rate_realized
        ((100, 32, 32, 3), 40, 0.4)
    """
    check_choice("validation_labels", validation_labels, ("clean", "noisy"))
    if noise is not None:
        noise = check_noise(noise)
    if name == "toy":
        train_size = 2000 if train_size is None else train_size
        test_size = 1000 if test_size is None else test_size
        n_train, n_test, held_out = sizes(train_size, test_size, validation, toy.MOST, toy.MOST)
        parts = toy.toy(n_train + held_out, n_test, seed)
        source = CleanDataset(Labelled(*parts[:2]), Labelled(*parts[2:]), toy.CLASS_NAMES)
    else:
        source = fetch_and_read(name, data_dir, version, unknown_files, download)
    there = len(source.train.labels), len(source.test.labels)
    n_train, n_test, held_out = sizes(train_size, test_size, validation, *there)
    order = stratified_order(source.train.labels, stream(seed, "training subset"))
    train = take(source.train, order[:n_train])
    held = take(source.train, order[len(order) - held_out :]) if held_out else None
    order = stratified_order(source.test.labels, stream(seed, "test subset"))
    test = take(source.test, order[:n_test])
    seen = None
    if noise is not None:
        train = with_noise(train, name, source, noise, data_dir, "noise")
        if held is not None and validation_labels == "noisy":
            held = with_noise(held, name, source, noise, data_dir, "validation noise")
        expected = expected_rate(noise, train.clean_labels, *plan(source))
        seen = compare_labels(
            train.labels, train.clean_labels, noise, len(source.class_names), expected
        )
    return Dataset(name, train, test, held, source.class_names, source.coarse_class_names, seen)


def fetch_and_read(
    name: str,
    data_dir: str | os.PathLike[str] | None,
    version: str | None,
    unknown_files: bool,
    download: bool,
) -> CleanDataset:
    """Read a data set; fetch it first if it is not there and may be downloaded."""
    try:
        return read_dataset(name, data_dir, version, unknown_files)
    except FileNotFoundError:
        if not download:
            raise
    fetch(name, version or "python", data_dir)
    return read_dataset(name, data_dir, version, unknown_files)


def sizes(
    train_size: int | None, test_size: int | None, validation: float, n: int, n_test: int
) -> tuple[int, int, int]:
    """Return how many images are trained on, tested on and held out, of those that there are."""
    if train_size is not None:
        train_size = check_whole("train_size", train_size, 1, n)
    test_size = n_test if test_size is None else check_whole("test_size", test_size, 1, n_test)
    share = check_number("validation", validation, open_high=True)
    if share >= 1 and share != int(share):
        raise ValueError(f"validation must be a share below 1 or a whole number, got {share!r}")
    pool = n if train_size is None else train_size
    held_out = math.floor(share * pool + 0.5) if share < 1 else int(share)
    if held_out + (1 if train_size is None else train_size) > n:
        raise ValueError(f"validation {held_out} and train_size {train_size} exceed {n:,} images")
    return n - held_out if train_size is None else train_size, test_size, held_out


def stratified_order(labels: np.ndarray, bits: np.random.PCG64) -> np.ndarray:
    """Return an order whose first n examples, and last n, hold each class in its share.

    The r-th of a class's m examples, in random order, comes at the place (r − ½)/m of the whole.
    """
    random = random_words(bits, len(labels))
    place = np.empty(len(labels))
    for label in np.unique(labels):
        of_class = np.flatnonzero(labels == label)
        of_class = of_class[np.argsort(random[of_class], kind="stable")]
        place[of_class] = (2 * np.arange(len(of_class)) + 1) / (2 * len(of_class))
    return np.lexsort((random, place))


def take(source: Labelled, chosen: np.ndarray) -> Split:
    """Return the chosen images, in the data set's own order, with their true labels."""
    indices = np.sort(chosen)
    # Do not copy all of them: the images of CIFAR-10 have 150 million bytes.
    images = source.images if len(indices) == len(source.images) else source.images[indices]
    labels = source.labels[indices]
    coarse = None if source.coarse_labels is None else source.coarse_labels[indices]
    return Split(images, labels, labels.copy(), np.zeros(len(labels), bool), indices, coarse)


def with_noise(
    split: Split,
    name: str,
    source: CleanDataset,
    noise: LabelNoise,
    data_dir: str | os.PathLike[str] | None,
    purpose: str,
) -> Split:
    """Return a split with noisy labels."""
    clean, (classes, mistaken) = split.clean_labels, plan(source)
    if noise.kind == "human":
        folder = cache_folder() if data_dir is None else data_dir
        labels = human_labels(noise, name, folder, source.train.labels)[split.indices]
    elif noise.kind == "instance":
        assert noise.rate is not None  # as `check_noise` has seen to
        labels = instance_noise(split.images, clean, noise.rate, classes, noise.seed, purpose)
    else:
        labels = corrupt(clean, noise, classes, mistaken, purpose)
    return split._replace(labels=labels, flipped=labels != clean)


def plan(source: CleanDataset) -> tuple[int, np.ndarray | None]:
    """Return the number of classes, and the class that each is mistaken for."""
    train = source.train
    mistaken = look_alikes(source.class_names, train.labels, train.coarse_labels)
    return len(source.class_names), mistaken
