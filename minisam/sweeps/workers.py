"""Run the cells of a sweep: in local processes that may die, or on an executor from the caller."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import signal
import sys
import threading
import time
import traceback
from collections import Counter, deque
from collections.abc import Callable, Iterator
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    Executor,
    Future,
    ProcessPoolExecutor,
    wait,
)
from contextlib import contextmanager, suppress
from multiprocessing import get_context, parent_process
from pathlib import Path
from typing import Any, NamedTuple

from minisam.files import jsonable
from minisam.sweeps.cores import usable_cores

BLAS_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)
MAX_CRASHES = 3
DIED = (
    f"its process died {MAX_CRASHES} times: out of memory, killed, or started from a script "
    f"without `if __name__ == '__main__':`"
)


class Failure(NamedTuple):
    """A cell that raised: its settings, the error in one line, and the whole traceback."""

    settings: dict[str, Any]
    error: str
    traceback: str


def run_cell(function: Callable[..., Any], settings: dict[str, Any]) -> dict[str, Any] | Failure:
    """Run one cell, in whichever process this is; an exception becomes a `Failure`.

    On a machine that others use as well, the CPU time of all threads of the process says more
    about the work than the wall clock does; where cells share a process, each counts the others'.
    """
    start, cpu_start = time.perf_counter(), time.process_time()
    try:
        result = jsonable(function(**settings))
    except Exception as error:
        return Failure(settings, f"{type(error).__name__}: {error}", traceback.format_exc())
    return {
        "function": f"{function.__module__}.{function.__qualname__}",
        "settings": settings,
        "result": result,
        "seconds": round(time.perf_counter() - start, 3),
        "cpu_seconds": round(time.process_time() - cpu_start, 3),
        "versions": versions(),
        "machine": {"platform": platform.platform(), "cpus": usable_cores()},
    }


def run_on_executor(
    executor: Executor, function: Callable, todo: dict[Path, dict], finish: Callable
) -> None:
    """Hand every cell to an executor from the caller, which handles lost workers itself."""
    running = {executor.submit(run_cell, function, todo[path]): path for path in todo}
    try:
        while running:
            wait(running, return_when=FIRST_COMPLETED)
            _collect(running, todo, finish)
    finally:
        for future in running:
            future.cancel()


def _collect(running: dict[Future, Path], todo: dict[Path, dict], finish: Callable) -> None:
    """Store what has finished, then raise BrokenExecutor if the pool broke."""
    broken = None
    for future in [future for future in running if future.done()]:
        error = future.exception()
        if isinstance(error, BrokenExecutor):
            broken = error
            continue
        path = running.pop(future)
        if error is None:
            finish(path, future.result())
        else:
            finish(path, Failure(todo[path], f"{type(error).__name__}: {error}", ""))
    if broken is not None:
        raise broken


def run_on_processes(
    jobs: int, function: Callable, todo: dict[Path, dict], finish: Callable
) -> None:
    """Run cells in local processes, and again those whose process died.

    A pool whose worker dies breaks as a whole and does not say which cell was at fault. No more
    cells than workers are ever in the pool, so the suspects are those few; they are run again one
    at a time, and one that breaks a pool that it had for itself is guilty.
    """
    waiting, suspects = deque(todo), deque[Path]()
    crashes: Counter[Path] = Counter()
    while waiting or suspects:
        alone = bool(suspects)
        queue, width = (suspects, 1) if alone else (waiting, jobs)
        with process_pool(width, jobs) as pool:
            running: dict[Future, Path] = {}
            try:
                while queue or running:
                    while queue and len(running) < width:
                        running[pool.submit(run_cell, function, todo[queue[0]])] = queue[0]
                        queue.popleft()
                    wait(running, return_when=FIRST_COMPLETED)
                    _collect(running, todo, finish)
            except BrokenExecutor:
                for path in running.values():
                    crashes[path] += alone
                    if crashes[path] < MAX_CRASHES:
                        suspects.append(path)
                    else:
                        finish(path, Failure(todo[path], DIED, ""))


@contextmanager
def process_pool(workers: int, jobs: int) -> Iterator[ProcessPoolExecutor]:
    """Yield fresh processes with the BLAS threads divided, and leave none behind.

    BLAS libraries read their number of threads once, when they are loaded, so the variables must be
    set before a worker imports NumPy: workers are spawned, not forked, and inherit them.
    """
    threads = max(1, usable_cores() // jobs)
    before = {name: os.environ.get(name) for name in BLAS_VARIABLES}
    for name, value in before.items():
        os.environ[name] = str(min(threads, int(value)) if value and value.isdigit() else threads)
    pool = ProcessPoolExecutor(workers, get_context("spawn"), _live_and_die_with_the_parent)
    try:
        yield pool
        pool.shutdown()
    finally:
        for process in list((getattr(pool, "_processes", None) or {}).values()):
            process.terminate()  # no-op for those that have ended
        pool.shutdown(cancel_futures=True)
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def is_interactive(function: Callable[..., Any]) -> bool:
    """Return whether a function is of a notebook or a prompt, where no worker can find it."""
    return function.__module__ == "__main__" and not hasattr(sys.modules["__main__"], "__file__")


def _live_and_die_with_the_parent() -> None:
    """Leave Ctrl-C, which a terminal sends to every process, to the parent; do not outlive it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    parent = parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that a result depends on."""
    found = {"python": platform.python_version()}
    for name in ("minisam", "numpy", "autograd"):
        with suppress(importlib.metadata.PackageNotFoundError):
            found[name] = importlib.metadata.version(name)
    return found
