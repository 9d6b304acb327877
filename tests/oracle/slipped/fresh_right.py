"""Fresh right steps, in unusual styles."""

import math
from functools import reduce

import numpy as np


def flat_vector(w, grad_fn, *, rho, lr):
    """One flat vector, np.split."""
    cuts = np.cumsum([x.size for x in w])[:-1]

    def ravel(arrays):
        return np.concatenate([np.ravel(x) for x in arrays])

    def unravel(v):
        return [part.reshape(x.shape) for part, x in zip(np.split(v, cuts), w, strict=True)]

    theta = ravel(w)
    g = ravel(grad_fn(w))
    n = np.linalg.norm(g)
    g2 = ravel(grad_fn(unravel(theta + (rho / n) * g if n else theta)))
    return unravel(theta - lr * g2)


def reduce_hypot(w, grad_fn, *, rho, lr):
    """Functools.reduce and math.hypot."""
    d1 = grad_fn(w)
    n = reduce(math.hypot, (float(v) for g in d1 for v in g.flat), 0.0)

    def move(p, g):
        return p if n == 0.0 else p + rho * (g / n)

    return list(map(lambda p, g: p - lr * g, w, grad_fn(list(map(move, w, d1)))))


def try_finally(w, grad_fn, *, rho, lr):
    """In place on copies, saved before, put back in a finally."""
    saved = [x.copy() for x in w]
    try:
        g = grad_fn(w)
        n = math.sqrt(sum(float(np.sum(x * x)) for x in g))
        for x, y in zip(w, g, strict=True):
            if n > 0:
                x += rho * y / n
        g = grad_fn(w)
    finally:
        for x, s in zip(w, saved, strict=True):
            x[...] = s
    return [x - lr * y for x, y in zip(saved, g, strict=True)]


class _Sam:
    def __init__(self, rho, lr):
        self.rho, self.lr = rho, lr

    def climb(self, w, g):
        n = np.sqrt(sum(np.einsum("i,i", x.ravel(), x.ravel()) for x in g))
        return [x + self.rho * y / n for x, y in zip(w, g, strict=True)] if n else [+x for x in w]

    def __call__(self, w, f):
        return [x - self.lr * y for x, y in zip(w, f(self.climb(w, f(w))), strict=True)]


def by_class(w, grad_fn, *, rho, lr):
    """A class that a function calls, einsum."""
    return _Sam(rho, lr)(w, grad_fn)


def by_generator(w, grad_fn, *, rho, lr):
    """A generator that is sent the gradients."""

    def points():
        g = yield w
        n = sum(np.sum(x**2) for x in g) ** 0.5
        b = [x + (rho * y / n if n else 0) for x, y in zip(w, g, strict=True)]
        g = yield b
        yield [x - lr * y for x, y in zip(w, g, strict=True)]

    p = points()
    return p.send(grad_fn(p.send(grad_fn(next(p)))))


def object_arrays(w, grad_fn, *, rho, lr):
    """Object arrays: arithmetic over all tensors at once."""

    def pack(arrays):
        out = np.empty(len(arrays), dtype=object)
        for i, x in enumerate(arrays):
            out[i] = np.asarray(x)
        return out

    W, G = pack(w), pack(grad_fn(w))
    n = math.sqrt(sum(np.vdot(x, x) for x in G))
    B = W + G * (rho / n) if n > 0 else W
    return list(W - pack(grad_fn(list(B))) * lr)


def scaled_first(w, grad_fn, *, rho, lr, momentum, weight_decay, nesterov, state):
    """Divides by the largest entry first; a velocity in units of weights over lr."""
    d1 = grad_fn(w)
    top = max(np.max(np.abs(g), initial=0) for g in d1)
    if top > 0:
        unit = [g / top for g in d1]
        n = np.sqrt(sum(np.sum(u * u) for u in unit))
        d2 = grad_fn([p + rho * (u / n) for p, u in zip(w, unit, strict=True)])
    else:
        d2 = grad_fn(w)
    out, old = [], state.get("velocity")
    state["velocity"] = []
    for i, (p, g) in enumerate(zip(w, d2, strict=True)):
        g = g + weight_decay * p
        v = g if old is None else momentum * old[i] + g
        state["velocity"].append(v)
        out.append(p - lr * (g + momentum * v if nesterov else v))
    return out


def asam_by_coordinates(w, grad_fn, *, rho, lr, eta, names):
    """ASAM as SAM in the coordinates u = w / T."""
    t = [abs(p) + eta if n.endswith("weight") else 1.0 for p, n in zip(w, names, strict=True)]
    u = [a * g for a, g in zip(t, grad_fn(w), strict=True)]
    n = math.sqrt(sum(float((x * x).sum()) for x in u))
    b = [p + a * (rho * x / n if n else 0 * x) for p, a, x in zip(w, t, u, strict=True)]
    return [p - lr * g for p, g in zip(w, grad_fn(b), strict=True)]


def both_methods(w, grad_fn, *, rho, lr, method, eta, names):
    """One function for both, match on the method."""
    if method == "asam":
        t = [
            np.where(n.endswith("weight"), np.abs(p) + eta, 1)
            for p, n in zip(w, names, strict=True)
        ]
    else:
        t = [1.0] * len(w)
    d1 = grad_fn(w)
    n = np.sqrt(np.sum([np.sum(np.square(a * g)) for a, g in zip(t, d1, strict=True)]))
    eps = [
        np.zeros_like(p) if n == 0 else rho * a**2 * g / n for p, a, g in zip(w, t, d1, strict=True)
    ]
    return [
        p - lr * g
        for p, g in zip(w, grad_fn([p + e for p, e in zip(w, eps, strict=True)]), strict=True)
    ]


def updates_as_deltas(w, grad_fn, *, rho, lr, weight_decay):
    """Adds deltas, and decays by a factor."""
    d1 = grad_fn(w)
    n = np.sqrt(sum(np.dot(g.ravel(), g.ravel()) for g in d1))
    ratio = np.divide(rho, n, out=np.zeros(()), where=n != 0)
    delta = [-lr * g for g in grad_fn([p + ratio * g for p, g in zip(w, d1, strict=True)])]
    return [p * (1 - lr * weight_decay) + d for p, d in zip(w, delta, strict=True)]
