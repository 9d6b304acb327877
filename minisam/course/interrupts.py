"""End in order whatever asks for it: Ctrl-C, a supervisor's SIGTERM, a terminal that is closed."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

ENDING = ("SIGINT", "SIGTERM", "SIGHUP")


@contextmanager
def handled(handler: Any, names: tuple[str, ...]) -> Iterator[None]:
    """Set the handler of signals, where there are such; one that is ignored stays so."""
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    if threading.current_thread() is not threading.main_thread():
        numbers = []  # no other thread may
    before = {one: signal.getsignal(one) for one in numbers}
    before = {one: old for one, old in before.items() if old not in (signal.SIG_IGN, None)}
    try:
        for one in before:
            signal.signal(one, handler)
        yield
    finally:
        for one, old in before.items():
            signal.signal(one, old)


def as_interrupt(number: int, frame: Any) -> None:
    """End as Ctrl-C does, and let no second one come between."""
    for one in (getattr(signal, name) for name in ENDING if hasattr(signal, name)):
        signal.signal(one, signal.SIG_IGN)
    raise KeyboardInterrupt


def interruptible() -> Any:
    """Return a context in which every signal that ends a program is Ctrl-C, once."""
    return handled(as_interrupt, ENDING)


def undisturbed() -> Any:
    """Return a context in which none of them does anything, for what must come to its end."""
    return handled(signal.SIG_IGN, ENDING)
