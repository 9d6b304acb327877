"""How far rounding may lead a path of many steps off, along one direction of constant curvature."""

from __future__ import annotations

import numpy as np

from minisam.rounding import Rounded
from minisam.specification.problem import Problem


def norm_epsilon_slack(
    problem: Problem, distance: np.ndarray, curvature: float, at_b: float | None = None
) -> float:
    """Return how far a declared norm_epsilon e may shift a path: Σ ηλρ e/G, shrunk by |1 − ηλ|.

    Args:
        problem: the problem, which has e.
        distance: distances of the iterates from the minimum that d1 belongs to, never zero.
        curvature: curvature of that minimum, so that G is the product of the two.
        at_b: curvature where d2 is found, if that is another one.
    """
    epsilon = problem.norm_epsilon
    if not epsilon:
        return 0.0
    m = problem.hp.lr * (at_b or curvature)
    shift = m * problem.hp.rho * epsilon / np.min(np.abs(distance) * curvature)
    return float(shift / (1 - abs(1 - m)))


def strayed(
    problem: Problem, points: np.ndarray, m: float, rho: float, at_b: np.ndarray | None = None
) -> np.ndarray:
    """Return how far rounding may have led each iterate along the direction, of shape (T,).

    In one step ε is off by (n + 16)u ρ, B by half a unit, and d2 by the n products of B's place
    along the direction; times m = ηλ that is at most u m(n + 16)(ρ + |B|). η d2 = w − w' and w'
    are rounded three times and once. An error shrinks by |1 − m| in every later step.

    Args:
        problem: the problem, for its dtype and dimension.
        points: the iterates, of shape (T, n), the first of them exact.
        m: ηλ, λ the curvature that d2 sees.
        rho: radius; 0 for SGD.
        at_b: the points B, if they are not at most |w| + ρ.
    """
    n, u, size = problem.vector().size, problem.u, lengths(points)
    reach = size + rho if at_b is None else lengths(at_b)
    moved = 3 * lengths(np.diff(points, axis=0)) + size[1:]
    errors = [0.0]
    for own in u * (m * (n + 16) * (rho + reach[:-1]) + moved):
        errors.append(abs(1 - m) * errors[-1] + own)
    return np.array(errors)


def lengths(points: np.ndarray) -> np.ndarray:
    """Return the length of each point: rounding also takes a path off its direction."""
    return np.linalg.norm(points, axis=-1)


def powers(x: Rounded, largest: int) -> Rounded:
    """Return 1, x, …, x^largest for an x of either sign."""
    exponents = np.arange(largest + 1)
    return np.sign(x.value) ** exponents * abs(x) ** exponents
