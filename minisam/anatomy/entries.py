"""Say what may have been done to the entries of a gradient: clipped, centred, put in another order.

Each of these was seen in a SAM, or is one slip away from one.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from minisam.trees import Params, norm


def entries_of(tree: Params, keys: Collection[str]) -> np.ndarray:
    """Put the entries of some tensors into one vector."""
    return np.concatenate([np.ravel(x) for key, x in tree.items() if key in keys])


def clipped(x: np.ndarray) -> np.ndarray:
    """Return the entries, clipped to [−1, 1]."""
    return np.clip(x, -1.0, 1.0)


def centred(x: np.ndarray) -> np.ndarray:
    """Return the entries minus their mean."""
    return x - np.mean(x)


def of_each_row(x: np.ndarray) -> np.ndarray:
    """Return the entries by the length of their row: along the last axis."""
    length = np.sqrt(np.sum(x * x, axis=-1, keepdims=True)) if x.ndim else np.abs(x)
    return x / np.where(length, length, 1.0)


def in_reverse(tree: Params) -> Params:
    """Return every tensor with the entries of another one, the first with those of the last.

    Where their shapes differ they are cut, or said again, as they are when they are put into place.

    Example:
        >>> in_reverse({"w": np.array([3.0, 4.0]), "b": np.array([5.0])})
        {'w': array([5., 5.]), 'b': array([3.])}
    """
    others = reversed(list(tree.values()))
    return {key: np.resize(x, tree[key].shape) for key, x in zip(tree, others, strict=True)}


def with_spectral_norms(tree: Params) -> float:
    """Return the norm of the tensors' norms, where that of a matrix is its largest stretch.

    Example:
        >>> with_spectral_norms({"w": np.diag([3.0, 1.0]), "b": np.array([4.0])})
        5.0
    """
    if not np.isfinite(norm(tree)):  # there are no singular values
        return np.nan
    lengths = [np.linalg.norm(x, 2 if x.ndim == 2 else None) for x in tree.values()]
    return float(np.linalg.norm(lengths))
