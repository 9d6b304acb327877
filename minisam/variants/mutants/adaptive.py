"""Wrong ASAMs: the operator T_w and where it stands."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from types import SimpleNamespace
from typing import Any

import numpy as np

from minisam.optim.perturbation import scaling
from minisam.trees import Params, largest, map_leaves, multiply, norm
from minisam.variants.changes import is_adaptive, per_tensor_norm
from minisam.variants.mutants.catalogue import enter
from minisam.variants.mutants.perturbation import only_weights
from minisam.variants.recipe import Change, only, piece


def adaptive(
    name: str,
    title: str,
    description: str,
    change: Change,
    others: Sequence[tuple[str, Change]] = (),
    **rest: Any,
) -> None:
    """Enter a mutant that leaves SAM alone and changes ASAM, in one way or in others."""
    change = only(is_adaptive, change)
    others = tuple((another, only(is_adaptive, one)) for another, one in others)
    enter(name, title, description, change, methods=("asam",), others=others, **rest)


def times_scaling(T: Params, g: Params, times: int) -> Params:
    """Return T^times g."""
    return reduce(lambda product, _: multiply(T, product), range(times), g)


def formula(numerator: int, denominator: int) -> Change:
    """Climb by ε = ρ T^numerator g / ‖T^denominator g‖."""
    return lambda recipe: recipe.having(
        numerator=lambda now, T, g: times_scaling(T, g, numerator),
        norm=lambda now, _: norm(times_scaling(recipe.operator(now), now.climbing, denominator)),
    )


adaptive(
    "A01-T-once",
    "multiplies by T once: ε = ρ T g/‖T g‖",
    "T g is the gradient in the rescaled coordinates; going back to w multiplies by T once more.",
    formula(1, 1),
)
adaptive(
    "A02-plain-norm",
    "divides by the plain norm: ε = ρ T² g/‖g‖",
    "The norm is that of the rescaled gradient, ‖T g‖.",
    formula(2, 0),
)
adaptive(
    "A03-T-once-plain-norm",
    "climbs ρ T g/‖g‖",
    "The paper's eq. (6) is ρ T² g/‖T g‖.",
    formula(1, 0),
    convention={"asam_form": "Tg/|g|"},
)
adaptive(
    "A04-norm-of-T2g",
    "divides by ‖T² g‖",
    "ε then has length ρ, but ASAM's ball is ‖T⁻¹ε‖ ≤ ρ: divide by ‖T g‖.",
    formula(2, 2),
)


def operator(of_weight: Callable[[Any, float], Any]) -> Change:
    """Put another T on the tensors in scope."""

    def T(now: Any) -> Params:
        hp = now.hp
        return {
            key: of_weight(w, hp.eta)
            if hp.scope == "all" or key.endswith("weight")
            else np.ones_like(w)
            for key, w in now.params.items()
        }

    return piece(operator=T)


def setting(**hp: Any) -> Change:
    """Take another hyper-parameter than was asked for."""
    return lambda recipe: recipe.having(hp=recipe.hp.having(**hp))


adaptive(
    "A05-eta-dropped",
    "leaves out eta: T = |w|",
    "With T = |w| a weight at zero never moves. The paper's T = |w| + η.",
    setting(eta=0.0),
    convention={"eta": 0.0},
)
adaptive(
    "A06-biases-adaptive",
    "rescales every tensor, biases too",
    "The authors rescale the tensors named …weight and take T = 1 elsewhere.",
    setting(scope="all"),
    convention={"scope": "all"},
)
adaptive(
    "A07-biases-not-perturbed",
    "does not perturb the biases",
    "Where T = 1 a tensor is perturbed as in SAM.",
    piece(adjust=only_weights),
)
adaptive(
    "A08-no-absolute-value",
    "takes T = w + η without the absolute value",
    "A negative weight then gets a T that is too small by 2η.",
    operator(lambda w, eta: w + eta),
)
adaptive(
    "A09-eta-in-the-square",
    "adds eta to w²: T² = w² + η",
    "The stabilizer belongs to T: T² is (|w| + η)².",
    operator(lambda w, eta: np.sqrt(w * w + eta)),
)


def operator_at(point: Callable[[SimpleNamespace], Params]) -> Change:
    """Return the change to T that takes it at another point."""
    return piece(operator=lambda now: scaling(point(now), now.hp.eta, now.hp.scope))


adaptive(
    "A10-stale-T",
    "uses T of the step before",
    "T is saved and not renewed. Compute it from the current weights in every step.",
    operator_at(lambda now: (now.previous or now).params),
    others=(
        (
            "uses T of B, where the step before has been",
            operator_at(lambda now: now.previous.perturbed if now.previous else now.params),
        ),
    ),
)
adaptive(
    "A11-one-T-per-layer",
    "uses one T per tensor, its norm plus eta",
    "That is layer-wise ASAM; the element-wise T has |wᵢ| for every entry.",
    operator(lambda w, eta: norm({"w": w}) + eta + 0.0 * w),
)


adaptive(
    "A12-T-in-the-descent",
    "multiplies the descent gradient by T² too",
    "T belongs to the climb alone. The gradient was overwritten in place.",
    lambda r: r.having(direction=lambda now: times_scaling(r.operator(now), r.direction(now), 2)),
)
adaptive(
    "A13-per-tensor-norm",
    "divides every tensor by its own norm",
    "There is one norm ‖T g‖ over all tensors.",
    piece(norm=per_tensor_norm),
    convention={"norm_scope": "per_tensor"},
)
adaptive(
    "A14-square-root",
    "takes T = √|w| + η",
    "T² g already has the square; T itself is |w| + η.",
    operator(lambda w, eta: np.sqrt(np.abs(w)) + eta),
)
adaptive(
    "A15-largest-entry",
    "divides by the largest entry of |T g|",
    "The norm is the Euclidean one.",
    piece(norm=lambda now, g: largest(g)),
)
adaptive(
    "A16-plain-sam",
    "is plain SAM: T = 1",
    "The adaptive flag is not passed on.",
    piece(operator=lambda now: map_leaves(np.ones_like, now.params)),
)
