"""List what honest implementations do about gradients that are not finite.

The papers say nothing, and `minisam.optim` lets a NaN through: it shows in the weights at once.
"""

from __future__ import annotations

from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np

from minisam.trees import Params, map_leaves, zeros_like
from minisam.variants.recipe import Change, Recipe, then


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


def entries_or_zero(now: SimpleNamespace, g: Params) -> Params:
    """Take zero for what is not finite in a gradient."""
    return map_leaves(lambda leaf: np.where(np.isfinite(leaf), leaf, 0.0), g)


def gradient_or_zero(now: SimpleNamespace, g: Params) -> Params:
    """Take zero for all of a gradient that is not finite."""
    return g if is_finite(g) else zeros_like(g)


def finite_or_raise(now: SimpleNamespace, g: Params) -> Params:
    """Refuse a gradient that is not finite."""
    if not is_finite(g):
        raise FloatingPointError("the gradient is not finite")
    return g


GUARDS: dict[str, Change] = {
    "no_climb": does_not_climb,
    "skip": partial(skips, first=True, second=True),
    "skip_first": partial(skips, first=True, second=False),
    "skip_second": partial(skips, first=False, second=True),
    "zero": then(ask=entries_or_zero),
    "zero_all": then(ask=gradient_or_zero),
    "raise": then(first=finite_or_raise),
}
