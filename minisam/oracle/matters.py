"""Say what matters most: which failure shows a mistake best, and which mistake costs most."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from minisam.oracle.comparing import Judgement
from minisam.oracle.parts import Part, Parts, judge_parts
from minisam.oracle.watch import Trace
from minisam.trees import norm

PLAIN, SLIGHT = 0.01, 1e-6  # of a step's length: what anybody sees, and what an epsilon can be
USUAL_SCALE = 0.01  # gradients below it show an epsilon as large as any mistake

Judged = tuple[Trace, Judgement]


def relative_error(trace: Trace, judgement: Judgement) -> float:
    """Return how far off a quantity is, in units of its distance from A.

    Example:
        >>> from minisam.oracle.judge import judge
        >>> from minisam.oracle.probes import PROBES
        >>> from minisam.oracle.watch import watch
        >>> from minisam.variants.mutants import MUTANTS
        >>> twice = MUTANTS["M12-twice-the-radius"].adapter
        >>> seen = watch(twice, PROBES["sam-one-tensor"], "float64")
        >>> round(relative_error(seen, judge(seen)), 6)
        1.0
    """
    if judgement.expected is None or judgement.observed is None:
        return np.inf
    start = dict(zip(trace.hp.names, trace.steps[judgement.step].start, strict=True))
    right = {k: np.asarray(getattr(x, "value", x)) for k, x in judgement.expected.items()}
    off = norm({k: np.asarray(x, np.float64) - right[k] for k, x in judgement.observed.items()})
    way = norm({k: x - start[k] for k, x in right.items()})
    if not np.isfinite(off) or not way:
        return np.inf if off != 0 else 0.0
    return float(off / way)


def plainest(judged: Sequence[Judged]) -> Judged:
    """Return the failure that shows best what is wrong: much of it, on ordinary and few numbers."""

    def key(one: Judged) -> tuple:
        trace, judgement = one
        error = relative_error(trace, judgement)
        level = sum(not error >= bound for bound in (PLAIN, SLIGHT))
        usual = of_usual_scale(trace) and not (trace.probe.special or trace.probe.passes)
        entries, steps = entry_size(trace)
        visible = level < 2
        spread = trace.probe.has_nan  # a NaN makes every mistake look large
        plain = not visible, spread, level, not usual
        return *plain, entries, len(trace.probe.settings), steps

    return min(judged, key=key)


def of_usual_scale(trace: Trace) -> bool:
    """Return whether the gradients are so large that an epsilon is not felt."""
    scale = trace.probe.scale
    return isinstance(scale, float) and scale >= USUAL_SCALE


def entry_size(trace: Trace) -> tuple[int, int]:
    """Return what makes a trace easy to show: few entries, few steps."""
    return sum(int(np.prod(s)) for s in trace.probe.shapes.values()), len(trace.steps)


def by_cost(parts: Parts, failing: Sequence[Trace], declared: Part) -> list[tuple[Part, int]]:
    """Return the parts of an explanation with the number of results that each costs, most first.

    A part costs what is wrong without it at gradients of a usual size, where epsilons, which cost
    next to nothing, count as nothing. Of two that cost the same the mistake comes first.
    """
    usual = [trace for trace in failing if of_usual_scale(trace)]
    costs = []
    for part in parts:
        others = [one for one in parts if one is not part]
        lost = sum(
            not judge_parts(others, one, declared, rough=one.dtype != "bfloat16").agrees
            for one in usual
        )
        costs.append((part, lost))
    return sorted(costs, key=lambda entry: (-entry[1], not entry[0].is_mutant))
