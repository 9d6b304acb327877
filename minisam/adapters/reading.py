"""Hyper-parameters as a maker, or a step with ``**hp``, gets them: what was read is known."""

from __future__ import annotations

from collections import UserDict
from typing import Any

from minisam.adapters.hyperparameters import HyperParameters
from minisam.adapters.protocol import Unsupported


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
        """The same for ``function(**keywords)``: what it looks up counts as read.

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
        """``lr``, ``momentum``, ``nesterov`` and ``weight_decay``, as ``torch.optim.SGD`` has them.

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
                raise Unsupported(f"it does not read {key}")
