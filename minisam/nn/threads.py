"""Work on the parts of a batch at once, on as many threads as BLAS has.

NumPy's matrix product uses several cores, but its copies, sums and comparisons use one, and in a
network of small kernels they are half of the time. NumPy lets go of Python's interpreter lock while
it computes, so that ordinary threads can each take a part of the batch: a part's patches, product
and activation then all run on one core, in that core's cache, with BLAS told to use one thread.

The number of parts depends on the batch alone, so that sums over parts are taken in the same order,
and these kernels' results have the same bits, whatever the number of threads. (The bits of a dense
layer's product depend on BLAS's number of threads.)
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np

Result = TypeVar("Result")

PARTS = 8
SMALLEST_WORK = 1 << 19  # elements touched: below, starting threads takes longer than the work


@cache
def _blas() -> tuple[Callable[[int], Any], int] | None:
    """Return OpenBLAS's function that sets its number of threads, and that number now."""
    try:
        library = ctypes.CDLL(np.linalg._umath_linalg.__file__)
    except (AttributeError, OSError):
        return None
    for prefix in "scipy_openblas", "openblas":
        for suffix in "64_", "", "_64":
            try:
                count = getattr(library, f"{prefix}_get_num_threads{suffix}")()
                return getattr(library, f"{prefix}_set_num_threads{suffix}"), count
            except AttributeError:
                continue
    return None


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


@contextmanager
def _one_blas_thread() -> Iterator[None]:
    set_threads, count = _blas()
    set_threads(1)
    try:
        yield
    finally:
        set_threads(count)


def split(batch: int) -> list[slice]:
    """Return at most `PARTS` slices of nearly equal size that cover ``batch`` examples.

    Example:
        >>> split(3)
        [slice(0, 1, None), slice(1, 2, None), slice(2, 3, None)]
    """
    edges = np.linspace(0, batch, min(batch, PARTS) + 1).astype(int).tolist()
    return [slice(a, b) for a, b in pairwise(edges)]


def over_batch(work: Callable[[slice], Result], batch: int, size: int) -> list[Result]:
    """Return ``work(part)`` for each part of a batch, on several threads where that pays.

    Args:
        work: function of a slice of the batch; calls no autograd primitive.
        batch: number of examples.
        size: number of array elements that the work touches in all.

    Example:
        >>> x = np.arange(4.0)
        >>> sum(over_batch(lambda part: x[part].sum(), len(x), x.size))
        np.float64(6.0)
    """
    parts = split(batch)
    if workers() == 1 or len(parts) == 1 or size < SMALLEST_WORK:
        return [work(part) for part in parts]
    with _one_blas_thread():
        return list(_pool().map(work, parts))
