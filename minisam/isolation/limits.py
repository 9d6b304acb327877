"""Limit the time of code that may hang.

Within the process of its caller, code can be interrupted but not stopped: it may catch whatever is
raised in it, or spend its time where nothing is raised. Only the end of a process stops everything;
`minisam.isolation.parent` runs code in one, and is told here what begins and how long it may take.
"""

from __future__ import annotations

import argparse
import math
import signal
import sys
import threading
import time
from collections.abc import Callable
from numbers import Real
from typing import Any

from minisam.isolation.child import announce

LEAST, MOST = 0.001, 86_400.0  # what timers of all platforms can hold, in seconds
AGAIN, SOON = 0.1, 0.001  # seconds to the second interruption, and at most to those after it
GOLDEN = 0.618034  # whose multiples, modulo 1, come near every number and do not repeat


class Late(TimeoutError):
    """A function did not return in time."""


class Interruption(BaseException):
    """Raised inside a function that is late; not an Exception, so that fewer catch it."""


def check_seconds(name: str, value: Any) -> None:
    """Raise ValueError unless ``value`` is a number of seconds that can be waited for.

    Example:
        >>> check_seconds("timeout", float("nan"))
        Traceback (most recent call last):
        ...
        ValueError: timeout must be a number of seconds from 0.001 to 86400, got nan
    """
    number = isinstance(value, Real) and not isinstance(value, bool)
    if not (number and LEAST <= value <= MOST):
        raise ValueError(
            f"{name} must be a number of seconds from {LEAST:g} to {MOST:g}, got {value!r}"
        )


def seconds(text: str) -> float:
    """Read an option's number of seconds; for ``argparse``.

    Raises:
        argparse.ArgumentTypeError: if it is none that can be waited for.
    """
    try:
        value = float(text)
        check_seconds("it", value)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"must be a number of seconds from {LEAST:g} to {MOST:g}, got {text!r}"
        ) from None
    return value


def within(limit: float, function: Callable[[], Any], what: str = "a step") -> Any:
    """Call a function, but wait no longer than ``limit`` seconds.

    In the main thread of a Unix process the function is interrupted, again and again until it
    ends: one that catches every exception usually lets one out, but not always. Elsewhere it runs
    in a thread, which is left behind when it is late. Where there are neither timers nor threads,
    as in a browser's Python, there is no limit. The caller's own alarm rings when it is due, and
    what its handler raises comes out of `within`, whatever the function catches.

    Args:
        limit: in seconds, from 0.001 to a day.
        function: is called without arguments.
        what: its name in the error, such as "a step".

    Returns:
        What the function returns.

    Raises:
        Late: if it takes longer.

    Example:
        >>> within(60, lambda: 7)
        7
        >>> within(0.01, lambda: time.sleep(60))
        Traceback (most recent call last):
        ...
        minisam.isolation.limits.Late: a step did not return within 0.01 s
    """
    limit = float(limit)
    late = Late(f"{what} did not return within {limit:g} s")
    announce(what, limit)
    try:
        if hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread():
            return Alarm(limit, late).call(function)
        return in_a_thread(limit, late, function)
    finally:
        announce()


class Alarm:
    """A timer that interrupts the main thread, and stands in for the timer that the caller set.

    Args:
        limit: seconds until the first interruption.
        late: what to raise in the end.
    """

    def __init__(self, limit: float, late: Late) -> None:
        self.limit, self.late = limit, late
        # One that comes while another is on its way is met by the handler, where nothing is caught.
        # From some functions no other gets out, and on an idle core none does at even distances.
        self.pause, self.share = AGAIN, 0.0
        self.frame: Any = None  # of the call; only what runs inside it is interrupted
        self.error: BaseException | None = None  # what is to come out, whatever the function does

    def call(self, function: Callable[[], Any]) -> Any:
        """Call a function; raise `Interruption` inside it when it is late."""
        now = time.monotonic()
        self.due = now + self.limit
        left, self.every = signal.setitimer(signal.ITIMER_REAL, 0)
        self.callers = now + left if left else math.inf
        self.handler = signal.signal(signal.SIGALRM, self.ring)
        try:
            self.wind()
            return self.inside(function)
        finally:
            self.restore()
            if self.error is not None:
                raise self.error from None

    def inside(self, function: Callable[[], Any]) -> Any:
        """Call the function, in a frame by which `ring` sees that it still runs."""
        self.frame = sys._getframe()
        return function()

    def wind(self) -> None:
        """Set the timer to what is due next, and to ring again if Python does not see that."""
        due = min(self.due, self.callers) if callable(self.handler) else self.due
        signal.setitimer(signal.ITIMER_REAL, max(due - time.monotonic(), 1e-6), SOON)

    def ring(self, number: int, frame: Any) -> None:
        """Call the caller's handler if its alarm is due, or interrupt the function."""
        inner = frame
        while inner is not None and inner is not self.frame:
            inner = inner.f_back
        if inner is None:
            return  # it has just returned, and `restore` sees to the caller's alarm
        now = time.monotonic()
        if callable(self.handler) and now >= self.callers:
            self.callers = now + self.every if self.every else math.inf
            try:
                self.handler(number, frame)
            except BaseException as error:
                self.error = self.error or error
                self.due = now
        late = now >= self.due
        if late:
            self.error = self.error or self.late
            self.due, self.share = now + self.pause, (self.share + GOLDEN) % 1
            self.pause = SOON * self.share**3
        self.wind()
        if late:
            raise Interruption

    def restore(self) -> None:
        """Put back the caller's handler and timer, less the time that went by."""
        self.frame = None
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, self.handler or signal.SIG_DFL)
        if self.callers < math.inf:
            left = max(self.callers - time.monotonic(), 1e-6)
            signal.setitimer(signal.ITIMER_REAL, left, self.every)


def in_a_thread(limit: float, late: Late, function: Callable[[], Any]) -> Any:
    """Call a function in a thread; leave it behind and raise ``late`` if it takes too long."""
    outcome: list[Any] = []

    def work() -> None:
        try:
            outcome.append((function(), None))
        except BaseException as error:
            outcome.append((None, error))

    thread = threading.Thread(target=work, daemon=True)
    try:
        thread.start()
    except RuntimeError:  # there are no threads
        return function()
    thread.join(limit)
    if not outcome:
        raise late
    value, error = outcome[0]
    if error is not None:
        raise error
    return value
