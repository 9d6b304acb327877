"""State how SAM bounces across a minimum, and stays near a maximum."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from minisam.adapters.protocol import Adapter
from minisam.landscapes import bounce_amplitude
from minisam.rounding import exact, norm
from minisam.specification.clause import Clause, at_most, equal, true
from minisam.specification.families import Quadratic
from minisam.specification.problem import Problem, make_problem
from minisam.specification.property import chapter
from minisam.specification.source import DTYPES, NumberSource, draw_unit_vector, power_of_ten, real
from minisam.specification.steps import first_steps

state = chapter("Bouncing")
PER_STEP = "each step is judged from where the one before it ended, by its own rounding"


def draw_eigenvector(source: NumberSource) -> Problem:
    """Draw a bowl with the start on one of its axes, η times that curvature in [0.05, 1.95]."""
    dtype = source.choice(DTYPES)
    n = source.integer(1, source.choice((1, 3, 8)))
    axis = source.integer(0, n - 1)
    spectrum = 10.0 ** source.reals(-2, 1, n)
    lr = real(source, 0.05, 1.95) / spectrum[axis]
    rho = power_of_ten(source, -3, 1)
    point = np.zeros(n)
    point[axis] = source.choice((1.0, -1.0)) * rho * power_of_ten(source, -2, 0.5)
    facts = Quadratic(spectrum, None)
    return make_problem(source, point, facts.product, facts, dtype, rho=rho, lr=lr)


@state(
    slug="bounce",
    statement="Along an axis of a bowl SAM walks in by a known amount, then flips from side to "
    "side, and its distance settles at the amplitude a*: at once if ηλ = 1.",
    equation="w' = (1 − m)w − mρ sgn w, m = ηλ; once flipping |w'| − a* = −(1 − m)(|w| − a*), "
    "a* = mρ/(2 − m)",
    source="The gradient is an eigenvector, so that ε = ρ sgn w; flipping needs (1 − m)|w| ≤ mρ, "
    "which then holds forever.",
    bound=PER_STEP,
    draw=draw_eigenvector,
    picture="bounce",
)
def _bounce(adapter: Adapter, problem: Problem) -> Iterable[Clause]:
    hp = problem.hp
    axis = int(np.argmax(np.abs(problem.vector())))
    m = exact(hp.lr) * float(problem.facts.spectrum[axis])
    rho = hp.rho
    a = bounce_amplitude(float(problem.facts.spectrum[axis]), exact(hp.lr), rho)
    for step in first_steps(adapter, problem, 8):
        w, after = step.start[axis], step.end_to_rounding[axis]
        sign = float(np.sign(w.value))
        if sign == 0:
            return
        yield equal("w' = (1 − m)w − mρ sgn w", after, (1 - m) * w - m * rho * sign)
        if float(((1 - m) * abs(w) - m * rho).value) < 0 and after.value * sign < 0:
            name = "|w'| − a* = −(1 − m)(|w| − a*)"
            yield equal(name, abs(after) - a, -(1 - m) * (abs(w) - a))
        across = np.delete(step.end_to_rounding.value, axis)
        yield true("nothing moves across the axis", not np.any(across))


def draw_hill(source: NumberSource) -> Problem:
    """Draw an isotropic maximum and a start within ρ of it, ημ ≤ 1."""
    dtype = source.choice(DTYPES)
    n = source.integer(1, source.choice((1, 3, 12)))
    steep, rho = power_of_ten(source, -2, 2), power_of_ten(source, -3, 1)
    point = draw_unit_vector(source, n) * rho * real(source, 0.05, 0.95)
    facts = Quadratic(np.full(n, -steep), None)
    lr = real(source, 0.05, 0.99) / steep
    return make_problem(source, point, facts.product, facts, dtype, rho=rho, lr=lr)


@state(
    slug="trapped-at-a-maximum",
    statement="SAM that starts within ρ of a round maximum stays within ρ of it, where SGD leaves: "
    "B lies on the other side of the top, and the slope there drives it back.",
    equation="L = −½μ‖w‖², ημ ≤ 1, 0 < ‖w‖ < ρ ⇒ ‖w'‖ = |(1 + ημ)‖w‖ − ημρ| < ρ",
    source="ε = −ρ ŵ, so that d2 = −μ(‖w‖ − ρ)ŵ.",
    bound=PER_STEP,
    draw=draw_hill,
)
def _trapped_at_a_maximum(adapter: Adapter, problem: Problem) -> Iterable[Clause]:
    hp = problem.hp
    m = exact(hp.lr) * float(-problem.facts.spectrum[0])
    for step in first_steps(adapter, problem, 6):
        radius, after = norm(step.start), norm(step.end_to_rounding)
        if float(radius.value) < 1e-3 * hp.rho:
            return  # so near the top that the direction is all rounding
        yield equal("‖w'‖ = |(1 + ημ)‖w‖ − ημρ|", after, abs((1 + m) * radius - m * hp.rho))
        yield at_most("‖w'‖ ≤ ρ", after, exact(hp.rho))
