"""Work on the parts of a batch or of a large array at once, on as many threads as BLAS has.

NumPy's matrix product uses several cores, but its copies, sums and comparisons use one, and in a
network of small kernels they are half of the time. NumPy lets go of Python's interpreter lock while
it computes, so that ordinary threads can each take a part of the batch: a part's patches, product
and activation then all run on one core, in that core's cache, with BLAS told to use one thread.

BLAS's own threads and these get in each other's way: OpenBLAS's idle threads spin for some 30 ms in
case more work comes, on a core that the next kernel wants. So nothing here lets BLAS use more than
one thread, and `own_threads` keeps it so for a whole gradient or a whole training run. On a machine
with other work it is also the difference between a product that takes twice as long and one that
takes fifty times as long, because each of OpenBLAS's threads waits, spinning, for the other.

The number of parts depends on the work alone, so that sums over parts are taken in the same order,
and these kernels' results have the same bits, whatever the number of threads. (A dense layer's
product is cut into as many pieces as there are threads; its bits may depend on their number.)
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from functools import cache
from threading import Lock
from typing import Any, TypeVar

import numpy as np

T = TypeVar("T")

PARTS = 8
BUFFER = 1024  # elements
SMALLEST_WORK = 1 << 19  # elements touched: below, starting threads takes longer than the work


def openblas(name: str) -> Any:
    """Return OpenBLAS's function of a name, whatever NumPy's build adds to it, or None.

    threadpoolctl would ask for less of NumPy's inside, but be one more package to install.
    """
    try:
        library = ctypes.CDLL(np.linalg._umath_linalg.__file__)  # type: ignore[attr-defined]  # private
    except (AttributeError, OSError):
        return None
    for prefix in "scipy_openblas", "openblas":
        for suffix in "64_", "", "_64":
            with suppress(AttributeError):
                return getattr(library, f"{prefix}_{name}{suffix}")
    return None


@cache
def _blas() -> tuple[Callable[[int], Any], int] | None:
    """Return OpenBLAS's function that sets its number of threads, and that number now."""
    get, set_threads = openblas("get_num_threads"), openblas("set_num_threads")
    return None if get is None or set_threads is None else (set_threads, get())


@cache
def workers() -> int:
    """Return how many threads to use: BLAS's number, or 1 where that can't be asked or set.

    OpenBLAS takes its number from OPENBLAS_NUM_THREADS or OMP_NUM_THREADS, or else from the number
    of cores.
    """
    blas = _blas()
    return 1 if blas is None else min(PARTS, blas[1])


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(workers(), thread_name_prefix="minisam")


if hasattr(os, "register_at_fork"):  # a forked process has none of its parent's threads
    os.register_at_fork(after_in_child=_pool.cache_clear)


_depth = 0
_depth_lock = Lock()


@contextmanager
def own_threads() -> Iterator[None]:
    """Leave threads to `over_batch`, and BLAS with one, until the block ends."""
    global _depth
    blas = _blas()
    if blas is None:
        yield
        return
    set_threads, count = blas
    with _depth_lock:
        _depth += 1
        set_threads(1)
    try:
        yield
    finally:
        with _depth_lock:
            _depth -= 1
            if _depth == 0:
                set_threads(count)


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

    def work_in_rows(part: slice) -> T:
        # NumPy copies rows shorter than its buffer of 8192 elements together, to work on more at
        # once. For the rows of an image that takes twice as long as they take by themselves.
        with np.errstate():  # at whose end the buffer has its size again
            np.setbufsize(BUFFER)
            return work(part)

    at_least = max(1, SMALLEST_WORK // 2)
    parts = max(1, min(parts, size // at_least)) if pays(size) else 1
    slices = split_batch(batch, parts)
    if workers() == 1 or len(slices) == 1:
        return [work_in_rows(part) for part in slices]
    results: list[Any] = [None] * len(slices)
    todo = iter(range(len(slices)))

    def work_off() -> None:
        for k in todo:
            results[k] = work_in_rows(slices[k])

    with own_threads():
        helpers = [_pool().submit(work_off) for _ in range(min(workers(), len(slices)) - 1)]
        try:
            work_off()
        finally:
            wait(helpers)
    for helper in helpers:
        helper.result()  # raises what the helper's work raised
    return results
