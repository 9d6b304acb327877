"""Wrong ASAMs: what T is, and where it stands."""

import numpy as np
from oracle.slipped.common import length, moved


def scales(w, names, eta):
    return [
        np.abs(x) + eta if name.endswith("weight") else np.ones_like(x)
        for x, name in zip(w, names, strict=True)
    ]


def times(t, g):
    return [a * b for a, b in zip(t, g, strict=True)]


def asam(w, grad_fn, rho, lr, direction, size):
    return moved(w, -lr, grad_fn(moved(w, rho / size if size else 0.0, direction)))


def t_once(w, grad_fn, *, rho, lr, eta, names):
    """Climbs along T g, not T² g."""
    tg = times(scales(w, names, eta), grad_fn(w))
    return asam(w, grad_fn, rho, lr, tg, length(tg))


def norm_of_g(w, grad_fn, *, rho, lr, eta, names):
    """Divides T² g by ‖g‖."""
    g, t = grad_fn(w), scales(w, names, eta)
    return asam(w, grad_fn, rho, lr, times(t, times(t, g)), length(g))


def norm_of_the_climb(w, grad_fn, *, rho, lr, eta, names):
    """Divides T² g by its own norm."""
    g, t = grad_fn(w), scales(w, names, eta)
    ttg = times(t, times(t, g))
    return asam(w, grad_fn, rho, lr, ttg, length(ttg))


def larger_of_w_and_eta(w, grad_fn, *, rho, lr, eta, names):
    """Has T = max(|w|, η)."""
    t = [np.maximum(np.abs(x), eta) if n.endswith("weight") else np.ones_like(x)
         for x, n in zip(w, names, strict=True)]  # fmt: skip
    tg = times(t, grad_fn(w))
    return asam(w, grad_fn, rho, lr, times(t, tg), length(tg))


def eta_in_the_norm_only(w, grad_fn, *, rho, lr, eta, names):
    """Has η in ‖T g‖, and |w|² g above it."""
    g = grad_fn(w)
    t = scales(w, names, 0.0)
    return asam(w, grad_fn, rho, lr, times(t, times(t, g)), length(times(scales(w, names, eta), g)))


def eta_in_the_square_only(w, grad_fn, *, rho, lr, eta, names):
    """Has η in T² g, and |w| in the norm."""
    g = grad_fn(w)
    t = scales(w, names, eta)
    return asam(w, grad_fn, rho, lr, times(t, times(t, g)), length(times(scales(w, names, 0.0), g)))


def eta_dropped(w, grad_fn, *, rho, lr, eta, names):
    """Takes η, and has none."""
    t = scales(w, names, 0.0)
    tg = times(t, grad_fn(w))
    return asam(w, grad_fn, rho, lr, times(t, tg), length(tg))


def eta_squared(w, grad_fn, *, rho, lr, eta, names):
    """Has w² + η² for T²."""
    g = grad_fn(w)
    tt = [x * x + eta**2 if n.endswith("weight") else np.ones_like(x)
          for x, n in zip(w, names, strict=True)]  # fmt: skip
    return asam(w, grad_fn, rho, lr, times(tt, g), length(times([np.sqrt(t) for t in tt], g)))


def mean_one(w, grad_fn, *, rho, lr, eta, names):
    """Divides T by its mean."""
    t = [x / x.mean() for x in scales(w, names, eta)]
    tg = times(t, grad_fn(w))
    return asam(w, grad_fn, rho, lr, times(t, tg), length(tg))


def rows(w, grad_fn, *, rho, lr, eta, names):
    """Has the norm of each row for |w|."""
    t = [
        np.linalg.norm(x.reshape(len(x), -1), axis=1).reshape(-1, *[1] * (x.ndim - 1)) + eta
        if n.endswith("weight") else np.ones_like(x)
        for x, n in zip(w, names, strict=True)
    ]  # fmt: skip
    tg = times(t, grad_fn(w))
    return asam(w, grad_fn, rho, lr, times(t, tg), length(tg))


def sign_lost(w, grad_fn, *, rho, lr, eta, names):
    """Forgets the magnitude: T = w + η."""
    t = [x + eta if n.endswith("weight") else np.ones_like(x)
         for x, n in zip(w, names, strict=True)]  # fmt: skip
    tg = times(t, grad_fn(w))
    return asam(w, grad_fn, rho, lr, times(t, tg), length(tg))


def biases_dropped(w, grad_fn, *, rho, lr, eta, names):
    """Has T = 0 for biases, so that they stay."""
    t = [s * n.endswith("weight") for s, n in zip(scales(w, names, eta), names, strict=True)]
    tg = times(t, grad_fn(w))
    return asam(w, grad_fn, rho, lr, times(t, tg), length(tg))


def weights_by_their_axes(w, grad_fn, *, rho, lr, eta):
    """Takes what has one axis for a bias."""
    t = [np.abs(x) + eta if x.ndim > 1 else np.ones_like(x) for x in w]
    tg = times(t, grad_fn(w))
    return asam(w, grad_fn, rho, lr, times(t, tg), length(tg))


def of_the_first_weights(w, grad_fn, *, rho, lr, eta, names, state):
    """Computes T once, in the first step."""
    t = state.setdefault("t", scales(w, names, eta))
    tg = times(t, grad_fn(w))
    return asam(w, grad_fn, rho, lr, times(t, tg), length(tg))


def renewed_on_the_way(w, grad_fn, *, rho, lr, eta, names):
    """Multiplies by T a second time after the tensor has moved."""
    tg = times(scales(w, names, eta), grad_fn(w))
    size = length(tg) or 1.0
    there = moved(w, rho / size, tg)
    b = moved(w, rho / size, times(scales(there, names, eta), tg))
    return moved(w, -lr, grad_fn(b))


def t_in_the_step(w, grad_fn, *, rho, lr, eta, names):
    """Multiplies d2 by T too."""
    t = scales(w, names, eta)
    tg = times(t, grad_fn(w))
    b = moved(w, rho / (length(tg) or 1.0), times(t, tg))
    return moved(w, -lr, times(t, grad_fn(b)))


def divided(w, grad_fn, *, rho, lr, eta, names):
    """Divides by T where it should multiply."""
    t = [1 / (s + 1e-12) for s in scales(w, names, eta)]
    tg = times(t, grad_fn(w))
    return asam(w, grad_fn, rho, lr, times(t, tg), length(tg))
