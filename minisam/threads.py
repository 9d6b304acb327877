"""Work on the parts of a batch or of a large array at once, on as many threads as BLAS has.

NumPy's matrix product uses several cores, but its copies, sums and comparisons use one, and in a
network of small kernels they are half of the time. NumPy lets go of Python's interpreter lock while
it computes, so that ordinary threads can each take a part of the batch: a part's patches, product
and activation then all run on one core, in that core's cache, with BLAS told to use one thread.

A thread needs that lock between two of NumPy's calls. While another one holds it, it sleeps, and
takes longer to wake than a small array takes to be worked on: on a virtual machine two threads that
each work on 64 kB at a time are no faster than one. So kernels make few calls, each on much data.
While they work, BLAS's own threads must not be in their way (`minisam.blas`).

The number of parts depends on the work alone, so that sums over parts are taken in the same order,
and these kernels' results have the same bits, whatever the number of threads. (A dense layer's
product is cut into as many pieces as there are threads; its bits may depend on their number.)
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from contextvars import Context, copy_context
from functools import cache, partial
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any, TypeVar

import numpy as np

from minisam import blas
from minisam.blas import own_threads

T = TypeVar("T")

PARTS = 8
BUFFER = 1024  # elements
SMALLEST_WORK = 1 << 19  # elements touched: below, starting threads takes longer than the work


@cache
def workers() -> int:
    """Return how many threads to use: as many as BLAS has, but no more than there are parts."""
    return min(PARTS, blas.threads())


class Help:
    """Work that another thread is asked to share, and that is called off if none comes in time.

    A kernel takes half a millisecond and is one of dozens in a step. Through an executor, to hand
    it over and to hear that it is done takes 0.1 ms; by two locks, half of that.
    """

    def __init__(self, work: Callable[[], object]):
        self.work = work
        self.taken, self.done = Lock(), Lock()
        self.done.acquire()
        self.errors: list[BaseException] = []

    def give(self) -> None:
        """Do the work, in a helper's thread, unless it was called off."""
        if not self.taken.acquire(blocking=False):
            return
        try:
            self.work()
        except BaseException as error:  # it is the caller's to handle
            self.errors.append(error)
        finally:
            self.done.release()

    def end(self) -> list[BaseException]:
        """Call the work off if no helper has begun it, or wait, and return what it raised."""
        if not self.taken.acquire(blocking=False):
            self.done.acquire()
        del self.work  # a helper may find this much later, and the work's arrays are needed no more
        errors, self.errors = self.errors, []
        return errors


@cache
def _helpers() -> SimpleQueue[Help]:
    """Start the helping threads, which wait for work for as long as the process lives."""
    asked: SimpleQueue[Help] = SimpleQueue()

    def wait_and_help() -> None:
        while True:
            asked.get().give()

    with suppress(RuntimeError):  # no more threads: the caller does what no helper takes
        for _ in range(workers() - 1):
            Thread(target=wait_and_help, name="minisam", daemon=True).start()
    return asked


if hasattr(os, "register_at_fork"):  # a forked process has none of its parent's threads
    os.register_at_fork(after_in_child=_helpers.cache_clear)


def split_batch(batch: int, parts: int = PARTS) -> list[slice]:
    """Return at most ``parts`` slices of nearly equal size that cover ``batch`` examples.

    Example:
        >>> split_batch(3)
        [slice(0, 1, None), slice(1, 2, None), slice(2, 3, None)]
    """
    parts = min(batch, parts)
    return [slice(batch * k // parts, batch * (k + 1) // parts) for k in range(parts)]


def pays(size: int) -> bool:
    """Tell whether work that touches so many elements is worth being cut into parts."""
    return size >= SMALLEST_WORK


def over_batch(work: Callable[[slice], T], batch: int, size: int, parts: int = PARTS) -> list[T]:
    """Return ``work(part)`` for each part of a batch, on several threads where that pays.

    Args:
        work: function of a slice of the batch; calls no autograd primitive.
        batch: number of examples.
        size: number of array elements that the work touches in all.
        parts: number of parts, at most; each has half of `SMALLEST_WORK` or more.

    Example:
        >>> x = np.arange(4.0)
        >>> sum(over_batch(lambda part: x[part].sum(), len(x), x.size))
        np.float64(6.0)
    """
    # NumPy copies rows shorter than its buffer of 8192 elements together, to work on more at once.
    # For the rows of an image that takes twice as long as they take by themselves. The buffer's
    # size belongs to a context, as the caller's np.errstate does: to a copy of the caller's here.
    context = copy_context()
    context.run(np.setbufsize, BUFFER)
    at_least = max(1, SMALLEST_WORK // 2)
    parts = max(1, min(parts, size // at_least)) if pays(size) else 1
    slices = split_batch(batch, parts)
    if workers() == 1 or len(slices) == 1:
        return [context.run(work, part) for part in slices]
    results: list[Any] = [None] * len(slices)
    todo = iter(range(len(slices)))

    def work_off(context: Context) -> None:
        try:
            for k in todo:
                results[k] = context.run(work, slices[k])
        finally:  # after an error or an interrupt nobody begins another part
            deque(todo, maxlen=0)

    with own_threads():
        number = min(workers(), len(slices)) - 1
        helps = [Help(partial(work_off, context.copy())) for _ in range(number)]
        try:
            for help in helps:
                _helpers().put(help)
            work_off(context)
        finally:
            errors = [error for help in helps for error in help.end()]
    if errors:
        raise errors.pop()  # this frame, too, is in its traceback
    return results
