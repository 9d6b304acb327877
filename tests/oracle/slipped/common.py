"""The few lines that right and wrong steps share."""

import numpy as np


def length(grads):
    return float(np.sqrt(sum(np.sum(g * g) for g in grads)))


def moved(w, by, grads):
    return [x + by * g for x, g in zip(w, grads, strict=True)]


def climbed(w, d1, rho):
    size = length(d1)
    return moved(w, rho / size, d1) if size else [x.copy() for x in w]


def second(w, grad_fn, rho):
    return grad_fn(climbed(w, grad_fn(w), rho))


def with_velocity(w, d2, lr, momentum, state):
    old = state.get("v") or [np.zeros_like(g) for g in d2]
    state["v"] = [momentum * v + g for v, g in zip(old, d2, strict=True)]
    return moved(w, -lr, state["v"])
