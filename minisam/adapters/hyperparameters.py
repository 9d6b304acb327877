"""Hyper-parameters: one record for all of them, and schedules as lists that know their step."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np

from minisam.adapters.reason import Unsupported
from minisam.optim.methods import METHODS
from minisam.optim.perturbation import Scope

SCHEDULED = ("lr", "rho")  # what may change from step to step
EXTRA = {  # shown only where they say something
    "shards": 1,
    "missing": False,
    "groups": (),
    "saved": False,
    "scheduler": False,
    "declared": (),
}


class Scheduled(list):
    """A schedule: a list of one number a step, the last of which stays; also a function of it.

    It is no number, and says so where it is taken for one: NumPy would multiply its entries with
    those of a gradient without a word.

    Example:
        >>> [Scheduled([0.5, 0.25])(step) for step in range(4)]
        [0.5, 0.25, 0.25, 0.25]
        >>> Scheduled([0.5, 0.25]) * np.ones(2)
        Traceback (most recent call last):
        ...
        minisam.adapters.reason.Unsupported: it takes a number, not hp[name](step), for scheduled lr
    """

    name = "lr"

    def __call__(self, step: int) -> float:
        """Return the number of a step, from 0."""
        return self[min(int(step), len(self) - 1)]

    @classmethod
    def of(cls, name: str, value: Any) -> Any:
        """Return a list as a schedule, anything else as it is.

        Raises:
            ValueError: if the list is empty, by the name of what it is for.
        """
        if not isinstance(value, list | tuple):
            return value
        if not value:
            raise ValueError(f"{name} must have a number for the first step, got {value!r}")
        schedule = cls(_real(one, 0.0) for one in value)
        schedule.name = name
        return schedule

    def _no_number(self, *_: Any, **__: Any) -> Any:
        """Refuse to be calculated with."""
        raise Unsupported(f"it takes a number, not hp[name](step), for scheduled {self.name}")

    __mul__ = __rmul__ = __imul__ = __truediv__ = __rtruediv__ = __sub__ = __rsub__ = _no_number
    __radd__ = __pow__ = __rpow__ = __neg__ = __float__ = _no_number
    __lt__ = __le__ = __gt__ = __ge__ = __array_ufunc__ = _no_number


@dataclass(frozen=True, eq=False)
class HyperParameters(Mapping):
    """Say what an implementation is asked to be, and with which numbers.

    A record that reads as a dict does: its fields, and the method's own beside them. A list for
    ``lr`` or ``rho`` becomes a `Scheduled`, a whole number where a real one is meant a float.

    Attributes:
        method: "sgd", "sam", "asam", …: what the implementation claims to be.
        rho: radius, or a schedule of it.
        lr: learning rate, or a schedule of it.
        momentum: of the base update.
        nesterov: whether the base update looks ahead.
        weight_decay: of the base update or the loss.
        decay: "coupled", "decoupled" or "in_loss".
        p: order of the norm that bounds ε.
        eta: ASAM's stabilizer.
        scope: ASAM's scope: "weights" or "all".
        names: the tensors' dotted names, in order.
        frozen: names of tensors that the optimizer is not given, or must leave alone.
        dtype: "float64", "float32" or "bfloat16" (which travels in float32 arrays).
        shards: the number of parts of a batch that is split.
        missing: whether None stands for the gradient of a tensor that has none.
        groups: parameter groups: dicts of ``"names"`` and of the ``lr``, ``rho`` or
            ``weight_decay`` that these tensors have for themselves. One norm is over all of them.
        saved: whether the optimizer's state is saved after every step, and loaded by a new one.
        scheduler: whether schedules are set from outside alone, where a scheduler would set them.
        declared: those that the implementation has in its own way, whether it asks for them or not.
        own: what only some methods have, such as GSAM's ``alpha``, see `minisam.optim.METHODS`.

    Example:
        >>> hp = HyperParameters.of({"method": "gsam", "alpha": 0.5, "lr": [0.5, 0.25]})
        >>> hp["alpha"], hp.at(7).lr, hp.scheduled
        (0.5, 0.25, frozenset({'lr'}))
        >>> {**hp}["momentum"]
        0.0
    """

    method: str = "sam"
    rho: Any = 0.05
    lr: Any = 0.1
    momentum: float = 0.0
    nesterov: bool = False
    weight_decay: float = 0.0
    decay: str = "coupled"
    p: float = 2
    eta: float = 0.01
    scope: Scope = "weights"
    names: Any = None
    frozen: Any = ()
    dtype: str = "float64"
    shards: int = 1
    missing: bool = False
    groups: Any = ()
    saved: bool = False
    scheduler: bool = False
    declared: Any = ()
    own: Mapping[str, Any] = field(default_factory=dict)
    shown: dict[str, Any] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        values: dict[str, Any] = {name: getattr(self, name) for name in DEFAULTS}
        values.update({name: _real(values[name], 0.0) for name in REAL})
        values.update({name: Scheduled.of(name, values[name]) for name in SCHEDULED})
        values["p"] = math.inf if self.p == "inf" else self.p  # as JSON has it
        defaults = METHODS[self.method].own if self.method in METHODS else {}
        own = {key: _real(value, defaults.get(key)) for key, value in self.own.items()}
        kept = {key: value for key, value in values.items() if EXTRA.get(key, ...) != value}
        vars(self).update(values, own=own, shown={**kept, **own})  # frozen from here on

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> HyperParameters:
        """Make a record of a dict, in which what is missing has its default.

        Raises:
            ValueError: naming a key that no method has.

        Example:
            >>> HyperParameters.of({"momentun": 0.9})
            Traceback (most recent call last):
            ...
            ValueError: there is no hyper-parameter 'momentun'; did you mean 'momentum'?
        """
        if isinstance(values, HyperParameters):
            return values
        own = {key: value for key, value in values.items() if key not in DEFAULTS}
        if own:
            known = {key for row in METHODS.values() for key in row.own} | DEFAULTS.keys()
            for key in [key for key in own if key not in known]:
                near = difflib.get_close_matches(key, sorted(known), n=1)
                hint = f"; did you mean {near[0]!r}?" if near else f"; there are {sorted(known)}"
                raise ValueError(f"there is no hyper-parameter {key!r}{hint}")
        return cls(**{key: values[key] for key in values if key in DEFAULTS}, own=own)

    def having(self, **changes: Any) -> HyperParameters:
        """Return the record with other values."""
        return HyperParameters.of({**self, **changes}) if changes else self

    @property
    def scheduled(self) -> frozenset[str]:
        """Return those that change from step to step."""
        return frozenset(name for name in SCHEDULED if isinstance(self[name], Scheduled))

    def at(self, step: int) -> HyperParameters:
        """Return those of one step, from 0, in which every schedule is a number."""
        now = {name: self[name](step) for name in self.scheduled}
        return replace(self, **now) if now else self

    def by_group(self, names: Iterable[str]) -> list[tuple[list[str], HyperParameters]]:
        """Return the names of each parameter group, and its own hyper-parameters.

        Those of no group come first, with what holds for all.

        Example:
            >>> hp = HyperParameters(groups=({"names": ["bias"], "lr": 0.5},))
            >>> [(names, own.lr) for names, own in hp.by_group(["weight", "bias"])]
            [(['weight'], 0.1), (['bias'], 0.5)]
        """
        names = list(names)
        grouped = {name for group in self.groups for name in group["names"]}
        parts = [([name for name in names if name not in grouped], replace(self, groups=()))]
        for group in self.groups:
            own = {key: value for key, value in group.items() if key != "names"}
            mine = [name for name in names if name in group["names"]]
            parts.append((mine, self.having(**own, groups=())))
        return parts

    def named(self, params: Sequence[Any]) -> dict[str, np.ndarray]:
        """Return copies of the tensors by their names, or by made-up ones.

        Example:
            >>> HyperParameters().named([1.0])
            {'tensor0.weight': array(1.)}
        """
        names = self.names or [f"tensor{k}.weight" for k in range(len(params))]
        return dict(zip(names, map(np.array, params), strict=True))

    def demanded(self) -> list[str]:
        """Return the names of those that an implementation has to know to do what is asked.

        A method's own always; of the others those that are not at their default. What describes
        the problem need not be known, nor what is declared, nor what plays no part.
        """
        free = {"method", "names", "frozen", "dtype", *EXTRA, *self.declared}
        free |= {"rho", "p"} if self.method == "sgd" else set()
        free |= set() if self.method == "asam" else {"eta", "scope"}
        free |= set() if self.weight_decay else {"decay"}
        return [
            key
            for key, value in self.items()
            if key not in free and (key in self.own or value != DEFAULTS[key])
        ]

    def __getitem__(self, key: str) -> Any:
        return self.shown[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.shown)

    def __len__(self) -> int:
        return len(self.shown)


DEFAULTS: dict[str, Any] = {
    one.name: one.default for one in fields(HyperParameters) if one.name not in ("own", "shown")
}
REAL = [name for name, default in DEFAULTS.items() if isinstance(default, float)]


def _real(value: Any, default: Any) -> Any:
    """Return a whole number as a float, if the default is one."""
    whole = isinstance(value, int) and not isinstance(value, bool)
    return float(value) if whole and isinstance(default, float) else value
