"""Wrong SAMs: which part of the batch each gradient comes from.

They show only in probes with several shards, which run on adapters that split a batch.
"""

from __future__ import annotations

from types import SimpleNamespace

from minisam.oracle.conventions import own_climbs, summed
from minisam.oracle.mutants.catalogue import enter
from minisam.oracle.recipe import Recipe
from minisam.trees import Params


def other_batch(recipe: Recipe) -> Recipe:
    """d1 from the first shard alone, d2 from the second."""
    if recipe.hp.shards == 1:
        return recipe
    return recipe.having(
        first=lambda now: now.gradient(now.params, 0),
        second=lambda now: now.gradient(now.perturbed, 1),
    )


enter(
    "M22-another-batch",
    "takes d1 and d2 from different batches",
    "The closure draws the next batch in the second pass. Both passes see the same examples.",
    other_batch,
)


enter(
    "M29-shards-summed",
    "adds the gradients of the shards instead of averaging",
    "The climb does not notice; the descent is as many times too long. Divide by their number.",
    summed,
    convention={"split": "sum"},
)


enter(
    "M30-own-climb-per-shard",
    "lets every shard climb its own way",
    "This is m-sharpness: what data-parallel training does unless ε is synchronized.",
    own_climbs,
    convention={"split": "own_climb"},
)


def last_shard_climbs(recipe: Recipe) -> Recipe:
    """ε from the last shard, d2 from all."""
    shards = recipe.hp.shards
    if shards == 1:
        return recipe

    def first(now: SimpleNamespace) -> Params:
        gradients = [now.gradient(now.params, shard) for shard in range(shards)]
        return gradients[-1]

    return recipe.having(first=first)


enter(
    "R11-last-shard-climbs",
    "climbs along the last shard's gradient",
    "With gradient accumulation, ε must come from the accumulated gradient, not the last part.",
    last_shard_climbs,
)
