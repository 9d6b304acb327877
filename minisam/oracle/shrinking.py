"""Find the smallest failing input: one a reader can follow with a pencil.

A probe's numbers are drawn; what it shows, two short ones often show as well. So an implementation
is watched again on small `situations`, from the simplest on. The first in which the same quantity
is wrong, and by no less, is shown instead. How many are tried is bounded by their number and by
nothing else, so that everybody is shown the same one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from minisam.oracle.comparing import Judgement
from minisam.oracle.probes import Probe
from minisam.oracle.script import Script
from minisam.oracle.situations import material, situations, specials_of
from minisam.oracle.watch import Trace

Failure = tuple[Trace, Judgement]
Look = Callable[[Probe, Script], "Failure | None"]

TRIES = 160
BEGINNINGS = 3  # other failures that are begun from
LEAST = 1e-3  # how much of the first error a smaller input must show


class Hanging(Exception):
    """Raised by a look at an implementation that hangs there: it is looked at no more."""


def smallest_failure(
    trace: Trace, judgement: Judgement, look: Look, others: Iterable[Failure] = ()
) -> Failure:
    """Return the smallest failure that is like this one, or this one.

    Args:
        trace: what was seen where it fails.
        judgement: how it fails.
        look: watches the implementation in another situation, and judges what it sees; None if
            it can't be judged there. It may raise `Hanging`.
        others: other failures, to begin from if this one takes several steps whatever is left out.
    """
    best = trace, judgement
    like_it = [
        one for one in others if one[0].dtype == trace.dtype and fails_alike(judgement, one[1])
    ]
    beginnings = sorted(like_it, key=lambda one: size_of(one[0]))[:BEGINNINGS]
    try:
        best = shrunk_from(trace, judgement, look)
        for other in beginnings:
            if len(best[0].steps) > 1:
                best = min(best, shrunk_from(*other, look), key=lambda one: size_of(one[0]))
    except Hanging:
        pass  # what was found until then is shown
    return best


def shrunk_from(trace: Trace, judgement: Judgement, look: Look) -> Failure:
    """Return the first failure that is like this one, from the simplest situation on."""
    for situation in list(situations(trace))[:TRIES]:
        again = look(situation.probe, material(situation, trace.dtype))
        if again is not None and fails_alike(judgement, again[1]):
            return again
    return trace, judgement


def size_of(trace: Trace) -> tuple[int, int, int]:
    """Return what makes a trace hard to follow: its steps, its numbers, what is set."""
    numbers = sum(int(np.prod(shape)) for shape in trace.probe.shapes.values())
    return len(trace.steps), numbers, len(specials_of(trace.probe))


def fails_alike(first: Judgement, second: Judgement) -> bool:
    """Return whether two failures are of the same quantity, and the second is no small matter."""
    if second.agrees or (first.quantity, first.point) != (second.quantity, second.point):
        return False
    before, after = share(first), share(second)
    return np.isfinite(before) == np.isfinite(after) and after >= LEAST * min(before, 1.0)


def share(judgement: Judgement) -> float:
    """Return how much of what should be there is wrong: ‖seen − right‖/‖right‖; 1 for a number."""
    if judgement.observed is None or judgement.expected is None:
        return 1.0
    right = {n: np.asarray(judgement.expected[n].value, np.float64) for n in judgement.observed}
    apart = np.sqrt(sum(np.sum((judgement.observed[n] - x) ** 2) for n, x in right.items()))
    size = np.sqrt(sum(np.sum(x**2) for x in right.values()))
    found = apart / size if size else apart
    return float(found) if np.isfinite(found) else np.inf
