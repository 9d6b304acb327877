"""Wrong SAMs: the climb from A to B."""

from __future__ import annotations

import math
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

from minisam.trees import Params, add, largest, map_leaves, norm, scale
from minisam.variants.changes import or_nan, per_tensor_norm, with_epsilon, with_float32_norm
from minisam.variants.mutants.catalogue import enter
from minisam.variants.recipe import Recipe, piece, then


def count_of(tree: Params) -> int:
    """Count the entries."""
    return sum(np.size(leaf) for leaf in tree.values())


enter(
    "M02-per-tensor-norm",
    "divides every tensor by its own norm",
    "Foret et al., eq. (2), has one norm over all parameters together: "
    "‖g‖ = √(Σ over tensors of ‖gᵢ‖²). With a norm per tensor ε has length ρ√(number of tensors).",
    piece(norm=per_tensor_norm),
    convention={"norm_scope": "per_tensor"},
)

enter(
    "M03-not-normalized",
    "does not divide by the gradient's norm: ε = ρ g",
    "Divide by ‖g‖, so that the climb has length ρ.",
    piece(length=lambda now, rho, length: rho),
)


def each(do: Callable[[Any], Any], length: Any) -> Any:
    """Do something to a norm, or to each tensor's."""
    return map_leaves(do, length) if isinstance(length, dict) else do(length)


enter(
    "M04-divided-twice",
    "divides by the squared norm: ε = ρ g/‖g‖²",
    "The square root is missing from the norm, or the normalized gradient is normalized again.",
    then(norm=lambda now, length: each(lambda one: one * one, length)),
)

enter(
    "M05-l1-norm",
    "divides by the L1 norm Σ|gᵢ|",
    "The norm of eq. (2) is the Euclidean one, √(Σ gᵢ²).",
    piece(norm=lambda now, g: norm(g, p=1)),
)

enter(
    "M06-sign",
    "climbs along the sign of the gradient: ε = ρ sign(g)",
    "That is the climb for p = ∞. For p = 2 it is ρ g/‖g‖.",
    piece(numerator=lambda now, T, g: map_leaves(np.sign, g), length=lambda now, rho, length: rho),
)

enter(
    "M07-downhill",
    "climbs down: ε = −ρ g/‖g‖",
    "SAM looks for the worst loss nearby: add ε, do not subtract it.",
    piece(adjust=lambda now, eps: scale(-1.0, eps)),
)

enter(
    "M12-twice-the-radius",
    "climbs twice as far: 2ε",
    "ε is added twice, for example by the wrapper and by the closure.",
    piece(adjust=lambda now, eps: scale(2.0, eps)),
)


enter(
    "M13-rms-norm",
    "divides by the root mean square instead of the norm",
    "mean() stands where sum() should: √(Σ gᵢ²), not √(mean gᵢ²).",
    lambda r: r.having(
        norm=lambda now, g: each(lambda one: 1 / math.sqrt(count_of(g)) * one, r.norm(now, g))
    ),
)

enter(
    "M14-epsilon-1e-12",
    "adds 1e-12 to the norm",
    "It keeps 0/0 away and shows only at tiny gradients.",
    piece(length=with_epsilon(1e-12)),
    convention={"norm_epsilon": 1e-12},
)

enter(
    "R12-nan-at-zero-gradient",
    "divides by zero when the gradient is zero",
    "0/0 is NaN, and stays in the weights. Leave ε at zero when the norm is zero.",
    piece(length=or_nan),
    convention={"zero_gradient": "nan"},
)

enter(
    "M15-epsilon-1e-7",
    "adds 1e-7 to the norm",
    "Large enough to shorten the climb late in training. Use 1e-12, or treat zero apart.",
    piece(length=with_epsilon(1e-7)),
    convention={"norm_epsilon": 1e-7},
)

enter(
    "M51-epsilon-too-large",
    "adds more than a thousandth to the norm",
    "It shortens the climb wherever the gradient is small, as it is late in training. Use 1e-12, "
    "or treat a norm of zero apart.",
    piece(length=with_epsilon(0.0625)),
)

enter(
    "M27-float32-norm",
    "computes the norm in float32",
    "A float64 run is then off by about 5e-8. Compute the norm in the parameters' dtype.",
    piece(norm=with_float32_norm),
    convention={"norm_dtype": "float32"},
    dtypes=("float64",),
)

enter(
    "M32-radius-times-lr",
    "climbs ρ times the learning rate",
    "ε is made by the base optimizer, which multiplies by its lr. The climb's length is ρ.",
    piece(radius=lambda now: now.rho * now.lr),
)


def second_after_two_climbs(now: SimpleNamespace) -> Params:
    """Return d2 at the end of two climbs in a row."""
    halfway = now.ask(now.perturbed)
    now.perturbed = add(now.perturbed, now.climb(halfway, now.rho))
    return now.ask(now.perturbed)


enter(
    "M34-two-climbs",
    "climbs twice before it descends",
    "The ascent step is called once too often. SAM climbs once, from A.",
    piece(second=second_after_two_climbs),
)


def only_weights(now: SimpleNamespace, eps: Params) -> Params:
    """Return ε, but zero for tensors whose name does not end in ``weight``."""
    return {key: leaf if key.endswith("weight") else 0.0 * leaf for key, leaf in eps.items()}


enter(
    "M36-biases-not-perturbed",
    "does not perturb the biases",
    "ε covers all parameters; here only tensors named …weight move.",
    piece(adjust=only_weights),
    methods=("sam",),
)


def weights_of(g: Params) -> Params:
    """Return the tensors whose name ends in ``weight``, or all where there is none."""
    return {key: leaf for key, leaf in g.items() if key.endswith("weight")} or g


enter(
    "M37-norm-of-weights",
    "leaves the biases out of the norm, but not out of the climb",
    "The norm is over all parameters that are perturbed.",
    lambda r: r.having(norm=lambda now, g: r.norm(now, weights_of(g))),
)


enter(
    "M38-norm-of-last",
    "divides by the norm of the last tensor alone",
    "The loop overwrites the norm instead of adding up. Sum the squares over all tensors.",
    lambda r: r.having(norm=lambda now, g: r.norm(now, dict(list(g.items())[-1:]))),
)


def centralized(leaf: Any) -> Any:
    """Return a matrix's gradient minus its mean over all axes but the first."""
    if np.ndim(leaf) < 2:
        return leaf
    axes = tuple(range(1, np.ndim(leaf)))
    size = float(np.prod([np.shape(leaf)[axis] for axis in axes]))
    return leaf - np.sum(leaf, axis=axes, keepdims=True) / size


enter(
    "M39-centralized-after-norm",
    "takes the norm before it centralizes the gradient",
    "The climb then has not length ρ. Centralize first, then take the norm of the result.",
    piece(numerator=lambda now, T, g: map_leaves(centralized, g)),
    methods=("sam",),
)

enter(
    "M40-mean-absolute",
    "divides by the mean absolute gradient",
    "The norm of eq. (2) is √(Σ gᵢ²).",
    piece(norm=lambda now, g: norm(g, p=1) / float(count_of(g))),
)

enter(
    "M41-sum-of-norms",
    "adds up the tensors' norms",
    "Norms do not add: ‖g‖ = √(Σ over tensors of ‖gᵢ‖²).",
    piece(norm=lambda now, g: sum(per_tensor_norm(now, g).values())),
)

enter(
    "M42-largest-norm",
    "divides by the largest of the tensors' norms",
    "‖g‖ = √(Σ over tensors of ‖gᵢ‖²).",
    piece(norm=lambda now, g: largest(per_tensor_norm(now, g))),
)

enter(
    "M43-radius-squared",
    "climbs ρ² instead of ρ",
    "ρ is multiplied in twice.",
    piece(radius=lambda now: now.rho * now.rho),
)


def at_most_the_gradient(recipe: Recipe) -> Recipe:
    """Climb by min(1, ρ/‖g‖) g."""

    def length(now: SimpleNamespace, rho: float, norm: Any) -> Any:
        factor = recipe.length(now, rho, norm)
        return 1.0 if factor > 1 else factor

    return recipe.having(length=length)


enter(
    "M44-clip-instead-of-normalize",
    "clips the gradient to length ρ instead of scaling it to ρ",
    "min(1, ρ/‖g‖) g equals ρ g/‖g‖ until ‖g‖ < ρ; then the climb is too short.",
    at_most_the_gradient,
    others=(
        (
            "clips the gradient to length ρ as clip_grad_norm_ does, with its 1e-6, instead of "
            "scaling it to ρ",
            lambda r: at_most_the_gradient(r.having(length=with_epsilon(1e-6))),
        ),
    ),
)

enter(
    "R03-radius-stays",
    "keeps the first radius of a schedule",
    "ρ is read once, when the optimizer is made. Read it in every step.",
    lambda r: r.having(radius=lambda now: r.hp.at(0).rho),
)
