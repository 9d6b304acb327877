"""Solve for what is added to a norm.

    ε = ρ g/(‖g‖ + e)    a climb of length L says  e = ρ‖g‖/L − ‖g‖
    ε = ρ g/max(‖g‖, e)                            e = ρ‖g‖/L
    ε = ρ g/√(‖g‖² + e)                            e = (ρ‖g‖/L)² − ‖g‖²

Whatever the norm and the direction are, of each tensor or of T g, ``e`` is solved for in the same
way from the factor between the direction and ε. A tiny gradient tells it best; how well is known,
since B is rounded, and so the number that was written in the code can be told from its digits: it
is the shortest decimal within the error.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np

from minisam.oracle.candidates import NUMBERS, TOO_LARGE
from minisam.oracle.factors import Factor, factors_of
from minisam.oracle.parts import Part, Parts, convention_part, mutant_part
from minisam.oracle.watch import Trace
from minisam.variants.conventions import CONVENTIONS

# A convention up to here: at a gradient of length 0.1 the climb is then right to a hundredth.
LARGEST = 1e-3
TITLES = {
    "norm_epsilon": "adds {:g} to the norm",
    "norm_floor": "divides by no less than {:g}",
    "norm_epsilon_inside": "adds {:g} to the squared norm",
}
USUAL = (1e-12, 1e-16, 1e-8, 1e-7, 1e-6, 1e-10, 1e-15, 1e-5, 1e-4, 1e-3, 1e-9, 1e-14, 1e-20)
FEW = 3  # digits of a number that a person writes
MACHINE = [float(np.finfo(dtype).eps) for dtype in ("float64", "float32")]


class Solved(NamedTuple):
    """Between what a number lies."""

    low: float
    high: float


def epsilon_parts(
    parts: Parts, traces: Sequence[Trace], declared: Part, taken: Collection[str] = ()
) -> list[Part]:
    """Return the parts with a number in the norm that these traces ask for, beside other parts.

    Args:
        parts: what else is at work.
        traces: whatever shows a climb for p = 2.
        declared: the conventions that were declared.
        taken: names of conventions that are settled.
    """
    factors = [
        factor
        for trace in traces
        if trace.probe.method != "sgd" and trace.hp.p == 2 and not trace.probe.special
        for factor in factors_of(parts, trace, declared)
    ]
    solved = {
        name: common_bounds([solve(name, factor) for factor in factors])
        for name in NUMBERS
        if name not in taken
    }
    return [part_of(name, as_written(one)) for name, one in solved.items() if one is not None]


def solve(name: str, factor: Factor) -> Solved:
    """Return between what the number lies that explains a factor.

    Example:
        >>> solve("norm_epsilon", Factor(length=1.0, low=1.25, high=1.5))
        Solved(low=0.25, high=0.5)
        >>> solve("norm_floor", Factor(length=1.0, low=0.75, high=1.25))
        Solved(low=0.0, high=1.25)
    """
    length, low, high = factor
    if name == "norm_epsilon":
        return Solved(low - length, high - length)
    if name == "norm_floor":
        return Solved(low if low > length else 0.0, high)
    return Solved(low * abs(low) - length**2, high**2 - length**2)


def common_bounds(several: Sequence[Solved]) -> Solved | None:
    """Return what all bounds have in common, or the tightest; None if it may be zero or anything.

    Example:
        >>> common_bounds([Solved(-1.0, 3.0), Solved(1.0, 4.0)])
        Solved(low=1.0, high=3.0)
    """
    positive = [one for one in several if one.low > 0]
    if not positive:
        return None
    common = Solved(max(one.low for one in positive), min(one.high for one in several))
    if common.low > common.high:
        common = min(positive, key=lambda one: one.high / one.low)
    return common if np.isfinite(common.high) else None


def as_written(solved: Solved) -> float:
    """Return the number that was written in the code: the shortest decimal between the bounds.

    Of several powers of ten it is the one that is written most.

    Example:
        >>> as_written(Solved(0.99e-12, 1.03e-12)), as_written(Solved(1.192092e-07, 1.192093e-07))
        (1e-12, 1.1920928955078125e-07)
        >>> as_written(Solved(3e-14, 4e-12)), as_written(Solved(2.2e-6, 5.3e-6))
        (1e-12, 3e-06)
    """
    low, high = solved
    for usual in USUAL:
        if low <= usual <= high:
            return usual
    middle = np.sqrt(low) * np.sqrt(high)
    for digits in range(17):
        decimal = float(f"{middle:.{digits}e}")
        if digits == FEW:
            machine = [eps for eps in MACHINE if low <= eps <= high]
            if machine:
                return machine[0]
        if low <= decimal <= high:
            return decimal
    return float(middle)


def part_of(name: str, value: float) -> Part:
    """Return the convention; the mistake, where the number is so large that it is felt."""
    felt = np.sqrt(value) if name == "norm_epsilon_inside" else value
    if felt <= LARGEST:
        return convention_part({name: value})
    change = CONVENTIONS[name].change
    assert change is not None
    return mutant_part(TOO_LARGE)._replace(
        changes=(change(value),), title=TITLES[name].format(value)
    )
