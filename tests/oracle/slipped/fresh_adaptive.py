"""Fresh wrong ASAMs."""

import numpy as np


def asam_t_once(w, grad_fn, *, rho, lr, eta, names):
    """ASAM's T is applied once, not squared."""
    d1 = grad_fn(w)
    ts = [
        abs(p) + eta if n.endswith("weight") else np.ones_like(p)
        for p, n in zip(w, names, strict=True)
    ]
    norm = np.sqrt(sum(np.sum((t * g) ** 2) for t, g in zip(ts, d1, strict=True))) or 1.0
    b = [p + rho * t * g / norm for p, t, g in zip(w, ts, d1, strict=True)]
    return [p - lr * g for p, g in zip(w, grad_fn(b), strict=True)]


def asam_plain_norm(w, grad_fn, *, rho, lr, eta, names):
    """ASAM's norm is the plain gradient's."""
    d1 = grad_fn(w)
    ts = [
        abs(p) + eta if n.endswith("weight") else np.ones_like(p)
        for p, n in zip(w, names, strict=True)
    ]
    norm = np.sqrt(sum(np.sum(g**2) for g in d1)) or 1.0
    b = [p + rho * t**2 * g / norm for p, t, g in zip(w, ts, d1, strict=True)]
    return [p - lr * g for p, g in zip(w, grad_fn(b), strict=True)]


def asam_eta_in_square(w, grad_fn, *, rho, lr, eta, names):
    """Adds eta to the square of the weights, not to their size."""
    d1 = grad_fn(w)
    sq = [
        p**2 + eta if n.endswith("weight") else np.ones_like(p)
        for p, n in zip(w, names, strict=True)
    ]
    norm = np.sqrt(sum(np.sum(s * g**2) for s, g in zip(sq, d1, strict=True))) or 1.0
    b = [p + rho * s * g / norm for p, s, g in zip(w, sq, d1, strict=True)]
    return [p - lr * g for p, g in zip(w, grad_fn(b), strict=True)]


def asam_max_eta(w, grad_fn, *, rho, lr, eta, names):
    """Max(|w|, eta) instead of |w| + eta."""
    d1 = grad_fn(w)
    ts = []
    for p, name in zip(w, names, strict=True):
        ts.append(np.maximum(np.abs(p), eta) if name.endswith("weight") else np.ones(p.shape))
    tg = [t * g for t, g in zip(ts, d1, strict=True)]
    norm = np.sqrt(sum(np.sum(x * x) for x in tg)) or 1.0
    b = [p + rho / norm * t * x for p, t, x in zip(w, ts, tg, strict=True)]
    return [p - lr * g for p, g in zip(w, grad_fn(b), strict=True)]


def asam_tensor_scale(w, grad_fn, *, rho, lr, eta, names):
    """One T for a whole tensor: its norm, as in filter normalization."""
    d1 = grad_fn(w)
    ts = [
        np.linalg.norm(p) + eta if n.endswith("weight") else 1.0
        for p, n in zip(w, names, strict=True)
    ]
    norm = np.sqrt(sum(np.sum((t * g) ** 2) for t, g in zip(ts, d1, strict=True))) or 1.0
    b = [p + rho * t * t * g / norm for p, t, g in zip(w, ts, d1, strict=True)]
    return [p - lr * g for p, g in zip(w, grad_fn(b), strict=True)]


def asam_keeps_first_t(w, grad_fn, *, rho, lr, eta, names, state):
    """The T of the first step is kept for ever."""
    d1 = grad_fn(w)
    ts = state.setdefault(
        "t",
        [
            abs(p) + eta if n.endswith("weight") else np.ones_like(p)
            for p, n in zip(w, names, strict=True)
        ],
    )
    norm = np.sqrt(sum(np.sum((t * g) ** 2) for t, g in zip(ts, d1, strict=True))) or 1.0
    b = [p + rho * t * t * g / norm for p, t, g in zip(w, ts, d1, strict=True)]
    return [p - lr * g for p, g in zip(w, grad_fn(b), strict=True)]
