"""Lend hyper-parameters to an adapter, and see which of them it reads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from typing import Any

from minisam.adapters.hyperparameters import HyperParameters
from minisam.adapters.reason import Unsupported


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


class ReadingDict(dict):
    """A dict that remembers what was read of it, and ``base``, the keywords of ``torch.optim.SGD``.

    Whoever wrote an adapter, what it never looks at, such as ``p``, its implementation does not
    have. So a probe that asks for a hyper-parameter which matters does not count if that was not
    read by the end of its last step. The adapters of frameworks show their makers the same
    hyper-parameters in another form, see `showing`; what is read there counts here.

    Args:
        asked: the hyper-parameters.
        step: that of the step whose ``lr`` and ``rho`` are shown; None shows schedules as they are.
        read: where to note what is read; a new set by default.
        **more: what else is to be read.

    Attributes:
        asked: the hyper-parameters.
        read: those that were read.

    Example:
        >>> hp = ReadingDict(HyperParameters(p=1))
        >>> hp["rho"], hp["lr"]
        (0.05, 0.1)
        >>> hp.refuse_unread()
        Traceback (most recent call last):
        ...
        minisam.adapters.reason.Unsupported: it does not read p
    """

    def __init__(
        self,
        asked: HyperParameters,
        step: int | None = None,
        read: set[str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__({**(asked if step is None else asked.at(step)), **more})
        self.asked = asked
        self.read: set[str] = set() if read is None else read

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> ReadingDict:
        """Return a mapping as one; one that is lent already is the same, and not read by this."""
        return values if isinstance(values, cls) else cls(HyperParameters.of(values))

    def showing(self, step: int | None = None, **more: Any) -> ReadingDict:
        """Return one that shows another step, or more; what is read of it counts as read here."""
        return ReadingDict(self.asked, step, self.read, **more)

    @property
    def scheduled(self) -> frozenset[str]:
        """Return those of ``lr`` and ``rho`` that change from step to step.

        They are set where a scheduler would set them; a maker whose optimizer has no such place
        raises `Unsupported`.
        """
        return self.asked.scheduled

    def __getattr__(self, name: str) -> Any:
        hint = f"; write hp[{name!r}]" if name in self else ""
        raise AttributeError(f"hyper-parameters have no attribute {name!r}{hint}")

    def __getitem__(self, key: str) -> Any:
        self.read.add(key)
        return super().__getitem__(key)

    def __iter__(self) -> Any:  # being there, it makes dict(self) and {**self} get every item
        return super().__iter__()

    def __or__(self, other: Any) -> Any:
        return self.copy() | other

    def get(self, key: str, default: Any = None) -> Any:
        """Return one, or the default."""
        self.read.add(key)
        return super().get(key, default)

    def pop(self, key: str, *default: Any) -> Any:
        """Take one out."""
        self.read.add(key)
        return super().pop(key, *default)

    def items(self) -> Any:
        """Return all with their names: all are read."""
        self.read.update(self)
        return super().items()

    def values(self) -> Any:
        """Return all: all are read."""
        self.read.update(self)
        return super().values()

    def copy(self) -> dict[str, Any]:
        """Return a plain dict: all are read."""
        return dict(self)

    def keywords(self) -> dict[str, Any]:
        """Return the same for ``function(**keywords)``: what it looks up counts as read.

        Example:
            >>> hp = ReadingDict(HyperParameters())
            >>> (lambda **given: given["lr"])(**hp.keywords()), hp.read
            (0.1, {'lr'})
        """
        keywords: dict[str, Any] = {}
        for name, value in super().items():
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

    def unread(self) -> list[str]:
        """Return those that matter and were not read."""
        return [key for key in self.asked.demanded() if key not in self.read]

    def read_all_but(self, unread: Iterable[str] = ()) -> None:
        """Note those as read that somebody else, a function's signature say, knows to be."""
        self.read.update(self.keys() - set(unread))

    def refuse_unread(self) -> None:
        """Raise `Unsupported` if one that matters was not read."""
        for key in self.unread():
            raise Unsupported("it does not read", key)


@contextmanager
def refusing_unread(adapter: Callable[..., Any]) -> Iterator[Callable[..., Any]]:
    """Refuse in the end what an adapter did not read, however often it is asked.

    Raises:
        Unsupported: when everything is done, if one that matters was not read.

    Example:
        >>> with refusing_unread(lambda params, hp: hp["rho"]) as adapter:
        ...     adapter([], {"rho": 0.5, "momentum": 0.9})
        Traceback (most recent call last):
        ...
        minisam.adapters.reason.Unsupported: it does not read momentum
    """
    lent: list[ReadingDict] = []

    @wraps(adapter)
    def watched(params: Any, hyperparameters: Mapping[str, Any]) -> Any:
        lent.append(ReadingDict(HyperParameters.of(hyperparameters)))
        return adapter(params, lent[-1])

    yield watched
    for hp in lent:
        hp.refuse_unread()
