"""Losses and a data mixture made for wrong labels: what SAM is compared with.

Cross-entropy grows without bound as the probability p_y of the given label goes to 0, so a few
wrong labels, which a good network finds improbable, come to rule its gradient. Each remedy here
bounds or dilutes that pull:

    GCE             Σ_k t_k (1 − p_k^q) / q      between cross-entropy (q → 0) and 1 − p_y (q = 1)
    soft bootstrap  −Σ_k (β t_k + (1 − β) p_k) log p_k        the network's own opinion, weighed in
    hard bootstrap  −Σ_k (β t_k + (1 − β) [k = argmax p]) log p_k
    mixup           cross-entropy on λ x_i + (1 − λ) x_j with labels λ t_i + (1 − λ) t_j

with p = softmax(z) and t the one-hot, or soft, labels. The losses go where `cross_entropy` goes,
mixup where augmentation goes. Like `cross_entropy` they leave out a class that a logit of −∞ masks.
"""

from __future__ import annotations

import autograd.numpy as anp
import numpy as np
from autograd.tracer import getval

from minisam.checks import check_number, is_real
from minisam.nn.kernels.activations import softmax
from minisam.nn.labels import as_labels, fitting, soft_targets
from minisam.nn.losses import batch_mean, log_softmax, softmax_cross_entropy


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
    logits, t = fitting(logits, labels)
    tiny = float(np.finfo(logits.dtype).tiny)
    if not (is_real(q) and tiny <= q <= 1):
        raise ValueError(
            f"q must be above 0 (at least {tiny:.2g} in {logits.dtype}) and at most 1, got {q!r}"
        )
    q = float(q)  # a number of NumPy's would make float32 logits float64
    return batch_mean(-t * anp.expm1(q * log_softmax(logits)) * (1 / q))


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
    beta = check_number("beta", beta, high=1.0)
    logits, t = fitting(logits, labels)
    return softmax_cross_entropy(logits, beta * t + (1 - beta) * softmax(logits))


def hard_bootstrap(logits, labels, beta: float = 0.8):
    """Return the cross-entropy against β t + (1 − β) z̄, z̄ the one-hot of the network's choice.

    Args:
        logits: z, ndarray of shape (batch, classes).
        labels: integers of shape (batch,), or probabilities of shape (batch, classes).
        beta: weight β of the labels, from 0 to 1.

    Returns:
        The loss, a scalar of the logits' dtype.

    Example:
        >>> from minisam.nn.losses import cross_entropy
        >>> z, y = np.array([[9.0, 0.0]]), np.array([1])
        >>> float(hard_bootstrap(z, y)) < float(cross_entropy(z, y))
        True

    Source:
        Reed et al. 2014, arXiv 1412.6596, eq. (7), whose authors use β = 0.8.
    """
    beta = check_number("beta", beta, high=1.0)
    logits, t = fitting(logits, labels)
    chosen = soft_targets(np.argmax(getval(logits), axis=1), logits.shape[1], t.dtype)
    return softmax_cross_entropy(logits, beta * t + (1 - beta) * chosen)


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
    if not (is_real(alpha) and np.isfinite(alpha) and alpha > 0):
        raise ValueError(f"alpha must be positive, got {alpha!r}")
    dtype = getattr(images, "dtype", None)
    if dtype is None or dtype.kind != "f":
        raise ValueError(f"images must be a floating-point array to be mixed, got {dtype}")
    labels = as_labels(labels, classes, len(images), "images")
    targets = soft_targets(labels, classes, dtype)
    lam = dtype.type(rng.beta(alpha, alpha))
    partner = rng.permutation(len(images))
    rest = dtype.type(1) - lam
    return lam * images + rest * images[partner], lam * targets + rest * targets[partner]
