"""List what honest implementations do about gradients that are not finite.

The papers say nothing, and `minisam.optim` lets a NaN through: it shows in the weights at once.
"""

from __future__ import annotations

from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np

from minisam.trees import Params, map_leaves, zeros_like
from minisam.variants.recipe import Change, Recipe


def is_finite(g: Params) -> bool:
    """Return whether every entry of a gradient is a number."""
    return all(np.all(np.isfinite(leaf)) for leaf in g.values())


def does_not_climb(recipe: Recipe) -> Recipe:
    """Stay at A where d1 is not finite."""

    def adjust(now: SimpleNamespace, perturbation: Params) -> Params:
        return recipe.adjust(now, perturbation if is_finite(now.d1) else zeros_like(perturbation))

    return recipe.having(adjust=adjust)


def skips(recipe: Recipe, first: bool, second: bool) -> Recipe:
    """Leave weights and velocity as they are where d1, or where d2, is not finite."""

    def update(now: SimpleNamespace, state: Any, origin: Params, direction: Params) -> tuple:
        if (first and not is_finite(now.d1)) or (second and not is_finite(now.d2)):
            return now.params, state._replace(count=state.count + 1)  # a schedule goes on
        return recipe.update(now, state, origin, direction)

    return recipe.having(update=update)


def zeroes(recipe: Recipe, everything: bool) -> Recipe:
    """Take zero for what is not finite in a gradient, or for all of that gradient."""

    def ask(now: SimpleNamespace, point: Params) -> Params:
        g = recipe.ask(now, point)
        if everything:
            return g if is_finite(g) else zeros_like(g)
        return map_leaves(lambda leaf: np.where(np.isfinite(leaf), leaf, 0.0), g)

    return recipe.having(ask=ask)


def raises(recipe: Recipe) -> Recipe:
    """Refuse a d1 that is not finite."""

    def first(now: SimpleNamespace) -> Params:
        g = recipe.first(now)
        if not is_finite(g):
            raise FloatingPointError("the gradient is not finite")
        return g

    return recipe.having(first=first)


GUARDS: dict[str, Change] = {
    "no_climb": does_not_climb,
    "skip": partial(skips, first=True, second=True),
    "skip_first": partial(skips, first=True, second=False),
    "skip_second": partial(skips, first=False, second=True),
    "zero": partial(zeroes, everything=False),
    "zero_all": partial(zeroes, everything=True),
    "raise": raises,
}
