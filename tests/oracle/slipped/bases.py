"""Wrong base optimizers around a right climb: momentum, weight decay, frozen tensors."""

import numpy as np
from oracle.slipped.common import climbed, length, moved, second, with_velocity


def dampened(w, grad_fn, *, rho, lr, momentum, state):
    """Dampens: v ← μv + (1 − μ)d2 from the second step on."""
    d2 = second(w, grad_fn, rho)
    if "v" not in state:
        state["v"] = d2
    else:
        state["v"] = [
            momentum * v + (1 - momentum) * g for v, g in zip(state["v"], d2, strict=True)
        ]
    return moved(w, -lr, state["v"])


def bias_corrected(w, grad_fn, *, rho, lr, momentum, state):
    """Averages and corrects the bias, as Adam does."""
    d2 = second(w, grad_fn, rho)
    state["t"] = state.get("t", 0) + 1
    old = state.get("m") or [np.zeros_like(g) for g in d2]
    state["m"] = [momentum * m + (1 - momentum) * g for m, g in zip(old, d2, strict=True)]
    return moved(w, -lr / (1 - momentum ** state["t"]), state["m"])


def velocity_lost_at_a_new_rate(w, grad_fn, *, rho, lr, momentum, state):
    """Makes a new base optimizer when the learning rate changes, with an empty velocity."""
    d2 = second(w, grad_fn, rho)
    if state.get("lr") != lr:
        state.clear()
        state["lr"] = lr
    return with_velocity(w, d2, lr, momentum, state)


def velocity_of_both_passes(w, grad_fn, *, rho, lr, momentum, state):
    """Feeds the velocity with d1 and with d2."""
    d1 = grad_fn(w)
    with_velocity(w, d1, lr, momentum, state)
    return with_velocity(w, grad_fn(climbed(w, d1, rho)), lr, momentum, state)


def velocity_of_d1(w, grad_fn, *, rho, lr, momentum, state):
    """Feeds the velocity with d1, and steps along it and d2."""
    d1 = grad_fn(w)
    d2 = grad_fn(climbed(w, d1, rho))
    old = state.get("v") or [np.zeros_like(g) for g in d1]
    state["v"] = [momentum * v + g for v, g in zip(old, d1, strict=True)]
    return moved(moved(w, -lr * momentum, old), -lr, d2)


def velocity_climbs(w, grad_fn, *, rho, lr, momentum, state):
    """Climbs along the velocity."""
    d1 = grad_fn(w)
    return with_velocity(w, grad_fn(climbed(w, state.get("v") or d1, rho)), lr, momentum, state)


def velocity_forgotten(w, grad_fn, *, rho, lr, momentum, state):
    """Starts the velocity from zero in every step."""
    return with_velocity(w, second(w, grad_fn, rho), lr, momentum, {})


def velocity_not_scaled(w, grad_fn, *, rho, lr, momentum, state):
    """Has the rate inside the velocity and once more outside."""
    d2 = second(w, grad_fn, rho)
    return with_velocity(w, [lr * g for g in d2], lr, momentum, state)


def nesterov_without_the_gradient(w, grad_fn, *, rho, lr, momentum, nesterov, state):
    """Looks ahead by μv, and leaves the gradient out."""
    plain = with_velocity(w, second(w, grad_fn, rho), lr, momentum, state)
    return moved(w, -lr * momentum, state["v"]) if nesterov else plain


def nesterov_ignored(w, grad_fn, *, rho, lr, momentum, nesterov, state):
    """Takes nesterov=True and has plain momentum."""
    return with_velocity(w, second(w, grad_fn, rho), lr, momentum, state)


def decay_at_b(w, grad_fn, *, rho, lr, weight_decay):
    """Decays towards zero from B."""
    b = climbed(w, grad_fn(w), rho)
    return moved(w, -lr, moved(grad_fn(b), weight_decay, b))


def decay_twice(w, grad_fn, *, rho, lr, weight_decay):
    """Decays in the base step and beside it."""
    d = moved(second(w, grad_fn, rho), weight_decay, w)
    return [x * (1 - lr * weight_decay) - lr * g for x, g in zip(w, d, strict=True)]


def decay_halved(w, grad_fn, *, rho, lr, weight_decay):
    """Differentiates ½·½λ‖w‖²."""
    return moved(w, -lr, moved(second(w, grad_fn, rho), weight_decay / 2, w))


def decay_on_matrices(w, grad_fn, *, rho, lr, weight_decay):
    """Decays matrices only."""
    d2 = second(w, grad_fn, rho)
    return [
        x - lr * (g + weight_decay * x if x.ndim > 1 else g) for x, g in zip(w, d2, strict=True)
    ]


def decay_in_the_climb(w, grad_fn, *, rho, lr, weight_decay):
    """Adds the decay to d1 only."""
    d1 = moved(grad_fn(w), weight_decay, w)
    return moved(w, -lr, grad_fn(climbed(w, d1, rho)))


def decay_in_both(w, grad_fn, *, rho, lr, weight_decay):
    """Adds the decay to d1, and at A to d2."""
    d1 = moved(grad_fn(w), weight_decay, w)
    return moved(w, -lr, moved(grad_fn(climbed(w, d1, rho)), weight_decay, w))


def decay_grows(w, grad_fn, *, rho, lr, weight_decay):
    """Has the sign of the decay wrong."""
    return moved(w, -lr, moved(second(w, grad_fn, rho), -weight_decay, w))


def decay_without_the_rate(w, grad_fn, *, rho, lr, weight_decay):
    """Decouples the decay from the learning rate as well."""
    d2 = second(w, grad_fn, rho)
    return [x - lr * g - weight_decay * x for x, g in zip(w, d2, strict=True)]


def decay_after_the_velocity(w, grad_fn, *, rho, lr, momentum, weight_decay, state):
    """Adds the decay of the new weights, after the velocity has moved them."""
    new = with_velocity(w, second(w, grad_fn, rho), lr, momentum, state)
    return moved(new, -lr * weight_decay, new)


def decay_ignored(w, grad_fn, *, rho, lr, weight_decay):
    """Takes a weight decay, and has none."""
    return moved(w, -lr, second(w, grad_fn, rho))


def frozen_in_the_norm(w, grad_fn, *, rho, lr, names, frozen):
    """Leaves frozen tensors where they are, and has them in the norm."""
    free = [name not in frozen for name in names]
    d1 = grad_fn(w)
    size = length(d1)
    e = [rho * g / size if f and size else 0 * g for g, f in zip(d1, free, strict=True)]
    d2 = grad_fn(moved(w, 1, e))
    return [x - lr * g if f else x for x, g, f in zip(w, d2, free, strict=True)]


def frozen_climb(w, grad_fn, *, rho, lr, names, frozen):
    """Lets frozen tensors climb, and steps without them."""
    d2 = second(w, grad_fn, rho)
    return [x if n in frozen else x - lr * g for x, g, n in zip(w, d2, names, strict=True)]


def frozen_decay(w, grad_fn, *, rho, lr, names, frozen, weight_decay):
    """Lets frozen tensors decay."""
    d1 = [0 * g if n in frozen else g for g, n in zip(grad_fn(w), names, strict=True)]
    d2 = grad_fn(climbed(w, d1, rho))
    d2 = [0 * g if n in frozen else g for g, n in zip(d2, names, strict=True)]
    return moved(w, -lr, moved(d2, weight_decay, w))
