"""Wrong climbs: the length, the norm, the direction, the tensors."""

import numpy as np
from oracle.slipped.common import climbed, length, moved


def norm_of_the_weights(w, grad_fn, *, rho, lr):
    """Divides by the norm of the weights, not of the gradient."""
    b = moved(w, rho / length(w), grad_fn(w))
    return moved(w, -lr, grad_fn(b))


def rms_norm(w, grad_fn, *, rho, lr):
    """Takes the mean of the squares where the sum belongs."""
    d1 = grad_fn(w)
    rms = np.sqrt(np.mean(np.concatenate([g.ravel() for g in d1]) ** 2))
    return moved(w, -lr, grad_fn(moved(w, rho / (rms or 1.0), d1)))


def squared_norm(w, grad_fn, *, rho, lr):
    """Forgets the root: g/(‖g‖² + 1e-12)."""
    d1 = grad_fn(w)
    scale = rho / (sum(np.sum(g**2) for g in d1) + 1e-12)
    return moved(w, -lr, grad_fn(moved(w, scale, d1)))


def absolute_norm(w, grad_fn, *, rho, lr):
    """Takes the sum of magnitudes for the norm."""
    d1 = grad_fn(w)
    size = sum(np.abs(g).sum() for g in d1)
    return moved(w, -lr, grad_fn(moved(w, rho / size if size else 0.0, d1)))


def largest_entry_norm(w, grad_fn, *, rho, lr):
    """Takes the largest magnitude for the norm."""
    d1 = grad_fn(w)
    size = max(np.abs(g).max() for g in d1)
    return moved(w, -lr, grad_fn(moved(w, rho / size if size else 0.0, d1)))


def norm_of_each_tensor(w, grad_fn, *, rho, lr):
    """Normalizes every tensor by itself."""
    b = []
    for x, g in zip(w, grad_fn(w), strict=True):
        size = np.linalg.norm(g)
        b.append(x + rho * g / size if size > 0 else x)
    return moved(w, -lr, grad_fn(b))


def mean_of_the_norms(w, grad_fn, *, rho, lr):
    """Averages the tensors' norms."""
    d1 = grad_fn(w)
    size = np.mean([np.linalg.norm(g) for g in d1])
    return moved(w, -lr, grad_fn(moved(w, rho / size if size else 0.0, d1)))


def sum_of_the_norms(w, grad_fn, *, rho, lr):
    """Adds the tensors' norms."""
    d1 = grad_fn(w)
    size = sum(np.linalg.norm(g) for g in d1)
    return moved(w, -lr, grad_fn(moved(w, rho / size if size else 0.0, d1)))


def norm_of_the_last(w, grad_fn, *, rho, lr):
    """Overwrites the sum of squares in the loop, so that the last tensor's stays."""
    d1, square = grad_fn(w), 0.0
    for g in d1:
        square = np.sum(g * g)
    b = [x + rho * g / (np.sqrt(square) or 1.0) for x, g in zip(w, d1, strict=True)]
    return moved(w, -lr, grad_fn(b))


def norm_so_far(w, grad_fn, *, rho, lr):
    """Divides within the loop that sums, so by the norm of the tensors up to this one."""
    b, square = [], 0.0
    for x, g in zip(w, grad_fn(w), strict=True):
        square += np.sum(g * g)
        b.append(x + rho * g / np.sqrt(square) if square else x)
    return moved(w, -lr, grad_fn(b))


def norm_of_each_kind(w, grad_fn, *, rho, lr):
    """Has one norm for matrices and one for vectors, as two parameter groups would."""
    d1 = grad_fn(w)
    kinds = [g.ndim > 1 for g in d1]
    sizes = {
        kind: length([g for g, k in zip(d1, kinds, strict=True) if k == kind]) or 1.0
        for kind in set(kinds)
    }
    b = [x + rho * g / sizes[k] for x, g, k in zip(w, d1, kinds, strict=True)]
    return moved(w, -lr, grad_fn(b))


def norm_without_the_root_of_each(w, grad_fn, *, rho, lr):
    """Sums the norms' roots: √(Σ‖g‖)."""
    d1 = grad_fn(w)
    size = np.sqrt(sum(np.linalg.norm(g) for g in d1))
    return moved(w, -lr, grad_fn(moved(w, rho / size if size else 0.0, d1)))


def not_normalized(w, grad_fn, *, rho, lr):
    """Climbs ρ g."""
    return moved(w, -lr, grad_fn(moved(w, rho, grad_fn(w))))


def at_most_rho(w, grad_fn, *, rho, lr):
    """Clips the climb at ρ instead of normalizing it."""
    d1 = grad_fn(w)
    size = length(d1)
    scale = min(1.0, rho / size) if size > 0 else 0.0
    return moved(w, -lr, grad_fn(moved(w, scale, d1)))


def radius_halved(w, grad_fn, *, rho, lr):
    """Climbs half of ρ."""
    return moved(w, -lr, grad_fn(climbed(w, grad_fn(w), 0.5 * rho)))


def radius_fixed(w, grad_fn, *, rho, lr):
    """Takes ρ as an argument and uses 0.05."""
    return moved(w, -lr, grad_fn(climbed(w, grad_fn(w), 0.05)))


def radius_one(w, grad_fn, *, rho, lr):
    """Normalizes, and forgets to multiply by ρ."""
    return moved(w, -lr, grad_fn(climbed(w, grad_fn(w), 1.0)))


def radius_root(w, grad_fn, *, rho, lr):
    """Compares squares: climbs √ρ."""
    return moved(w, -lr, grad_fn(climbed(w, grad_fn(w), np.sqrt(rho))))


def radius_times_rate(w, grad_fn, *, rho, lr):
    """Climbs ρ·lr."""
    return moved(w, -lr, grad_fn(climbed(w, grad_fn(w), rho * lr)))


def radius_follows_the_rate(w, grad_fn, *, rho, lr, state):
    """Scales ρ with the learning rate's schedule."""
    first = state.setdefault("lr", lr)
    return moved(w, -lr, grad_fn(climbed(w, grad_fn(w), rho * lr / (first or 1.0))))


def radius_warmed_up(w, grad_fn, *, rho, lr, state):
    """Lets ρ grow over the first four steps."""
    state["step"] = state.get("step", 0) + 1
    return moved(w, -lr, grad_fn(climbed(w, grad_fn(w), rho * min(1.0, state["step"] / 4))))


def radius_of_the_step_before(w, grad_fn, *, rho, lr, state):
    """Updates ρ at the end of the step, so that a schedule comes one step late."""
    now = state.get("rho", rho)
    state["rho"] = rho
    return moved(w, -lr, grad_fn(climbed(w, grad_fn(w), now)))


def radius_and_rate_swapped(w, grad_fn, *, rho, lr):
    """Hands ρ and lr over in the wrong order."""
    return moved(w, -rho, grad_fn(climbed(w, grad_fn(w), lr)))


def downhill(w, grad_fn, *, rho, lr):
    """Goes down to B."""
    return moved(w, -lr, grad_fn(climbed(w, grad_fn(w), -rho)))


def sign_climb(w, grad_fn, *, rho, lr):
    """Climbs ρ sign(g), as adversarial training does."""
    b = [x + rho * np.sign(g) for x, g in zip(w, grad_fn(w), strict=True)]
    return moved(w, -lr, grad_fn(b))


def absolute_climb(w, grad_fn, *, rho, lr):
    """Climbs along |g|."""
    d1 = [np.abs(g) for g in grad_fn(w)]
    return moved(w, -lr, grad_fn(climbed(w, d1, rho)))


def biases_stay(w, grad_fn, *, rho, lr):
    """Perturbs matrices only."""
    d1 = grad_fn(w)
    scale = rho / (length(d1) or 1.0)
    b = [x + scale * g if g.ndim > 1 else x for x, g in zip(w, d1, strict=True)]
    return moved(w, -lr, grad_fn(b))


def last_tensor_stays(w, grad_fn, *, rho, lr):
    """Leaves the last tensor out of the climb."""
    d1 = grad_fn(w)
    b = [*moved(w[:-1], rho / (length(d1) or 1.0), d1[:-1]), w[-1].copy()]
    return moved(w, -lr, grad_fn(b))


def clipped_by_value(w, grad_fn, *, rho, lr):
    """Clips the first gradient to ±1 before it climbs along it."""
    d1 = [np.clip(g, -1, 1) for g in grad_fn(w)]
    return moved(w, -lr, grad_fn(climbed(w, d1, rho)))


def along_an_average(w, grad_fn, *, rho, lr, state):
    """Climbs along a running average of the first gradients."""
    d1 = grad_fn(w)
    old = state.get("mean") or d1
    state["mean"] = [0.9 * m + 0.1 * g for m, g in zip(old, d1, strict=True)]
    return moved(w, -lr, grad_fn(climbed(w, state["mean"], rho)))


def along_the_last_second(w, grad_fn, *, rho, lr, state):
    """Saves a gradient: climbs along d2 of the step before."""
    d1 = state.get("d2") or grad_fn(w)
    state["d2"] = grad_fn(climbed(w, d1, rho))
    return moved(w, -lr, state["d2"])


def twice(w, grad_fn, *, rho, lr):
    """Climbs in two half steps, so asks for three gradients."""
    b = climbed(w, grad_fn(w), rho / 2)
    return moved(w, -lr, grad_fn(climbed(b, grad_fn(b), rho / 2)))


def epsilon_in_half(w, grad_fn, *, rho, lr):
    """Computes ε in float16."""
    e = climbed([0 * x for x in w], grad_fn(w), rho)
    b = [x + c.astype(np.float16).astype(x.dtype) for x, c in zip(w, e, strict=True)]
    return moved(w, -lr, grad_fn(b))


def normalized_then_clipped(w, grad_fn, *, rho, lr):
    """Keeps every entry of ε within half of ρ."""
    e = climbed([0 * x for x in w], grad_fn(w), rho)
    b = [x + np.clip(c, -rho / 2, rho / 2) for x, c in zip(w, e, strict=True)]
    return moved(w, -lr, grad_fn(b))
