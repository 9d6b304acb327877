"""State what SAM does to a linear model: convex losses, and single examples solved exactly."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

import numpy as np

from minisam.adapters.protocol import Adapter
from minisam.rounding import Rounded, exact, inner, norm
from minisam.specification.clause import Clause, at_most, equal
from minisam.specification.linear_families import Ridge, draw_logistic, draw_ridge
from minisam.specification.problem import Problem
from minisam.specification.property import chapter
from minisam.specification.right_step import climb_slack, dual
from minisam.specification.source import draw_order
from minisam.specification.steps import first_step

state = chapter("On convex losses and single examples")
ROUNDING = "running: d1, ε, B and d2 rounded once each, carried through L, ∇L and H"


@state(
    slug="convex-alignment",
    statement="On an α-strongly convex, β-smooth loss d2 still points downhill at A, more so than "
    "d1, and the loss at B is higher by what the curvatures say.",
    equation="G² + αρG ≤ ⟨d2, d1⟩ ≤ G² + βρG,  ρG + ½αρ² ≤ L(B) − L(A) ≤ ρG + ½βρ²",
    source="α‖ε‖² ≤ ⟨d2 − d1, ε⟩ ≤ β‖ε‖² with ε = ρ d1/G.",
    bound=ROUNDING,
    draw=draw_logistic,
)
def _convex_alignment(adapter: Adapter, problem: Problem) -> Iterable[Clause]:
    step, rho, facts = first_step(adapter, problem), problem.hp.rho, problem.facts
    B = step.start + step.climb_from_loss
    d1, d2 = facts.landscape.slope(step.start), facts.landscape.slope(B)
    G = norm(d1)
    uphill = inner(d1, d2)
    yield at_most("G² + αρG ≤ ⟨d2, d1⟩", G * G + facts.l2 * rho * G, uphill)
    yield at_most("⟨d2, d1⟩ ≤ G² + βρG", uphill, G * G + facts.smoothness * rho * G)
    rise = facts.landscape.loss(B) - facts.landscape.loss(step.start)
    yield at_most("ρG + ½αρ² ≤ L(B) − L(A)", rho * G + 0.5 * facts.l2 * rho**2, rise)
    yield at_most("L(B) − L(A) ≤ ρG + ½βρ²", rise, rho * G + 0.5 * facts.smoothness * rho**2)


@state(
    slug="smooth-means-near-sgd",
    statement="On a β-smooth loss a step of SAM ends within ηρβ of SGD's.",
    equation="‖w_SAM − w_SGD‖ ≤ ηρβ",
    source="‖d2 − d1‖ ≤ β‖ε‖.",
    bound=ROUNDING,
    draw=draw_logistic,
)
def _smooth_means_near_sgd(adapter: Adapter, problem: Problem) -> Iterable[Clause]:
    step, hp, facts = first_step(adapter, problem), problem.hp, problem.facts
    lr, rho = hp.lr, hp.rho
    gap = norm(step.end_to_rounding - (step.start - lr * facts.landscape.slope(step.start)))
    yield at_most("‖w_SAM − w_SGD‖ ≤ ηρβ", gap, exact(lr) * rho * facts.smoothness)


@state(
    slug="gradient-penalty",
    statement="To first order in ρ SAM is gradient descent on the loss plus ρ times the length of "
    "its gradient; the third derivative bounds the rest.",
    equation="‖d2 − ∇(L + ρ‖∇L‖)(A)‖ ≤ ½Mρ², ∇(ρ‖∇L‖) = ρHĝ",
    source="Taylor: d2 = g + Hε + R, ‖R‖ ≤ ½M‖ε‖². On quadratics M = 0.",
    bound=ROUNDING,
    draw=draw_logistic,
)
def _gradient_penalty(adapter: Adapter, problem: Problem) -> Iterable[Clause]:
    step, hp, facts = first_step(adapter, problem), problem.hp, problem.facts
    rho, lr, w = hp.rho, hp.lr, step.start
    g = facts.landscape.slope(w)
    right = g + rho * facts.hessian_product(w, g / norm(g))
    moved = (w - step.end_to_rounding) / lr  # the gradient that was descended along
    limit = 0.5 * facts.third_derivative * rho * rho
    yield at_most("‖(w − w')/η − ∇(L + ρ‖∇L‖)‖ ≤ ½Mρ²", norm(moved - right), limit)


def ridge_step(adapter: Adapter, problem: Problem, name: str, slope_at_b: Rounded) -> Iterable:
    """Compare the step with w' = w − η ℓ'(t_B) u, entry by entry: nothing moves across u."""
    step = first_step(adapter, problem)
    d2 = (slope_at_b * problem.facts.direction).off_by(problem.u)
    yield equal(f"w' = w − η {name} x", step.end, step.descent_along(d2))


def inner_maximum(problem: Problem) -> tuple[Rounded, Rounded]:
    """Return t = uᵀw at A and at B, where it is t + ρ‖u‖_q sgn ℓ'(t).

    d1 is ℓ'(t)u to a relative u in each entry, which costs the optimal ε at most 2u of its rise;
    the rounding of ε costs climb_slack of it, and half a unit in each entry of B |u|ᵀ|B|u.
    """
    facts: Ridge = problem.facts
    hp = problem.hp
    u, w = exact(facts.direction), exact(problem.vector())
    t = u @ w
    reach = hp.rho * norm(u, dual(hp.p))
    slack = (climb_slack(problem) + 6 * problem.u) * reach.value
    slack += problem.u * (np.abs(u.value) @ np.abs(w.value) + reach.value)
    epsilon = problem.norm_epsilon / float(norm(facts.slope(t) * u).value)
    sign = np.sign(facts.slope(t).value)
    return t, t + sign * reach.widened(slack + epsilon * reach.value)


@state(
    slug="linear-regression",
    statement="On one example of linear regression SAM descends on the exact worst case: the "
    "residual r grows by ρ‖x‖_q in its own direction, for every p.",
    equation="w' = w − η(r + ρ‖x‖_q sgn r) x = w − η ∇ ½(|r| + ρ‖x‖_q)²",
    source="xᵀε = ρ‖x‖_q sgn r, and ½(r + xᵀδ)² is largest over the ball at that δ.",
    bound=ROUNDING,
    draw=lambda source: draw_ridge(source, "square", p=draw_order(source)),
)
def _linear_regression(adapter: Adapter, problem: Problem) -> Iterable[Clause]:
    _, at_b = inner_maximum(problem)
    slope = problem.facts.slope(at_b)
    yield from ridge_step(adapter, problem, "(r + ρ‖x‖_q sgn r)", slope)


@state(
    slug="logistic-margin",
    statement="On one example of logistic regression SAM is SGD with the margin M lowered by ρ‖x‖: "
    "it weighs the example more, by a factor that grows with M up to e^(ρ‖x‖), so that "
    "examples which are fitted gain over mislabelled ones.",
    equation="w' = w + η σ(ρ‖x‖ − M) x, 1 < σ(ρ‖x‖ − M)/σ(−M) < e^(ρ‖x‖)",
    source="ε = −ρ x/‖x‖ for a signed input x, so that the margin at B is M − ρ‖x‖.",
    bound=ROUNDING,
    draw=partial(draw_ridge, kind="logistic"),
)
def _logistic_margin(adapter: Adapter, problem: Problem) -> Iterable[Clause]:
    t, at_b = inner_maximum(problem)
    slope = problem.facts.slope
    yield from ridge_step(adapter, problem, "σ(ρ‖x‖ − M)", slope(at_b))
    lr = problem.hp.lr
    step, u = first_step(adapter, problem), exact(problem.facts.direction)
    weight = inner(step.end_to_rounding - step.start, u) / (lr * inner(u, u))
    rho, sgd = problem.hp.rho, -slope(t)
    yield at_most("SAM weighs more than SGD", sgd, weight)
    yield at_most("at most e^(ρ‖x‖) times as much", weight, np.exp(rho * norm(u)) * sgd)


@state(
    slug="ridge",
    statement="A loss of one direction stays one: t = uᵀw moves as in one dimension, with the "
    "radius ρ‖u‖_q, and what is across u never moves. So a statement in 1-D is one in n-D.",
    equation="L = ℓ(uᵀw) ⇒ t' = t − η‖u‖₂² ℓ'(t + ρ‖u‖_q sgn ℓ'(t))",
    source="∇L = ℓ'(t) u, so that uᵀε = ρ‖u‖_q sgn ℓ'(t).",
    bound=ROUNDING,
    draw=lambda source: draw_ridge(source, "quartic", p=draw_order(source)),
)
def _ridge(adapter: Adapter, problem: Problem) -> Iterable[Clause]:
    _, at_b = inner_maximum(problem)
    yield from ridge_step(adapter, problem, "ℓ'(t_B)", problem.facts.slope(at_b))
