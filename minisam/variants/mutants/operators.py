"""Wrong ASAMs: other operators T_w."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from minisam.optim.perturbation import scaling
from minisam.trees import Params, add_scaled, map_leaves, multiply, norm
from minisam.variants.mutants.adaptive import adaptive, operator, times_scaling
from minisam.variants.recipe import Recipe, piece


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
    lambda r: r.having(
        operator=lambda now: map_leaves(lambda t: t * (np.size(t) / np.sum(t)), r.operator(now))
    ),
)


def of_rows(w: Any) -> Any:
    """Return the norm of each row, at every entry of it."""
    axes = tuple(range(1, np.ndim(w)))
    return np.sqrt(np.sum(w * w, axis=axes, keepdims=True)) if axes else np.abs(w)


def of_columns(w: Any) -> Any:
    """Return the norm of each column, at every entry of it: of filters that stand last."""
    axes = tuple(range(np.ndim(w) - 1))
    return np.sqrt(np.sum(w * w, axis=axes, keepdims=True)) if axes else np.abs(w)


adaptive(
    "A21-rows",
    "uses one T for each row or filter, its norm plus eta",
    "That is filter-wise ASAM; the element-wise T has |wᵢ| for every entry.",
    operator(lambda w, eta: of_rows(w) + eta + 0.0 * w),
    others=(
        (
            "uses one T for each column, its norm plus eta",
            operator(lambda w, eta: of_columns(w) + eta + 0.0 * w),
        ),
    ),
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
    lambda r: r.having(direction=lambda now: times_scaling(r.operator(now), r.direction(now), 1)),
)
adaptive(
    "A27-divided-by-T",
    "divides by T where it should multiply",
    "The ball is ‖T⁻¹ε‖ ≤ ρ, so that ε = ρ T² g/‖T g‖.",
    lambda r: r.having(operator=lambda now: map_leaves(lambda t: 1.0 / t, r.operator(now))),
)


def weights_alone(recipe: Recipe) -> Recipe:
    """Take T = 0 where it is 1."""

    def T(now: SimpleNamespace) -> Params:
        own = recipe.operator(now)
        return {k: t if k.endswith("weight") else 0.0 * t for k, t in own.items()}

    return recipe.having(operator=T)


adaptive(
    "A28-biases-left-out",
    "leaves the biases out of the norm and of the climb",
    "Where T = 1 a tensor is perturbed as in SAM, and counts in the norm.",
    weights_alone,
)
