"""Grade a student's step function in a notebook, for practice: it runs there, unprotected."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from minisam.adapters.protocol import Arrays
from minisam.oracle.checking import check
from minisam.oracle.report import Report, Verdict
from minisam.oracle.skills import RIGHT, SKILLS, UNSEEN, WEIGHTS

PRACTICE = "This is practice: it ran in your own process, and counts for nothing."
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
    """Check a step function, print a line for each skill, and return the points.

    All points are for an implementation that conforms; one that does not gets the share of
    `minisam.oracle.skills` that it has, and at most three quarters if it stops or has them all and
    fails elsewhere. The step runs in its caller's process and so may cheat: this is practice, and
    ``minisam course grade`` is what counts. Nothing is written to standard error and the result is
    a plain float, so the call can stand last in an nbgrader test cell.

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
        step
           1 of 1  asks first at A
           0 of 2  takes a second gradient elsewhere: One gradient is asked for in a step.
        ...
        0.25 of 4 points
        This is practice: ...
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
    print("\n".join([name, *lines_of(report)]))
    print(f"{earned:g} of {points:g} points\n{PRACTICE}")
    return float(earned)


def lines_of(report: Report) -> list[str]:
    """Return a line for each skill; where none is seen, what stopped the step."""
    if report.conforms:
        return [f"  {WEIGHTS[key]:>2} of {WEIGHTS[key]}  {what}" for key, what in SKILLS.items()]
    if not any(one.status != UNSEEN for one in report.skills):
        return [f"  {report.headline}"]
    lines = []
    for one in report.skills:
        earned = WEIGHTS[one.name] if one.status == RIGHT else 0
        told = "" if one.status == RIGHT else f": {one.text}"
        lines.append(f"  {earned:>2} of {WEIGHTS[one.name]}  {SKILLS[one.name]}{told}")
    if all(one.status == RIGHT for one in report.skills):
        lines.append(f"  {report.headline}")
    return lines


def share_of(report: Report, points: float) -> float:
    """Return the points for the skills that are right, in quarters of a point.

    What shows no skill, such as SGD, gets the share of probes that it passes.
    """
    weights = {one.name: WEIGHTS[one.name] for one in report.skills if one.status == RIGHT}
    ran = [r for r in report.results if r.status in ("pass", "fail", "error")]
    if any(one.status != UNSEEN for one in report.skills):
        share = sum(weights.values()) / sum(WEIGHTS.values())
    else:
        share = sum(r.status == "pass" for r in ran) / max(len(ran), 1)
    if share == 1 or any(r.status == "error" for r in ran):
        share = min(0.75, share)
    return math.floor(share * points * 4 + 0.5) / 4
