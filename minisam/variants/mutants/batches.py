"""Wrong SAMs: which part of the batch each gradient comes from.

They show only in probes with several shards, which run on adapters that split a batch.
"""

from __future__ import annotations

from minisam.variants.changes import in_shards, own_climbs, shard_gradients, summed
from minisam.variants.mutants.catalogue import enter
from minisam.variants.recipe import only, piece

enter(
    "M22-another-batch",
    "takes d1 and d2 from different batches",
    "The closure draws the next batch in the second pass. Both passes see the same examples.",
    only(
        in_shards,
        piece(
            first=lambda now: now.gradient(now.params, 0),
            second=lambda now: now.gradient(now.perturbed, 1),
        ),
    ),
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

enter(
    "R11-last-shard-climbs",
    "climbs along the last shard's gradient",
    "With gradient accumulation, ε must come from the accumulated gradient, not the last part.",
    only(in_shards, piece(first=lambda now: shard_gradients(now)[-1])),
)
