"""Wrong ASAMs: other operators T_w."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from minisam.optim.perturbation import scaling
from minisam.trees import Params, add_scaled, map_leaves, multiply, norm
from minisam.variants.mutants.adaptive import adaptive, operator, times_scaling
from minisam.variants.mutants.perturbation import only_weights
from minisam.variants.recipe import Change, piece, then


def without_eta(now: SimpleNamespace) -> Params:
    """Return |w| for T."""
    return scaling(now.params, 0.0, now.hp.scope)


adaptive(
    "A17-larger-of-weight-and-eta",
    "takes T = max(|w|, η)",
    "The stabilizer is added: T = |w| + η.",
    operator(lambda w, eta: np.maximum(np.abs(w), eta)),
)
adaptive(
    "A18-eta-in-the-norm-only",
    "has η in the norm ‖T g‖ but not in T² g",
    "T = |w| + η stands in both.",
    piece(numerator=lambda now, T, g: times_scaling(without_eta(now), g, 2)),
)
adaptive(
    "A19-eta-in-the-direction-only",
    "has η in T² g but not in the norm ‖T g‖",
    "T = |w| + η stands in both.",
    piece(measured=lambda now, T, g: multiply(without_eta(now), g)),
)
adaptive(
    "A20-mean-one",
    "divides T by its mean",
    "A factor of T is a factor of ρ. T is |w| + η as it is.",
    then(operator=lambda now, T: map_leaves(lambda t: t * (np.size(t) / np.sum(t)), T)),
)


def of_each(kept: int) -> Change:
    """Take for T the norm over all axes but one: of each row (0), or of each column (-1)."""

    def length(w: Any) -> Any:
        axes = tuple(k for k in range(np.ndim(w)) if k != kept % np.ndim(w))
        return np.sqrt(np.sum(w * w, axis=axes, keepdims=True)) if axes else np.abs(w)

    return operator(lambda w, eta: length(w) + eta + 0.0 * w)


adaptive(
    "A21-rows",
    "uses one T for each row or filter, its norm plus eta",
    "That is filter-wise ASAM; the element-wise T has |wᵢ| for every entry.",
    of_each(0),
    others=(("uses one T for each column, its norm plus eta", of_each(-1)),),
)


def of_first(now: SimpleNamespace) -> Params:
    """Return T of the first step's weights."""
    now.first_T = getattr(now.previous, "first_T", None) or scaling(
        now.params, now.hp.eta, now.hp.scope
    )
    return now.first_T


adaptive(
    "A22-T-of-the-first-weights",
    "computes T once, from the first step's weights",
    "T follows the weights: compute it in every step.",
    piece(operator=of_first),
)


def renewed(now: SimpleNamespace, T: Params, g: Params) -> Params:
    """Return T' T g, with T' of the weights after a climb along T g."""
    once = multiply(T, g)
    there = add_scaled(now.params, now.rho / norm(once), once)
    return multiply(scaling(there, now.hp.eta, now.hp.scope), once)


adaptive(
    "A23-T-renewed-on-the-way",
    "multiplies by a T of weights that have moved already",
    "Both factors of T² g are T at A. Compute T before anything moves.",
    piece(numerator=renewed),
)
adaptive(
    "A24-eta-squared-in-the-square",
    "takes T² = w² + η²",
    "The stabilizer belongs to T: T² is (|w| + η)².",
    operator(lambda w, eta: np.sqrt(w * w + eta * eta)),
)


def by_axes(now: SimpleNamespace) -> Params:
    """Return T of everything that has more than one axis, 1 elsewhere."""
    hp = now.hp
    return {
        key: np.abs(w) + hp.eta if np.ndim(w) > 1 or hp.scope == "all" else np.ones_like(w)
        for key, w in now.params.items()
    }


adaptive(
    "A25-vectors-not-adaptive",
    "takes what has one axis for a bias, with T = 1",
    "The authors rescale the tensors named …weight, whatever their shape.",
    piece(operator=by_axes),
)
adaptive(
    "A26-T-once-in-the-descent",
    "multiplies the descent gradient by T too",
    "T belongs to the climb alone. The gradient was overwritten in place.",
    lambda r: r.having(direction=lambda now: multiply(r.operator(now), r.direction(now))),
)
adaptive(
    "A27-divided-by-T",
    "divides by T where it should multiply",
    "The ball is ‖T⁻¹ε‖ ≤ ρ, so that ε = ρ T² g/‖T g‖.",
    then(operator=lambda now, T: map_leaves(lambda t: 1.0 / t, T)),
)
adaptive(
    "A28-biases-left-out",
    "leaves the biases out of the norm and of the climb",
    "Where T = 1 a tensor is perturbed as in SAM, and counts in the norm.",
    then(operator=only_weights),
)
