"""Choose, corrupt and standardize the data of a trial by its seed."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from minisam.checks import check_whole
from minisam.data.batches import channel_statistics, standardize
from minisam.data.dataset import Split, load
from minisam.data.noise import LabelNoise

SIDE = 32  # of the images of every data set


class Data(NamedTuple):
    """What a trial trains and measures on, as settings.

    Attributes:
        data: name of the data set, found in ``$MINISAM_DATA`` unless it is ``"toy"``.
        seed: of the subset and of the noise, and of everything that training draws.
        train_size: number of training images.
        test_size: number of test images.
        validation_size: number of images held out for choosing hyper-parameters.
        noise: rate of symmetric noise, or the name of human labels such as ``"worse_label"``.
        classes: keep only these classes, renumbered from 0 in this order.
        side: height and width of an image; below 32, the means of squares of pixels.
    """

    data: str = "toy"
    seed: int = 0
    train_size: int = 1000
    test_size: int = 1000
    validation_size: int = 0
    noise: float | str = 0.0
    classes: tuple[int, ...] | None = None
    side: int = SIDE


class Subset(NamedTuple):
    """Standardized images and integer labels.

    Attributes:
        images: training images, float32 of shape (n, side, side, 3).
        labels: training labels, noisy where noise was asked for, shape (n,).
        clean_labels: the true ones, shape (n,).
        test_images: shape (n_test, side, side, 3).
        test_labels: always clean, shape (n_test,).
        validation_images: held out of the training set; empty if nothing was.
        validation_labels: as noisy as the training labels, for no method may see a clean one.
        classes: number of classes.
    """

    images: np.ndarray
    labels: np.ndarray
    clean_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray
    validation_images: np.ndarray
    validation_labels: np.ndarray
    classes: int


@lru_cache(maxsize=4)  # the seeds of an experiment, whose cells alternate between them
def load_subset(data: Data) -> Subset:
    """Load, corrupt and standardize the subset that the settings name.

    Raises:
        ValueError: if noise would lead out of the classes that are kept, or ``side`` does not
            divide 32.

    Example:
        >>> found = load_subset(Data(train_size=20, test_size=10, noise=0.4))
        >>> int((found.labels != found.clean_labels).sum()), found.validation_images.shape
        (8, (0, 32, 32, 3))
    """
    if data.noise and data.classes is not None:
        raise ValueError("noise would lead out of the classes that are kept: choose one of them")
    if check_whole("side", data.side, 1, SIDE) not in (1, 2, 4, 8, 16, 32):
        raise ValueError(f"side must divide {SIDE}, got {data.side}")
    if isinstance(data.noise, str):
        noise = LabelNoise("human", labels=data.noise)
    else:
        noise = LabelNoise("symmetric", data.noise, data.seed)
    loaded = load(
        data.data,
        noise=noise if data.noise else None,
        train_size=data.train_size,
        test_size=data.test_size,
        validation=data.validation_size,
        validation_labels="noisy",
        seed=data.seed,
    )
    mean, std = channel_statistics(loaded.train.images)
    number = np.arange(len(loaded.class_names))
    if data.classes is not None:
        number[list(data.classes)] = np.arange(len(data.classes))

    def prepared(part: Split) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        keep = slice(None) if data.classes is None else np.isin(part.clean_labels, data.classes)
        images = shrunk(standardize(part.images[keep], mean, std), data.side)
        return images, number[part.labels[keep]], number[part.clean_labels[keep]]

    images, labels, clean_labels = prepared(loaded.train)
    test_images, _, test_labels = prepared(loaded.test)
    held, held_labels = images[:0], labels[:0]  # empty, and never the test set
    if loaded.validation is not None:
        held, held_labels, _ = prepared(loaded.validation)
    count = len(number) if data.classes is None else len(data.classes)
    return Subset(images, labels, clean_labels, test_images, test_labels, held, held_labels, count)


def shrunk(images: np.ndarray, side: int) -> np.ndarray:
    """Return images whose pixels are the means of squares of the old ones.

    Args:
        images: shape (n, height, width, channels), of one height and width.
        side: their new height and width, which divides the old one.

    Example:
        >>> shrunk(np.arange(4.0).reshape(1, 2, 2, 1), 1)
        array([[[[1.5]]]])
    """
    n, height, _, channels = images.shape
    if height == side:
        return images
    square = height // side
    return images.reshape(n, side, square, side, square, channels).mean(axis=(2, 4))
