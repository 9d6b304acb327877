"""State what must not matter: units, the loss's scale, the axes, how the weights are cut up."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from minisam.adapters.protocol import Adapter
from minisam.landscapes import random_rotation
from minisam.rounding import exact, inner
from minisam.specification.clause import Clause, equal
from minisam.specification.families import (
    Scripted,
    defect,
    draw_quadratic,
    draw_quotient,
    draw_scripted,
    draw_two_layers,
)
from minisam.specification.problem import Problem
from minisam.specification.property import chapter
from minisam.specification.right_step import base_step_slack, right_end
from minisam.specification.source import NumberSource, draw_order, draw_signs, generator
from minisam.specification.steps import first_step

state = chapter("What must not matter")
BOTH_STEPS = "the rounding of both steps; changes of scale are powers of two, and exact"


class Changed(NamedTuple):
    """What is known of a loss, and the factor, matrix or shift by which it is changed."""

    loss: Any
    change: float | np.ndarray


def _draw_scaled(source: NumberSource, methods: tuple[str, ...] = ("sam", "asam")) -> Problem:
    problem = draw_quadratic(source, signed=True, largest=20)
    factor = 2.0 ** source.integer(-12, 12)
    return problem._replace(facts=Changed(problem.facts, factor)).having(
        method=source.choice(methods)
    )


@state(
    slug="loss-scale-does-not-matter",
    statement="Multiplying the loss by c and the learning rate by 1/c changes nothing.",
    equation="SAM(cL, η/c, ρ) = SAM(L, η, ρ)",
    source="ε depends on the direction of g alone, and η d2 is unchanged.",
    bound=BOTH_STEPS,
    methods=("sam", "asam"),
    draw=_draw_scaled,
)
def _loss_scale(adapter: Adapter, problem: Problem) -> Iterable[Clause]:
    c, field = problem.facts.change, problem.field
    other = problem._replace(field=lambda w: c * field(w))
    other = other.having(lr=problem.hp.lr / c)
    yield equal(
        "w'",
        first_step(adapter, other).end_to_rounding,
        first_step(adapter, problem).end_to_rounding,
    )


@state(
    slug="units-do-not-matter",
    statement="Weights measured in another unit take the same step, if η and ρ (for ASAM η and its "
    "stabilizer) are converted.",
    equation="SAM(sw; s²η, sρ) = s·SAM(w; η, ρ) for L(w/s)",
    source="g becomes g/s, ε becomes sε.",
    bound=BOTH_STEPS,
    methods=("sam", "asam"),
    draw=_draw_scaled,
)
def _units(adapter: Adapter, problem: Problem) -> Iterable[Clause]:
    s, field, hp = problem.facts.change, problem.field, problem.hp
    other = problem.at(s * problem.vector())._replace(field=lambda w: field(w / s) / s)
    other = other.having(lr=hp.lr * s * s)
    if hp.method == "asam":
        # scope="weights" leaves T = 1 elsewhere, which is not a length: all tensors, then
        problem = problem.having(scope="all")
        other = other.having(scope="all", eta=hp.eta * s)
    else:
        other = other.having(rho=hp.rho * s)
    right = first_step(adapter, problem).end_to_rounding
    yield equal("w'", first_step(adapter, other).end_to_rounding, s * right)


def _draw_turned(source: NumberSource) -> Problem:
    problem = draw_quadratic(source, signed=True, largest=12, kinds=("tame", "equal"))
    n = problem.vector().size
    turn = random_rotation(n, generator(source))
    return problem._replace(facts=Changed(problem.facts, turn))


@state(
    slug="rotation-does-not-matter",
    statement="For p = 2 SAM does not know the axes: turning weights and loss turns the step.",
    equation="SAM(Rw; L∘Rᵀ) = R·SAM(w; L), RᵀR = I",
    source="∇(L∘Rᵀ)(Rw) = R∇L(w), and ‖Rg‖₂ = ‖g‖₂.",
    bound="the rounding of both steps; of R to within its measured ‖RᵀR − I‖",
    draw=_draw_turned,
)
def _rotation(adapter: Adapter, problem: Problem) -> Iterable[Clause]:
    R, field = problem.facts.change, problem.field
    turned = problem._replace(field=lambda w: R @ field(R.T @ w)).at(R @ problem.vector())
    # turned back, the turned start is rounded once more: its step has that in it
    exact_start = R.T @ exact(turned.vector())
    back = problem.at(exact_start.value)
    ours, other = first_step(adapter, back), first_step(adapter, turned).end_to_rounding
    apart = exact_start.bound + np.abs(exact_start.value - ours.start.value)
    right = right_end(back, ours.start.known_to(apart))
    # R changes lengths by its defect, and with them d1, ε and d2
    hp, facts = problem.hp, problem.facts.loss
    top = float(np.abs(facts.spectrum).max())
    size = float(np.linalg.norm(problem.vector())) + hp.rho
    skew = 4 * defect(R) * size * (1 + hp.lr * top)
    yield equal("w'", other, (R @ ours.end.known_to(right.bound)).widened(skew))


def _draw_permuted(source: NumberSource) -> Problem:
    problem = draw_scripted(source, p=draw_order(source))
    n = problem.vector().size
    order = generator(source).permutation(n)
    signs = draw_signs(source, n)
    return problem._replace(facts=Changed(problem.facts, np.stack([order, signs])))


@state(
    slug="order-and-sign-do-not-matter",
    statement="For every p the climb commutes with permuting the weights, also from one tensor to "
    "another, and with flipping signs.",
    equation="ε(Pg) = Pε(g) for signed permutations P",
    source="‖Pg‖_q = ‖g‖_q.",
    bound="the rounding of both climbs",
    draw=_draw_permuted,
)
def _order_and_sign(adapter: Adapter, problem: Problem) -> Iterable[Clause]:
    order, signs = problem.facts.change[0].astype(int), problem.facts.change[1]
    g, point = problem.facts.loss.ascent_gradient, problem.vector()
    moved = Scripted((signs * point)[order], (signs * g)[order], g)
    other = first_step(adapter, moved.put_on(problem)).climb
    ours = signs * first_step(adapter, problem).climb
    yield equal("ε(Pg) = Pε(g)", other, ours[order])


@state(
    slug="cutting-does-not-matter",
    statement="How the weights are cut into tensors, and what those are called, is not SAM's "
    "business: one tensor with all of them takes the same step.",
    equation="SAM(w₁, …, w_k) = SAM((w₁ … w_k))",
    source="Eq. (2) knows one vector w.",
    bound="the rounding of both steps",
    draw=lambda source: draw_quadratic(source, signed=True),
)
def _cutting(adapter: Adapter, problem: Problem) -> Iterable[Clause]:
    whole = problem._replace(start=[problem.vector().astype(problem.dtype)])
    whole = whole.having(names=["all.weight"])
    yield equal(
        "w'",
        first_step(adapter, problem).end_to_rounding,
        first_step(adapter, whole).end_to_rounding,
    )


@state(
    slug="translation-does-not-matter",
    statement="SAM does not know where the origin is.",
    equation="SAM(w + t; L(· − t)) = SAM(w; L) + t",
    source="∇L(· − t) at w + t is ∇L(w).",
    bound="none on t, which is exact; the rounding of both steps",
    draw=lambda source: draw_shifted(source),
)
def _translation(adapter: Adapter, problem: Problem) -> Iterable[Clause]:
    t, field = problem.facts.change, problem.field
    other = problem._replace(field=lambda w: field(w - t)).at(problem.vector() + t)
    ours, shifted = (
        first_step(adapter, problem).end_to_rounding,
        first_step(adapter, other).end_to_rounding,
    )
    yield equal("w' + t", shifted, ours + t)


def draw_shifted(source: NumberSource) -> Problem:
    """Draw a start and a shift that are multiples of 2⁻⁸ below 2⁴: their sum is exact."""
    problem = draw_quadratic(source, signed=True, largest=12, kinds=("tame", "equal"))
    n = problem.vector().size
    grid = np.round(source.reals(-8, 8, 2 * n) * 256) / 256
    start = np.where(grid[:n] == 0, 1.0, grid[:n])
    return problem.at(start)._replace(facts=Changed(problem.facts, grid[n:]))


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
