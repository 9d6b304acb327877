"""Keep what one probe showed, and see whether it shows the same again."""

from __future__ import annotations

from itertools import chain
from typing import NamedTuple

import numpy as np

from minisam.adapters.protocol import Adapter
from minisam.oracle.comparing import Judgement
from minisam.oracle.report import Result
from minisam.oracle.watch import Trace, watch


class Entry(NamedTuple):
    """One probe in one dtype: its result, what was seen, and how that was judged if it ran."""

    result: Result
    trace: Trace
    judgement: Judgement | None = None


def differs_when_repeated(adapter: Adapter, entries: list[Entry], timeout: float) -> bool:
    """Return whether some probes, run again, tell another story."""
    for _, trace, _ in entries[:2] + entries[-1:]:
        settings = {key: trace.hp[key] for key in ("eta", "scope", "decay")}
        for _ in range(2):
            again = watch(adapter, trace.probe, trace.dtype, settings, timeout)
            if again.fault is not None or not same(trace, again):
                return True
    return False


def same(one: Trace, other: Trace) -> bool:
    """Return whether two traces saw the same, to within a few roundings."""
    for a, b in zip(one.steps, other.steps, strict=True):
        if len(a.queries) != len(b.queries):
            return False
        for x, y in zip(chain(*a.queries, a.end), chain(*b.queries, b.end), strict=True):
            size = float(np.max(np.abs(x[np.isfinite(x)]), initial=0))
            slack = 64 * float(np.finfo(x.dtype).eps) * size
            if not np.allclose(x, y, rtol=0, atol=slack, equal_nan=True):
                return False
    return True
