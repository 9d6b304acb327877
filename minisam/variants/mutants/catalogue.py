"""Keep the catalogue: what is known of a wrong SAM."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from minisam.adapters.library import adapter_of
from minisam.adapters.protocol import Adapter
from minisam.variants.recipe import TAKEN_APART, Change, optimizer


class Mutant(NamedTuple):
    """One wrong SAM.

    Attributes:
        name: an immutable slug, such as ``"M02-per-tensor-norm"``.
        title: what it does, in a few words that follow "it": "takes one norm per tensor".
        description: how the mistake comes about, and how to put it right.
        change: the piece that it replaces.
        methods: where it is a mistake: ``("sam", "asam")`` or ``("asam",)``.
        convention: when honest implementations do it: the declaration, such as
            ``{"norm_scope": "per_tensor"}``.
        equivalent: when no test can see it: why.
        dtypes: the dtypes in which it can be seen.
        others: other ways to make the same mistake, each with its title: with another number, say.
    """

    name: str
    title: str
    description: str
    change: Change
    methods: tuple[str, ...] = ("sam", "asam")
    convention: dict[str, Any] | None = None
    equivalent: str = ""
    dtypes: tuple[str, ...] = ("float64", "float32")
    others: tuple[tuple[str, Change], ...] = ()

    @property
    def adapter(self) -> Adapter:
        """Return the mutant as something that can be checked."""
        return mutant_adapter(self.change)


MUTANTS: dict[str, Mutant] = {}


def enter(name: str, title: str, description: str, change: Change, **rest: Any) -> None:
    """Enter a mutant into the catalogue."""
    if name in MUTANTS:
        raise ValueError(f"the mutant {name!r} is entered twice")
    MUTANTS[name] = Mutant(name, title, description, change, **rest)


def enter_with(
    name: str,
    title: str,
    description: str,
    change: Callable[[Any], Change],
    values: Sequence[Any],
    **rest: Any,
) -> None:
    """Enter a mutant that has a number, with the numbers that people write, the usual one first.

    Args:
        name: its slug.
        title: with ``{}`` for the number.
        description: see `Mutant`.
        change: number -> change.
        values: the numbers.
        rest: what else a `Mutant` has.
    """
    first, *more = values
    others = tuple((title.format(value), change(value)) for value in more)
    enter(name, title.format(first), description, change(first), others=others, **rest)


def mutant_adapter(*changes: Change) -> Adapter:
    """Make an adapter of the reference with ``changes`` applied in order.

    Example:
        >>> import numpy as np
        >>> from minisam.adapters.protocol import HYPERPARAMETERS
        >>> never_restored = mutant_adapter(MUTANTS["M01-not-restored"].change)
        >>> run = never_restored([np.array([3.0])], {**HYPERPARAMETERS, "lr": 0.0, "rho": 0.5})
        >>> run(lambda point: [point[0]])
        [array([3.5])]
    """
    return adapter_of(lambda hp: optimizer(hp, changes), TAKEN_APART)
