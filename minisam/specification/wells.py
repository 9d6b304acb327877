"""Draw kinked wells: a sharp minimum beside a flat one of equal depth, with a wall between.

The well lies along one direction of n dimensions, so that a statement in 1-D is one in n-D.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from minisam.landscapes import escape_window, kinked_well
from minisam.rounding import Rounded, exact
from minisam.specification.problem import Problem, UnsuitableProblem, make_problem
from minisam.specification.source import DTYPES, NumberSource, draw_unit_vector, power_of_ten, real


class Well(NamedTuple):
    """The kinked well along a unit direction: curvatures, wall, flat minimum, steps to settle."""

    sharp: float
    flat: float
    wall: float
    minimum: float
    direction: np.ndarray
    steps: int

    def along(self, points: np.ndarray) -> Rounded:
        """Return where the points are along the direction."""
        return exact(points) @ self.direction


def draw_well(
    source: NumberSource, m_range: tuple[float, float] = (1.15, 1.9)
) -> tuple[Well, float]:
    """Draw a kinked well with m = ηλ in a range, and a learning rate for it."""
    lr, m = power_of_ten(source, -2, 1), real(source, *m_range)
    m_flat = real(source, 0.2, 0.95)
    wall = power_of_ten(source, -1, 1)
    n = source.integer(1, source.choice((1, 3, 8)))
    direction = draw_unit_vector(source, n)
    sharp, flat = m / lr, m_flat / lr
    minimum = float(kinked_well(sharp, flat, wall).minima[1].point[0])
    # distances to a cycle shrink by (m − 1) in the sharp well and by (1 − m_f) in the flat one
    rate = max(abs(m - 1), 1 - m_flat)
    steps = min(40 + math.ceil(math.log(1e-6) / math.log(rate)), 400)
    return Well(sharp, flat, wall, minimum, direction, steps), lr


def well_problem(source: NumberSource, well: Well, at: float, **hp: float) -> Problem:
    """Put the well into n dimensions, with a start at a place along its direction."""
    slope = kinked_well(well.sharp, well.flat, well.wall).slope

    def field(w: Rounded) -> Rounded:
        along = slope(np.array([w.value @ well.direction]))
        return exact(along[0] * well.direction)

    dtype = source.choice(DTYPES)
    return make_problem(source, at * well.direction, field, well, dtype, **hp)


def draw_sharp(source: NumberSource, above: bool) -> Problem:
    """Draw a start in the sharp well, ρ below the threshold or in the window above it."""
    well, lr = draw_well(source)
    low, high = escape_window(well.sharp, well.flat, well.wall, lr)
    if above and high < 1.01 * low:
        raise UnsuitableProblem("the window is empty")
    share = real(source, 0.001, 0.999)
    rho = low + share * (high - low) if above else low * (0.3 + 0.699 * share)
    if above and not 1.001 * low < rho < 0.999 * high:
        raise UnsuitableProblem("too near an end of the window")
    start = 0.9 * (well.wall - rho) * real(source, 0.05, 1) * source.choice((1, -1))
    return well_problem(source, well, start, rho=rho, lr=lr)


def draw_flat(source: NumberSource) -> Problem:
    """Draw a start in the flat well, with B never back over the wall."""
    well, lr = draw_well(source)
    m_flat = lr * well.flat
    width = well.minimum - well.wall
    rho = width / (1 + m_flat) * real(source, 0.05, 0.95)
    offset = source.choice((1, -1)) * real(source, 1e-3, 0.95) * (width - rho)
    return well_problem(source, well, well.minimum + offset, rho=rho, lr=lr)


def draw_hallucination(source: NumberSource) -> Problem:
    """Draw ρ between the wall and the flat minimum, and a start near the point w = ρ."""
    well, lr = draw_well(source, (0.3, 1.7))
    rho = well.wall + real(source, 0.05, 0.95) * (well.minimum - well.wall)
    room = min(well.wall, rho - well.wall, well.minimum - rho)
    at = rho + real(source, -0.95, 0.95) * room
    if not well.wall < at < well.minimum:
        raise UnsuitableProblem("the start is not on the flat side")
    return well_problem(source, well, at, rho=rho, lr=lr)
