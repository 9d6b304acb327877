"""Schedules: functions from the step count to a learning rate or a radius."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from minisam.checks import check_number

Schedule = Callable[[int], float]


def as_schedule(name: str, value: float | Schedule) -> Schedule:
    """Return ``value`` as a function of the step count; a number becomes a constant.

    Example:
        >>> as_schedule("lr", 0.1)(1000)
        0.1
    """
    if callable(value):

        def checked(count: int) -> float:
            return check_number(f"{name}({count})", value(count), open_high=True)

        return checked
    number = check_number(name, value, open_high=True)
    return lambda count: number


def constant(value: float) -> Schedule:
    """Stay at one value: η(t) = value.

    Example:
        >>> constant(0.1)(7)
        0.1
    """
    return as_schedule("value", value)


def cosine(peak: float, steps: int, floor: float = 0.0) -> Schedule:
    """Follow half a cosine from ``peak`` at step 0 to ``floor`` at step ``steps``, then stay there.

    η(t) = floor + (peak − floor) · ½ (1 + cos(π t / steps)).

    Args:
        peak: value at step 0.
        steps: number of steps until the floor, at least 1.
        floor: value from step ``steps`` on.

    Example:
        >>> [round(cosine(0.2, 4)(t), 3) for t in range(6)]
        [0.2, 0.171, 0.1, 0.029, 0.0, 0.0]

    Source:
        Loshchilov and Hutter 2017, arXiv 1608.03983, eq. (5) without restarts.
    """
    check_number("peak", peak, open_high=True)
    check_number("steps", steps, low=1, open_high=True)
    check_number("floor", floor, open_high=True)
    span = peak - floor
    return lambda t: floor + span * 0.5 * (1 + math.cos(math.pi * min(t / steps, 1.0)))


def piecewise(initial: float, milestones: Sequence[int], factor: float = 0.1) -> Schedule:
    """Multiply ``initial`` by ``factor`` once for each milestone that the step count has reached.

    η(t) = initial · factor^(number of milestones ≤ t).

    Example:
        >>> [round(piecewise(1.0, [2, 3])(t), 3) for t in range(5)]
        [1.0, 1.0, 0.1, 0.01, 0.01]
    """
    check_number("initial", initial, open_high=True)
    check_number("factor", factor, open_high=True)
    return lambda t: initial * factor ** sum(t >= milestone for milestone in milestones)


def warmup(schedule: float | Schedule, steps: int) -> Schedule:
    """Rise linearly to ``schedule`` over the first ``steps`` steps, then follow it from its start.

    Args:
        schedule: a number, or the schedule that begins when the warm-up ends.
        steps: length of the warm-up, at least 1; step t of it has (t + 1)/(steps + 1) of the peak.

    Example:
        >>> [round(warmup(0.3, 2)(t), 3) for t in range(4)]
        [0.1, 0.2, 0.3, 0.3]
    """
    check_number("steps", steps, low=1, open_high=True)
    after = as_schedule("schedule", schedule)
    return lambda t: after(0) * (t + 1) / (steps + 1) if t < steps else after(t - steps)
