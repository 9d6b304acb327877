"""List the conventions in which honest implementations of SAM differ.

None of these is a bug. Each has a default, what the papers say and `minisam.optim` does, and other
values found in code that people use. Declaring one, ``check(adapter, declare={"norm_epsilon":
1e-12})``, selects a strict reference of that convention; an implementation that follows one which
it has not declared is told the line to write.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from minisam.adapters.hyperparameters import HyperParameters
from minisam.adapters.protocol import HYPERPARAMETERS
from minisam.variants import changes
from minisam.variants.guards import GUARDS
from minisam.variants.recipe import Change, only, piece, recipe_of


class Convention(NamedTuple):
    """One way in which implementations differ.

    Attributes:
        name: the key in ``declare``.
        default: the papers' choice.
        values: others that are tried when an implementation disagrees.
        meaning: what is declared, in one sentence.
        change: value -> the piece of the recipe that it replaces; None if it is only a setting.
        setting: value -> hyper-parameters that it fixes, for the adapter as for the reference.
        accepts: whether a value can be declared.
        shows: whether it makes a difference under some hyper-parameters.
    """

    name: str
    default: Any
    values: tuple[Any, ...]
    meaning: str
    change: Callable[[Any], Change] | None = None
    setting: Callable[[Any], dict[str, Any]] = lambda value: {}
    accepts: Callable[[Any], bool] | None = None
    shows: Callable[[HyperParameters], Any] = lambda hp: hp.method != "sgd"


def is_number(value: Any) -> bool:
    """Return whether ``value`` is a finite number ≥ 0."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < np.inf


EPSILONS = (1e-16, 1e-15, 1e-14, 1e-13, 1e-12, 1e-11, 1e-10, 1e-9, 1e-8)

CONVENTIONS: dict[str, Convention] = {convention.name: convention for convention in (
    Convention(
        "norm_epsilon", 0.0, EPSILONS, "what is added to the norm: ρ g/(‖g‖ + norm_epsilon)",
        lambda value: piece(length=changes.with_epsilon(value)), accepts=is_number,
    ),
    Convention(
        "norm_floor", 0.0, EPSILONS, "the smallest norm: ρ g/max(‖g‖, norm_floor)",
        lambda value: piece(length=changes.with_floor(value)), accepts=is_number,
    ),
    Convention(
        "norm_epsilon_inside", 0.0, (1e-12, 1e-8),
        "what is added under the root: ρ g/√(‖g‖² + norm_epsilon_inside)",
        lambda value: piece(length=changes.with_epsilon_inside(value)), accepts=is_number,
    ),
    Convention(
        "norm_dtype", "same", ("float32",), "the dtype in which the norm is computed",
        lambda value: changes.another_norm(changes.with_float32_norm),
    ),
    Convention(
        "norm_scope", "global", ("per_tensor",), "what has one norm: all tensors, or each tensor",
        lambda value: changes.another_norm(changes.per_tensor_norm),
    ),
    Convention(
        "zero_gradient", "zero", ("nan",), "the climb for a gradient of zero: none, or 0/0",
        lambda value: piece(length=changes.or_nan),
    ),
    Convention(
        "restore", "copy", ("subtract",), "how the weights go back from B to A",
        lambda value: changes.restore_by_subtraction,
    ),
    Convention(
        "weight_decay", "base", ("in_loss", "decoupled"),
        "where weight decay is: in the base update at A, in the loss, or beside the step",
        setting=lambda value: {"decay": "coupled" if value == "base" else value},
        shows=lambda hp: hp.weight_decay,
    ),
    Convention(
        "momentum_form", "lr_outside", ("lr_inside", "ema"),
        "v ← μv + g, w ← w − ηv; or η inside v (Keras); or v ← μv + (1−μ)g",
        changes.momentum_form, shows=lambda hp: hp.momentum,
    ),
    Convention(
        "eta", None, (0.0, 0.01), "ASAM's stabilizer, when it cannot be set",
        setting=lambda value: {} if value is None else {"eta": float(value)}, accepts=is_number,
        shows=changes.is_adaptive,
    ),
    Convention(
        "scope", "weights", ("all",), "the tensors that ASAM rescales: named …weight, or all",
        setting=lambda value: {"scope": value}, shows=changes.is_adaptive,
    ),
    Convention(
        "asam_form", "T2g/|Tg|", ("Tg/|g|",), "ASAM's climb",
        lambda value: changes.big_vision_climb, shows=changes.is_adaptive,
    ),
    Convention(
        "split", "mean", ("sum", "own_climb"), "what becomes of the gradients of a split batch",
        lambda value: {"sum": changes.summed, "own_climb": changes.own_climbs}[value],
        shows=changes.in_shards,
    ),
    Convention(
        "nonfinite", "propagate", tuple(GUARDS), "what is done about a gradient that is not finite",
        lambda value: GUARDS[value],
    ),
    Convention(
        "saved_state", "whole", ("without_base",),
        "what is saved and loaded: all that a step remembers, or not the base optimizer's momentum",
        lambda value: only(lambda hp: hp.saved, changes.forgetting), shows=lambda hp: hp.saved,
    ),
    Convention("output", "silent", ("prints",), "whether a step prints", shows=lambda hp: True),
    Convention(
        "inputs", "kept", ("changed",), "whether a step may change the arrays it is given",
        shows=lambda hp: True,
    ),
)}  # fmt: skip


def is_default(name: str, value: Any) -> bool:
    """Return whether declaring this says nothing new.

    A default that fixes a hyper-parameter does: what asks for another one is not run.
    """
    convention = CONVENTIONS[name]
    return value == convention.default and not convention.setting(value)


def check_declared(declared: dict[str, Any]) -> None:
    """Raise ValueError unless every convention and its value are known.

    Example:
        >>> check_declared({"restore": "substract"})
        Traceback (most recent call last):
        ...
        ValueError: declare['restore'] must be one of 'copy', 'subtract', got 'substract'
    """
    for name, value in declared.items():
        if name not in CONVENTIONS:
            known = ", ".join(CONVENTIONS)
            raise ValueError(f"declare has no convention {name!r}; there are {known}")
        convention = CONVENTIONS[name]
        if convention.accepts is not None:
            if not (convention.accepts(value) or is_default(name, value)):
                raise ValueError(f"declare[{name!r}] must be a number ≥ 0, got {value!r}")
        elif value not in (convention.default, *convention.values):
            choices = ", ".join(map(repr, (convention.default, *convention.values)))
            raise ValueError(f"declare[{name!r}] must be one of {choices}, got {value!r}")
    recipe = recipe_of(HYPERPARAMETERS)
    lengths = [
        f"{name}={value!r}"
        for name, value in declared.items()
        if any("length" in c(recipe).changed for c in declared_changes({name: value}))
    ]
    if len(lengths) > 1:
        both = " and ".join(lengths)
        raise ValueError(f"declare has {both}: each is the length of the climb, so choose one")


def declared_settings(declared: dict[str, Any]) -> dict[str, Any]:
    """Return the hyper-parameters that declared conventions fix.

    Example:
        >>> declared_settings({"eta": 0, "scope": "all", "restore": "subtract"})
        {'eta': 0.0, 'scope': 'all'}
    """
    settings: dict[str, Any] = {}
    for name, value in declared.items():
        if not is_default(name, value):
            settings.update(CONVENTIONS[name].setting(value))
    return settings


def declared_changes(declared: dict[str, Any]) -> tuple[Change, ...]:
    """Return the changes of the recipe that declared conventions stand for.

    Whatever order they are declared in, they are applied in that of `CONVENTIONS`: what wraps a
    piece comes after what replaces it.
    """
    return tuple(
        convention.change(declared[name])
        for name, convention in CONVENTIONS.items()
        if name in declared and convention.change and not is_default(name, declared[name])
    )
