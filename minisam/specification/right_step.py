"""The step of a right implementation, and how far rounding may lead it off.

Written from the equations, independently of `minisam.optim`, which is held against it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minisam.rounding import Rounded, exact, norm
from minisam.specification.problem import Problem


def climb_slack(problem: Problem) -> float:
    """Return the relative error of a right ε: (n + 16 + 4q) u.

    A sum of n squares in any order, tensor by tensor if one likes, a root, a quotient and a
    product come to less than (n/2 + 12) u; ρ rounded to the dtype is one more; powers |g|^(q−1)
    and |g|^q multiply the error of their argument by at most q, twice, and are themselves rounded.
    """
    p = problem.hp.p
    q = p / (p - 1) if 1 < p < np.inf and p != 2 else 0.0
    return (problem.vector().size + 16 + 4 * q) * problem.u


def base_step_slack(right: Any, lr: float, direction: Any, u: float) -> np.ndarray:
    """Return how far fl(w − ηd) may be from w' = w − ηd: u(|w'| + 3η|d|), entry by entry.

    η is rounded to the dtype or comes out of a schedule, the product with d is rounded, and so is
    the difference: fl = (w − ηd(1 + δ₁)(1 + δ₂))(1 + δ₃), |δ| ≤ u. That is off by at most
    u|w'| + η|d|((1 + u)² − 1)(1 + u), and ((1 + u)² − 1)(1 + u) = 2u + 3u² + u³ ≤ 3u for u ≤ ¼:
    two roundings of ηd, and what is of second order in them.

    Args:
        right: w' as it should be; of it and of ``direction`` the values count.
        lr: η, or the length of any other multiple of a direction that is added to a point.
        direction: d.
        u: unit roundoff of the optimizer's dtype.
    """
    return u * (np.abs(right.value) + 3 * lr * np.abs(direction.value))


def base_step(w: Rounded, lr: float, direction: Rounded, u: float) -> Rounded:
    """Return w − ηd, off by its `base_step_slack`."""
    right = w - lr * direction
    return right.widened(base_step_slack(right, lr, direction, u))


def next_velocity(velocity: Rounded | None, momentum: float, fed: Rounded, u: float) -> Rounded:
    """Return μv + d, or d in the first step, as `base_step_slack` derives it for w − ηd."""
    if velocity is None:
        return fed
    size = momentum * np.abs(velocity.value) + np.abs(fed.value)
    return (momentum * velocity + fed).widened(3 * u * size)


def dual(p: float) -> float:
    """Return q with 1/p + 1/q = 1."""
    return np.inf if p == 1 else 1.0 if p == np.inf else p / (p - 1)


def near_one(g: Rounded) -> tuple[Rounded, int]:
    """Return g/2ᵉ with its largest entry in [½, 1), and e; exact."""
    top = float(np.max(np.abs(g.value), initial=0.0))
    exponent = int(np.frexp(top)[1])
    near: Any = np.ldexp(g, -exponent)
    return near, exponent


def unit_climb(g: Rounded, T: Rounded | None = None) -> Rounded:
    """Return g/‖g‖₂, or T²g/‖Tg‖₂: the climb for p = 2 and ρ = 1, none where g is zero."""
    g, _ = near_one(g)
    if not np.any(g.value):
        return g
    return g / norm(g) if T is None else T * (T * g / norm(T * g))


def ball_widths(problem: Problem, w: Rounded) -> Rounded:
    """Return T of the ball ‖T⁻¹ε‖ ≤ ρ: |w| + η on the tensors in scope of ASAM, 1 elsewhere."""
    hp = problem.hp
    if hp.method != "asam":
        return exact(np.ones(w.size))
    sizes = [array.size for array in problem.start]
    inside = np.repeat([hp.scope == "all" or name.endswith("weight") for name in hp.names], sizes)
    T: Any = np.where(inside, abs(w) + hp.eta, 1.0)
    return T


def exact_climb(problem: Problem, w: Rounded, g: Rounded) -> Rounded:
    """Return ε for the gradient g, for any p, with T for ASAM.

    Where rounding leaves the direction of g open, ε still lies in the ball: |εᵢ| ≤ ρTᵢ.
    """
    T = ball_widths(problem, w)
    g, exponent = near_one(g)  # or T g may lose what is below the normal numbers
    climb = steepest(problem, T, T * g, exponent)
    ball = problem.hp.rho * (T.value + T.bound)
    return climb.known_to(np.minimum(climb.bound, np.abs(climb.value) + ball))


def steepest(problem: Problem, T: Rounded, g: Rounded, exponent: int = 0) -> Rounded:
    """Return T times the climb of length ρ that rises fastest along 2ᵉg, the gradient times T.

    A declared ``norm_epsilon`` e makes ε shorter by the factor ‖g‖/(‖g‖ + e), which is allowed for.
    """
    rho, p = problem.hp.rho, problem.hp.p
    g, more = near_one(g)
    exponent += more
    if not np.any(g.value):
        return exact(np.zeros(g.size))
    if p == 2:
        length = norm(g)
        climb = T * (rho * (g / length))
        epsilon = float(np.ldexp(problem.norm_epsilon, -exponent))
        return climb.off_by(1 / (1 + float(length.value) / epsilon) if epsilon else 0.0)
    top = float(np.max(np.abs(g.value)))
    if p == 1:
        largest = np.abs(g.value) == top
        return T * exact(rho * np.sign(g.value) * largest / np.count_nonzero(largest))
    if p == np.inf:
        return T * exact(rho * np.sign(g.value))
    q = dual(p)
    a = abs(g) / top
    return T * (np.sign(g.value) * a ** (q - 1) * (rho / norm(a, q) ** (q - 1)))


def right_end(problem: Problem, w: Rounded) -> Rounded:
    """Return the w' that a right implementation may find in the problem's dtype.

    For p = 2 and without momentum. Each stored quantity is rounded once to the dtype: d1 and d2 by
    half a unit in the last place, ε by `climb_slack`, B and w' by half a unit, η d2 by two.
    """
    u = problem.u
    d = problem.field(w).off_by(u)
    if problem.hp.method != "sgd" and problem.hp.rho:
        climb = exact_climb(problem, w, d).off_by(climb_slack(problem))
        d = problem.field((w + climb).off_by(u)).off_by(u)
    move = problem.hp.lr * d
    return (w - move.off_by(2 * u)).off_by(u)
