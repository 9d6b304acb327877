"""Wrong SAMs: parameter groups whose own numbers are not used.

They show only where there are parameter groups, in adapters that have them.
"""

from __future__ import annotations

from minisam.adapters.library import base_of
from minisam.variants.mutants.catalogue import enter
from minisam.variants.recipe import Recipe


def without(recipe: Recipe, name: str) -> Recipe:
    """Let every group have what holds for all."""
    groups = tuple({k: v for k, v in group.items() if k != name} for group in recipe.hp.groups)
    if groups == tuple(recipe.hp.groups):
        return recipe
    hp = recipe.hp.having(groups=groups)
    return recipe.having(hp=hp, base=base_of(hp))


enter(
    "M112-radius-of-the-first-group",
    "climbs by one radius in every parameter group",
    "ρ is read from param_groups[0] or from the wrapper, or written over in every group. Read each "
    "group's own in the loop over the groups.",
    lambda r: without(r, "rho"),
)

enter(
    "M113-rate-of-the-first-group",
    "uses the first parameter group's learning rate for all",
    "The base optimizer is made of the parameters, and not of their groups.",
    lambda r: without(r, "lr"),
)

enter(
    "M114-decay-of-the-first-group",
    "uses the first parameter group's weight decay for all",
    "The base optimizer is made of the parameters, and not of their groups.",
    lambda r: without(r, "weight_decay"),
    others=(
        (
            "makes the base optimizer without the groups' learning rates and weight decays",
            lambda r: without(without(r, "weight_decay"), "lr"),
        ),
        (
            "has one parameter group, where several were asked for",
            lambda r: without(without(without(r, "weight_decay"), "lr"), "rho"),
        ),
    ),
)
