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


class Unsupported(NotImplementedError):
    """Raised by a maker for hyper-parameters that its implementation does not have.

    The oracle then counts the probe as not run, with the exception's text as the reason. Reasons
    that begin alike are counted together if raised in two parts.

    Example:
        >>> str(Unsupported("it does not take", "momentum"))
        'it does not take momentum'
    """

    @property
    def reason(self) -> Reason:
        """Return the `Reason`, of one part or of two."""
        kind, *what = map(str, self.args or ("",))
        return Reason(kind or "the adapter does not support it", ", ".join(what))

    def __str__(self) -> str:
        return str(self.reason)
