"""Wrong SAMs: what the climb is divided by."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

from minisam.trees import Params, largest
from minisam.variants.mutants.catalogue import enter
from minisam.variants.recipe import Change, Recipe, piece


def of_groups(recipe: Recipe, group_of: Callable[[str, Any], Any]) -> Recipe:
    """Take a norm for each group of tensors."""

    def norms(now: SimpleNamespace, g: Params) -> Params:
        groups = {key: group_of(key, leaf) for key, leaf in g.items()}
        return {
            key: recipe.norm(now, {k: leaf for k, leaf in g.items() if groups[k] == group})
            for key, group in groups.items()
        }

    return recipe.having(norm=norms)


def per_parameter_group(recipe: Recipe) -> Recipe:
    """Take a norm for each of the parameter groups that the optimizer is given."""
    numbers = {
        name: number
        for number, group in enumerate(recipe.hp.groups)
        for name in group["names"]
    }  # fmt: skip
    return of_groups(recipe, lambda key, leaf: numbers.get(key)) if numbers else recipe


enter(
    "M60-norm-of-the-weights",
    "divides by the norm of the weights",
    "The norm is the gradient's: ρ g/‖g‖. In torch, p.grad.norm(), not p.norm().",
    lambda r: r.having(norm=lambda now, g: r.norm(now, now.params)),
)

enter(
    "M61-norm-of-each-kind",
    "has one norm for matrices and another one for vectors",
    "They are in parameter groups, and the norm is taken in the loop over the groups. "
    "There is one norm over all groups together.",
    lambda r: of_groups(r, lambda key, leaf: np.ndim(leaf) > 1),
)

enter(
    "M62-norm-of-each-group",
    "has a norm for every parameter group",
    "The norm is taken in the loop over the groups. There is one over all groups together.",
    per_parameter_group,
)


def so_far(recipe: Recipe) -> Recipe:
    """Take for every tensor the norm of those up to it."""

    def norms(now: SimpleNamespace, g: Params) -> Params:
        keys = list(g)
        return {
            key: recipe.norm(now, {k: g[k] for k in keys[: number + 1]})
            for number, key in enumerate(keys)
        }

    return recipe.having(norm=norms)


enter(
    "M63-norm-so-far",
    "divides every tensor by the norm of the tensors up to it",
    "The loop that sums the squares also moves the weights. Sum first, then move.",
    so_far,
)


def of_norms(combine: Callable[[list[Any]], Any]) -> Change:
    """Take for the norm something that is made of the tensors' own norms."""
    return lambda r: r.having(
        norm=lambda now, g: combine([r.norm(now, {key: leaf}) for key, leaf in g.items()])
    )


enter(
    "M64-mean-of-norms",
    "divides by the mean of the tensors' norms",
    "‖g‖ = √(Σ over tensors of ‖gᵢ‖²): neither a mean nor a sum of norms.",
    of_norms(lambda norms: sum(norms) / len(norms)),
)

enter(
    "M65-norms-not-squared",
    "divides by √(Σ‖gᵢ‖), the root of a sum of norms that are not squared",
    "‖g‖ = √(Σ over tensors of ‖gᵢ‖²).",
    of_norms(lambda norms: np.sqrt(sum(norms))),
)

enter(
    "M66-largest-entry",
    "divides by the largest entry of |g|",
    "The norm of eq. (2) is the Euclidean one, √(Σ gᵢ²).",
    piece(norm=lambda now, g: largest(g)),
    methods=("sam",),
)

enter(
    "M67-norm-of-the-first",
    "divides by the norm of the first tensor alone",
    "A return stands in the loop over the tensors. Sum the squares over all of them.",
    lambda r: r.having(norm=lambda now, g: r.norm(now, dict(list(g.items())[:1]))),
)
