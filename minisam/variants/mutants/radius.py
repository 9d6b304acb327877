"""Wrong SAMs: how far the climb goes."""

from __future__ import annotations

from minisam.adapters.library import base_of
from minisam.trees import scale
from minisam.variants.mutants.catalogue import enter, enter_with
from minisam.variants.recipe import Change, Recipe, piece

enter(
    "M52-half-the-radius",
    "climbs half as far: ε/2",
    "ρ or ε is halved on the way, to share it between two passes, say. The climb's length is ρ.",
    piece(adjust=lambda now, eps: scale(0.5, eps)),
)


def fixed(value: float) -> Change:
    """Climb by one radius, whichever is asked for."""
    return piece(radius=lambda now: value)


FIXED = (0.01, 0.02, 0.1, 0.2, 0.5, 2.0)

enter(
    "M53-radius-ignored",
    "climbs 0.05 whatever ρ is",
    "ρ is an argument that nothing reads, or that a default overwrites.",
    fixed(0.05),
    others=(
        *((f"climbs {value} whatever ρ is", fixed(value)) for value in FIXED),
        ("climbs by the learning rate instead of ρ", piece(radius=lambda now: now.lr)),
    ),
)

enter(
    "M54-radius-one",
    "climbs a length of 1, without ρ",
    "The gradient is normalized and not multiplied by ρ.",
    fixed(1.0),
)

enter(
    "M55-root-of-the-radius",
    "climbs √ρ instead of ρ",
    "Lengths and squares are mixed up: ρ bounds ‖ε‖, not ‖ε‖².",
    piece(radius=lambda now: now.rho**0.5),
)


def following_the_rate(recipe: Recipe) -> Recipe:
    """Multiply ρ by the share of the learning rate that is left."""
    first = recipe.hp.at(0).lr
    return recipe.having(radius=lambda now: now.rho * (now.lr / first)) if first else recipe


enter(
    "M56-radius-follows-the-rate",
    "lets ρ follow the learning rate",
    "ρ shrinks with a schedule of the learning rate. It has a schedule of its own, or none.",
    following_the_rate,
)

enter_with(
    "M57-radius-warmed-up",
    "lets ρ grow over the first {} steps",
    "ρ is there from the first step on. A warm-up is a schedule, and has to be asked for.",
    lambda steps: piece(radius=lambda now: now.rho * min(1.0, (now.count + 1) / steps)),
    (10, 2, 3, 4, 5, 20, 50, 100, 500, 1000),
)

enter(
    "M58-radius-of-the-step-before",
    "uses the radius of the step before",
    "ρ's schedule is read at the end of a step, so that it comes one step late.",
    lambda r: r.having(radius=lambda now: r.hp.at(max(now.count - 1, 0)).rho),
)

enter(
    "M59-radius-and-rate-swapped",
    "takes ρ for the learning rate, and the learning rate for ρ",
    "The two are handed over in the wrong order. Hand them over by name.",
    lambda r: r.having(radius=lambda now: now.lr, base=base_of(r.hp, lr=r.hp.rho)),
)
