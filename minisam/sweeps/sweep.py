"""Run one function over a grid of settings: in parallel, resumable, nothing finished run twice.

Each cell is a dict of settings that JSON can hold. Its result is one file in ``cells``, named after
the function, the settings and the function's code (see `minisam.sweeps.cells`), and written to
a temporary name first, so that a file that is there is whole. A sweep that was interrupted, or lost
its machine, is continued by the same call; when the function was edited, what it returned before
is not returned again.

    cells = [{"rho": rho, "seed": seed} for rho in (0.0, 0.05) for seed in range(5)]
    results = sweep(train_one, cells, "runs", jobs=2)
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import Any, Literal, TextIO

from minisam.checks import check_whole
from minisam.files import expanded, write_json
from minisam.progress import clock
from minisam.sweeps.cells import Found, find_results, stored
from minisam.sweeps.workers import (
    Failure,
    is_interactive,
    run_cell,
    run_on_executor,
    run_on_processes,
)


class SweepError(RuntimeError):
    """Some cells failed; those that did not are finished and kept.

    Attributes:
        failures: list of `Failure`.
        finished: number of cells whose results are stored.
    """

    def __init__(self, failures: list[Failure], finished: int) -> None:
        self.failures, self.finished = failures, finished
        lines = [f"  {json.dumps(f.settings)}\n    {f.error}" for f in failures[:5]]
        more = f"\n  and {len(failures) - 5} more" if len(failures) > 5 else ""
        super().__init__(
            f"{len(failures)} of {len(failures) + finished} cells failed "
            f"(the others are finished and kept):\n" + "\n".join(lines) + more
        )


def sweep(
    function: Callable[..., Any],
    cells: Sequence[dict[str, Any]],
    out: str | Path,
    executor: Executor | None = None,
    jobs: int = 1,
    cost: Callable[[dict[str, Any]], float] | None = None,
    progress: TextIO | Literal["stderr"] | None = "stderr",
) -> list[dict[str, Any]]:
    """Call ``function(**settings)`` for every cell that has no result yet; return all results.

    Args:
        function: takes the settings as keyword arguments and returns what JSON can hold (NumPy
            numbers and arrays are turned into numbers and lists, NaN and infinities into null).
            Its results are kept by its name, so that it must be a function of a module: no lambda,
            no closure, no method of an object.
        cells: the grid, a sequence of dicts of settings.
        out: folder of the results; cells of other sweeps may lie in it too.
        executor: any `concurrent.futures.Executor`, such as Dask's ``client.get_executor()`` or
            ``mpi4py.futures.MPIPoolExecutor()``, instead of local processes. It is left open.
        jobs: number of local processes, between which the BLAS threads are divided. With 1
            everything runs in this process.
        cost: expected relative cost of a cell, for the estimate of the time left; equal if None.
        progress: where to show progress; by default standard error as it is at the call, None for
            silence.

    Returns:
        One dict per cell, in order: ``settings``, ``result``, ``seconds``, ``cpu_seconds`` (of the
        cell's process; None where an older version stored the cell), ``function``, ``versions``,
        ``machine``.

    Raises:
        ValueError: if the function's name does not lead to it, JSON cannot hold the settings, or a
            result that is kept is damaged.
        SweepError: when cells raised, after all others have finished; it names their settings. A
            cell whose process died (killed, out of memory) is run again, alone, three times at
            most.
        KeyboardInterrupt: on Ctrl-C, with a line saying how to continue.

    Example:
        >>> import math, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     results = sweep(math.pow, [], folder, progress=None)
        >>> results
        []
    """
    check_whole("jobs", jobs, low=1)
    if jobs > 1 and executor is None and is_interactive(function):
        raise ValueError(
            f"jobs must be 1 for {function.__name__}, which is defined in a notebook or at a "
            f"prompt; put it into a module to run it in several processes"
        )
    folder, cells = expanded(out, "out") / "cells", list(cells)
    found = find_results(function, cells, folder)
    folder.mkdir(parents=True, exist_ok=True)
    paths, records = found.paths, found.records
    grid = zip(paths, cells, strict=True)
    todo = {path: settings for path, settings in grid if path not in records}
    stream = sys.stderr if progress == "stderr" else progress
    report = _Progress(len(set(paths)), list(todo.values()), cost, stream)
    report.tell(found)
    failures: list[Failure] = []

    def finish(path: Path, record: dict[str, Any] | Failure) -> None:
        if isinstance(record, Failure):
            failures.append(record)
        else:
            write_json(path, record)
        report.advance(todo[path], failed=isinstance(record, Failure))

    try:
        if executor is not None:
            run_on_executor(executor, function, todo, finish)
        elif jobs == 1:
            for path, settings in todo.items():
                finish(path, run_cell(function, settings))
        else:
            run_on_processes(min(jobs, len(todo)), function, todo, finish)
    except KeyboardInterrupt:
        report.close(f"interrupted; the same command continues with what is left in {out}")
        raise
    report.close()
    if failures:
        failures.sort(key=lambda failure: cells.index(failure.settings))
        raise SweepError(failures, len(set(paths)) - len(failures))
    records |= {path: stored(path) for path in todo}
    return [{"cpu_seconds": None, **records[path]} for path in paths]


class _Progress:
    """A line that tells how many cells are done and when the rest will be."""

    def __init__(
        self, total: int, todo: list[dict], cost: Callable | None, stream: TextIO | None
    ) -> None:
        self.cost = cost or (lambda settings: 1.0)
        self.total, self.left, self.failed, self.stream = total, len(todo), 0, stream
        self.work_left, self.work_done = sum(map(self.cost, todo)), 0.0
        self.start = self.shown = time.monotonic()
        self.live = stream is not None and stream.isatty()
        if todo and len(todo) < total:
            self._write(f"{total - len(todo)} of {total} cells are there already", end=True)

    def tell(self, found: Found) -> None:
        """Say which results are of another code of the function, or of nobody knows which."""
        if found.changed:
            self._write(
                f"the function was changed since {found.changed} of {self.total} cells were run: "
                f"they are run again, and the results of before are kept",
                end=True,
            )
        if found.unknown:
            self._write(
                f"{found.unknown} of {self.total} results are from an older minisam or another "
                f"Python: whether the function was the same then, nobody knows",
                end=True,
            )

    def advance(self, settings: dict[str, Any], failed: bool) -> None:
        self.left -= 1
        self.failed += failed
        self.work_left -= self.cost(settings)
        self.work_done += self.cost(settings)
        now = time.monotonic()
        if self.live or self.left == 0 or now - self.shown > 10:
            self.shown = now
            text = f"{self.total - self.left}/{self.total} cells, {clock(now - self.start)} spent"
            if self.left:
                rest = (now - self.start) * self.work_left / max(self.work_done, 1e-12)
                text += f", about {clock(rest)} left"
            if self.failed:
                text += f", {self.failed} failed"
            self._write(text, end=not self.live)

    def close(self, text: str = "") -> None:
        if self.live and self.work_done and self.stream:
            self.stream.write("\n")
        if text:
            self._write(text, end=True)

    def _write(self, text: str, end: bool) -> None:
        if self.stream is not None:
            self.stream.write(("\r\033[K" if self.live else "") + text + ("\n" if end else ""))
            self.stream.flush()
