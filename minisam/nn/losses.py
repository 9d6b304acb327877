"""Cross-entropy for hard and soft labels, and accuracy."""

from __future__ import annotations

import autograd.numpy as anp
import numpy as np
from autograd.extend import defjvp, defvjp, primitive
from autograd.tracer import getval

from minisam.nn.activations import softmax


def soft_targets(labels, classes: int, smoothing: float = 0.0, dtype=np.float32) -> np.ndarray:
    """Return labels as probabilities: one-hot rows, mixed with the uniform distribution.

    t = (1 − smoothing) onehot(label) + smoothing / classes.

    Args:
        labels: integers of shape (batch,), or probabilities of shape (batch, classes).
        classes: number of classes.
        smoothing: label smoothing (Szegedy et al. 2016, eq. 7), from 0 to 1.
        dtype: of the result.

    Returns:
        ndarray of shape (batch, classes).

    Raises:
        ValueError: if the labels' shape, type or range, or the smoothing does not fit.

    Example:
        >>> soft_targets(np.array([1]), classes=2, smoothing=0.5)
        array([[0.25, 0.75]], dtype=float32)
    """
    labels = np.asarray(labels)
    if not 0 <= smoothing <= 1:
        raise ValueError(f"smoothing must lie in [0, 1], got {smoothing}")
    if labels.ndim == 1 and np.issubdtype(labels.dtype, np.integer):
        if labels.size and not (labels.min() >= 0 and labels.max() < classes):
            raise ValueError(
                f"labels must lie in 0…{classes - 1} for {classes} classes, "
                f"got {labels.min()}…{labels.max()}"
            )
        targets = np.zeros((len(labels), classes), dtype)
        targets[np.arange(len(labels)), labels] = 1
    elif labels.ndim == 2 and labels.shape[1] == classes and labels.dtype.kind in "fiub":
        targets = labels.astype(dtype)
    else:
        raise ValueError(
            f"labels must be integers of shape (batch,) or probabilities of shape "
            f"(batch, {classes}), got {labels.dtype} of shape {labels.shape}"
        )
    if smoothing:
        targets = ((1 - smoothing) * targets + smoothing / classes).astype(dtype)
    return targets


@primitive
def softmax_cross_entropy(logits, targets):
    """Return the mean over the batch of Σ_k t_k (log Σ_j exp z_j − z_k)."""
    shifted = logits - np.max(logits, axis=-1, keepdims=True)
    log_sum = np.log(np.sum(np.exp(shifted), axis=-1, keepdims=True))
    return np.sum(targets * (log_sum - shifted)) / logits.dtype.type(len(logits))


def _residual(z, t):
    """Return the gradient of the sum: softmax(z) Σ_k t_k − t."""
    return softmax(z) * np.sum(t, axis=-1, keepdims=True) - t


defvjp(
    softmax_cross_entropy,
    lambda loss, z, t: lambda g: _residual(z, t) * (g / len(z)),
    argnums=[0],
)
defjvp(
    softmax_cross_entropy,
    lambda v, loss, z, t: anp.sum(_residual(z, t) * v * (1 / len(z))),
    argnums=[0],
)


def cross_entropy(logits, labels, smoothing: float = 0.0):
    """Return the mean cross-entropy −Σ_k t_k log softmax(z)_k over a batch.

    Args:
        logits: z, ndarray of shape (batch, classes).
        labels: integers of shape (batch,), or probabilities t of shape (batch, classes).
        smoothing: label smoothing, from 0 (none) to 1.

    Returns:
        The loss, a scalar of the logits' dtype.

    Raises:
        ValueError: if labels do not fit the logits.

    Example:
        >>> round(float(cross_entropy(np.zeros((2, 4)), np.array([0, 3]))), 6)  # log 4
        1.386294
    """
    values = getval(logits)
    if len(labels) != len(values):
        raise ValueError(f"got {len(labels)} labels for {len(values)} rows of logits")
    targets = soft_targets(labels, values.shape[-1], smoothing, values.dtype)
    return softmax_cross_entropy(logits, targets)


def accuracy(logits, labels) -> float:
    """Return the fraction of rows whose largest logit is at the label.

    Args:
        logits: ndarray of shape (batch, classes).
        labels: integers of shape (batch,), or probabilities of shape (batch, classes), of which
            the largest counts.

    Example:
        >>> accuracy(np.array([[1.0, 2.0], [3.0, 0.0]]), np.array([1, 1]))
        0.5
    """
    labels = np.asarray(labels)
    if labels.ndim == 2:
        labels = labels.argmax(axis=1)
    return float(np.mean(np.argmax(logits, axis=-1) == labels))
