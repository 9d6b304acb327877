"""Logits and labels that fit each other, for every loss and the accuracy to take.

NumPy broadcasts arrays that do not fit, and a wrong number comes out without a word: labels of
shape (n, 1) against n predictions are n² comparisons. So they are checked here, once.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minisam.checks import check_number


def as_logits(logits: Any) -> Any:
    """Return logits as floating-point numbers of shape (batch, classes), or say what they are.

    Integers and truth values become float64; floating-point ones are returned as they are.

    Example:
        >>> as_logits([[0, 1]])
        array([[0., 1.]])
    """
    logits = logits if hasattr(logits, "dtype") else np.asarray(logits)
    if len(logits.shape) != 2 or 0 in logits.shape or logits.dtype.kind not in "fiub":
        raise ValueError(
            f"logits must be real numbers of shape (batch, classes), at least one of each, "
            f"got {logits.dtype} of shape {logits.shape}"
        )
    return logits if logits.dtype.kind == "f" else logits.astype(np.float64)


def as_labels(
    labels: Any, classes: int, batch: int | None = None, of: str = "rows of logits"
) -> np.ndarray:
    """Return labels as an array whose shape, type and range fit, or say what they are.

    Args:
        labels: integers of shape (batch,) in 0 … classes − 1, or probabilities (or other finite
            weights that are not negative) of shape (batch, classes).
        classes: number of classes.
        batch: number of labels that there must be; None for any.
        of: what there is one label to.

    Example:
        >>> as_labels([[3], [1]], classes=4)
        Traceback (most recent call last):
        ...
        ValueError: labels must be integers of shape (batch,) or probabilities of shape (batch, 4),
        got int64 of shape (2, 1)
    """
    labels = np.asarray(labels)
    hard = labels.ndim == 1 and labels.dtype.kind in "iu"
    if not hard and not (labels.shape[1:] == (classes,) and labels.dtype.kind in "fiub"):
        raise ValueError(
            f"labels must be integers of shape (batch,) or probabilities of shape "
            f"(batch, {classes}), got {labels.dtype} of shape {labels.shape}"
        )
    if batch is not None and len(labels) != batch:
        raise ValueError(f"got {len(labels)} labels for {batch} {of}")
    if hard and labels.size and not (labels.min() >= 0 and labels.max() < classes):
        raise ValueError(
            f"labels must lie in 0…{classes - 1} for {classes} classes, "
            f"got {labels.min()}…{labels.max()}"
        )
    if not hard and not np.all((labels >= 0) & (labels < np.inf)):
        raise ValueError("labels must be probabilities: finite, and none of them negative")
    return labels


def soft_targets(labels: Any, classes: int, dtype: Any = np.float32) -> np.ndarray:
    """Return labels as probabilities, one-hot where they are integers.

    Args:
        labels: integers of shape (batch,), or probabilities of shape (batch, classes).
        classes: number of classes.
        dtype: of the result, floating-point.

    Returns:
        ndarray of shape (batch, classes).

    Example:
        >>> soft_targets(np.array([1]), classes=2)
        array([[0., 1.]], dtype=float32)
    """
    return _one_hot(as_labels(labels, classes), classes, dtype)


def _one_hot(labels: np.ndarray, classes: int, dtype: Any) -> np.ndarray:
    if labels.ndim == 2:
        return labels.astype(dtype)
    targets = np.zeros((len(labels), classes), dtype)
    targets[np.arange(len(labels)), labels] = 1
    return targets


def fitting(logits: Any, labels: Any, smoothing: float = 0.0) -> tuple[Any, np.ndarray]:
    """Return logits and targets of one shape and dtype, for any loss to take.

    t = (1 − smoothing) onehot(label) + smoothing / classes.

    A logit of −∞ masks its class: there it has probability 0, and smoothing is spread over the
    classes that are left.

    Args:
        logits: ndarray of shape (batch, classes).
        labels: integers of shape (batch,), or probabilities of shape (batch, classes).
        smoothing: label smoothing (Szegedy et al. 2016, eq. 7), from 0 to 1.

    Example:
        >>> fitting(np.array([[0.0, 1.0, -np.inf]]), np.array([0]), smoothing=0.5)[1]
        array([[0.75, 0.25, 0.  ]])
    """
    smoothing = check_number("smoothing", smoothing, high=1.0)
    logits = as_logits(logits)
    batch, classes = logits.shape
    targets = _one_hot(as_labels(labels, classes, batch), classes, logits.dtype)
    if not smoothing:
        return logits, targets
    left = np.asarray(logits != -np.inf)
    left |= ~left.any(axis=1, keepdims=True)  # all masked: there is no distribution, but NaN
    share = left * (smoothing / left.sum(axis=1, keepdims=True))
    return logits, (1 - smoothing) * targets + share.astype(targets.dtype)
