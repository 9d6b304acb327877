"""Call an implementation that may do anything: raise, hang, print.

Whatever goes wrong becomes a `Fault` with a cause in a word, never an exception out of the oracle.
"""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from minisam.adapters.protocol import AdapterError, Unsupported
from minisam.isolation.child import in_words
from minisam.isolation.limits import Interruption, Late, within
from minisam.isolation.lines import line_of


class Fault(AdapterError):
    """What stopped a probe: a short ``cause``, and a sentence."""

    def __init__(self, cause: str, message: str):
        super().__init__(message)
        self.cause = cause


class Raised(Fault):
    """An exception of the implementation: its ``words``, and the line that it came from."""

    def __init__(self, error: BaseException):
        self.words = in_words(error)
        super().__init__(f"raises {type(error).__name__}", self.words + line_of(error))


def guarded(
    timeout: float, function: Callable[[], Any], own: tuple[type[Exception], ...] = ()
) -> Any:
    """Call an implementation, within a time limit; whatever it raises becomes a `Fault`.

    Args:
        timeout: in seconds.
        function: the call.
        own: exceptions that the caller's own ``grad_fn`` may raise on the way.

    Raises:
        Fault: with cause "hangs" or "raises ...".
        Unsupported: if the implementation does.
        AdapterError: if the adapter does.
    """
    passing: tuple[type[BaseException], ...] = (
        Interruption, KeyboardInterrupt, Unsupported, AdapterError, *own
    )  # fmt: skip

    def call() -> Any:
        try:
            return function()
        except passing:
            raise
        except BaseException as error:
            fault = Raised(error)
        raise fault  # here, where it does not keep the implementation's frames alive

    try:
        return within(timeout, call)
    except Late as late:
        raise Fault("hangs", str(late)) from None


@contextlib.contextmanager
def quiet(output: io.StringIO) -> Iterator[None]:
    """Catch what is printed, and silence warnings."""
    errors = contextlib.redirect_stderr(io.StringIO())
    with contextlib.redirect_stdout(output), errors, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with np.errstate(all="ignore"):
            yield
