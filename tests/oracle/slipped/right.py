"""Right steps in other styles."""

import numpy as np
from oracle.slipped.adaptive import scales, times
from oracle.slipped.common import climbed, length, moved, second, with_velocity


def in_place(w, grad_fn, *, rho, lr):
    """Works on copies, in place."""
    w = [x.copy() for x in w]
    old = [x.copy() for x in w]
    d1 = grad_fn(w)
    size = length(d1)
    for x, g in zip(w, d1, strict=True):
        if size:
            x += rho * g / size
    d2 = grad_fn(w)
    for x, a, g in zip(w, old, d2, strict=True):
        x[...] = a
        x -= lr * g
    return w


def flat_vector(w, grad_fn, *, rho, lr):
    """Works on one long vector."""
    cuts = np.cumsum([x.size for x in w])[:-1]

    def joined(arrays):
        return np.concatenate([x.ravel() for x in arrays])

    def apart(vector):
        parts = np.split(vector, cuts)
        return [part.reshape(x.shape) for part, x in zip(parts, w, strict=True)]

    a = joined(w)
    d1 = joined(grad_fn(w))
    size = np.linalg.norm(d1)
    b = a + rho * d1 / size if size > 0 else a
    return apart(a - lr * joined(grad_fn(apart(b))))


def python_floats(w, grad_fn, *, rho, lr):
    """Sums squares in Python's own floats."""
    d1 = grad_fn(w)
    total = 0.0
    for g in d1:
        for entry in g.ravel().tolist():
            total += entry * entry
    scale = rho / total**0.5 if total > 0 else 0.0
    return moved(w, -lr, grad_fn(moved(w, scale, d1)))


def python_powers(w, grad_fn, *, rho, lr):
    """Squares Python's own floats, which raise OverflowError above 1e154."""
    d1 = grad_fn(w)
    size = sum(entry**2 for g in d1 for entry in g.ravel().tolist()) ** 0.5
    return moved(w, -lr, grad_fn(moved(w, rho / size if size else 0.0, d1)))


def norm_of_norms(w, grad_fn, *, rho, lr):
    """Takes the norm of the tensors' norms."""
    d1 = grad_fn(w)
    size = np.linalg.norm([np.linalg.norm(g) for g in d1])
    b = moved(w, rho / size, d1) if size > 0 else w
    return moved(w, -lr, grad_fn(b))


class _Sam:
    def __init__(self, rho, lr):
        self.rho, self.lr = rho, lr

    def step(self, w, grad_fn):
        b = climbed(w, grad_fn(w), self.rho)
        return moved(w, -self.lr, grad_fn(b))


def through_a_class(w, grad_fn, *, rho, lr):
    """Wraps a class."""
    return _Sam(rho, lr).step(w, grad_fn)


def asks_again(w, grad_fn, *, rho, lr):
    """Asks at A twice, as a closure that is called for its loss does."""
    grad_fn(w)
    return moved(w, -lr, second(w, grad_fn, rho))


def a_tuple(w, grad_fn, *, rho, lr):
    """Returns a tuple."""
    return tuple(moved(w, -lr, second(w, grad_fn, rho)))


def a_generator(w, grad_fn, *, rho, lr):
    """Yields tensor by tensor."""
    d2 = second(w, grad_fn, rho)
    for x, g in zip(w, d2, strict=True):
        yield x - lr * g


def through_a_dict(w, grad_fn, *, rho, lr, names):
    """Keeps tensors by name."""
    a = dict(zip(names, w, strict=True))
    d1 = dict(zip(names, grad_fn(w), strict=True))
    size = length(d1.values())
    b = {n: a[n] + (rho / size) * d1[n] if size else a[n] for n in a}
    d2 = dict(zip(names, grad_fn([b[n] for n in names]), strict=True))
    return [a[n] - lr * d2[n] for n in names]


def momentum_and_decay(w, grad_fn, *, rho, lr, momentum, weight_decay, nesterov, state):
    """Has all of SGD."""
    d = moved(second(w, grad_fn, rho), weight_decay, w)
    plain = with_velocity(w, d, lr, momentum, state)
    return moved(w, -lr, moved(d, momentum, state["v"])) if nesterov else plain


def weights_only_asam(w, grad_fn, *, rho, lr, eta, names):
    """Is the authors' ASAM, without an argument for the scope."""
    t = scales(w, names, eta)
    tg = times(t, grad_fn(w))
    size = length(tg)
    b = moved(w, rho / size, times(t, tg)) if size else w
    return moved(w, -lr, grad_fn(b))


def asam_of_all(w, grad_fn, *, rho, lr, eta):
    """Is an ASAM that rescales every tensor."""
    t = [np.abs(x) + eta for x in w]
    tg = times(t, grad_fn(w))
    size = length(tg)
    b = moved(w, rho / size, times(t, tg)) if size else w
    return moved(w, -lr, grad_fn(b))


def restores_by_subtraction(w, grad_fn, *, rho, lr):
    """Takes ε back."""
    d1 = grad_fn(w)
    size = length(d1)
    e = [g * (rho / size) if size else 0 * g for g in d1]
    b = moved(w, 1, e)
    return moved(moved(b, -1, e), -lr, grad_fn(b))


def epsilon_added(w, grad_fn, *, rho, lr):
    """Adds 1e-12 to the norm."""
    d1 = grad_fn(w)
    return moved(w, -lr, grad_fn(moved(w, rho / (length(d1) + 1e-12), d1)))


def rate_inside(w, grad_fn, *, rho, lr, momentum, state):
    """Has the rate inside the velocity, as Keras does."""
    d2 = second(w, grad_fn, rho)
    return with_velocity(w, [lr * g for g in d2], 1.0, momentum, state)
