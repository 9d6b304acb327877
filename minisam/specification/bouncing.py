"""How SAM bounces across a minimum, and stays below a maximum."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from minisam.adapters.protocol import Adapter
from minisam.landscapes import bounce_amplitude
from minisam.rounding import exact, norm
from minisam.specification.families import Quadratic
from minisam.specification.problem import (
    DTYPES,
    Problem,
    Source,
    make_problem,
    power_of_ten,
    real,
    unit_vector,
)
from minisam.specification.property import state
from minisam.specification.steps import Clause, at_most, equal, true, walk

SECTION = "Bouncing"
PER_STEP = "each step is judged from where the one before it ended, by its own rounding"


def draw_eigenvector(source: Source, m_low: float, m_high: float) -> tuple[Problem, int]:
    """A bowl with the start on one of its axes, η times that curvature in [m_low, m_high]."""
    dtype = source.choice(DTYPES)
    n = source.integer(1, source.choice((1, 3, 8)))
    axis = source.integer(0, n - 1)
    spectrum = 10.0 ** source.reals(-2, 1, n)
    lr = real(source, m_low, m_high) / spectrum[axis]
    rho = power_of_ten(source, -3, 1)
    point = np.zeros(n)
    point[axis] = source.choice((1.0, -1.0)) * rho * power_of_ten(source, -2, 0.5)
    facts = Quadratic(spectrum, None)
    problem = make_problem(source, point, facts.product, facts, dtype, rho=rho, lr=lr)
    return problem, axis


@state(
    slug="bounce",
    section=SECTION,
    statement="Along an axis of a bowl SAM walks in by a known amount, then flips from side to "
    "side, and its distance settles at the amplitude a*: at once if ηλ = 1.",
    equation="w' = (1 − m)w − mρ sgn w, m = ηλ; once flipping |w'| − a* = −(1 − m)(|w| − a*), "
    "a* = mρ/(2 − m)",
    source="The gradient is an eigenvector, so that ε = ρ sgn w; flipping needs (1 − m)|w| ≤ mρ, "
    "which then holds for ever.",
    bound=PER_STEP,
    methods=("sam",),
    draw=lambda source: draw_eigenvector(source, 0.05, 1.95)[0],
    picture="bounce",
)
def _bounce(adapter: Adapter, problem: Problem) -> Iterable[Clause]:
    hyper = problem.hyperparameters
    axis = int(np.argmax(np.abs(problem.vector())))
    m = exact(hyper["lr"]) * float(problem.facts.spectrum[axis])
    rho = hyper["rho"]
    a = bounce_amplitude(float(problem.facts.spectrum[axis]), exact(hyper["lr"]), rho)
    for seen in walk(adapter, problem, 8):
        w, after = seen.start[axis], seen.landing[axis]
        sign = float(np.sign(w.value))
        if sign == 0:
            return
        yield equal("w' = (1 − m)w − mρ sgn w", after, (1 - m) * w - m * rho * sign)
        if float(((1 - m) * abs(w) - m * rho).value) < 0 and after.value * sign < 0:
            name = "|w'| − a* = −(1 − m)(|w| − a*)"
            yield equal(name, abs(after) - a, -(1 - m) * (abs(w) - a))
        across = np.delete(seen.landing.value, axis)
        yield true("nothing moves across the axis", not np.any(across))


def draw_hill(source: Source) -> Problem:
    """An isotropic maximum, started within ρ of it, ημ ≤ 1."""
    dtype = source.choice(DTYPES)
    n = source.integer(1, source.choice((1, 3, 12)))
    steep, rho = power_of_ten(source, -2, 2), power_of_ten(source, -3, 1)
    point = unit_vector(source, n) * rho * real(source, 0.05, 0.95)
    facts = Quadratic(np.full(n, -steep), None)
    lr = real(source, 0.05, 0.99) / steep
    return make_problem(source, point, facts.product, facts, dtype, rho=rho, lr=lr)


@state(
    slug="trapped-at-a-maximum",
    section=SECTION,
    statement="SAM that starts within ρ of a round maximum stays within ρ of it, where SGD leaves: "
    "B lies on the other side of the top, and the slope there drives it back.",
    equation="L = −½μ‖w‖², ημ ≤ 1, 0 < ‖w‖ < ρ ⇒ ‖w'‖ = |(1 + ημ)‖w‖ − ημρ| < ρ",
    source="ε = −ρ ŵ, so that d2 = −μ(‖w‖ − ρ)ŵ.",
    bound=PER_STEP,
    methods=("sam",),
    draw=draw_hill,
)
def _trapped_at_a_maximum(adapter: Adapter, problem: Problem) -> Iterable[Clause]:
    hyper = problem.hyperparameters
    m = exact(hyper["lr"]) * float(-problem.facts.spectrum[0])
    for seen in walk(adapter, problem, 6):
        radius, after = norm(seen.start), norm(seen.landing)
        if float(radius.value) < 1e-3 * hyper["rho"]:
            return  # so near the top that the direction is all rounding
        yield equal("‖w'‖ = |(1 + ημ)‖w‖ − ημρ|", after, abs((1 + m) * radius - m * hyper["rho"]))
        yield at_most("‖w'‖ ≤ ρ", after, exact(hyper["rho"]))
