"""Fresh wrong halves: which points are asked at, what is kept between, and what is clipped."""

import math

import numpy as np


def shallow_backup(w, grad_fn, *, rho, lr):
    """Backup = list(w) holds the same arrays that += changes."""
    backup = list(w)
    g = grad_fn(w)
    norm = np.sqrt(sum(np.sum(x * x) for x in g)) or 1.0
    for p, x in zip(w, g, strict=True):
        p += rho * x / norm
    g = grad_fn(w)
    return [p - lr * x for p, x in zip(backup, g, strict=True)]


def uses_the_first_gradient(w, grad_fn, *, rho, lr):
    """The second gradient is asked for and then not used."""
    g = grad_fn(w)
    n = np.sqrt(sum(np.sum(x**2) for x in g)) or 1.0
    g_adv = grad_fn([p + rho * x / n for p, x in zip(w, g, strict=True)])
    assert len(g_adv) == len(g)
    return [p - lr * x for p, x in zip(w, g, strict=True)]


def ascends_by_lr(w, grad_fn, *, rho, lr):
    """The ascent is as long as the learning rate."""
    d1 = grad_fn(w)
    n = np.sqrt(sum(np.sum(g**2) for g in d1)) or 1.0
    d2 = grad_fn([p + lr * g / n for p, g in zip(w, d1, strict=True)])
    return [p - lr * g for p, g in zip(w, d2, strict=True)]


def popped_in_reverse(w, grad_fn, *, rho, lr):
    """Epsilon is popped from a stack, so it comes back reversed."""
    d1 = grad_fn(w)
    n = np.sqrt(sum(np.sum(g**2) for g in d1)) or 1.0
    stack = [rho * g / n for g in d1]
    moved = []
    for p in w:
        e = stack.pop()
        moved.append(p + (e if e.shape == p.shape else np.resize(e, p.shape)))
    return [p - lr * g for p, g in zip(w, grad_fn(moved), strict=True)]


def goes_back_with_new_gradient(w, grad_fn, *, rho, lr):
    """Goes back by the epsilon of the second gradient."""

    def eps(g):
        n = np.sqrt(sum(np.sum(x * x) for x in g)) or 1.0
        return [rho * x / n for x in g]

    b = [p + e for p, e in zip(w, eps(grad_fn(w)), strict=True)]
    d2 = grad_fn(b)
    back = [p - e for p, e in zip(b, eps(d2), strict=True)]
    return [p - lr * g for p, g in zip(back, d2, strict=True)]


def normalizes_both(w, grad_fn, *, rho, lr):
    """The gradient at B is made a unit vector, too."""

    def unit(g):
        n = np.sqrt(sum(np.sum(x * x) for x in g))
        return [x / n for x in g] if n > 0 else g

    u = unit(grad_fn(w))
    v = unit(grad_fn([p + rho * x for p, x in zip(w, u, strict=True)]))
    return [p - lr * x for p, x in zip(w, v, strict=True)]


def climbs_twice(w, grad_fn, *, rho, lr):
    """Two ascent steps of rho each."""
    p = [x.copy() for x in w]
    for _ in range(2):
        g = grad_fn(p)
        n = np.sqrt(sum(np.sum(x * x) for x in g)) or 1.0
        p = [x + rho * y / n for x, y in zip(p, g, strict=True)]
    g = grad_fn(p)
    return [x - lr * y for x, y in zip(w, g, strict=True)]


def stale_ascent(w, grad_fn, *, rho, lr, state):
    """Ascends along last step's descent gradient, to save a pass."""
    g = state.get("g")
    if g is None:
        g = grad_fn(w)
    n = np.sqrt(sum(np.sum(x * x) for x in g)) or 1.0
    state["g"] = grad_fn([p + rho * x / n for p, x in zip(w, g, strict=True)])
    return [p - lr * x for p, x in zip(w, state["g"], strict=True)]


def every_other_step(w, grad_fn, *, rho, lr, state):
    """SAM on every second step only."""
    t = state["t"] = state.get("t", -1) + 1
    g = grad_fn(w)
    if t % 2 == 0:
        n = np.sqrt(sum(np.sum(x * x) for x in g)) or 1.0
        g = grad_fn([p + rho * x / n for p, x in zip(w, g, strict=True)])
    return [p - lr * x for p, x in zip(w, g, strict=True)]


def fading_rho(w, grad_fn, *, rho, lr, state):
    """A rho that fades as 1/sqrt(t)."""
    state["t"] = state.get("t", 0) + 1
    rho_t = rho / math.sqrt(state["t"])
    g = grad_fn(w)
    n = np.sqrt(sum(np.sum(x * x) for x in g)) or 1.0
    g = grad_fn([p + rho_t * x / n for p, x in zip(w, g, strict=True)])
    return [p - lr * x for p, x in zip(w, g, strict=True)]


def running_norm(w, grad_fn, *, rho, lr, state):
    """The norm is a running mean over the steps."""
    g = grad_fn(w)
    n = np.sqrt(sum(np.sum(x * x) for x in g))
    state["n"] = 0.9 * state["n"] + 0.1 * n if "n" in state else n
    s = rho / state["n"] if state["n"] else 0.0
    g = grad_fn([p + s * x for p, x in zip(w, g, strict=True)])
    return [p - lr * x for p, x in zip(w, g, strict=True)]


def returns_on_zero(w, grad_fn, *, rho, lr, momentum, weight_decay, state):
    """A zero gradient returns at once, without momentum or decay."""
    g = grad_fn(w)
    n = np.sqrt(sum(np.sum(x * x) for x in g))
    if n == 0:
        return w
    g = grad_fn([p + rho * x / n for p, x in zip(w, g, strict=True)])
    g = [x + weight_decay * p for x, p in zip(g, w, strict=True)]
    v = state.get("v", [0 * x for x in g])
    state["v"] = v = [momentum * a + x for a, x in zip(v, g, strict=True)]
    return [p - lr * a for p, a in zip(w, v, strict=True)]


def no_guard(w, grad_fn, *, rho, lr):
    """No guard: a zero gradient gives NaN."""
    d1 = grad_fn(w)
    norm = np.sqrt(sum(np.sum(g**2) for g in d1))
    with np.errstate(all="ignore"):
        d2 = grad_fn([p + rho * g / norm for p, g in zip(w, d1, strict=True)])
    return [p - lr * g for p, g in zip(w, d2, strict=True)]


def hides_nan(w, grad_fn, *, rho, lr):
    """Hides NaN and infinity in the gradient."""
    d1 = [np.nan_to_num(g) for g in grad_fn(w)]
    norm = np.sqrt(sum(np.sum(g**2) for g in d1)) or 1.0
    d2 = [
        np.nan_to_num(g) for g in grad_fn([p + rho * g / norm for p, g in zip(w, d1, strict=True)])
    ]
    return [p - lr * g for p, g in zip(w, d2, strict=True)]


def only_matrices(w, grad_fn, *, rho, lr):
    """Only matrices are perturbed."""
    d1 = grad_fn(w)
    norm = np.sqrt(sum(np.sum(g**2) for g in d1)) or 1.0
    b = [p + rho * g / norm if g.ndim > 1 else p for p, g in zip(w, d1, strict=True)]
    return [p - lr * g for p, g in zip(w, grad_fn(b), strict=True)]


def norm_without_biases(w, grad_fn, *, rho, lr, names):
    """The norm is that of the weights' tensors only, biases are perturbed all the same."""
    d1 = grad_fn(w)
    sq = sum(np.sum(g**2) for g, name in zip(d1, names, strict=True) if not name.endswith("bias"))
    s = rho / math.sqrt(sq) if sq else 0.0
    d2 = grad_fn([p + s * g for p, g in zip(w, d1, strict=True)])
    return [p - lr * g for p, g in zip(w, d2, strict=True)]


def clipping_left_on(w, grad_fn, *, rho, lr):
    """The gradient at B is clipped to length one, left over from training code."""

    def norm(g):
        return np.sqrt(sum(np.sum(x**2) for x in g))

    d1 = grad_fn(w)
    n = norm(d1) or 1.0
    d2 = grad_fn([p + rho * g / n for p, g in zip(w, d1, strict=True)])
    clip = min(1.0, 1.0 / (norm(d2) or 1.0))
    return [p - lr * clip * g for p, g in zip(w, d2, strict=True)]


def both_sides(w, grad_fn, *, rho, lr):
    """Gradient at A + eps and A - eps, averaged."""
    d1 = grad_fn(w)
    n = np.sqrt(sum(np.sum(g**2) for g in d1)) or 1.0
    eps = [rho * g / n for g in d1]
    up = grad_fn([p + e for p, e in zip(w, eps, strict=True)])
    down = grad_fn([p - e for p, e in zip(w, eps, strict=True)])
    return [p - lr * (a + b) / 2 for p, a, b in zip(w, up, down, strict=True)]


def flattens_to_float32(w, grad_fn, *, rho, lr):
    """Goes through float32 when it flattens."""
    g = grad_fn(w)
    flat = np.concatenate([x.ravel() for x in g]).astype(dtype=np.float32)
    n = np.linalg.norm(flat)
    e = rho * flat / n if n > 0 else 0 * flat
    b, i = [], 0
    for x in w:
        b.append(x + e[i : i + x.size].reshape(x.shape))
        i += x.size
    return [p - lr * x for p, x in zip(w, grad_fn(b), strict=True)]
