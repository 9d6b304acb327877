"""Leaving a sharp minimum for a flat one: above an exact radius, and not below it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from minisam.landscapes import (
    bounce_amplitude,
    escape_window,
    kinked_well,
    twin_valley,
    twin_valley_threshold,
)
from minisam.oracle.properties.problems import (
    DTYPES,
    Problem,
    Source,
    Unsuitable,
    make_problem,
    power_of_ten,
    real,
    unit_vector,
)
from minisam.oracle.properties.rounding import Bounded, unit_roundoff
from minisam.oracle.properties.statement import state
from minisam.oracle.properties.watching import Clause, path, true, within
from minisam.oracle.protocol import Adapter

SECTION = "Escaping"
MARGIN = "none: the radius is at least 0.1 % from the threshold, far more than a path's rounding"


class Well(NamedTuple):
    """The kinked well along a unit direction: curvatures, wall, flat minimum, steps to settle."""

    sharp: float
    flat: float
    wall: float
    minimum: float
    direction: np.ndarray
    steps: int

    def distance(self, points: np.ndarray) -> np.ndarray:
        """Where the points are along the direction."""
        return points @ self.direction


def draw_well(source: Source, m_range: tuple[float, float] = (1.15, 1.9)) -> tuple[Well, dict]:
    """A kinked well with m = ηλ in a range, and a learning rate for it."""
    lr, m = power_of_ten(source, -2, 1), real(source, *m_range)
    m_flat = real(source, 0.2, 0.95)
    wall = power_of_ten(source, -1, 1)
    n = source.integer(1, source.choice((1, 3, 8)))
    direction = unit_vector(source, n)
    sharp, flat = m / lr, m_flat / lr
    minimum = wall * (1 + math.sqrt(sharp / flat))
    # distances to a cycle shrink by (m − 1) in the sharp well and by (1 − m_f) in the flat one
    rate = max(abs(m - 1), 1 - m_flat)
    steps = min(40 + math.ceil(math.log(1e-6) / math.log(rate)), 400)
    return Well(sharp, flat, wall, minimum, direction, steps), {"lr": lr}


def well_problem(source: Source, well: Well, at: float, **hyper: float) -> Problem:
    """The well in n dimensions, a start at a place along its direction."""
    slope = kinked_well(well.sharp, well.flat, well.wall).slope

    def field(w: Bounded) -> Bounded:
        along = slope(np.array([w.value @ well.direction]))
        return Bounded(along[0] * well.direction)

    dtype = source.choice(DTYPES)
    return make_problem(source, at * well.direction, field, well, dtype, **hyper)


def norm_epsilon_slack(
    problem: Problem, distance: np.ndarray, curvature: float, at_b: float | None = None
) -> float:
    """What a declared norm_epsilon e may shift a path by: Σ ηλρ e/G, shrunk by |1 − ηλ| a step.

    Args:
        problem: whose hyper-parameters say e.
        distance: of the iterates from the minimum that d1 belongs to, never zero.
        curvature: of that minimum, so that G is the product of the two.
        at_b: curvature where d2 is found, if that is another one.
    """
    epsilon = problem.norm_epsilon
    if not epsilon:
        return 0.0
    m = problem.hyperparameters["lr"] * (at_b or curvature)
    shift = m * problem.hyperparameters["rho"] * epsilon / np.min(np.abs(distance) * curvature)
    return float(shift / (1 - abs(1 - m)))


def draw_sharp(source: Source, above: bool) -> Problem:
    """A start in the sharp well, ρ below the threshold or in the window above it."""
    well, hyper = draw_well(source)
    low, high = escape_window(well.sharp, well.flat, well.wall, hyper["lr"])
    if above and high < 1.01 * low:
        raise Unsuitable("the window is empty")
    share = real(source, 0.001, 0.999)
    rho = low + share * (high - low) if above else low * (0.3 + 0.699 * share)
    if above and not 1.001 * low < rho < 0.999 * high:
        raise Unsuitable("too near an end of the window")
    start = 0.9 * (well.wall - rho) * real(source, 0.05, 1) * source.choice((1, -1))
    return well_problem(source, well, start, rho=rho, **hyper)


@state(
    slug="stays-below-the-threshold",
    section=SECTION,
    statement="In a sharp minimum next to a flat one of equal depth, SAM below the threshold stays "
    "and bounces: it is not its own path but B, at the end of a bounce, that must pass the wall.",
    equation="ρ < ρ₁ = c(1 − m/2), 1 < m = ηλ < 2 ⇒ |w_t| < c − ρ, |w_t| → a* = mρ/(2 − m)",
    source="While |w| < c − ρ, |w'| = (m − 1)|w| + mρ rises to a*; a* + ρ = 2ρ/(2 − m) < c.",
    bound=MARGIN,
    methods=("sam",),
    draw=lambda source: draw_sharp(source, above=False),
    picture="escape",
)
def _stays_below(adapter: Adapter, problem: Problem) -> Iterable[Clause]:
    well, hyper = problem.facts, problem.hyperparameters
    rho, lr = hyper["rho"], hyper["lr"]
    along = well.distance(path(adapter, problem, well.steps))
    yield true("every |w_t| < c − ρ", bool(np.all(np.abs(along) < well.wall - rho)))
    a = bounce_amplitude(well.sharp, lr, rho)
    m = lr * well.sharp
    # Both of the last two iterates are checked, and the earlier one has taken a step less.
    left = (m - 1) ** (well.steps - 1) * well.wall
    slack = 16 * unit_roundoff(problem.dtype) * (well.wall + rho) * (1 + 2 * m) / (2 - m)
    settled = np.abs(np.abs(along[-2:]) - a)
    slack += norm_epsilon_slack(problem, along, well.sharp)
    yield within("|w_T| → a*", settled, left + len(well.direction) * slack)
    yield true("w_T flips sign", along[-1] * along[-2] < 0)


@state(
    slug="escapes-above-the-threshold",
    section=SECTION,
    statement="Above the threshold SAM leaves the sharp minimum, and bounces in the flat one ever "
    "after.",
    equation="ρ₁ < ρ < ρ₂ = c·min(½√(m m_f), m(2−m)/(2m−1)), m_f = ηλ_f ≤ 1 ⇒ |w_t − f| ≤ m_fρ "
    "for all large t",
    source="The bounce grows until B is past the wall; there d2 is the flat parabola's slope and "
    "w' > c + ρ. From then on B stays beyond c, and |w − f| is drawn to m_fρ/(2 − m_f).",
    bound=MARGIN,
    methods=("sam",),
    draw=lambda source: draw_sharp(source, above=True),
    picture="escape",
)
def _escapes_above(adapter: Adapter, problem: Problem) -> Iterable[Clause]:
    well, hyper = problem.facts, problem.hyperparameters
    m_flat, rho = hyper["lr"] * well.flat, hyper["rho"]
    along = well.distance(path(adapter, problem, escape_steps(problem)))
    far = np.abs(along[-4:] - well.minimum)
    slack = 16 * unit_roundoff(problem.dtype) * well.minimum * len(well.direction)
    yield within("|w_t − f| ≤ m_fρ", far, m_flat * rho * (1 + 1e-3) + slack)


def escape_steps(problem: Problem) -> int:
    """Steps after which SAM must have settled in the flat well.

    |w| < c − ρ grows towards a*, its distance from it multiplied by m − 1 a step, until it has
    passed c − ρ; then |w − f| ≤ f is multiplied by 1 − m_f a step until it flips.
    """
    well, hyper = problem.facts, problem.hyperparameters
    m, m_flat, rho = hyper["lr"] * well.sharp, hyper["lr"] * well.flat, hyper["rho"]
    beyond = (m * rho / (2 - m) - (well.wall - rho)) / well.wall
    climb_out = math.log(beyond / 2) / math.log(m - 1)
    settle = math.log(1e-4 * m_flat * rho / well.minimum) / math.log(1 - m_flat)
    return math.ceil(climb_out + settle) + 20


@state(
    slug="sgd-stays",
    section=SECTION,
    statement="SGD with ηλ < 2 never leaves the sharp minimum: it converges to it.",
    equation="w_t = (1 − m)^t w₀",
    source="|1 − m| < 1, so that the wall is never reached.",
    bound="16u per step of the largest |w|",
    methods=("sgd",),
    draw=lambda source: draw_sharp(source, above=True).having(method="sgd"),
    picture="figure1",
)
def _sgd_stays(adapter: Adapter, problem: Problem) -> Iterable[Clause]:
    well, hyper = problem.facts, problem.hyperparameters
    m = hyper["lr"] * well.sharp
    along = well.distance(path(adapter, problem, 20))
    right = along[0] * (1 - m) ** np.arange(21)
    slack = 16 * unit_roundoff(problem.dtype) * np.abs(along[0]) * len(well.direction) / (2 - m)
    yield within("w_t = (1 − m)^t w₀", np.abs(along - right), slack)


def draw_flat(source: Source) -> Problem:
    """A start in the flat well, ρ small enough that B never reaches back over the wall."""
    well, hyper = draw_well(source)
    m_flat = hyper["lr"] * well.flat
    width = well.minimum - well.wall
    rho = width / (1 + m_flat) * real(source, 0.05, 0.95)
    offset = source.choice((1, -1)) * real(source, 1e-3, 0.95) * (width - rho)
    return well_problem(source, well, well.minimum + offset, rho=rho, **hyper)


@state(
    slug="stays-in-the-flat-minimum",
    section=SECTION,
    statement="From the flat minimum SAM does not come back: it bounces there, at an amplitude "
    "that is smaller than in the sharp one.",
    equation="ρ(1 + m_f) ≤ f − c, 0 < |w₀ − f| < f − c − ρ ⇒ |w_t − f| → m_fρ/(2 − m_f)",
    source="With d = |w − f|, d' is (1 − m_f)d − m_fρ or its flip m_fρ − (1 − m_f)d, at most "
    "max(d, m_fρ), so that B stays beyond the wall.",
    bound=MARGIN,
    methods=("sam",),
    draw=draw_flat,
    picture="figure1",
)
def _stays_in_the_flat(adapter: Adapter, problem: Problem) -> Iterable[Clause]:
    well, hyper = problem.facts, problem.hyperparameters
    m, rho = hyper["lr"] * well.flat, hyper["rho"]
    along = well.distance(path(adapter, problem, well.steps))
    yield true("never back over the wall", bool(np.all(along > well.wall)))
    a = bounce_amplitude(well.flat, hyper["lr"], rho)
    left = (1 - m) ** (well.steps // 2) * well.minimum
    slack = 64 * unit_roundoff(problem.dtype) * well.minimum * len(well.direction) / (2 - m) / m
    settled = np.abs(np.abs(along[-2:] - well.minimum) - a)
    slack += norm_epsilon_slack(problem, along - well.minimum, well.flat)
    yield within("|w_T − f| → m_fρ/(2 − m_f)", settled, left + slack)


def draw_hallucination(source: Source) -> Problem:
    """ρ between the wall and the flat minimum, and a start near the point w = ρ."""
    well, hyper = draw_well(source, (0.3, 1.7))
    rho = well.wall + real(source, 0.05, 0.95) * (well.minimum - well.wall)
    room = min(well.wall, rho - well.wall, well.minimum - rho)
    at = rho + real(source, -0.95, 0.95) * room
    if not well.wall < at < well.minimum:
        raise Unsuitable("the start is not on the flat side")
    return well_problem(source, well, at, rho=rho, **hyper)


@state(
    slug="hallucinated-minimizer",
    section=SECTION,
    statement="A radius wider than the sharp well makes a minimizer where there is none: on the "
    "far wall at w = ρ, B is the sharp minimum itself, and SAM converges to where it looks down.",
    equation="c < ρ < f ⇒ w_t − ρ = (1 − m)^t (w₀ − ρ)",
    source="There g < 0, so that B = w − ρ lies in the sharp parabola, and d2 = λ(w − ρ).",
    bound="16u per step of the largest |w|",
    methods=("sam",),
    draw=draw_hallucination,
)
def _hallucinated_minimizer(adapter: Adapter, problem: Problem) -> Iterable[Clause]:
    well, hyper = problem.facts, problem.hyperparameters
    m, rho = hyper["lr"] * well.sharp, hyper["rho"]
    along = well.distance(path(adapter, problem, 20))
    right = (along[0] - rho) * (1 - m) ** np.arange(21)
    size = 16 * (well.minimum + rho) * len(well.direction) * (1 + m)
    slack = unit_roundoff(problem.dtype) * size / (1 - abs(1 - m))
    uphill = along[:-1] - well.minimum  # the climb follows the flat parabola's slope
    slack += norm_epsilon_slack(problem, uphill, well.flat, well.sharp)
    yield within("w_t − ρ = (1 − m)^t (w₀ − ρ)", np.abs(along - rho - right), slack)


class Valley(NamedTuple):
    """The twin valley's numbers, and whether ρ is above its threshold."""

    along: float
    sharp: float
    flat: float
    distance: float
    above: bool


def draw_valley(source: Source) -> Problem:
    """A bounce across the twin valley's sharp minimum, a millionth off its axis."""
    sharp, distance = power_of_ten(source, -1, 1), power_of_ten(source, -1, 1)
    along, flat = sharp * real(source, 1e-3, 5e-3), sharp * real(source, 0.05, 0.2)
    lr = real(source, 0.4, 0.85) / sharp
    above = source.choice((False, True))
    threshold = twin_valley_threshold(along, sharp, flat, distance, lr)
    rho = threshold * (real(source, 1.05, 3) if above else real(source, 0.3, 0.95))
    slope = twin_valley(along, sharp, flat, distance).slope
    start = np.array([1e-6 * distance, bounce_amplitude(sharp, lr, rho)])
    return make_problem(
        source,
        start,
        lambda w: Bounded(slope(w.value)),
        Valley(along, sharp, flat, distance, above),
        source.choice(DTYPES),
        rho=rho,
        lr=lr,
    )


@state(
    slug="smooth-escape-threshold",
    section=SECTION,
    statement="In a smooth valley that is narrow here and wide there, SAM's bounce across the "
    "narrow part is stable below a radius and slides away along the valley above it.",
    equation="|x| shrinks ⇔ ρ < ρ_c = (1 − m/2) f √(ν/(2(λ₀ − λ_f))), m = ηλ₀",
    source="Linearize about the bounce (0, ±a*): x is multiplied by M = 1 − η(ν − ½κ(a*+ρ)²)"
    "(1 + ρ(ν − ½κa*²)/(λ₀a*)), κ = 4(λ₀ − λ_f)/f², and a* + ρ = 2ρ/(2 − m).",
    bound="none: the radius is at least 5 % from the threshold",
    methods=("sam",),
    draw=draw_valley,
    picture="figure1",
)
def _smooth_escape_threshold(adapter: Adapter, problem: Problem) -> Iterable[Clause]:
    points = path(adapter, problem, 20)
    shrinks = abs(points[-1, 0]) < abs(points[0, 0])
    yield true("|x₂₀| < |x₀| ⇔ ρ < ρ_c", bool(shrinks != problem.facts.above))
    a = bounce_amplitude(problem.facts.sharp, *(problem.hyperparameters[k] for k in ("lr", "rho")))
    off = np.abs(np.abs(points[:, 1]) - a) / a
    yield within("|y| stays at a*", off.max(), 1e-4)
