"""State the climb: the steepest, of exactly the length ρ, whatever the gradient's size."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from minisam.adapters.protocol import Adapter
from minisam.rounding import exact, inner, norm
from minisam.specification.clause import Clause, equal
from minisam.specification.families import Scripted, draw_quadratic, draw_scripted
from minisam.specification.problem import Problem, make_problem
from minisam.specification.property import chapter
from minisam.specification.right_step import dual, near_one, unit_climb
from minisam.specification.source import (
    DTYPES,
    NumberSource,
    draw_gradient,
    draw_order,
    draw_size,
    power_of_ten,
)
from minisam.specification.steps import ObservedStep, first_step, first_steps

state = chapter("The climb")
ROUNDING = (
    "ε to (n + 16 + 4q)u for its sum, root, powers and quotient, and half a unit of B = A + ε"
)


def dual_norm_clauses(step: ObservedStep) -> Iterable[Clause]:
    """Compare ⟨g, ε⟩ with ρ‖g‖_q and ‖ε‖_p with ρ."""
    rho, p = step.problem.hp.rho, step.problem.hp.p
    g, _ = near_one(step.ascent_gradient)
    yield equal("⟨g, ε⟩ = ρ‖g‖_q", inner(g, step.climb), rho * norm(g, dual(p)))
    # a declared norm_epsilon shortens ε, which its error already allows for
    yield equal("‖ε‖_p = ρ", norm(step.climb, p), exact(rho))


@state(
    slug="steepest-climb",
    statement="The climb is along the gradient and of length ρ, with one norm over all tensors.",
    equation="ε = ρ g/‖g‖₂",
    source="Foret et al. 2020, eq. (2); equality in Cauchy-Schwarz's ⟨g, ε⟩ ≤ ρ‖g‖₂.",
    bound=ROUNDING,
    draw=draw_scripted,
    picture="figure2",
)
def _steepest_climb(adapter: Adapter, problem: Problem) -> Iterable[Clause]:
    step = first_step(adapter, problem)
    # step.climb carries the bound: see ObservedStep.climb_along and right_step.climb_slack
    yield equal("ε = ρ g/‖g‖", step.climb, problem.hp.rho * unit_climb(step.ascent_gradient))
    yield from dual_norm_clauses(step)


@state(
    slug="dual-norm-climb",
    statement="For every p the climb uses the whole radius, and no other rises faster.",
    equation="‖ε‖_p = ρ, ⟨g, ε⟩ = ρ‖g‖_q, 1/p + 1/q = 1",
    source="Foret et al. 2020, eq. (2); equality in Hölder's ⟨g, ε⟩ ≤ ‖g‖_q‖ε‖_p.",
    bound=ROUNDING,
    draw=lambda source: draw_scripted(source, p=draw_order(source)),
)
def _dual_norm_climb(adapter: Adapter, problem: Problem) -> Iterable[Clause]:
    yield from dual_norm_clauses(first_step(adapter, problem))


def draw_extreme(source: NumberSource) -> Problem:
    """Draw a gradient of any representable size, the smallest subnormal included, at the origin.

    The descent gradient is zero: only the climb is in question.
    """
    dtype = source.choice(DTYPES)
    n = draw_size(source)
    info = np.finfo(dtype)
    low = info.minexp - info.nmant
    shape = draw_gradient(source, n, dtype, widest=0)
    with np.errstate(all="ignore"):
        top = source.integer(low, info.maxexp - 3)
        g = np.ldexp(shape / np.max(np.abs(shape)), top).astype(dtype).astype(np.float64)
    facts = Scripted(np.zeros(n), g, np.zeros(n))
    rho = power_of_ten(source, -2, 1)
    return make_problem(source, facts.point, facts.field, facts, dtype, rho=rho)


@state(
    slug="scale-safe-norm",
    statement="The climb has length ρ for every gradient that can be written down, also where its "
    "squares would vanish or overflow, or an added constant would swallow it.",
    equation="‖ε‖₂ = ρ for 2^-1074 ≤ ‖g‖∞ < 2^1021",
    source="With s a power of two, ρ(sg)/‖sg‖ = ρ g/‖g‖ exactly.",
    bound=ROUNDING,
    draw=draw_extreme,
)
def _scale_safe_norm(adapter: Adapter, problem: Problem) -> Iterable[Clause]:
    yield from dual_norm_clauses(first_step(adapter, problem))


@state(
    slug="every-step-climbs-anew",
    statement="Every step climbs along its own gradient at A: not the velocity, not the gradient, "
    "the scaling or the weights of an earlier step, and without weight decay.",
    equation="εₜ = ρ g(wₜ)/‖g(wₜ)‖ in step t = 0, 1, 2",
    source="Foret et al. 2020, Algorithm 1: the climb has no state.",
    bound=ROUNDING,
    draw=lambda source: draw_quadratic(source, stable=0.5).having(
        momentum=source.choice((0.0, 0.5)), weight_decay=source.choice((0.0, 0.25))
    ),
)
def _every_step_climbs_anew(adapter: Adapter, problem: Problem) -> Iterable[Clause]:
    for step in first_steps(adapter, problem, 3):
        yield equal("ε = ρ g/‖g‖", step.climb, problem.hp.rho * unit_climb(step.ascent_gradient))
