"""Say why something was not done: a reason that loads nothing, not even NumPy."""

from __future__ import annotations

from typing import NamedTuple


class Reason(NamedTuple):
    """Say why something was not done, in two parts, so that reasons of a kind can be counted.

    Attributes:
        kind: such as "it does not take".
        what: such as "momentum"; empty where the kind says everything.
    """

    kind: str = ""
    what: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.what}".strip()
