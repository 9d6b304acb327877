"""Small implementations that several tests check: right ones, awkward ones and wrong ones."""

import time

import numpy as np

from minisam.adapters.protocol import Unsupported
from minisam.oracle.probes import probes_of

# Two as files, for the doors that take a file.
SGD = """
def step(w, grad_fn, *, rho, lr):
    return [x - lr * g for x, g in zip(w, grad_fn(w))]
"""
SAM = """
import numpy as np
def step(w, grad_fn, *, rho, lr):
    g = grad_fn(w)
    n = np.sqrt(sum(np.sum(x * x) for x in g))
    b = [x + rho * y / n if n else x for x, y in zip(w, g)]
    return [x - lr * y for x, y in zip(w, grad_fn(b))]
"""


def results_of_the_library(method):
    """In how many probes and dtypes the library runs; its schedules are functions of the step."""
    probes = [
        probe
        for probe in probes_of(method)
        if not probe.settings.get("scheduler")
        and not any("rho" in group for group in probe.settings.get("groups", ()))
    ]
    return sum(1 if probe.once else 2 for probe in probes)


def length_of(grads):
    return np.sqrt(sum(np.sum(g * g) for g in grads))


def right(w, grad_fn, *, rho, lr):
    d1 = grad_fn(w)
    length = length_of(d1)
    b = [x + rho * g / length if length else x for x, g in zip(w, d1, strict=True)]
    return [x - lr * g for x, g in zip(w, grad_fn(b), strict=True)]


def right_with_momentum(w, grad_fn, *, rho, lr, momentum, state):
    d1 = grad_fn(w)
    length = length_of(d1)
    b = [x + g * (rho / length) if length else x for x, g in zip(w, d1, strict=True)]
    d2 = grad_fn(b)
    velocity = state.get("velocity") or [np.zeros_like(g) for g in d2]
    state["velocity"] = [momentum * v + g for v, g in zip(velocity, d2, strict=True)]
    return [x - lr * v for x, v in zip(w, state["velocity"], strict=True)]


def with_epsilon(w, grad_fn, *, rho, lr):
    d1 = grad_fn(w)
    scale = rho / (length_of(d1) + 1e-12)
    b = [x + scale * g for x, g in zip(w, d1, strict=True)]
    return [x - lr * g for x, g in zip(w, grad_fn(b), strict=True)]


def half_climb(w, grad_fn, *, rho, lr):
    return right(w, grad_fn, rho=rho / 2, lr=lr)


def three_mistakes(w, grad_fn, *, rho, lr):
    d1 = grad_fn(w)
    b = [x + rho * g / np.linalg.norm(g) for x, g in zip(w, d1, strict=True)]
    return [x - lr * g for x, g in zip(b, grad_fn(b), strict=True)]


def decay_in_the_loss(w, grad_fn, *, rho, lr, weight_decay):
    """L2 in the loss, computed also where it is zero: 0 · NaN is NaN."""

    def penalized(point):
        return [g + weight_decay * x for g, x in zip(grad_fn(point), point, strict=True)]

    return right(w, penalized, rho=rho, lr=lr)


def decay_at_b(w, grad_fn, *, rho, lr, weight_decay):
    points = []

    def penalized(point):
        points.append(point)
        decay = weight_decay if len(points) == 2 else 0
        return [g + decay * x for g, x in zip(grad_fn(point), point, strict=True)]

    return right(w, penalized, rho=rho, lr=lr)


def keeps_nan(w, grad_fn, *, rho, lr):
    """A NaN in the first gradient is passed on."""
    seen = []

    def spread(point):
        grads = grad_fn(point)
        seen.extend(g[np.isnan(g)].sum() for g in grads)
        return [g + sum(seen) for g in grads]

    return right(w, spread, rho=rho, lr=lr)


def does_nothing(w, grad_fn, *, rho, lr):
    return w


def echoes(w, grad_fn, *, rho, lr):
    return grad_fn(w)


def skips(w, grad_fn, *, rho, lr):
    raise Unsupported("not today")


def raises(w, grad_fn, *, rho, lr):
    raise KeyError("velocity")


def exits(w, grad_fn, *, rho, lr):
    raise SystemExit(3)


def hangs(w, grad_fn, *, rho, lr):
    while True:
        time.sleep(0.01)


def asks_for_ever(w, grad_fn, *, rho, lr):
    while True:
        grad_fn(w)


def prints(w, grad_fn, *, rho, lr):
    print("now at", w)
    return right(w, grad_fn, rho=rho, lr=lr)


def changes_its_inputs(w, grad_fn, *, rho, lr):
    new = right(w, grad_fn, rho=rho, lr=lr)
    for x in w:
        x += 1
    return new


def returns_nan(w, grad_fn, *, rho, lr):
    return [x * np.nan for x in right(w, grad_fn, rho=rho, lr=lr)]


def wrong_shapes(w, grad_fn, *, rho, lr):
    return [x.ravel() for x in right(w, grad_fn, rho=rho, lr=lr)]


def one_tensor_too_few(w, grad_fn, *, rho, lr):
    return right(w, grad_fn, rho=rho, lr=lr)[:1]


def wrong_dtype(w, grad_fn, *, rho, lr):
    return [x.astype(np.float64) for x in right(w, grad_fn, rho=rho, lr=lr)]


def not_deterministic(w, grad_fn, *, rho, lr):
    return [x + np.random.default_rng().normal() for x in right(w, grad_fn, rho=rho, lr=lr)]


def returns_nothing(w, grad_fn, *, rho, lr):
    right(w, grad_fn, rho=rho, lr=lr)
