"""Label noise: which labels are changed, and into what.

Every kind but two (human and instance-dependent labels, see `human` and `instance`) works in the
same two steps, on the *clean* labels y:

1. select: a share qᵧ of the examples of each class y is selected;
2. relabel: a selected example gets class j with probability D[y, j].

So the probability that class i ends as class j is T = (1 − q) I + q D, row by row.

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
from typing import NamedTuple

import numpy as np

from minisam.data import streams

KINDS = ("symmetric", "pair", "asymmetric", "matrix", "instance", "human")


class LabelNoise(NamedTuple):
    """A recipe for label noise; the same recipe on the same data gives the same labels everywhere.

    Args:
        kind: ``"symmetric"``, ``"pair"``, ``"asymmetric"``, ``"matrix"``, ``"instance"`` or
            ``"human"``.
        rate: the r of the table above, from 0 to 1; for ``"instance"`` the mean of the examples'
            own rates; None for ``"matrix"`` and ``"human"``.
        seed: of the noise alone.
        inclusive: let ``"symmetric"`` draw the new class from all K, the true one among them.
        per_sample: select each example with probability q on its own, not an exact number of them.
        matrix: for ``"matrix"``: T, of shape (K, K), each row summing to 1.
        labels: for ``"human"``: which labels of the file, as ``"worse"``.
        path: for ``"human"``: the file; None to look for it in the data folder.

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
    path: str | None = None


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
        purpose: names the random stream, see `streams`.

    Returns:
        int64 array of shape (n,).

    Raises:
        ValueError: for a recipe that makes no sense, or labels out of range.

    Example:
        >>> corrupt(np.array([0, 1, 2, 0]), LabelNoise("pair", 0.5), n_classes=3)
        array([0, 2, 0, 0])
    """
    check(noise)
    clean_labels = check_labels(clean_labels, n_classes)
    share, destinations = recipe(noise, n_classes, look_alikes)
    bits = streams.stream(noise.seed, purpose)
    # Both draws are as long as the data whatever the rate: noise of a higher rate then contains
    # noise of a lower one, and no draw depends on the outcome of another.
    priority = streams.uniform(bits, len(clean_labels))
    ticket = streams.uniform(bits, len(clean_labels))
    selected = select(clean_labels, share, priority, noise.per_sample)
    return np.where(selected, relabel(clean_labels, destinations, ticket), clean_labels)


def recipe(
    noise: LabelNoise, n_classes: int, look_alikes: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return q, of shape (K,), and D, of shape (K, K), of the table at the head of this module."""
    identity = np.eye(n_classes)
    if noise.kind == "matrix":
        matrix = check_matrix(noise.matrix, n_classes)
        off_diagonal = matrix * (1 - identity)
        # Added in order, as `sum` need not; rounded, so that rates meant to be equal are equal.
        share = np.round(np.cumsum(off_diagonal, axis=1)[:, -1], 12)
        scale = np.where(share > 0, share, 1)[:, None]
        return share, np.where(share[:, None] > 0, off_diagonal / scale, identity)
    assert noise.rate is not None  # as `check` has seen to
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
    """Return the share of labels that a recipe makes wrong on average; None where it does not tell.

    Example:
        >>> round(expected_rate(LabelNoise("symmetric", 0.5, inclusive=True), np.arange(10), 10), 3)
        0.45
    """
    if noise.kind in ("instance", "human"):
        return None
    share, destinations = recipe(noise, n_classes, look_alikes)
    wrong = share * (1 - np.diag(destinations))
    return float(np.mean(wrong[clean_labels])) if len(clean_labels) else 0.0


def select(
    labels: np.ndarray, share: np.ndarray, priority: np.ndarray, per_sample: bool
) -> np.ndarray:
    """Choose the share ``share[y]`` of the examples of each class y.

    Classes of the same share are treated as one group, of which exactly the nearest whole number is
    chosen: symmetric noise chooses r · n examples of the whole, not of every class.

    Args:
        labels: clean labels, of shape (n,).
        share: of each class, of shape (K,).
        priority: uniform random numbers, of shape (n,); the smallest are chosen.
        per_sample: choose every example on its own, with probability ``share[y]``.

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
    edges /= edges[:, -1:]  # ends at 1 whatever the rounding, so that every ticket has its place
    for label in np.unique(labels):
        of_class = labels == label
        new_labels[of_class] = np.searchsorted(edges[label], ticket[of_class], side="right")
    return new_labels


def check(noise: LabelNoise) -> None:
    """Raise ValueError unless the recipe makes sense."""
    if noise.kind not in KINDS:
        raise ValueError(f"noise kind must be one of {', '.join(KINDS)}, got {noise.kind!r}")
    if noise.kind in ("matrix", "human"):
        if noise.rate is not None:
            raise ValueError(f"noise {noise.kind!r} takes no rate, got {noise.rate!r}")
    elif not (isinstance(noise.rate, float | int) and 0 <= noise.rate <= 1):
        raise ValueError(f"noise rate must be a number from 0 to 1, got {noise.rate!r}")
    if noise.inclusive and noise.kind != "symmetric":
        raise ValueError(f"only symmetric noise can be inclusive, got kind {noise.kind!r}")
    if (noise.matrix is not None) != (noise.kind == "matrix"):
        raise ValueError(f"a matrix goes with noise 'matrix' and no other, got kind {noise.kind!r}")
    if (noise.labels is not None) != (noise.kind == "human"):
        raise ValueError(f"labels go with noise 'human' and no other, got kind {noise.kind!r}")
    streams.stream(noise.seed, "noise")  # refuses what is no seed


def check_labels(labels: np.ndarray, n_classes: int) -> np.ndarray:
    """Return labels as int64, after checking that they are whole numbers of 0 … K − 1."""
    labels = np.asarray(labels)
    if n_classes < 2:
        raise ValueError(f"n_classes must be at least 2, got {n_classes}")
    if labels.ndim != 1 or not np.issubdtype(labels.dtype, np.integer):
        raise ValueError(
            f"labels must be integers of shape (n,), got {labels.dtype} {labels.shape}"
        )
    if labels.size and not (labels.min() >= 0 and labels.max() < n_classes):
        raise ValueError(
            f"labels must lie from 0 to {n_classes - 1}, got {labels.min()} to {labels.max()}"
        )
    return labels.astype(np.int64)


def check_matrix(matrix: object, n_classes: int) -> np.ndarray:
    """Return a transition matrix as float64, after checking its shape, signs and row sums."""
    matrix = np.array(matrix, np.float64)
    if matrix.shape != (n_classes, n_classes):
        raise ValueError(f"matrix must have shape {(n_classes, n_classes)}, got {matrix.shape}")
    if not np.all(matrix >= 0) or np.any(abs(matrix.sum(axis=1) - 1) > 1e-6):
        raise ValueError("matrix must have no negative entry, and rows that sum to 1")
    return matrix
