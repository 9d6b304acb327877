"""Wrong second halves: where the second gradient is taken, and what is done with it."""

import numpy as np
from oracle.slipped.common import climbed, length, moved, second


def second_at_a(w, grad_fn, *, rho, lr):
    """Asks at A again, after computing B."""
    b = climbed(w, grad_fn(w), rho)
    assert len(b) == len(w)
    return moved(w, -lr, grad_fn(w))


def steps_along_d1(w, grad_fn, *, rho, lr):
    """Asks for both gradients and steps along the first."""
    d1 = grad_fn(w)
    grad_fn(climbed(w, d1, rho))
    return moved(w, -lr, d1)


def both_added(w, grad_fn, *, rho, lr):
    """Does not clear the gradients between the passes: d1 + d2."""
    d1 = grad_fn(w)
    d2 = grad_fn(climbed(w, d1, rho))
    return moved(w, -lr, moved(d1, 1, d2))


def mean_of_both(w, grad_fn, *, rho, lr):
    """Averages the two gradients."""
    d1 = grad_fn(w)
    d2 = grad_fn(climbed(w, d1, rho))
    return moved(w, -lr, [(a + b) / 2 for a, b in zip(d1, d2, strict=True)])


def difference_of_both(w, grad_fn, *, rho, lr):
    """Steps along d2 − d1."""
    d1 = grad_fn(w)
    d2 = grad_fn(climbed(w, d1, rho))
    return moved(w, -lr, moved(d2, -1, d1))


def from_b(w, grad_fn, *, rho, lr):
    """Never goes back to A."""
    b = climbed(w, grad_fn(w), rho)
    return moved(b, -lr, grad_fn(b))


def copied_too_late(w, grad_fn, *, rho, lr):
    """Keeps a list of the same arrays, which the climb then changes."""
    w = [x.copy() for x in w]
    old = list(w)
    for x, b in zip(w, climbed(w, grad_fn(w), rho), strict=True):
        x[...] = b
    return moved(old, -lr, grad_fn(w))


def climbs_again_to_restore(w, grad_fn, *, rho, lr):
    """Adds ε again where it should be taken back."""
    d1 = grad_fn(w)
    b = climbed(w, d1, rho)
    d2 = grad_fn(b)
    return moved(climbed(b, d1, rho), -lr, d2)


def half_restored(w, grad_fn, *, rho, lr):
    """Goes half of the way back."""
    b = climbed(w, grad_fn(w), rho)
    middle = [(x + y) / 2 for x, y in zip(w, b, strict=True)]
    return moved(middle, -lr, grad_fn(b))


def restores_along_d2(w, grad_fn, *, rho, lr):
    """Recomputes ε from the gradients that are there at the restore, which are d2."""
    b = climbed(w, grad_fn(w), rho)
    d2 = grad_fn(b)
    return moved(climbed(b, d2, -rho), -lr, d2)


def restores_matrices(w, grad_fn, *, rho, lr):
    """Restores matrices only."""
    b = climbed(w, grad_fn(w), rho)
    a = [x if x.ndim > 1 else y for x, y in zip(w, b, strict=True)]
    return moved(a, -lr, grad_fn(b))


def copies_by_shape(w, grad_fn, *, rho, lr):
    """Keys the copies by shape, so that tensors of one shape share one."""
    old = {x.shape: x.copy() for x in w}
    d2 = second(w, grad_fn, rho)
    return moved([old[x.shape] for x in w], -lr, d2)


def stale_climb(w, grad_fn, *, rho, lr, state):
    """Takes back an ε that is left from a step in which the tensor had a gradient."""
    d1 = grad_fn(w)
    size = length(d1) or 1.0
    for k, g in enumerate(d1):
        if g.any():
            state[k] = g * (rho / size)
    b = [x + state[k] if g.any() else x for k, (x, g) in enumerate(zip(w, d1, strict=True))]
    d2 = grad_fn(b)
    return [y - state.get(k, 0) - lr * g for k, (y, g) in enumerate(zip(b, d2, strict=True))]


def stale_copy(w, grad_fn, *, rho, lr, state):
    """Goes back to a copy that is left from a step in which the tensor had a gradient."""
    d1 = grad_fn(w)
    state.update({k: x.copy() for k, (x, g) in enumerate(zip(w, d1, strict=True)) if g.any()})
    d2 = grad_fn(climbed(w, d1, rho))
    return [state.get(k, x) - lr * g for k, (x, g) in enumerate(zip(w, d2, strict=True))]


def no_base_step(w, grad_fn, *, rho, lr):
    """Restores, and forgets the step."""
    second(w, grad_fn, rho)
    return [x.copy() for x in w]


def base_step_then_restore(w, grad_fn, *, rho, lr):
    """Steps before it restores, so that the step is undone."""
    old = [x.copy() for x in w]
    b = climbed(w, grad_fn(w), rho)
    w = moved(b, -lr, grad_fn(b))
    for x, a in zip(w, old, strict=True):
        x[...] = a
    return w


def base_step_twice(w, grad_fn, *, rho, lr):
    """Calls the base step in the second pass and once more after it."""
    d2 = second(w, grad_fn, rho)
    return moved(moved(w, -lr, d2), -lr, d2)


def descends_first(w, grad_fn, *, rho, lr):
    """Takes SGD's step with d1 too."""
    d1 = grad_fn(w)
    d2 = grad_fn(climbed(w, d1, rho))
    return moved(moved(w, -lr, d1), -lr, d2)


def uphill_step(w, grad_fn, *, rho, lr):
    """Adds the step."""
    return moved(w, lr, second(w, grad_fn, rho))


def rate_squared(w, grad_fn, *, rho, lr):
    """Multiplies by the learning rate twice."""
    return moved(w, -lr, [lr * g for g in second(w, grad_fn, rho)])


def rate_fixed(w, grad_fn, *, rho, lr):
    """Uses 0.1 for whatever learning rate it is given."""
    return moved(w, -0.1, second(w, grad_fn, rho))


def rate_of_the_first_step(w, grad_fn, *, rho, lr, state):
    """Keeps the first step's learning rate."""
    return moved(w, -state.setdefault("lr", lr), second(w, grad_fn, rho))


def d2_normalized(w, grad_fn, *, rho, lr):
    """Normalizes the second gradient too."""
    d2 = second(w, grad_fn, rho)
    return climbed(w, d2, -lr)


def d2_clipped_to_norm_one(w, grad_fn, *, rho, lr):
    """Clips d2 to norm 1."""
    d2 = second(w, grad_fn, rho)
    size = np.sqrt(sum(np.sum(g * g) for g in d2))
    return moved(w, -lr * min(1.0, 1.0 / size if size else 1.0), d2)


def d2_clipped_by_value(w, grad_fn, *, rho, lr):
    """Clips the entries of d2 to ±1."""
    return moved(w, -lr, [np.clip(g, -1, 1) for g in second(w, grad_fn, rho)])


def d2_halved(w, grad_fn, *, rho, lr):
    """Divides d2 by the number of passes."""
    return moved(w, -lr / 2, second(w, grad_fn, rho))


def d2_in_half_precision(w, grad_fn, *, rho, lr):
    """Rounds d2 to float16."""
    d2 = second(w, grad_fn, rho)
    return moved(w, -lr, [g.astype(np.float16).astype(g.dtype) for g in d2])


def d2_still_scaled(w, grad_fn, *, rho, lr):
    """Does not take the loss scale off d2."""
    return moved(w, -lr, [1024 * g for g in second(w, grad_fn, rho)])


def averaged_over_tensors(w, grad_fn, *, rho, lr):
    """Divides d2 by the number of tensors."""
    return moved(w, -lr / len(w), second(w, grad_fn, rho))


def last_tensor_not_updated(w, grad_fn, *, rho, lr):
    """Updates all tensors but the last."""
    d2 = second(w, grad_fn, rho)
    return [*moved(w[:-1], -lr, d2[:-1]), w[-1].copy()]


def a_in_float32(w, grad_fn, *, rho, lr):
    """Keeps the copy of A in float32."""
    old = [x.astype(np.float32) for x in w]
    d2 = second(w, grad_fn, rho)
    return moved([a.astype(x.dtype) for a, x in zip(old, w, strict=True)], -lr, d2)


def every_second_step(w, grad_fn, *, rho, lr, state):
    """Climbs in every other step only."""
    state["step"] = state.get("step", -1) + 1
    return moved(w, -lr, grad_fn(w) if state["step"] % 2 else second(w, grad_fn, rho))


def not_in_the_first_step(w, grad_fn, *, rho, lr, state):
    """Takes SGD's step first, and SAM's from then on."""
    d = second(w, grad_fn, rho) if state else grad_fn(w)
    state["begun"] = True
    return moved(w, -lr, d)


def gradient_of_the_step_before(w, grad_fn, *, rho, lr, state):
    """Steps along the d2 of the step before."""
    d2 = second(w, grad_fn, rho)
    old = state.get("d2", d2)
    state["d2"] = d2
    return moved(w, -lr, old)


def third_gradient(w, grad_fn, *, rho, lr):
    """Asks once more after the step, for the loss that it logs."""
    new = moved(w, -lr, second(w, grad_fn, rho))
    grad_fn(new)
    return new


def squares_d2(w, grad_fn, *, rho, lr):
    """Divides by the root of d2's squares, entry by entry, as Adam would without averages."""
    d2 = second(w, grad_fn, rho)
    return moved(w, -lr, [g / (np.abs(g) + 1e-8) for g in d2])
