"""What SAM does to a linear model: convex losses, and single examples where all is exact."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

import numpy as np

from minisam.adapters.protocol import Adapter
from minisam.rounding import Rounded, exact, inner, norm, unit_roundoff
from minisam.specification.climb import dual
from minisam.specification.families import Ridge, draw_logistic, draw_ridge
from minisam.specification.problem import Problem, draw_order
from minisam.specification.property import state
from minisam.specification.steps import (
    Clause,
    at_most,
    base_step_slack,
    climb_slack,
    equal,
    one_step,
)

SECTION = "On convex losses and single examples"
ROUNDING = "running: d1, ε, B and d2 rounded once each, carried through L, ∇L and H"


@state(
    slug="convex-alignment",
    section=SECTION,
    statement="On an α-strongly convex, β-smooth loss d2 still points downhill at A, more so than "
    "d1, and the loss at B is higher by what the curvatures say.",
    equation="G² + αρG ≤ ⟨d2, d1⟩ ≤ G² + βρG,  ρG + ½αρ² ≤ L(B) − L(A) ≤ ρG + ½βρ²",
    source="α‖ε‖² ≤ ⟨d2 − d1, ε⟩ ≤ β‖ε‖² with ε = ρ d1/G.",
    bound=ROUNDING,
    methods=("sam",),
    draw=draw_logistic,
)
def _convex_alignment(adapter: Adapter, problem: Problem) -> Iterable[Clause]:
    seen, rho, facts = one_step(adapter, problem), problem.hyperparameters["rho"], problem.facts
    B = seen.start + seen.climb_from_loss
    d1, d2 = facts.landscape.slope(seen.start), facts.landscape.slope(B)
    G = norm(d1)
    uphill = inner(d1, d2)
    yield at_most("G² + αρG ≤ ⟨d2, d1⟩", G * G + facts.l2 * rho * G, uphill)
    yield at_most("⟨d2, d1⟩ ≤ G² + βρG", uphill, G * G + facts.smoothness * rho * G)
    rise = facts.landscape.loss(B) - facts.landscape.loss(seen.start)
    yield at_most("ρG + ½αρ² ≤ L(B) − L(A)", rho * G + 0.5 * facts.l2 * rho**2, rise)
    yield at_most("L(B) − L(A) ≤ ρG + ½βρ²", rise, rho * G + 0.5 * facts.smoothness * rho**2)


@state(
    slug="smooth-means-near-sgd",
    section=SECTION,
    statement="On a β-smooth loss a step of SAM ends within ηρβ of SGD's.",
    equation="‖w_SAM − w_SGD‖ ≤ ηρβ",
    source="‖d2 − d1‖ ≤ β‖ε‖.",
    bound=ROUNDING,
    methods=("sam",),
    draw=draw_logistic,
)
def _smooth_means_near_sgd(adapter: Adapter, problem: Problem) -> Iterable[Clause]:
    seen, hyper, facts = one_step(adapter, problem), problem.hyperparameters, problem.facts
    lr, rho = hyper["lr"], hyper["rho"]
    gap = norm(seen.landing - (seen.start - lr * facts.landscape.slope(seen.start)))
    yield at_most("‖w_SAM − w_SGD‖ ≤ ηρβ", gap, exact(lr) * rho * facts.smoothness)


@state(
    slug="gradient-penalty",
    section=SECTION,
    statement="To first order in ρ SAM is gradient descent on the loss plus ρ times the length of "
    "its gradient; the third derivative bounds the rest.",
    equation="‖d2 − ∇(L + ρ‖∇L‖)(A)‖ ≤ ½Mρ², ∇(ρ‖∇L‖) = ρHĝ",
    source="Taylor: d2 = g + Hε + R, ‖R‖ ≤ ½M‖ε‖². On quadratics M = 0.",
    bound=ROUNDING,
    methods=("sam",),
    draw=draw_logistic,
)
def _gradient_penalty(adapter: Adapter, problem: Problem) -> Iterable[Clause]:
    seen, hyper, facts = one_step(adapter, problem), problem.hyperparameters, problem.facts
    rho, lr, w = hyper["rho"], hyper["lr"], seen.start
    g = facts.landscape.slope(w)
    right = g + rho * facts.hessian_product(w, g / norm(g))
    moved = (w - seen.landing) / lr  # the gradient that was descended along
    limit = 0.5 * facts.third_derivative * rho * rho
    yield at_most("‖(w − w')/η − ∇(L + ρ‖∇L‖)‖ ≤ ½Mρ²", norm(moved - right), limit)


def ridge_step(adapter: Adapter, problem: Problem, name: str, slope_at_b: Rounded) -> Iterable:
    """The step is w' = w − η ℓ'(t_B) u, entry by entry, so that nothing moves across u."""
    seen, lr, u = one_step(adapter, problem), problem.hyperparameters["lr"], problem.facts.direction
    d2, rounding = slope_at_b * u, unit_roundoff(problem.dtype)
    right = seen.start - lr * d2.widened(rounding * np.abs(d2.value))
    slack = base_step_slack(right, lr, d2, rounding)
    yield equal(f"w' = w − η {name} x", seen.end, right.widened(slack))


def inner_maximum(problem: Problem) -> tuple[Rounded, Rounded]:
    """T = uᵀw at A, and what it is at B: t + ρ‖u‖_q sgn ℓ'(t).

    d1 is ℓ'(t)u to a relative u in each entry, which costs the optimal ε at most 2u of its rise;
    ε's own rounding costs climb_slack of it, and half a unit in each entry of B |u|ᵀ|B|u.
    """
    facts: Ridge = problem.facts
    hyper = problem.hyperparameters
    u, w = exact(facts.direction), exact(problem.vector())
    t = u @ w
    reach = hyper["rho"] * norm(u, dual(hyper["p"]))
    slack = (climb_slack(problem) + 6 * unit_roundoff(problem.dtype)) * reach.value
    slack += unit_roundoff(problem.dtype) * (np.abs(u.value) @ np.abs(w.value) + reach.value)
    epsilon = problem.norm_epsilon / float(norm(facts.slope(t) * u).value)
    sign = np.sign(facts.slope(t).value)
    return t, t + sign * reach.widened(slack + epsilon * reach.value)


@state(
    slug="linear-regression",
    section=SECTION,
    statement="On one example of linear regression SAM descends on the exact worst case: the "
    "residual r grows by ρ‖x‖_q in its own direction, for every p.",
    equation="w' = w − η(r + ρ‖x‖_q sgn r) x = w − η ∇ ½(|r| + ρ‖x‖_q)²",
    source="xᵀε = ρ‖x‖_q sgn r, and ½(r + xᵀδ)² is largest over the ball at that δ.",
    bound=ROUNDING,
    methods=("sam",),
    draw=lambda source: draw_ridge(source, "square", p=draw_order(source)),
)
def _linear_regression(adapter: Adapter, problem: Problem) -> Iterable[Clause]:
    _, at_b = inner_maximum(problem)
    slope = problem.facts.slope(at_b)
    yield from ridge_step(adapter, problem, "(r + ρ‖x‖_q sgn r)", slope)


@state(
    slug="logistic-margin",
    section=SECTION,
    statement="On one example of logistic regression SAM is SGD with the margin M lowered by ρ‖x‖: "
    "it weighs the example more, by a factor that grows with M up to e^(ρ‖x‖), so that "
    "examples which are fitted gain over mislabelled ones.",
    equation="w' = w + η σ(ρ‖x‖ − M) x, 1 < σ(ρ‖x‖ − M)/σ(−M) < e^(ρ‖x‖)",
    source="ε = −ρ x/‖x‖ for a signed input x, so that the margin at B is M − ρ‖x‖.",
    bound=ROUNDING,
    methods=("sam",),
    draw=partial(draw_ridge, kind="logistic"),
)
def _logistic_margin(adapter: Adapter, problem: Problem) -> Iterable[Clause]:
    t, at_b = inner_maximum(problem)
    slope = problem.facts.slope
    yield from ridge_step(adapter, problem, "σ(ρ‖x‖ − M)", slope(at_b))
    lr = problem.hyperparameters["lr"]
    seen, u = one_step(adapter, problem), exact(problem.facts.direction)
    weight = inner(seen.landing - seen.start, u) / (lr * inner(u, u))
    rho, sgd = problem.hyperparameters["rho"], -slope(t)
    yield at_most("SAM weighs more than SGD", sgd, weight)
    yield at_most("at most e^(ρ‖x‖) times as much", weight, np.exp(rho * norm(u)) * sgd)


@state(
    slug="ridge",
    section=SECTION,
    statement="A loss of one direction stays one: t = uᵀw moves as in one dimension, with the "
    "radius ρ‖u‖_q, and what is across u never moves. So a statement in 1-D is one in n-D.",
    equation="L = ℓ(uᵀw) ⇒ t' = t − η‖u‖₂² ℓ'(t + ρ‖u‖_q sgn ℓ'(t))",
    source="∇L = ℓ'(t) u, so that uᵀε = ρ‖u‖_q sgn ℓ'(t).",
    bound=ROUNDING,
    methods=("sam",),
    draw=lambda source: draw_ridge(source, "quartic", p=draw_order(source)),
)
def _ridge(adapter: Adapter, problem: Problem) -> Iterable[Clause]:
    _, at_b = inner_maximum(problem)
    yield from ridge_step(adapter, problem, "ℓ'(t_B)", problem.facts.slope(at_b))
