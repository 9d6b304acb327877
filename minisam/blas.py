"""BLAS's threads: how many it has, and when it may use them.

NumPy's matrix products are BLAS's, which uses several threads for one of them. When it is done,
OpenBLAS's idle threads spin for some 100 ms in case more work comes, on a core that a kernel of
ours may want next (`minisam.threads`). So `own_threads` leaves BLAS one thread for a whole
gradient. Only a network of dense layers alone, whose other kernels are small, gets all of them back
for its products (`blas_threads`): handing work from one of our threads to another takes longer.

On a machine with other work each of BLAS's threads waits, spinning, for one that does not run. A
product takes twice as long then, and sometimes fifty times; with OPENBLAS_NUM_THREADS=1, never.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from threading import RLock
from typing import Any

import numpy as np


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


def threads() -> int:
    """Return BLAS's number of threads, or 1 where that can't be asked or set.

    OpenBLAS takes it from OPENBLAS_NUM_THREADS or OMP_NUM_THREADS, or else from the number of
    cores.
    """
    blas = _blas()
    return 1 if blas is None else blas[1]


_blocks: set[object] = set()  # one for each block of `own_threads`, of any thread
_lock = RLock()  # a block that an interrupt left behind ends when it is collected, inside another
_product = RLock()  # held while BLAS has its threads for a product of ours


@contextmanager
def own_threads() -> Iterator[None]:
    """Leave threads to `over_batch`, and BLAS with one, until the block ends.

    An interrupt may come between any two steps of this, too. None leaves BLAS with one thread for
    longer than until the next block ends.
    """
    blas = _blas()
    if blas is None:
        yield
        return
    set_threads, count = blas
    block = object()
    try:
        with _lock:
            _blocks.add(block)
            set_threads(1)
        yield
    finally:
        _blocks.discard(block)  # first: who waits for a lock can be interrupted
        with _lock:
            if not _blocks:
                set_threads(count)


def _forget_other_threads() -> None:
    """Forget the blocks of threads that a forked process does not have, and their locks."""
    global _lock, _product
    _lock, _product = RLock(), RLock()
    _blocks.clear()


if hasattr(os, "register_at_fork"):
    # OpenBLAS ends its threads before a fork. A product that had them would wait for them for ever.
    os.register_at_fork(
        before=lambda: _product.acquire(),
        after_in_parent=lambda: _product.release(),
        after_in_child=_forget_other_threads,
    )


@contextmanager
def blas_threads() -> Iterator[None]:
    """Let BLAS have its threads until the block ends, for a product that is most of the work."""
    blas = _blas()
    if blas is None or blas[1] == 1:
        yield
        return
    set_threads, count = blas
    with _product:
        try:
            if _blocks:  # or else BLAS has them
                set_threads(count)
            yield
        finally:
            with _lock:
                if _blocks:
                    set_threads(1)
