"""State when SAM leaves a sharp minimum for a flat one: above an exact radius, not below it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from minisam.adapters.protocol import Adapter
from minisam.landscapes import bounce_amplitude, twin_valley, twin_valley_threshold
from minisam.rounding import exact
from minisam.specification.clause import Clause, at_most, equal, true
from minisam.specification.problem import Problem, make_problem
from minisam.specification.property import chapter
from minisam.specification.right_path import norm_epsilon_slack, powers, strayed
from minisam.specification.source import DTYPES, NumberSource, power_of_ten, real, rounded
from minisam.specification.steps import path
from minisam.specification.wells import draw_flat, draw_hallucination, draw_sharp

state = chapter("Escaping")
MARGIN = "the radius is at least 0.1 % from the threshold, far more than a path's rounding"
PATH = "u(ηλ(n + 16)(ρ + |B|) + 3|w − w'| + |w'|) a step, shrunk by |1 − ηλ| in every later one"


@state(
    slug="stays-below-the-threshold",
    statement="In a sharp minimum next to a flat one of equal depth, SAM below the threshold stays "
    "and bounces: it is not its own path but B, at the end of a bounce, that must pass the wall.",
    equation="ρ < ρ₁ = c(1 − m/2), 1 < m = ηλ < 2 ⇒ |w_t| < c − ρ, |w_t| → a* = mρ/(2 − m)",
    source="While |w| < c − ρ, |w'| = (m − 1)|w| + mρ rises to a*; a* + ρ = 2ρ/(2 − m) < c.",
    bound=f"{MARGIN}; {PATH}",
    draw=lambda source: draw_sharp(source, above=False),
    picture="escape",
)
def _stays_below(adapter: Adapter, problem: Problem) -> Iterable[Clause]:
    well, hp = problem.facts, problem.hp
    rho, lr = hp.rho, hp.lr
    points = path(adapter, problem, well.steps)
    along = well.along(points)
    yield true("every |w_t| < c − ρ", bool(np.all(np.abs(along.value) < well.wall - rho)))
    m = exact(lr) * well.sharp
    a = bounce_amplitude(well.sharp, exact(lr), rho)
    slack = strayed(problem, points, lr * well.sharp, rho)
    slack += norm_epsilon_slack(problem, along.value, well.sharp)
    distance = abs(along).widened(slack)
    settling = (m - 1) ** np.arange(well.steps + 1) * (distance[0] - a)
    yield equal("|w_t| − a* = (m − 1)^t (|w₀| − a*)", distance - a, settling)
    yield true("w_T flips sign", bool(along.value[-1] * along.value[-2] < 0))


@state(
    slug="escapes-above-the-threshold",
    statement="Above the threshold SAM leaves the sharp minimum, and bounces in the flat one ever "
    "after.",
    equation="ρ₁ < ρ < ρ₂ = c·min(½√(m m_f), m(2−m)/(2m−1)), m_f = ηλ_f ≤ 1 ⇒ |w_t − f| ≤ m_fρ "
    "for all large t",
    source="The bounce grows until B is past the wall; there d2 is the flat parabola's slope and "
    "w' > c + ρ. From then on B stays beyond c, and |w − f| is drawn to m_fρ/(2 − m_f).",
    bound=f"{MARGIN}; {PATH}",
    draw=lambda source: draw_sharp(source, above=True),
    picture="escape",
)
def _escapes_above(adapter: Adapter, problem: Problem) -> Iterable[Clause]:
    well, hp = problem.facts, problem.hp
    rho, m_flat = hp.rho, exact(hp.lr) * well.flat
    points = path(adapter, problem, escape_steps(problem))[-5:]
    slack = strayed(problem, points, float(m_flat.value), rho)
    far = abs(well.along(points).widened(slack) - well.minimum)
    yield at_most("|w_t − f| ≤ m_fρ", far[1:], m_flat * rho)


def escape_steps(problem: Problem) -> int:
    """Return the number of steps after which SAM must have settled in the flat well.

    |w| < c − ρ grows towards a*, its distance from it multiplied by m − 1 a step, until it has
    passed c − ρ; then |w − f| ≤ f is multiplied by 1 − m_f a step until it flips.
    """
    well, hp = problem.facts, problem.hp
    m, m_flat, rho = hp.lr * well.sharp, hp.lr * well.flat, hp.rho
    amplitude = bounce_amplitude(well.sharp, hp.lr, rho)
    beyond = (amplitude - (well.wall - rho)) / well.wall
    climb_out = math.log(beyond / 2) / math.log(m - 1)
    settle = math.log(1e-4 * m_flat * rho / well.minimum) / math.log(1 - m_flat)
    return math.ceil(climb_out + settle) + 20


@state(
    slug="sgd-stays",
    statement="SGD with ηλ < 2 never leaves the sharp minimum: it converges to it.",
    equation="w_t = (1 − m)^t w₀",
    source="|1 − m| < 1, so that the wall is never reached.",
    bound=PATH + ", with ρ = 0",
    methods=("sgd",),
    draw=lambda source: draw_sharp(source, above=True).having(method="sgd"),
    picture="figure1",
)
def _sgd_stays(adapter: Adapter, problem: Problem) -> Iterable[Clause]:
    well, hp = problem.facts, problem.hp
    m = exact(hp.lr) * well.sharp
    points = path(adapter, problem, 20)
    ours = well.along(points).widened(strayed(problem, points, float(m.value), 0.0))
    yield equal("w_t = (1 − m)^t w₀", ours, powers(1 - m, 20) * ours[0])


@state(
    slug="stays-in-the-flat-minimum",
    statement="From the flat minimum SAM does not come back: it bounces there, at an amplitude "
    "that is smaller than in the sharp one.",
    equation="ρ(1 + m_f) ≤ f − c, 0 < |w₀ − f| < f − c − ρ ⇒ |w_t − f| → m_fρ/(2 − m_f)",
    source="With d = |w − f|, d' is (1 − m_f)d − m_fρ or its flip m_fρ − (1 − m_f)d, at most "
    "max(d, m_fρ), so that B stays beyond the wall.",
    bound=PATH,
    draw=draw_flat,
    picture="figure1",
)
def _stays_in_the_flat(adapter: Adapter, problem: Problem) -> Iterable[Clause]:
    well, hp = problem.facts, problem.hp
    m, rho = exact(hp.lr) * well.flat, hp.rho
    points = path(adapter, problem, well.steps)
    from_minimum = well.along(points) - well.minimum
    side = np.sign(from_minimum.value)
    yield true("never back over the wall", bool(np.all(well.along(points).value > well.wall)))
    flips = np.flatnonzero(side[1:] != side[:-1])
    yield true("it comes to the other side of f", flips.size > 0)
    if not flips.size:
        return
    tail = slice(flips[0] + 1, None)  # once flipping, it flips forever
    slack = strayed(problem, points[tail], float(m.value), rho)
    slack += norm_epsilon_slack(problem, from_minimum.value, well.flat)
    distance = abs(from_minimum[tail].widened(slack))
    a = bounce_amplitude(well.flat, exact(hp.lr), rho)
    settling = powers(m - 1, distance.size - 1) * (distance[0] - a)
    yield equal("d_t − a* = (m_f − 1)^t (d₀ − a*), d = |w − f|", distance - a, settling)


@state(
    slug="hallucinated-minimizer",
    statement="A radius wider than the sharp well makes a minimizer where there is none: on the "
    "far wall at w = ρ, B is the sharp minimum itself, and SAM converges to where it looks down.",
    equation="c < ρ < f ⇒ w_t − ρ = (1 − m)^t (w₀ − ρ)",
    source="There g < 0, so that B = w − ρ lies in the sharp parabola, and d2 = λ(w − ρ).",
    bound=PATH,
    draw=draw_hallucination,
)
def _hallucinated_minimizer(adapter: Adapter, problem: Problem) -> Iterable[Clause]:
    well, hp = problem.facts, problem.hp
    m, rho = exact(hp.lr) * well.sharp, hp.rho
    points = path(adapter, problem, 20)
    along = well.along(points)
    slack = strayed(problem, points, float(m.value), rho, points - rho * well.direction)
    uphill = along.value[:-1] - well.minimum  # the climb follows the flat parabola's slope
    slack += norm_epsilon_slack(problem, uphill, well.flat, well.sharp)
    above = along.widened(slack) - rho
    yield equal("w_t − ρ = (1 − m)^t (w₀ − ρ)", above, powers(1 - m, 20) * above[0])


class Valley(NamedTuple):
    """The twin valley's numbers, and whether ρ is above its threshold."""

    along: float
    sharp: float
    flat: float
    distance: float
    above: bool


def draw_valley(source: NumberSource) -> Problem:
    """Draw a bounce across the twin valley's sharp minimum, 1e-10 of its width off the axis.

    The effect of x on the bounce is of second order in x, and so below rounding.
    """
    dtype = source.choice(DTYPES)
    sharp, distance = power_of_ten(source, -1, 1), power_of_ten(source, -1, 1)
    along, flat = sharp * real(source, 1e-3, 5e-3), sharp * real(source, 0.05, 0.2)
    lr = rounded(real(source, 0.4, 0.85) / sharp, dtype)
    above = source.choice((False, True))
    threshold = twin_valley_threshold(along, sharp, flat, distance, lr)
    rho = rounded(threshold * (real(source, 1.05, 3) if above else real(source, 0.3, 0.95)), dtype)
    slope = twin_valley(along, sharp, flat, distance).slope
    start = np.array([1e-10 * distance, bounce_amplitude(sharp, lr, rho)])
    facts = Valley(along, sharp, flat, distance, above)
    return make_problem(
        source, start, lambda w: exact(slope(w.value)), facts, dtype, rho=rho, lr=lr
    )


@state(
    slug="smooth-escape-threshold",
    statement="In a smooth valley that is narrow here and wide there, SAM's bounce across the "
    "narrow part is stable below a radius and slides away along the valley above it.",
    equation="|x| shrinks ⇔ ρ < ρ_c = (1 − m/2) f √(ν/(2(λ₀ − λ_f))), m = ηλ₀",
    source="Linearize about the bounce (0, ±a*): x is multiplied by M = 1 − η(ν − ½κ(a*+ρ)²)"
    "(1 + ρ(ν − ½κa*²)/(λ₀a*)), κ = 4(λ₀ − λ_f)/f², and a* + ρ = 2ρ/(2 − m).",
    bound=f"the radius is at least 5 % from the threshold; {PATH}, and x of second order",
    draw=draw_valley,
    picture="figure1",
)
def _smooth_escape_threshold(adapter: Adapter, problem: Problem) -> Iterable[Clause]:
    valley, rho = problem.facts, problem.hp.rho
    m = problem.hp.lr * valley.sharp
    amplitude = bounce_amplitude(valley.sharp, exact(problem.hp.lr), rho)
    points = path(adapter, problem, 20)
    x, y = np.abs(points[:, 0]), points[:, 1]
    yield true("|x₂₀| < |x₀| ⇔ ρ < ρ_c", bool((x[-1] < x[0]) != valley.above))
    # The climb is turned by g_x/g_y from the y axis, and B sees a curvature lower by 2(λ₀ − λ_f)s.
    turned = np.divide(*np.abs(problem.field(exact(points)).value.T))
    s = ((x + rho * turned) / valley.distance) ** 2
    bent = np.max(2 * s * (np.abs(y) + rho) + 0.5 * rho * turned**2)
    slack = strayed(problem, y[:, None], m, rho) + problem.u * y[0]
    slack += norm_epsilon_slack(problem, y, valley.sharp)
    yield equal("|y| stays at a*", abs(exact(y)).widened(slack + bent), amplitude)
