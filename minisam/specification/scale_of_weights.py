"""State what SAM does to the length of weights: before a normalization, and of two layers."""

from __future__ import annotations

from collections.abc import Iterable

from minisam.adapters.protocol import Adapter
from minisam.rounding import inner
from minisam.specification.clause import Clause, equal
from minisam.specification.families import draw_quotient, draw_two_layers
from minisam.specification.problem import Problem
from minisam.specification.right_step import base_step_slack
from minisam.specification.steps import first_step
from minisam.specification.symmetries import BOTH_STEPS, state


@state(
    slug="scale-invariant-growth",
    statement="On a loss that does not depend on the length of w (as before a normalization layer) "
    "a step changes that length in a known way.",
    equation="‖w'‖² = ‖w‖² + 2η⟨ε, d2⟩ + η²‖d2‖²",
    source="⟨B, ∇L(B)⟩ = 0, so that ⟨w, d2⟩ = −⟨ε, d2⟩.",
    bound="d2's rounding along B; w' to u(|w'| + 2η|d2|)",
    draw=draw_quotient,
)
def _scale_invariant_growth(adapter: Adapter, problem: Problem) -> Iterable[Clause]:
    step, lr, u = first_step(adapter, problem), problem.hp.lr, problem.u
    d2 = problem.field(step.perturbed).off_by(u)
    after = step.end.widened(base_step_slack(step.end, lr, d2, u))
    right = inner(step.start, step.start) + 2 * lr * inner(step.climb, d2)
    right = right + lr * lr * inner(d2, d2)
    yield equal("‖w'‖² = ‖w‖² + 2η⟨ε, d2⟩ + η²‖d2‖²", inner(after, after), right)


@state(
    slug="scale-invariant-covariance",
    statement="On such a loss longer weights take the same step if η and ρ grow along: the "
    "effective learning rate is η/‖w‖², the effective radius ρ/‖w‖.",
    equation="SAM(cw; c²η, cρ) = c·SAM(w; η, ρ)",
    source="∇L(cw) = ∇L(w)/c.",
    bound=BOTH_STEPS,
    draw=draw_quotient,
)
def _scale_invariant_covariance(adapter: Adapter, problem: Problem) -> Iterable[Clause]:
    hp, c = problem.hp, 4.0
    other = problem.at(c * problem.vector())
    other = other.having(lr=c * c * hp.lr, rho=c * hp.rho)
    right = c * first_step(adapter, problem).end_to_rounding
    yield equal("w'", first_step(adapter, other).end_to_rounding, right)


@state(
    slug="balancedness",
    statement="In a two-layer linear network SAM drives the layers to equal length, which SGD does "
    "only to second order in η: of all minima uv = y it looks for the flattest.",
    equation="D' = D(1 − 2ηr̃s − η²r̃²(1 − s²)), D = ‖u‖² − ‖v‖², s = ρ sgn r/√(‖u‖² + ‖v‖²), "
    "r̃ = u·v(1 + s²) + s(‖u‖² + ‖v‖²) − y",
    source="At B (u + sv, v + su) the gradient is r̃(v + su, u + sv), so that u + v is multiplied "
    "by 1 − ηr̃(1 + s) and u − v by 1 + ηr̃(1 − s); D is their inner product.",
    bound="running, as on quadratics",
    draw=draw_two_layers,
)
def _balancedness(adapter: Adapter, problem: Problem) -> Iterable[Clause]:
    step, lr = first_step(adapter, problem), problem.hp.lr
    w, after, k = step.start, step.end_to_rounding, step.start.size // 2
    s, r = problem.facts.at_b(w, problem.hp.rho)
    (u, v), (u2, v2) = (w[:k], w[k:]), (after[:k], after[k:])
    yield equal("u' + v' = (1 − ηr̃(1 + s))(u + v)", u2 + v2, (1 - lr * r * (1 + s)) * (u + v))
    yield equal("u' − v' = (1 + ηr̃(1 − s))(u − v)", u2 - v2, (1 + lr * r * (1 - s)) * (u - v))
    D, after_D = inner(u, u) - inner(v, v), inner(u2, u2) - inner(v2, v2)
    factor = 1 - 2 * lr * r * s - lr * lr * (r * r) * (1 - s * s)
    yield equal("D' = D(1 − 2ηr̃s − η²r̃²(1 − s²))", after_D, factor * D)
