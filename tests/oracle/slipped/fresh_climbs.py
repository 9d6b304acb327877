"""Fresh wrong climbs: the length of ε, and its direction."""

import math

import numpy as np


def forgot_the_root(w, grad_fn, *, rho, lr):
    """Divides by the squared norm."""
    g = grad_fn(w)
    total = sum((gi**2).sum() for gi in g)
    if total == 0:
        return [wi - lr * gi for wi, gi in zip(w, g, strict=True)]
    scale = rho / total
    w_adv = [wi + scale * gi for wi, gi in zip(w, g, strict=True)]
    return [wi - lr * gi for wi, gi in zip(w, grad_fn(w_adv), strict=True)]


def loop_overwrites_norm(w, grad_fn, *, rho, lr):
    """The norm is the last tensor's: the loop overwrites it."""
    grads = grad_fn(w)
    norm = 0.0
    for grad in grads:
        norm = np.sqrt(np.sum(grad**2))
    if norm == 0:
        norm = 1.0
    eps = [rho * grad / norm for grad in grads]
    adv = grad_fn([p + e for p, e in zip(w, eps, strict=True)])
    return [p - lr * grad for p, grad in zip(w, adv, strict=True)]


def sum_of_norms(w, grad_fn, *, rho, lr):
    """The norm is the sum of the tensors' norms."""
    g = grad_fn(w)
    norm = sum(np.linalg.norm(x) for x in g)
    b = [a + (rho * x / norm if norm > 0 else 0) for a, x in zip(w, g, strict=True)]
    return [a - lr * x for a, x in zip(w, grad_fn(b), strict=True)]


def root_mean_square(w, grad_fn, *, rho, lr):
    """The root mean square instead of the norm."""
    g = grad_fn(w)
    flat = np.concatenate([x.ravel() for x in g])
    rms = np.sqrt(np.mean(flat**2))
    if rms > 0:
        b = [a + rho * x / rms for a, x in zip(w, g, strict=True)]
    else:
        b = w
    return [a - lr * x for a, x in zip(w, grad_fn(b), strict=True)]


def spectral_norm(w, grad_fn, *, rho, lr):
    """Takes np.linalg.norm of a matrix with ord=2: the spectral norm."""
    g = grad_fn(w)
    norms = [np.linalg.norm(x, ord=2) if x.ndim == 2 else np.linalg.norm(x) for x in g]
    norm = math.sqrt(sum(n * n for n in norms))
    k = rho / norm if norm else 0.0
    d2 = grad_fn([a + k * x for a, x in zip(w, g, strict=True)])
    return [a - lr * x for a, x in zip(w, d2, strict=True)]


def fgsm_sam(w, grad_fn, *, rho, lr):
    """Steps to the corner: the sign of the gradient, the infinity ball."""
    d1 = grad_fn(w)
    adversarial = [p + rho * np.sign(g) for p, g in zip(w, d1, strict=True)]
    d2 = grad_fn(adversarial)
    return [p - lr * g for p, g in zip(w, d2, strict=True)]


def clip_grad_norm(w, grad_fn, *, rho, lr):
    """Clips the gradient to rho instead of normalizing it."""
    g = grad_fn(w)
    total = np.sqrt(sum(float(np.vdot(x, x)) for x in g))
    coef = min(1.0, rho / (total + 1e-300))
    d2 = grad_fn([a + coef * x for a, x in zip(w, g, strict=True)])
    return [a - lr * x for a, x in zip(w, d2, strict=True)]


def norm_at_least_one(w, grad_fn, *, rho, lr):
    """Max(norm, 1): small gradients are not normalized."""
    g = grad_fn(w)
    norm = np.sqrt(sum(np.sum(np.square(x)) for x in g))
    b = [a + rho * x / max(norm, 1.0) for a, x in zip(w, g, strict=True)]
    return [a - lr * x for a, x in zip(w, grad_fn(b), strict=True)]


def norm_of_rows(w, grad_fn, *, rho, lr):
    """Each row of a matrix has a norm of its own."""

    def unit(x):
        n = np.sqrt(np.sum(x * x, axis=-1, keepdims=True)) if x.ndim else np.abs(x)
        return np.divide(x, n, out=np.zeros_like(x), where=n > 0)

    d1 = grad_fn(w)
    d2 = grad_fn([p + rho * unit(g) for p, g in zip(w, d1, strict=True)])
    return [p - lr * g for p, g in zip(w, d2, strict=True)]


def clips_epsilon(w, grad_fn, *, rho, lr):
    """Clips epsilon to a box after normalizing."""
    g = grad_fn(w)
    norm = np.sqrt(sum(np.sum(x**2) for x in g)) or 1.0
    eps = [np.clip(rho * x / norm, -rho / 2, rho / 2) for x in g]
    g2 = grad_fn([a + e for a, e in zip(w, eps, strict=True)])
    return [a - lr * x for a, x in zip(w, g2, strict=True)]


def relative_radius(w, grad_fn, *, rho, lr):
    """The radius grows with the length of the weights."""
    grads = grad_fn(w)
    length = np.sqrt(sum((g * g).sum() for g in grads))
    radius = rho * np.sqrt(sum((p * p).sum() for p in w))
    if length > 0:
        grads = grad_fn([p + radius / length * g for p, g in zip(w, grads, strict=True)])
    return [p - lr * g for p, g in zip(w, grads, strict=True)]
