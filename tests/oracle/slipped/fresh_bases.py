"""Fresh wrong base optimizers under a right climb, or a wrong use of their buffers."""

import numpy as np


def buffer_twice(w, grad_fn, *, rho, lr, momentum, state):
    """The momentum buffer is updated in both passes."""
    d1 = grad_fn(w)
    n = np.sqrt(sum(np.sum(g**2) for g in d1)) or 1.0
    d2 = grad_fn([p + rho * g / n for p, g in zip(w, d1, strict=True)])
    v = state.get("v") or [np.zeros_like(p) for p in w]
    for g in (d1, d2):
        v = [momentum * a + b for a, b in zip(v, g, strict=True)]
    state["v"] = v
    return [p - lr * a for p, a in zip(w, v, strict=True)]


def ascends_along_momentum(w, grad_fn, *, rho, lr, momentum, state):
    """The ascent follows the momentum buffer."""
    v = state.get("v") or [np.zeros_like(p) for p in w]
    direction = [momentum * a + g for a, g in zip(v, grad_fn(w), strict=True)]
    n = np.sqrt(sum(np.sum(g**2) for g in direction)) or 1.0
    d2 = grad_fn([p + rho * g / n for p, g in zip(w, direction, strict=True)])
    state["v"] = [momentum * a + g for a, g in zip(v, d2, strict=True)]
    return [p - lr * a for p, a in zip(w, state["v"], strict=True)]


def exponential_mean(w, grad_fn, *, rho, lr, momentum, state):
    """An exponential mean instead of PyTorch's momentum."""
    d1 = grad_fn(w)
    n = np.sqrt(sum(np.sum(g**2) for g in d1)) or 1.0
    d2 = grad_fn([p + rho * g / n for p, g in zip(w, d1, strict=True)])
    if "v" not in state:
        state["v"] = d2
    else:
        state["v"] = [
            momentum * a + (1 - momentum) * g for a, g in zip(state["v"], d2, strict=True)
        ]
    return [p - lr * a for p, a in zip(w, state["v"], strict=True)]


def nesterov_aliases_buffer(w, grad_fn, *, rho, lr, momentum, nesterov, state):
    """Nesterov adds to the gradient in place, and the buffer is that same array."""
    d1 = grad_fn(w)
    n = np.sqrt(sum(np.sum(g**2) for g in d1)) or 1.0
    d2 = [g.copy() for g in grad_fn([p + rho * g / n for p, g in zip(w, d1, strict=True)])]
    if "v" in state:
        state["v"] = [momentum * a + g for a, g in zip(state["v"], d2, strict=True)]
    else:
        state["v"] = d2
    if nesterov:
        for g, v in zip(d2, state["v"], strict=True):
            g += momentum * v
    else:
        d2 = state["v"]
    return [p - lr * g for p, g in zip(w, d2, strict=True)]


def nesterov_old_buffer(w, grad_fn, *, rho, lr, momentum, nesterov, state):
    """Nesterov with the buffer before the update."""
    d1 = grad_fn(w)
    n = np.sqrt(sum(np.sum(g**2) for g in d1)) or 1.0
    d2 = grad_fn([p + rho * g / n for p, g in zip(w, d1, strict=True)])
    out = []
    bufs = state.setdefault("v", [np.zeros_like(p) for p in w])
    for i, (p, g) in enumerate(zip(w, d2, strict=True)):
        old = bufs[i]
        bufs[i] = momentum * old + g
        out.append(p - lr * (g + momentum * old if nesterov else bufs[i]))
    return out


def decays_at_b(w, grad_fn, *, rho, lr, weight_decay):
    """Weight decay pulls the perturbed weights."""
    d1 = grad_fn(w)
    n = np.sqrt(sum(np.sum(g**2) for g in d1)) or 1.0
    b = [p + rho * g / n for p, g in zip(w, d1, strict=True)]
    d2 = [g + weight_decay * q for g, q in zip(grad_fn(b), b, strict=True)]
    return [p - lr * g for p, g in zip(w, d2, strict=True)]


def decay_without_lr(w, grad_fn, *, rho, lr, weight_decay):
    """The decay is not multiplied by the learning rate."""
    d1 = grad_fn(w)
    n = np.sqrt(sum(np.sum(g**2) for g in d1)) or 1.0
    d2 = grad_fn([p + rho * g / n for p, g in zip(w, d1, strict=True)])
    return [(1 - weight_decay) * p - lr * g for p, g in zip(w, d2, strict=True)]


def biases_do_not_decay(w, grad_fn, *, rho, lr, weight_decay, names):
    """Biases do not decay."""
    d1 = grad_fn(w)
    n = np.sqrt(sum(np.sum(g**2) for g in d1)) or 1.0
    d2 = grad_fn([p + rho * g / n for p, g in zip(w, d1, strict=True)])
    wd = [0.0 if name.endswith("bias") else weight_decay for name in names]
    return [p - lr * (g + c * p) for p, g, c in zip(w, d2, wd, strict=True)]


def decay_outside_momentum(w, grad_fn, *, rho, lr, momentum, weight_decay, state):
    """The decay is added after the momentum, to what is subtracted."""
    d1 = grad_fn(w)
    n = np.sqrt(sum(np.sum(g**2) for g in d1)) or 1.0
    d2 = grad_fn([p + rho * g / n for p, g in zip(w, d1, strict=True)])
    v = state.get("v", [0.0] * len(w))
    v = state["v"] = [momentum * a + g for a, g in zip(v, d2, strict=True)]
    return [p - lr * (a + weight_decay * p) for p, a in zip(w, v, strict=True)]
