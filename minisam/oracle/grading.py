"""Grade a student's step function in a notebook."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from minisam.adapters.protocol import Arrays
from minisam.oracle.checking import check
from minisam.oracle.report import Report, Verdict
from minisam.oracle.skills import RIGHT, UNSEEN, WEIGHTS

# What a course has no reason to mark down: an epsilon in the norm, a print, work in place.
ACCEPTED = ("norm_epsilon", "norm_floor", "output", "inputs")


def grade(
    step: Callable[..., Arrays],
    points: float = 1.0,
    method: str | Sequence[str] | None = None,
    declare: dict[str, Any] | None = None,
    accept: Sequence[str] = ACCEPTED,
    dtype: str | Sequence[str] = "float64",
    timeout: float = 10.0,
) -> float:
    """Check a step function, print what is to be put right, and return the points.

    All points are for an implementation that conforms; one that does not gets the share of
    `minisam.oracle.skills` that it has, and at most three quarters. Nothing is written to standard
    error and the result is a plain float, so the call can stand last in an nbgrader test cell.

    Args:
        step: ``step(w, grad_fn, *, rho, lr, ...)`` -> new weights, see `minisam.oracle.plain`; or
            an adapter.
        points: the most there is to get.
        method: "sam", "asam" or "sgd", as for `check`.
        declare: conventions that the exercise asks for.
        accept: conventions that cost nothing though they are not declared.
        dtype: the dtypes to check in.
        timeout: seconds that one step may take, as for `check`.

    Returns:
        The points, from 0.0 to ``points``.

    Raises:
        ValueError: if ``points`` is not a finite number above 0, or another argument is wrong.

    Example:
        >>> def step(w, grad_fn, *, rho, lr):
        ...     return [x - lr * g for x, g in zip(w, grad_fn(w))]
        >>> points = grade(step, points=4)
        step: bug: R04-second-pass-at-A
        ...
        0.25 of 4 points
    """
    if not (isinstance(points, int | float) and math.isfinite(points) and points > 0):
        raise ValueError(f"points must be a finite number above 0, got {points!r}")
    declare = dict(declare or {})
    name = getattr(step, "__name__", "step")
    report = check(step, dtype, declare, method=method, timeout=timeout, name=name)
    left = set(accept)
    while report.outcome is Verdict.UNDECLARED and set(report.found) <= left:
        left -= set(report.found)
        declare |= report.found
        report = check(step, dtype, declare, method=method, timeout=timeout, name=name)
    earned = float(points) if report.conforms else share_of(report, float(points))
    print(report)
    print(f"\n{earned:g} of {points:g} points")
    return float(earned)


def share_of(report: Report, points: float) -> float:
    """Return the share of the skills that are right, in quarters of a point, at most 3/4 of all.

    What shows no skill, such as SGD, gets the share of probes that it passes.
    """
    weights = {one.name: WEIGHTS[one.name] for one in report.skills if one.status == RIGHT}
    ran = [r for r in report.results if r.status in ("pass", "fail", "error")]
    if any(one.status != UNSEEN for one in report.skills):
        share = sum(weights.values()) / sum(WEIGHTS.values())
    else:
        share = sum(r.status == "pass" for r in ran) / max(len(ran), 1)
    return math.floor(min(0.75, share) * points * 4 + 0.5) / 4
