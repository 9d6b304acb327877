"""Times that can be compared: candidates run in turn, in one process, round after round.

A machine's speed drifts, by other work and by temperature, more than most of the differences that
matter. So candidates are never timed one after the other but alternately, each round gives one
ratio between neighbours in time, and the ratio reported is the median of those. The ratio of the
fastest rounds, the least disturbed ones, is reported beside it.

A library's idle threads keep a core busy after their last work, waiting for more: OpenBLAS's for
some 100 ms, PyTorch's for 10. Before each candidate there is a pause until the one before has let
go, and a call that is not timed, which wakes its own threads.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping
from math import ceil
from typing import NamedTuple

import numpy as np


class Times(NamedTuple):
    """Milliseconds of each round, for each candidate, all of the same length."""

    rounds: Mapping[str, np.ndarray]

    def best(self, name: str) -> float:
        return float(np.min(self.rounds[name]))

    def median(self, name: str) -> float:
        return float(np.median(self.rounds[name]))

    def ratio(self, name: str, reference: str) -> float:
        """Return the median over rounds of the time of ``name`` in units of ``reference``'s."""
        return float(np.median(self.rounds[name] / self.rounds[reference]))

    def best_ratio(self, name: str, reference: str) -> float:
        return self.best(name) / self.best(reference)


def in_turn(
    candidates: Mapping[str, Callable[[], object]],
    seconds: float = 1.0,
    least: int = 3,
    clock: Callable[[], float] = time.perf_counter,
    pause: float = 0.12,
    turn: float = 0.01,
) -> Times:
    """Run all candidates in turn, for about ``seconds`` and at least ``least`` rounds.

    In a round each candidate is called as often as fits into ``turn`` seconds, at least once.
    """
    calls = {}
    for name, candidate in candidates.items():
        candidate()  # not timed: first calls start threads, fill caches and compile kernels
        start = time.perf_counter()
        candidate()
        calls[name] = ceil(turn / (time.perf_counter() - start))
    rounds: dict[str, list[float]] = {name: [] for name in candidates}
    end = time.perf_counter() + seconds
    enabled = gc.isenabled()
    gc.disable()
    try:
        while len(next(iter(rounds.values()))) < least or time.perf_counter() < end:
            for name, candidate in candidates.items():
                time.sleep(pause)
                candidate()
                start = clock()
                for _ in range(calls[name]):
                    candidate()
                rounds[name].append(1e3 * (clock() - start) / calls[name])
    finally:
        if enabled:
            gc.enable()
    return Times({name: np.array(times) for name, times in rounds.items()})


def exponent(sizes, times) -> float:
    """Return the slope of log(time) against log(size): time grows as size to this power."""
    return float(np.polyfit(np.log(sizes), np.log(times), 1)[0])
