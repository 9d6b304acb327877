"""Keep what one step did, part by part."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from minisam.adapters.hyperparameters import HyperParameters
from minisam.anatomy.climbs import Climb, Ending
from minisam.trees import Params, norm, subtract

if TYPE_CHECKING:
    from minisam.oracle.watch import Trace


class Facts(NamedTuple):
    """What one step did.

    Attributes:
        trace: where it was seen.
        step: the number of the step, from 0.
        asked: the points at which a gradient was asked for, each once, with their gradients.
        start: A.
        origin: where the climb starts: A, or where the first gradient was asked for instead.
        second: B, where the second gradient was asked for; None if that was nowhere else.
        d1: the gradient at the first point, with what the loss adds to it.
        d2: that at the second.
        velocity: what the base update remembers of the gradients d2 of the steps before.
        due: whether there is a climb to be seen: a gradient and ρ, neither of them zero, and
            not so small that B is A.
        wanted: the ε that belongs to d1.
        climb: how the climb compares with it.
        expected: the new weights that belong to d2.
        end: those that were returned.
        ending: how they compare.
    """

    trace: Trace
    step: int
    asked: list[tuple[Params, Params]]
    start: Params
    origin: Params
    second: Params | None
    d1: Params
    d2: Params
    velocity: Params
    due: bool
    wanted: Params
    climb: Climb
    expected: Params
    end: Params
    ending: Ending

    @property
    def hp(self) -> HyperParameters:
        """Return the hyper-parameters of the step."""
        return self.trace.hp.at(self.step)

    @property
    def at_start(self) -> bool:
        """Return whether the first gradient was asked for at A."""
        return bool(self.asked) and same_point(self.asked[0][0], self.start)

    @property
    def again(self) -> bool:
        """Return whether a gradient was asked for more than once."""
        return len(self.trace.steps[self.step].queries) > 1

    @property
    def rights(self) -> int:
        """Count the parts that are right."""
        return self.climb.along + self.climb.exact + self.ending.right


def same_point(one: Params, other: Params) -> bool:
    """Return whether two points are one."""
    return all(np.array_equal(one[key], other[key]) for key in one)


def easiest(facts: Facts) -> tuple[int, int, bool]:
    """Return what makes a step easy to show: few entries, early, in float64."""
    entries = sum(x.size for x in facts.start.values())
    return entries, facts.step, facts.trace.dtype != "float64"


def plain_to_see(facts: Facts) -> bool:
    """Return whether something is wrong by more than a hundredth."""
    climb, step = facts.climb, norm(subtract(facts.expected, facts.start))
    off = norm(subtract(facts.end, facts.expected))
    straight, long = climb.cosine >= 0.99, abs(climb.ratio - 1) <= 0.01  # a NaN is neither
    return not (straight and long and off <= 0.01 * step)


def off_of(facts: Facts, name: str) -> tuple[str, ...]:
    """Return the tensors in which a skill is lost."""
    return facts.ending.off if name == "last-step" else facts.climb.off
