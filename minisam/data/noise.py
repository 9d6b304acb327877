"""Draw label noise: choose which labels change, and into what.

`human_noise` and `instance_noise` are the exceptions. Every other kind takes the same two steps, on
the *clean* labels y:

1. select a share qᵧ of the examples of each class y;
2. relabel: a selected example gets class j with probability D[y, j].

So class i becomes class j with probability T[i, j], where T = (1 − q) I + q D, row by row.

| kind | q | D[i, ·] | labels that end wrong |
|---|---|---|---|
| symmetric | r | uniform over the other classes | r |
| symmetric, inclusive | r | uniform over all K classes | r (K − 1)/K |
| pair | r | all on class i + 1 mod K | r |
| asymmetric | r for classes with a look-alike, else 0 | all on the look-alike | by the map |
| matrix | 1 − T[i, i] | T[i, ·] without T[i, i], scaled to sum 1 | as T says |

Papers that say "40 % symmetric noise" mean the first or the second: ask which.
"""

from __future__ import annotations

import math
import os
from typing import NamedTuple

import numpy as np

from minisam.checks import check_choice, check_flag, check_number, check_whole
from minisam.data.portable_random import stream, uniform

KINDS = ("symmetric", "pair", "asymmetric", "matrix", "instance", "human")
GOES_WITH = {  # a part of the recipe: the kinds of noise that it is for
    "rate": ("symmetric", "pair", "asymmetric", "instance"),
    "seed": ("symmetric", "pair", "asymmetric", "matrix", "instance"),
    "inclusive": ("symmetric",),
    "per_sample": ("symmetric", "pair", "asymmetric", "matrix"),
    "matrix": ("matrix",),
    "labels": ("human",),
    "path": ("human",),
}


class LabelNoise(NamedTuple):
    """A recipe for label noise; the same recipe on the same data gives the same labels everywhere.

    Args:
        kind: ``"symmetric"``, ``"pair"``, ``"asymmetric"``, ``"matrix"``, ``"instance"`` or
            ``"human"``.
        rate: the r of the table above, from 0 to 1; for ``"instance"`` the mean of the examples'
            own rates; None for ``"matrix"`` and ``"human"``.
        seed: of the noise alone.
        inclusive: let ``"symmetric"`` draw the new class from all K, including the true one.
        per_sample: select each example independently with probability q, not an exact number.
        matrix: for ``"matrix"``: T, of shape (K, K), each row summing to 1.
        labels: for ``"human"``: which labels of the file, as ``"worse"``.
        path: for ``"human"``: the file, which may begin with ``~``; None to look for it in the data
            folder.

    Example:
        >>> LabelNoise("symmetric", 0.4, seed=1).rate
        0.4
    """

    kind: str = "symmetric"
    rate: float | None = None
    seed: int = 0
    inclusive: bool = False
    per_sample: bool = False
    matrix: np.ndarray | None = None
    labels: str | None = None
    path: str | os.PathLike[str] | None = None


def corrupt(
    clean_labels: np.ndarray,
    noise: LabelNoise,
    n_classes: int,
    look_alikes: np.ndarray | None = None,
    purpose: str = "noise",
) -> np.ndarray:
    """Return noisy labels, drawn from the clean ones.

    Args:
        clean_labels: int array of shape (n,), each from 0 to n_classes − 1.
        noise: the recipe: symmetric, pair, asymmetric or matrix.
        n_classes: number of classes, K.
        look_alikes: for asymmetric noise: the class that each is mistaken for (itself: never), int
            array of shape (K,).
        purpose: names the random stream, see `portable_random`.

    Returns:
        int64 array of shape (n,).

    Raises:
        ValueError: if the recipe makes no sense, or labels are out of range.

    Example:
        >>> corrupt(np.array([0, 1, 2, 0]), LabelNoise("pair", 0.5), n_classes=3)
        array([0, 2, 0, 0])
    """
    noise = check_noise(noise)
    clean_labels = check_labels(clean_labels, n_classes)
    share, destinations = shares_and_destinations(noise, n_classes, look_alikes)
    bits = stream(noise.seed, purpose)
    # Both draws are as long as the data, whatever the rate. So the noise of a higher rate contains
    # that of a lower one, and no draw depends on another.
    priority = uniform(bits, len(clean_labels))
    ticket = uniform(bits, len(clean_labels))
    selected = select_examples(clean_labels, share, priority, noise.per_sample)
    return np.where(selected, relabel(clean_labels, destinations, ticket), clean_labels)


def shares_and_destinations(
    noise: LabelNoise, n_classes: int, look_alikes: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return q, of shape (K,), and D, of shape (K, K): a row of the table above."""
    identity = np.eye(n_classes)
    if noise.kind == "matrix":
        matrix = check_matrix(noise.matrix, n_classes)
        off_diagonal = matrix * (1 - identity)
        # `sum` may add in any order, `cumsum` may not. Rounded, so that equal rates stay equal.
        share = np.round(np.cumsum(off_diagonal, axis=1)[:, -1], 12)
        scale = np.where(share > 0, share, 1)[:, None]
        return share, np.where(share[:, None] > 0, off_diagonal / scale, identity)
    if noise.kind in ("instance", "human"):
        raise ValueError(f"noise {noise.kind!r} is not drawn from the labels alone: use `load`")
    assert noise.rate is not None  # as `check_noise` has seen to
    share = np.full(n_classes, float(noise.rate))
    if noise.kind == "symmetric" and noise.inclusive:
        return share, np.full((n_classes, n_classes), 1 / n_classes)
    if noise.kind == "symmetric":
        return share, (1 - identity) / (n_classes - 1)
    if noise.kind == "pair":
        return share, np.roll(identity, 1, axis=1)
    if look_alikes is None:
        raise ValueError("noise 'asymmetric' is not defined for this data set; use 'matrix'")
    share[look_alikes == np.arange(n_classes)] = 0
    return share, identity[look_alikes]


def expected_rate(
    noise: LabelNoise,
    clean_labels: np.ndarray,
    n_classes: int,
    look_alikes: np.ndarray | None = None,
) -> float | None:
    """Return the share of labels that a recipe makes wrong on average; None if it does not say.

    Example:
        >>> round(expected_rate(LabelNoise("symmetric", 0.5, inclusive=True), np.arange(10), 10), 3)
        0.45
    """
    if noise.kind in ("instance", "human"):
        return None
    share, destinations = shares_and_destinations(noise, n_classes, look_alikes)
    wrong = share * (1 - np.diag(destinations))
    return float(np.mean(wrong[clean_labels])) if len(clean_labels) else 0.0


def select_examples(
    labels: np.ndarray, share: np.ndarray, priority: np.ndarray, per_sample: bool
) -> np.ndarray:
    """Choose the share ``share[y]`` of the examples of each class y.

    Classes of the same share form one group, from which exactly the nearest whole number is chosen:
    symmetric noise chooses r · n examples of all, not of each class.

    Args:
        labels: clean labels, of shape (n,).
        share: of each class, of shape (K,).
        priority: uniform random numbers, of shape (n,); the smallest are chosen.
        per_sample: choose each example independently, with probability ``share[y]``.

    Returns:
        bool array of shape (n,).
    """
    wanted = share[labels]
    if per_sample:
        return priority < wanted
    selected = np.zeros(len(labels), bool)
    for rate in np.unique(share):
        group = np.flatnonzero(wanted == rate)
        count = math.floor(rate * len(group) + 0.5)
        selected[group[np.argsort(priority[group], kind="stable")[:count]]] = True
    return selected


def relabel(labels: np.ndarray, destinations: np.ndarray, ticket: np.ndarray) -> np.ndarray:
    """Draw a label for every example from the row of ``destinations`` of its clean label.

    Args:
        labels: clean labels, of shape (n,).
        destinations: D, of shape (K, K), each row summing to 1.
        ticket: uniform random numbers in [0, 1), of shape (n,).

    Returns:
        int64 array of shape (n,).
    """
    new_labels = np.empty(len(labels), np.int64)
    edges = np.cumsum(destinations, axis=1)
    edges /= edges[:, -1:]  # ends at exactly 1, so that every ticket finds a place
    for label in np.unique(labels):
        of_class = labels == label
        new_labels[of_class] = np.searchsorted(edges[label], ticket[of_class], side="right")
    return new_labels


def check_noise(noise: LabelNoise) -> LabelNoise:
    """Return a recipe in Python's own types; refuse one that makes no sense.

    Example:
        >>> check_noise(LabelNoise("pair", np.float32(0.5), seed=np.int64(3)))[:3]
        ('pair', 0.5, 3)
    """
    if not isinstance(noise, LabelNoise):
        raise ValueError(f"noise must be None or as LabelNoise('symmetric', 0.4), got {noise!r}")
    check_choice("noise kind", noise.kind, KINDS)
    for name in ("inclusive", "per_sample"):
        check_flag(name, getattr(noise, name))
    noise = noise._replace(inclusive=bool(noise.inclusive), per_sample=bool(noise.per_sample))
    for name, kinds in GOES_WITH.items():
        value = getattr(noise, name)
        # Every kind takes a seed, so that one loop over seeds can try them all.
        if value is not None and value is not False and noise.kind not in kinds and name != "seed":
            raise ValueError(
                f"{name} goes with noise {' or '.join(map(repr, kinds))}, not with {noise.kind!r}"
            )
        if value is None and noise.kind in kinds and name in ("matrix", "labels"):
            raise ValueError(f"noise {noise.kind!r} needs {name}")
    if noise.kind in GOES_WITH["rate"]:
        noise = noise._replace(rate=check_number("rate", noise.rate, high=1.0))
    path = None if noise.path is None else os.fspath(noise.path)
    return noise._replace(seed=check_whole("seed", noise.seed), path=path)


def check_labels(labels: np.ndarray, n_classes: int) -> np.ndarray:
    """Return labels as int64; refuse any that is no whole number from 0 to K − 1."""
    check_whole("n_classes", n_classes, low=2)
    labels = whole_labels(labels)
    if labels.size and not (labels.min() >= 0 and labels.max() < n_classes):
        raise ValueError(
            f"labels must lie from 0 to {n_classes - 1}, got {labels.min()} to {labels.max()}"
        )
    return labels.astype(np.int64)


def whole_labels(labels: object) -> np.ndarray:
    """Return labels as an array; refuse anything but whole numbers of shape (n,)."""
    array = np.asarray(labels)
    if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
        raise ValueError(f"labels must be integers of shape (n,), got {array.dtype} {array.shape}")
    return array


def check_matrix(matrix: object, n_classes: int) -> np.ndarray:
    """Return a transition matrix as float64; refuse a wrong shape, negative entries or row sums."""
    try:
        given = np.asarray(matrix)
        if given.dtype.kind not in "iufO":  # no truth values, text or complex numbers
            raise TypeError(f"got an array of {given.dtype}")
        matrix = np.array(given, np.float64)
    except (TypeError, ValueError) as error:  # rows of several lengths, objects
        raise ValueError(f"matrix must have {n_classes} rows of numbers: {error}") from None
    if matrix.shape != (n_classes, n_classes):
        raise ValueError(f"matrix must have shape {(n_classes, n_classes)}, got {matrix.shape}")
    if not np.all(matrix >= 0) or np.any(abs(matrix.sum(axis=1) - 1) > 1e-6):
        raise ValueError("matrix must have no negative entry, and rows that sum to 1")
    return matrix
