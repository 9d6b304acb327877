"""Solve for the η of ASAM's T = |w| + η, where it is another one than was asked for.

    ε = ρ T² g/‖T g‖   says   √(εᵢ/gᵢ) = c (|wᵢ| + η)
    ε = ρ T g/‖g‖      says     εᵢ/gᵢ  = c (|wᵢ| + η)

So the left side, over the entries of a tensor, is a line in |w| that is zero at −η. Two entries
give η, the others bear it out. How well it is known follows from B, which is rounded.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import product
from typing import NamedTuple

import numpy as np

from minisam.oracle.epsilons import Solved, as_written
from minisam.oracle.parts import Part, convention_part
from minisam.oracle.watch import Trace
from minisam.rounding import UNITS

ROUNDINGS = 32  # of the climb, its square root and the sums that a line takes
POWERS = (0.5, 1.0)


class Entries(NamedTuple):
    """The entries of a tensor, one by one.

    Attributes:
        size: |w|.
        factor: ε/g, which is above zero.
        error: the relative error of that.
    """

    size: np.ndarray
    factor: np.ndarray
    error: np.ndarray


def eta_parts(traces: Sequence[Trace], settled: Collection[str]) -> list[Part]:
    """Return the convention with the η that these traces show; none if it is what was asked for.

    Args:
        traces: what was seen.
        settled: names of conventions that are settled.
    """
    if "eta" in settled:
        return []
    return [convention_part({"eta": eta}) for eta in stabilizers(traces)]


def stabilizers(traces: Sequence[Trace]) -> list[float]:
    """Return the η that the first climb says that shows one; none if none does."""
    with np.errstate(all="ignore"):  # what leaves the range is no line
        for trace in traces:
            for power, entries in product(POWERS, first_climbs(trace)):
                found = eta_between(entries, power)
                if found and not found.low <= trace.hp.eta <= found.high:
                    return [as_written(found)]
    return []


def first_climbs(trace: Trace) -> list[Entries]:
    """Return the tensors that ASAM rescales whatever its scope is, in the first step of a trace."""
    hp, probe = trace.hp, trace.probe
    plain = hp.p == 2 and hp.shards == 1 and not (probe.special or probe.extreme)
    if hp.method != "asam" or not plain or not trace.steps:
        return []
    seen, found, u = trace.steps[0], [], UNITS[trace.dtype].u
    if len(seen.queries) < 2:
        return []
    columns = (hp.names, *seen.queries[:2], seen.answers[0])
    for name, *arrays in zip(*columns, strict=True):
        w, above, g = (np.ravel(np.asarray(x, np.float64)) for x in arrays)
        climb = above - w
        if name.endswith("weight") and name not in hp.frozen and np.all(climb * g > 0):
            error = u * (np.abs(above) + np.abs(climb)) / np.abs(climb)
            found.append(Entries(np.abs(w), climb / g, error))
    return found


def eta_between(entries: Entries, power: float) -> Solved | None:
    """Return between what η lies if the factors, to a power, are a line in |w|; None if not.

    Example:
        >>> size = np.array([1.0, 2.0, 4.0])
        >>> found = eta_between(Entries(size, (size + 0.5) ** 2, np.full(3, 1e-16)), 0.5)
        >>> found.low < 0.5 < found.high, found.high - found.low < 1e-12
        (True, True)
        >>> eta_between(Entries(size, size**3 + 1, np.full(3, 1e-16)), 0.5) is None
        True
    """
    if len(entries.size) < 3:  # any two are on a line
        return None
    x, y, error = entries.size, entries.factor**power, ROUNDINGS * float(np.max(entries.error))
    i, j = int(np.argmax(x)), int(np.argmin(x))
    rise = y[i] - y[j]
    if not rise > error * y[i]:
        return None
    eta = (y[j] * x[i] - y[i] * x[j]) / rise
    line = y[i] * (x + eta) / (x[i] + eta)
    room = 2 * error * (y[j] * x[i] + y[i] * x[j] + eta * (y[i] + y[j])) / rise
    on_it = np.abs(y - line) <= 2 * error * y[i]  # between two that are
    if not (np.all(on_it) and eta > room):  # or it may be zero
        return None
    return Solved(float(eta - room), float(eta + room))
