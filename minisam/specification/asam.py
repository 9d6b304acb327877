"""State ASAM: the steepest climb in a ball that stretches with the weights."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from minisam.adapters.protocol import Adapter
from minisam.rounding import exact, inner, norm
from minisam.specification.clause import Clause, equal, identical
from minisam.specification.climb import ROUNDING
from minisam.specification.families import draw_quadratic, draw_scripted
from minisam.specification.problem import Problem, UnsuitableProblem
from minisam.specification.property import chapter
from minisam.specification.right_step import ball_widths, dual, near_one, unit_climb
from minisam.specification.source import NumberSource, draw_order, draw_signs, power_of_ten, rounded
from minisam.specification.steps import first_step, first_steps

state = chapter("ASAM", methods=("asam",))


def draw_adaptive(source: NumberSource, p: float = 2) -> Problem:
    """Draw a scripted problem with weights over four orders of magnitude, any eta and scope."""
    problem = draw_scripted(source, p=p, method="asam")
    problem = problem.having(
        eta=rounded(source.choice((0.01, 0.0, 1.0)), problem.dtype),
        scope=source.choice(("weights", "all")),
    )
    T = ball_widths(problem, exact(problem.vector())).value
    if not np.any(T * problem.facts.ascent_gradient):
        raise UnsuitableProblem("the rescaled gradient is zero")
    return problem


@state(
    slug="adaptive-climb",
    statement="ASAM's climb is the steepest in the ball ‖T⁻¹ε‖ ≤ ρ, T = |w| + η on weights and 1 "
    "on the rest: SAM's in the coordinates T⁻¹w.",
    equation="ε = ρ T²g/‖Tg‖₂",
    source="Kwon et al. 2021, eq. (6).",
    bound=ROUNDING,
    draw=draw_adaptive,
)
def _adaptive_climb(adapter: Adapter, problem: Problem) -> Iterable[Clause]:
    step = first_step(adapter, problem)
    right = unit_climb(step.ascent_gradient, ball_widths(problem, step.start))
    yield equal("ε = ρ T²g/‖Tg‖", step.climb, problem.hp.rho * right)


@state(
    slug="adaptive-dual-norm",
    statement="For every p ASAM's climb uses the whole of its ball, and no other rises faster.",
    equation="‖T⁻¹ε‖_p = ρ, ⟨g, ε⟩ = ρ‖Tg‖_q",
    source="Hölder's inequality in the coordinates T⁻¹w, where the gradient is Tg.",
    bound=ROUNDING,
    draw=lambda source: draw_adaptive(source, draw_order(source)),
)
def _adaptive_dual_norm(adapter: Adapter, problem: Problem) -> Iterable[Clause]:
    step, hp = first_step(adapter, problem), problem.hp
    T, (g, _) = ball_widths(problem, step.start), near_one(step.ascent_gradient)
    yield equal("⟨g, ε⟩ = ρ‖Tg‖_q", inner(g, step.climb), hp.rho * norm(T * g, dual(hp.p)))
    live = T.value > 0
    length = norm(step.climb[live] / T[live], hp.p)
    yield equal("‖T⁻¹ε‖_p = ρ", length, exact(hp.rho))


def _draw_stale(source: NumberSource) -> Problem:
    problem = draw_quadratic(source, stable=0.5, largest=12, kinds=("tame", "equal"))
    w = problem.vector()
    rho = rounded(power_of_ten(source, -2, -0.5), problem.dtype)
    return problem.at(w / np.max(np.abs(w))).having(
        method="asam", rho=rho, momentum=source.choice((0.0, 0.5))
    )


@state(
    slug="adaptive-climbs-anew",
    statement="T is that of the weights at A, again in every step, and belongs to the climb alone.",
    equation="εₜ = ρ Tₜ²gₜ/‖Tₜgₜ‖, Tₜ = |wₜ| + η",
    source="Kwon et al. 2021, Algorithm 1.",
    bound=ROUNDING,
    draw=_draw_stale,
)
def _adaptive_climbs_anew(adapter: Adapter, problem: Problem) -> Iterable[Clause]:
    for step in first_steps(adapter, problem, 3):
        if not np.any(step.ascent_gradient.value):
            return
        right = unit_climb(step.ascent_gradient, ball_widths(problem, step.start))
        yield equal("ε = ρ T²g/‖Tg‖", step.climb, problem.hp.rho * right)


@state(
    slug="adaptive-quadratic-step",
    statement="On a quadratic ASAM's step has a closed form.",
    equation="w' = w − ηHw − ηρ HT²Hw/‖THw‖",
    source="d2 = H(w + ε).",
    bound="running: each of d1, ε, B, d2, w' rounded once, carried through the gradient",
    draw=lambda source: _draw_stale(source).having(
        momentum=0.0, scope=source.choice(("weights", "all"))
    ),
)
def _adaptive_quadratic_step(adapter: Adapter, problem: Problem) -> Iterable[Clause]:
    step, hp, H = first_step(adapter, problem), problem.hp, problem.facts.product
    w, lr, rho = step.start, hp.lr, hp.rho
    T, g = ball_widths(problem, w), H(step.start)
    right = w - lr * g - (lr * rho) * H(T * (T * g / norm(T * g)))
    yield equal("w' = w − ηHw − ηρHT²Hw/‖THw‖", step.end_to_rounding, right)


def _draw_equal_weights(source: NumberSource) -> Problem:
    problem = draw_adaptive(source, draw_order(source)).having(scope="all")
    size = 2.0 ** source.integer(-4, 4)
    point = size * draw_signs(source, problem.vector().size)
    return problem.facts._replace(point=point).put_on(problem)


@state(
    slug="equal-weights-are-sam",
    statement="Where all weights have the same magnitude c, ASAM is SAM with the radius (c + η)ρ, "
    "whatever their signs.",
    equation="|wᵢ| = c ⇒ ε = SAM's ε for (c + η)ρ",
    source="T = (c + η)I.",
    bound=ROUNDING,
    draw=_draw_equal_weights,
)
def _equal_weights(adapter: Adapter, problem: Problem) -> Iterable[Clause]:
    step, hp = first_step(adapter, problem), problem.hp
    size = float(np.abs(problem.vector()[0])) + exact(hp.eta)
    g, climb = near_one(step.ascent_gradient)[0], step.climb
    yield equal("‖ε‖_p = (c + η)ρ", norm(climb, hp.p), size * hp.rho)
    rise = size * hp.rho * norm(g, dual(hp.p))
    yield equal("⟨g, ε⟩ = (c + η)ρ‖g‖_q", inner(g, climb), rise)


def _draw_zero_weights(source: NumberSource) -> Problem:
    problem = draw_adaptive(source).having(scope="all")
    point = problem.vector()
    n = point.size
    point[source.reals(0, 1, n) < 0.5] = 0.0
    point[source.integer(0, n - 1)] = 0.0
    return problem.facts._replace(point=point).put_on(problem)


@state(
    slug="zero-weights",
    statement="A weight at zero has the scale η: with η = 0 the climb leaves it exactly at zero, "
    "with η > 0 it moves.",
    equation="wᵢ = 0: εᵢ = 0 if η = 0, and εᵢ = ρη²gᵢ/‖Tg‖ if not",
    source="Tᵢ = |wᵢ| + η.",
    bound=ROUNDING + "; bit for bit where η = 0",
    draw=_draw_zero_weights,
)
def _zero_weights(adapter: Adapter, problem: Problem) -> Iterable[Clause]:
    step, hp = first_step(adapter, problem), problem.hp
    still = step.start.value == 0
    if hp.eta == 0:
        yield identical("εᵢ = 0", step.perturbed.value[still], step.start.value[still])
        return
    T, (g, _) = ball_widths(problem, step.start), near_one(step.ascent_gradient)
    right = (hp.rho * exact(hp.eta) ** 2) * (g / norm(T * g))
    yield equal("εᵢ = ρη²gᵢ/‖Tg‖", step.climb[still], right[still])
