"""Losses and a data mixture made for wrong labels: what SAM is compared with.

Cross-entropy grows without bound as the probability p_y of the given label goes to 0, so a few
wrong labels, which a good network finds improbable, come to rule its gradient. Each remedy here
bounds or dilutes that pull:

    GCE             Σ_k t_k (1 − p_k^q) / q      between cross-entropy (q → 0) and 1 − p_y (q = 1)
    soft bootstrap  −Σ_k (β t_k + (1 − β) p_k) log p_k        the network's own opinion, weighed in
    hard bootstrap  −Σ_k (β t_k + (1 − β) [k = argmax p]) log p_k
    mixup           cross-entropy on λ x_i + (1 − λ) x_j with labels λ t_i + (1 − λ) t_j

with p = softmax(z) and t the one-hot, or soft, labels. The losses go where `cross_entropy` goes,
mixup where augmentation goes.
"""

from __future__ import annotations

import autograd.numpy as anp
import numpy as np
from autograd.extend import defjvp, defvjp, primitive
from autograd.tracer import getval

from minisam.nn.losses import cross_entropy, soft_targets


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
    log_softmax,
    lambda log_p, z: lambda g: g - anp.exp(log_p) * anp.sum(g, axis=-1, keepdims=True),
)
defjvp(
    log_softmax,
    lambda t, log_p, z: t - anp.sum(anp.exp(log_p) * t, axis=-1, keepdims=True),
)


def generalized_cross_entropy(logits, labels, q: float = 0.7):
    """Return the mean of (1 − p_y^q) / q, which no single label can pull without bound.

    Its gradient is cross-entropy's times p_y^q: the less probable a label, the less it counts.

    Args:
        logits: z, ndarray of shape (batch, classes).
        labels: integers of shape (batch,), or probabilities of shape (batch, classes).
        q: from above 0 (cross-entropy in the limit) to 1 (mean absolute error, 1 − p_y).

    Returns:
        The loss, a scalar of the logits' dtype.

    Example:
        >>> float(generalized_cross_entropy(np.zeros((1, 4)), np.array([2]), q=1.0))
        0.75

    Source:
        Zhang and Sabuncu 2018, arXiv 1805.07836, eq. (6), whose authors use q = 0.7.
    """
    if not 0 < q <= 1:
        raise ValueError(f"q must be above 0 and at most 1, got {q}")
    log_p, t = log_softmax(logits), _targets(logits, labels)
    return _mean_over_batch(t * (1 - anp.exp(q * log_p)) * (1 / q), logits)


def soft_bootstrap(logits, labels, beta: float = 0.95):
    """Return the cross-entropy against β t + (1 − β) p, the network's probabilities weighed in.

    The gradient flows through p too, so this is β · cross-entropy + (1 − β) · entropy of p.

    Args:
        logits: z, ndarray of shape (batch, classes).
        labels: integers of shape (batch,), or probabilities of shape (batch, classes).
        beta: weight β of the labels, from 0 to 1.

    Returns:
        The loss, a scalar of the logits' dtype.

    Example:
        >>> round(float(soft_bootstrap(np.zeros((1, 4)), np.array([2]))), 6)  # log 4
        1.386294

    Source:
        Reed et al. 2014, arXiv 1412.6596, eq. (6), whose authors use β = 0.95.
    """
    _check_beta(beta)
    log_p, t = log_softmax(logits), _targets(logits, labels)
    return -_mean_over_batch((beta * t + (1 - beta) * anp.exp(log_p)) * log_p, logits)


def hard_bootstrap(logits, labels, beta: float = 0.8):
    """Return the cross-entropy against β t + (1 − β) z̄, z̄ the one-hot of the network's choice.

    Args:
        logits: z, ndarray of shape (batch, classes).
        labels: integers of shape (batch,), or probabilities of shape (batch, classes).
        beta: weight β of the labels, from 0 to 1.

    Returns:
        The loss, a scalar of the logits' dtype.

    Example:
        >>> z, y = np.array([[9.0, 0.0]]), np.array([1])
        >>> float(hard_bootstrap(z, y)) < float(cross_entropy(z, y))
        True

    Source:
        Reed et al. 2014, arXiv 1412.6596, eq. (7), whose authors use β = 0.8.
    """
    _check_beta(beta)
    values = logits
    while values is not getval(values):  # a derivative of a derivative wraps the values twice
        values = getval(values)
    chosen = soft_targets(np.argmax(values, axis=-1), values.shape[-1], dtype=values.dtype)
    t = _targets(logits, labels)
    return cross_entropy(logits, (beta * t + (1 - beta) * chosen).astype(t.dtype))


def mixup(
    images: np.ndarray,
    labels: np.ndarray,
    rng: np.random.Generator,
    classes: int,
    alpha: float = 1.0,
) -> tuple[np.ndarray, np.ndarray]:
    """Mix each example of a batch with another one of it, images and labels alike.

    x̃ = λ x_i + (1 − λ) x_π(i),  t̃ = λ t_i + (1 − λ) t_π(i),  λ ~ Beta(α, α), π a permutation.

    One λ serves the whole batch, as in the authors' code.

    Args:
        images: floating-point array of shape (batch, height, width, channels).
        labels: integers of shape (batch,), or probabilities of shape (batch, classes).
        rng: where λ and the permutation come from.
        classes: number of classes.
        alpha: α > 0 of the Beta distribution; the larger, the nearer λ is to ½.

    Returns:
        The mixed images, of the same shape and dtype, and labels of shape (batch, classes).

    Example:
        >>> x, y = np.array([0.0, 1.0]).reshape(2, 1, 1, 1), np.array([0, 1])
        >>> mixed, t = mixup(x, y, np.random.default_rng(3), classes=2)
        >>> bool(np.allclose(mixed.reshape(-1), t[:, 1]))
        True

    Source:
        Zhang et al. 2018, arXiv 1710.09412, eq. (1).
    """
    if not (np.isfinite(alpha) and alpha > 0):
        raise ValueError(f"alpha must be positive, got {alpha}")
    dtype = images.dtype
    if dtype.kind != "f":
        raise ValueError(f"images must be floating-point to be mixed, got {dtype}")
    targets = soft_targets(labels, classes, dtype=dtype)
    lam = dtype.type(rng.beta(alpha, alpha))
    partner = rng.permutation(len(images))
    rest = dtype.type(1) - lam
    return lam * images + rest * images[partner], lam * targets + rest * targets[partner]


def _targets(logits, labels) -> np.ndarray:
    if len(labels) != len(logits):
        raise ValueError(f"got {len(labels)} labels for {len(logits)} rows of logits")
    return soft_targets(labels, logits.shape[-1], dtype=logits.dtype)


def _mean_over_batch(terms, logits):
    return anp.sum(terms) * logits.dtype.type(1 / len(logits))


def _check_beta(beta: float) -> None:
    if not 0 <= beta <= 1:
        raise ValueError(f"beta must lie in [0, 1], got {beta}")
