"""See which hyper-parameters a function has: those that it names, or reads of ``**hp``."""

from __future__ import annotations

import inspect
from collections import UserDict
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from minisam.adapters.hyperparameters import HyperParameters
from minisam.adapters.protocol import (
    ALL_DTYPES,
    Adapter,
    AdapterError,
    Arrays,
    Run,
    Unsupported,
    mark,
)

WRITE = "write step(w, grad_fn, *, rho, lr), with the hyper-parameters that it has, by keyword"
DECORATE = "if a decorator hides what it takes, put @functools.wraps(function) above its wrapper"


class BadSignature(AdapterError):
    """A function cannot be called as a step or as an adapter."""

    cause = "signature"


def accepted(function: Callable[..., Any], skip: Sequence[str] = ()) -> frozenset[str] | None:
    """Return the hyper-parameters that a function names; None if it takes whatever it is given.

    Example:
        >>> def step(w, grad_fn, *, rho, lr, **rest): ...
        >>> sorted(accepted(step, skip=["w", "grad_fn"]))
        ['lr', 'rho']
    """
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return None
    named = {p.name for p in parameters if p.kind in (p.KEYWORD_ONLY, p.POSITIONAL_OR_KEYWORD)}
    named -= set(skip)
    takes_all = any(p.kind is p.VAR_KEYWORD for p in parameters)
    return None if takes_all and not named else frozenset(named)


def known_arguments(hp: HyperParameters, accepts: frozenset[str]) -> dict[str, Any]:
    """Return the arguments for a function that accepts certain hyper-parameters.

    ``adaptive=True`` stands for the method "asam", for functions that ask for it by that name.

    Raises:
        Unsupported: when one that matters is not accepted.
        BadSignature: when ``eta`` is accepted for the step size, as the papers call it.

    Example:
        >>> known_arguments(HyperParameters(momentum=0.9), frozenset({"rho", "lr"}))
        Traceback (most recent call last):
        ...
        minisam.adapters.protocol.Unsupported: it does not take momentum
    """
    if hp.method in ("sgd", "sam") and "eta" in accepts and "lr" not in accepts:
        raise BadSignature("eta is ASAM's stabilizer; call the step size lr")
    for key in hp.demanded():
        if key not in accepts:
            raise Unsupported("it does not take", key)
    given = {**hp, "adaptive": hp.method == "asam"}
    return {key: given[key] for key in accepts if key in given}


def check_call(signature: inspect.Signature, known: Collection[str]) -> None:
    """Raise `BadSignature` unless a step can be called at all.

    Args:
        signature: of the step.
        known: the keywords that there are.
    """
    names = list(signature.parameters)
    if "grad_fn" in names[:1] + names[2:]:
        raise BadSignature(f"it takes {signature}, where grad_fn is not the second; {WRITE}")
    takes_all = any(p.kind is p.VAR_KEYWORD for p in signature.parameters.values())
    keywords = set(known) - set(names[:2]) if takes_all else set(known) & set(names[2:])
    try:
        signature.bind([], None, **dict.fromkeys(keywords))
    except TypeError as error:
        raise BadSignature(f"it takes {signature}: {error}; {WRITE}") from None


class Keyword(str):
    """A keyword that is noted as read when a function looks it up among its ``**keywords``.

    A function gets a plain dict of its keywords, whatever mapping it was called with, but the keys
    in it are these; so a look-up compares them.
    """

    read: set[str]

    def __eq__(self, other: object) -> bool:
        same = str.__eq__(self, other)
        if same is True:
            self.read.add(str(self))
        return same

    __hash__ = str.__hash__


class ReadingDict(UserDict):
    """A dict that remembers what was read of it, and ``base``, the keywords of ``torch.optim.SGD``.

    A maker that never looks at ``p`` makes an optimizer for p = 2 only. So a hyper-parameter that
    matters and was not read is one that the implementation does not have, and the probes that ask
    for it are not run.

    Args:
        asked: the hyper-parameters.
        step: that of the step whose ``lr`` and ``rho`` are shown; None shows schedules as they are.
        **more: what else is to be read.

    Attributes:
        read: those that were read.
        scheduled: those of ``lr`` and ``rho`` that change from step to step. They are set where a
            scheduler would set them; a maker whose optimizer has none raises `Unsupported`.

    Example:
        >>> hp = ReadingDict(HyperParameters(p=1))
        >>> hp["rho"], hp["lr"]
        (0.05, 0.1)
        >>> hp.refuse_unread()
        Traceback (most recent call last):
        ...
        minisam.adapters.protocol.Unsupported: it does not read p
    """

    def __init__(self, asked: HyperParameters, step: int | None = None, **more: Any) -> None:
        super().__init__({**(asked if step is None else asked.at(step)), **more})
        self.asked = asked
        self.read: set[str] = set()
        self.scheduled = asked.scheduled

    def __getitem__(self, key: str) -> Any:
        self.read.add(key)
        return super().__getitem__(key)

    def keywords(self) -> dict[str, Any]:
        """Return the same for ``function(**keywords)``: what it looks up counts as read.

        Example:
            >>> hp = ReadingDict(HyperParameters())
            >>> (lambda **given: given["lr"])(**hp.keywords()), hp.read
            (0.1, {'lr'})
        """
        keywords: dict[str, Any] = {}
        for name, value in self.data.items():
            keyword = Keyword(name)
            keyword.read = self.read
            keywords[keyword] = value
        return keywords

    @property
    def base(self) -> dict[str, Any]:
        """Return ``lr``, ``momentum``, ``nesterov``, ``weight_decay``, for ``torch.optim.SGD``.

        Raises:
            Unsupported: if another weight decay is wanted than the one that it has.
        """
        if self["decay"] != "coupled" and self["weight_decay"]:
            raise Unsupported(f"torch.optim.SGD has no {self['decay']} weight decay")
        return {key: self[key] for key in ("lr", "momentum", "nesterov", "weight_decay")}

    def refuse_unread(self) -> None:
        """Raise `Unsupported` if one that matters was not read."""
        for key in self.asked.demanded():
            if key not in self.read:
                raise Unsupported("it does not read", key)


def adapter_of_maker(
    make: Callable[..., Any], begin: Callable[[Arrays, HyperParameters], Run], *features: str
) -> Adapter:
    """Return an adapter of a function that makes a framework's optimizers.

    Args:
        make: the function, by whose name the adapter is known.
        begin: calls it, and returns the function that does one step.
        *features: what the adapter can, see `minisam.adapters.protocol`.

    Raises:
        ValueError: if ``make`` cannot be called.
    """
    if not callable(make):
        raise ValueError(f"make must be a function (params, hp) -> optimizer, got {make!r}")

    def adapter(params: Arrays, hyperparameters: Mapping[str, Any]) -> Run:
        return begin(params, HyperParameters.of(hyperparameters))

    name = getattr(make, "__name__", "make")
    return mark(adapter, features=frozenset(features), dtypes=ALL_DTYPES, name=name)
