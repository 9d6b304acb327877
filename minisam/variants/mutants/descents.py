"""Wrong SAMs: what the base update is given."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

from minisam.trees import Params, map_leaves, scale, subtract
from minisam.variants.mutants.catalogue import enter, enter_with
from minisam.variants.mutants.climbs import coarse
from minisam.variants.mutants.gradient import entries_clipped, norm_clipped
from minisam.variants.recipe import Change, piece, then, then_weights


def descending_by(factor: Callable[[SimpleNamespace], Any]) -> Change:
    """Multiply what descends by a factor."""
    return then(direction=lambda now, d: scale(factor(now), d))


enter(
    "M76-difference-of-both",
    "descends along d2 − d1",
    "SAM descends along d2 alone.",
    then(direction=lambda now, d: subtract(d, now.d1)),
)

enter(
    "M77-uphill",
    "goes up along d2 instead of down",
    "The update is w − lr·d2. A sign is wrong, or the gradient is that of the loss's negative.",
    descending_by(lambda now: -1.0),
)

enter(
    "M78-half-the-gradient",
    "descends along d2/2",
    "d2 is divided by the number of passes. The first one does not count.",
    descending_by(lambda now: 0.5),
)

enter(
    "M79-averaged-over-tensors",
    "divides d2 by the number of tensors",
    "The gradient is not averaged over tensors.",
    descending_by(lambda now: 1.0 / len(now.params)),
)

enter(
    "M80-rate-squared",
    "multiplies by the learning rate twice",
    "The base optimizer multiplies by it, once. Hand it d2 as it is.",
    descending_by(lambda now: now.lr),
)

enter_with(
    "M81-second-norm-clipped",
    "clips d2 to a norm of {}",
    "Clipping is no part of SAM. Where a training loop clips it is asked for, and between d2 and "
    "the base update.",
    lambda longest: then(direction=lambda now, d: norm_clipped(d, longest)),
    (1.0, 0.1, 0.5, 2.0, 5.0, 10.0),
)

enter_with(
    "M82-second-value-clipped",
    "clips the entries of d2 to [−{0}, {0}]",
    "Clipping is no part of SAM, and clipping entries turns the step.",
    lambda most: then(direction=lambda now, d: entries_clipped(d, most)),
    (1.0, 0.1, 0.5, 2.0),
)

enter_with(
    "M83-second-in-half-precision",
    "rounds d2 to {}",
    "d2 is kept in a smaller format, under autocast say. The base update needs it in the weights' "
    "dtype.",
    lambda name: then(direction=lambda now, d: coarse(d, name)),
    ("float16", "bfloat16"),
)

enter(
    "M84-stale-descent",
    "descends along d2 of the step before",
    "The gradient is saved, and read one step late.",
    piece(direction=lambda now: now.previous.d2 if now.previous else now.d2),
)

enter(
    "M85-sign-of-second",
    "descends along the sign of d2",
    "The base update is given d2 itself.",
    piece(direction=lambda now: map_leaves(np.sign, now.d2)),
)


def climbing_in(which: Callable[[int], bool]) -> Change:
    """Take SAM's step in some steps only, SGD's in the others."""
    return lambda r: r.having(second=lambda now: r.second(now) if which(now.count) else now.d1)


enter(
    "M86-every-kth-step",
    "climbs in every second step only, from the first one on, and is SGD between",
    "Each step of SAM takes two gradients. A SAM that saves some of them is another algorithm.",
    climbing_in(lambda count: count % 2 == 0),
    others=(
        (
            "climbs in every third step only, from the first one on, and is SGD between",
            climbing_in(lambda count: count % 3 == 0),
        ),
        (
            "climbs in the first step and not in the next three: in every fourth or later, say",
            climbing_in(lambda count: count == 0),
        ),
    ),
)

enter(
    "M87-not-in-the-first-step",
    "is SGD in the first step, and SAM from then on",
    "The first step climbs like any other; nothing has to be known from a step before.",
    climbing_in(lambda count: count > 0),
    others=(
        (
            "climbs in every other step only, from the second one on",
            climbing_in(lambda count: count % 2 == 1),
        ),
        ("is SGD in the first two steps", climbing_in(lambda count: count > 1)),
    ),
)


def asking_at_the_end(now: SimpleNamespace, origin: Params, new: Params) -> Params:
    """Ask for a gradient at the new weights, and leave it."""
    now.ask(new)
    return new


enter(
    "M88-third-gradient",
    "asks for a third gradient, at the new weights",
    "A step of SAM takes two gradients. The loss that is logged is known from the first.",
    then_weights(asking_at_the_end),
)
