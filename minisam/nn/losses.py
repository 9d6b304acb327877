"""Cross-entropy for hard and soft labels, and accuracy.

A logit of −∞ masks a class: its probability is exactly 0. Then t log p is 0 · ∞ in every row that
gives the class no weight, and as p log p → 0 for p → 0 the term is left out: the loss, and its
derivatives, are those of the classes that are left. Where a label asks for a masked class the loss
is infinite. A logit of NaN or +∞ makes the loss NaN.
"""

from __future__ import annotations

import autograd.numpy as anp
import numpy as np
from autograd.extend import defjvp, defvjp, primitive

from minisam.nn.kernels.activations import softmax
from minisam.nn.labels import as_labels, as_logits, fitting


@primitive
def log_softmax(z):
    """Return log softmax(z) over the last axis, computed without overflow.

    Example:
        >>> log_softmax(np.array([0.0, -1000.0]))
        array([    0., -1000.])
    """
    shifted = z - np.max(z, axis=-1, keepdims=True)
    return shifted - np.log(np.sum(np.exp(shifted), axis=-1, keepdims=True))


defvjp(
    log_softmax, lambda log_p, z: lambda g: g - anp.exp(log_p) * anp.sum(g, axis=-1, keepdims=True)
)
defjvp(log_softmax, lambda t, log_p, z: t - anp.sum(anp.exp(log_p) * t, axis=-1, keepdims=True))


@primitive
def without_masked(log_p):
    """Return log p, and 0 in place of −∞."""
    return np.where(log_p == -np.inf, log_p.dtype.type(0), log_p)


defvjp(without_masked, lambda y, log_p: lambda g: g * (log_p != -np.inf))
defjvp(without_masked, lambda t, y, log_p: t * (log_p != -np.inf))


@primitive
def batch_mean(terms):
    """Return the sum of all terms over the number of rows, added up in single precision or more."""
    total = np.sum(terms, dtype=np.result_type(terms, np.float32))
    return terms.dtype.type(total / len(terms))


defvjp(batch_mean, lambda y, x: lambda g: g * np.full(x.shape, 1 / len(x), x.dtype))
defjvp(batch_mean, lambda t, y, x: batch_mean(t))


@primitive
def softmax_cross_entropy(logits, targets):
    """Return the mean over the batch of Σ_k t_k (log Σ_j exp z_j − z_k), with 0 · ∞ = 0."""
    surprise = -log_softmax(logits)
    counts = (targets != 0) | (surprise != np.inf)
    return batch_mean(np.multiply(targets, surprise, out=np.zeros_like(surprise), where=counts))


def _residual(z, t):
    """Return the gradient of the sum: softmax(z) Σ_k t_k − t."""
    return softmax(z) * anp.sum(t, axis=-1, keepdims=True) - t


def _surprise(z):
    """Return the gradient of the sum with respect to t: −log softmax(z), as far as it is finite."""
    return -without_masked(log_softmax(z))


defvjp(
    softmax_cross_entropy,
    lambda loss, z, t: lambda g: _residual(z, t) * (g / len(z)),
    lambda loss, z, t: lambda g: _surprise(z) * (g / len(z)),
)
defjvp(
    softmax_cross_entropy,
    lambda v, loss, z, t: anp.sum(_residual(z, t) * v * (1 / len(z))),
    lambda v, loss, z, t: anp.sum(_surprise(z) * v * (1 / len(z))),
)


def cross_entropy(logits, labels, smoothing: float = 0.0):
    """Return the mean cross-entropy −Σ_k t_k log softmax(z)_k over a batch.

    Args:
        logits: z, ndarray of shape (batch, classes); −∞ masks a class.
        labels: integers of shape (batch,), or probabilities t of shape (batch, classes).
        smoothing: label smoothing, from 0 (none) to 1, over the classes that are not masked.

    Returns:
        The loss, a scalar of the logits' dtype (float64 for integers).

    Example:
        >>> round(float(cross_entropy(np.zeros((2, 4)), np.array([0, 3]))), 6)  # log 4
        1.386294
    """
    return softmax_cross_entropy(*fitting(logits, labels, smoothing))


def accuracy(logits, labels) -> float:
    """Return the fraction of rows whose largest logit is at the label.

    The first of several largest logits counts. A row with a NaN has no largest one, and is wrong.

    Args:
        logits: ndarray of shape (batch, classes).
        labels: integers of shape (batch,), or probabilities of shape (batch, classes), of which
            the largest counts.

    Example:
        >>> accuracy(np.array([[1.0, 2.0], [3.0, 0.0]]), np.array([1, 1]))
        0.5
    """
    logits = as_logits(logits)
    labels = as_labels(labels, logits.shape[1], len(logits))
    if labels.ndim == 2:
        labels = labels.argmax(axis=1)
    return float(np.mean((np.argmax(logits, axis=1) == labels) & ~np.isnan(np.max(logits, axis=1))))
