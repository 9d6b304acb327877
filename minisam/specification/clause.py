"""A clause: one comparison, with how far the step misses it and how far it may miss it."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np


class Clause(NamedTuple):
    """One comparison, which holds when the residual is at most the bound.

    Attributes:
        name: the equation, or the condition.
        residual: how far the step misses it, at the worst entry.
        bound: how far it may miss it there.
    """

    name: str
    residual: float
    bound: float

    @property
    def holds(self) -> bool:
        """Whether residual ≤ bound; not if either is NaN, or the residual infinite."""
        return bool(np.isfinite(self.residual) and self.residual <= self.bound)


def worst_entry(name: str, residual: np.ndarray, bound: np.ndarray) -> Clause:
    """Hold residuals against their bounds, entry by entry; the worst entry is the clause."""
    with np.errstate(invalid="ignore"):
        excess = residual - bound
    worst = int(np.argmax(np.where(np.isnan(excess), np.inf, excess)))
    return Clause(name, float(np.ravel(residual)[worst]), float(np.ravel(bound)[worst]))


def equal(name: str, left: Any, right: Any) -> Clause:
    """Compare left = right, to within what the two are known to."""
    difference = left - right
    return worst_entry(name, np.abs(difference.value), difference.bound)


def at_most(name: str, left: Any, right: Any) -> Clause:
    """Compare left ≤ right, to within what the two are known to."""
    difference = left - right
    return worst_entry(name, difference.value, difference.bound)


def identical(name: str, left: np.ndarray, right: np.ndarray) -> Clause:
    """Compare the bits of left and right (a zero's sign aside)."""
    left, right = np.asarray(left, dtype=np.float64), np.asarray(right, dtype=np.float64)
    with np.errstate(invalid="ignore"):
        difference = np.where(left == right, 0.0, np.abs(left - right))
    return Clause(name, float(np.max(difference, initial=0.0)), 0.0)


def true(name: str, condition: bool) -> Clause:
    """Require a condition, which is either met or not."""
    return Clause(name, 0.0 if condition else 1.0, 0.0)
