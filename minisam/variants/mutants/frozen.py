"""Wrong SAMs: tensors that are not trained, and take part all the same."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from minisam.adapters.hyperparameters import HyperParameters
from minisam.trees import Params, add_scaled
from minisam.variants.mutants.catalogue import enter
from minisam.variants.recipe import Change, Recipe, only


def has_frozen(hp: HyperParameters) -> Any:
    """Return whether some tensors are not trained, in a batch that is not split."""
    return hp.frozen and hp.shards == 1


def in_the_norm(recipe: Recipe) -> Recipe:
    """Take the norm of all tensors' gradients."""
    return recipe.having(norm=lambda now, g: recipe.norm(now, {**g, **now.asked.slopes}))


def climbing_too(recipe: Recipe) -> Recipe:
    """Let frozen tensors climb with the others, by the same norm, and put them back."""

    def second(now: SimpleNamespace) -> Params:
        length = recipe.length(now, recipe.radius(now), recipe.norm(now, now.d1))
        moved = add_scaled(now.asked.fixed, length, dict(now.asked.slopes))
        gradient = now.ask({**now.perturbed, **moved})
        return {key: gradient[key] for key in now.params}

    return recipe.having(second=second)


def where_frozen(change: Change) -> Change:
    """Keep a change to where tensors are frozen."""
    return only(has_frozen, change)


enter(
    "M115-frozen-in-the-norm",
    "has the gradients of frozen tensors in the norm",
    "The norm is over the tensors that are perturbed: those that are trained. Leave out what does "
    "not require a gradient, and what the optimizer was not given.",
    where_frozen(in_the_norm),
    methods=("sam",),
)

enter(
    "M116-frozen-climb",
    "perturbs frozen tensors, too",
    "A tensor that is not trained stays where it is, in the climb as in the step.",
    where_frozen(lambda r: climbing_too(in_the_norm(r))),
    methods=("sam",),
    others=(
        (
            "perturbs frozen tensors, too, which do not count in the norm",
            where_frozen(climbing_too),
        ),
    ),
)
