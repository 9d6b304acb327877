"""Wrong SAMs: which gradient climbs, and which one moves the weights."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from minisam.trees import (
    Params,
    add,
    add_scaled,
    inner,
    map_leaves,
    multiply,
    norm,
    scale,
    subtract,
    zeros_like,
)
from minisam.variants.mutants.catalogue import enter
from minisam.variants.recipe import Change, piece, then

enter(
    "M08-gradients-added",
    "descends along d1 + d2",
    "The gradients are not zeroed between the two passes, so the second adds to the first.",
    then(direction=lambda now, d: add(now.d1, d)),
)

enter(
    "M09-mean-of-both",
    "descends along (d1 + d2)/2",
    "SAM descends along d2 alone.",
    then(direction=lambda now, d: scale(0.5, add(now.d1, d))),
)

enter(
    "M10-first-gradient",
    "descends along d1, the gradient at A",
    "The gradient at B is computed and thrown away: SGD with a wasted pass. Use the gradient at B.",
    piece(direction=lambda now: now.d1),
)

enter(
    "M11-no-gradient",
    "descends along nothing: d2 is zero",
    "The gradients are zeroed after the second pass, before the base optimizer's step.",
    piece(direction=lambda now: zeros_like(now.d2)),
)

enter(
    "R04-second-pass-at-A",
    "takes both gradients at A, or only one: plain SGD",
    "The second forward pass ran before the weights were moved, or the closure was never called "
    "again. Move the weights to B first, then compute loss and gradient again.",
    piece(second=lambda now: now.ask(now.params)),
)

enter(
    "M21-stale-ascent",
    "climbs along the gradient of the step before",
    "The gradient that the climb follows is saved, and read one step late.",
    piece(ascent=lambda now: now.previous.d1 if now.previous else now.d1),
)


def scale_left(factor: float) -> Change:
    """Multiply what descends by a loss scale."""
    return then(direction=lambda now, d: scale(factor, d))


enter(
    "M26-loss-scale-left",
    "descends along d2 times a loss scale of 1024",
    "Mixed precision multiplies the loss; divide the gradient again in the second pass too.",
    scale_left(1024.0),
    others=tuple(
        (f"descends along d2 times a loss scale of {factor:g}", scale_left(factor))
        for factor in (2.0**16, 128.0, 256.0, 512.0, 2048.0, 4096.0, 8192.0, 32768.0)
    ),
)


def second_order(now: SimpleNamespace) -> Params:
    """Return d2 + (ρ/‖g‖) H (I − ĝĝᵀ) d2, with the Hessian product from a third gradient."""
    length = norm(now.d1)
    if length == 0 or not now.rho:
        return now.d2
    unit = scale(1 / length, now.d1)
    turning = add_scaled(now.d2, -inner(unit, now.d2), unit)
    h = 2.0**-10
    nearby = now.ask(add_scaled(now.params, h, turning))
    product = scale(1 / h, subtract(nearby, now.d1))
    return add(now.d2, scale(now.rho / length, product))


enter(
    "M33-second-order-kept",
    "differentiates through ε",
    "The paper drops the second-order term. Detach ε, or stop its gradient.",
    piece(direction=second_order),
)

enter(
    "M35-shadowed-gradient",
    "mixes d2 with a normalized copy of d1",
    "In d1 + α (d2 − d1) the name of d1 was reused for d1/‖d1‖. Give the two their own names.",
    piece(direction=lambda now: now.d2),
    equivalent="SAM has α = 1, where d1 cancels and d2 is left",
)


def of_length(now: SimpleNamespace, direction: Params, length: object) -> Params:
    """Return ``direction`` with another length; itself when it is zero."""
    own = norm(direction)
    return scale(length / own, direction) if own != 0 else direction


enter(
    "M47-length-of-first",
    "rescales d2 to the length of d1",
    "d2 is used as it is; only the climb is normalized.",
    piece(direction=lambda now: of_length(now, now.d2, norm(now.d1))),
)

enter(
    "M48-unit-length",
    "normalizes d2",
    "Only the climb is normalized, not the descent.",
    piece(direction=lambda now: of_length(now, now.d2, 1.0)),
)

enter(
    "M49-first-direction-second-length",
    "descends along d1 with the length of d2",
    "The gradients of the two passes are mixed up.",
    piece(direction=lambda now: of_length(now, now.d1, norm(now.d2))),
)


def entries_clipped(g: Params, most: float) -> Params:
    """Return a gradient whose entries are cut off."""
    return map_leaves(lambda leaf: np.minimum(np.maximum(leaf, -most), most), g)


def norm_clipped(g: Params, longest: float) -> Params:
    """Return a gradient that is cut to a norm."""
    length = norm(g)
    return scale(longest / length, g) if length > longest else g


enter(
    "M23-value-clipped",
    "clips the entries of d1 to [−1, 1] before the climb",
    "Clipping entries turns the climb. Clip d2, or clip by norm, which leaves the climb alone.",
    then(ascent=lambda now, g: entries_clipped(g, 1.0)),
)

enter(
    "M24-norm-clipped",
    "clips d1 by norm before the climb",
    "The climb is normalized anyway.",
    piece(ascent=lambda now: norm_clipped(now.d1, 1.0)),
    equivalent="a positive factor of d1 cancels in ρ d1/‖d1‖, unless an epsilon matters",
)

enter(
    "M25-scaled",
    "scales d1 before the climb",
    "The climb is normalized anyway.",
    piece(ascent=lambda now: scale(3.0, now.d1)),
    equivalent="a positive factor of d1 cancels in ρ d1/‖d1‖, unless an epsilon matters",
)


def nan_without_descent(now: SimpleNamespace) -> Params:
    """Return d2, but NaN when it is zero throughout."""
    return now.d2 if norm(now.d2) != 0 else map_leaves(lambda g: g / 0.0 * 0.0, now.d2)


enter(
    "R05-nan-at-zero-second-gradient",
    "returns NaN when the gradient at B is zero",
    "A branch that is not selected, or a term with a share of 0, computes 0/0, and 0 · NaN is NaN. "
    "Guard the denominator itself.",
    piece(direction=nan_without_descent),
)

enter(
    "R06-ascent-times-descent",
    "multiplies the two gradients entry by entry",
    "A stray product of d1 and d2 in the update.",
    piece(direction=lambda now: multiply(now.d1, now.d2)),
)
