"""State what SAM does on a quadratic: the step, the function it lowers, how far from SGD it is."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

import numpy as np

from minisam.adapters.protocol import Adapter
from minisam.landscapes import monotone_edge
from minisam.rounding import Rounded, exact, inner, norm
from minisam.specification.clause import Clause, at_most, equal, true
from minisam.specification.families import Quadratic, draw_quadratic
from minisam.specification.problem import Problem, UnsuitableProblem
from minisam.specification.property import chapter
from minisam.specification.right_step import right_end
from minisam.specification.source import NumberSource, power_of_ten
from minisam.specification.steps import first_step, path

state = chapter("On quadratics")
ROUNDING = (
    "running: each of d1, ε, B, d2, w' rounded once, ε to (n + 16)u, carried through the gradient"
)
signed = partial(draw_quadratic, signed=True)


@state(
    slug="quadratic-step",
    statement="On L = ½wᵀHw, H of any signature, the step has a closed form.",
    equation="w' = w − ηHw − ηρ H²w/‖Hw‖",
    source="d1 = Hw and d2 = H(w + ρHw/‖Hw‖).",
    bound=ROUNDING,
    draw=signed,
)
def _quadratic_step(adapter: Adapter, problem: Problem) -> Iterable[Clause]:
    step, hp, H = first_step(adapter, problem), problem.hp, problem.facts.product
    w, lr, rho = step.start, hp.lr, hp.rho
    Hw = H(w)
    right = w - lr * Hw - (lr * rho) * (H(Hw) / norm(Hw))
    yield equal("w' = w − ηHw − ηρH²w/‖Hw‖", step.end_to_rounding, right)


@state(
    slug="lyapunov-identity",
    statement="J(w) = ½wᵀ(2I − ηH)w − ηρ‖Hw‖ falls by a known amount, and if H ⪰ 0 never rises: "
    "a step of SAM with its sign flipped is gradient descent of step 1 on J.",
    equation="J(w) − J(w') = (η/2)(w+w')ᵀH(w+w') + ηρ(‖Hw'‖ + ⟨Hw, Hw'⟩/‖Hw‖)",
    source="−w' = w − ∇J(w); expand J at −w' about w: the quadratic part exactly, ‖H·‖ by its "
    "gradient; J is even. The last bracket is ≥ 0 by Cauchy-Schwarz.",
    bound=ROUNDING + ", and through J",
    draw=signed,
)
def _lyapunov_identity(adapter: Adapter, problem: Problem) -> Iterable[Clause]:
    step, hp, H = first_step(adapter, problem), problem.hp, problem.facts.product
    w, after, lr, rho = step.start, step.end_to_rounding, hp.lr, hp.rho

    def J(x: Rounded) -> Rounded:
        return inner(x, x) - (0.5 * lr) * inner(x, H(x)) - (lr * rho) * norm(H(x))

    both = w + after
    fall = (0.5 * lr) * inner(both, H(both)) + (lr * rho) * (
        norm(H(after)) + inner(H(w), H(after)) / norm(H(w))
    )
    yield equal("J(w) − J(w') = …", J(w) - J(after), fall)
    if np.all(problem.facts.spectrum >= 0):
        yield at_most("J(w') ≤ J(w)", J(after), J(w))


def _draw_gap(source: NumberSource) -> Problem:
    problem = draw_quadratic(source, signed=source.choice((False, True)))
    facts: Quadratic = problem.facts
    if len(facts.spectrum) > 1 and source.choice((False, True)):  # singular
        facts.spectrum[source.integer(0, len(facts.spectrum) - 1)] = 0.0
    if not np.any(np.abs(facts.product(problem.vector())) > 1e-30):
        raise UnsuitableProblem("the gradient vanishes")
    return problem


@state(
    slug="flat-means-sgd",
    statement="SAM departs from SGD in proportion to the curvature, and to nothing else: on a flat "
    "quadratic it matches SGD, however long the gradient. Zero curvatures do not count.",
    equation="ηρ min|λ| ≤ ‖w_SAM − w_SGD‖ = ηρ‖Hĝ‖ ≤ ηρ max|λ|, ĝ = Hw/‖Hw‖",
    source="w_SGD − w_SAM = ηρHĝ, and ĝ is a unit vector in the range of H.",
    bound=ROUNDING + "; a rotation is orthogonal to within its measured ‖QᵀQ − I‖",
    draw=_draw_gap,
)
def _flat_means_sgd(adapter: Adapter, problem: Problem) -> Iterable[Clause]:
    step, hp, H = first_step(adapter, problem), problem.hp, problem.facts.product
    w, lr, rho = step.start, hp.lr, hp.rho
    spectrum, skew = np.abs(problem.facts.spectrum), problem.facts.defect
    Hw = H(w)
    gap = norm(w - lr * Hw - step.end_to_rounding)
    yield equal("‖w_SAM − w_SGD‖ = ηρ‖Hĝ‖", gap, (lr * rho) * (norm(H(Hw)) / norm(Hw)))
    top, bottom = spectrum.max(), spectrum[spectrum > 0].min()
    radius, slack = exact(lr) * rho, lr * rho * top * 3 * skew
    yield at_most("… ≤ ηρ max|λ|", gap, (radius * top).widened(slack))
    yield at_most("… ≥ ηρ min|λ|", (radius * bottom).widened(slack), gap)


@state(
    slug="monotone-edge",
    statement="SAM has an edge of stability, lower than SGD's 2/η and lower still near "
    "the minimum: a coordinate shrinks if and only if its curvature is below it.",
    equation="|wᵢ'| < |wᵢ| ⇔ λᵢ < (G/2ρ)(√(1 + 8ρ/(ηG)) − 1), G = ‖Hw‖",
    source="wᵢ' = wᵢ(1 − ηλᵢ − ηρλᵢ²/G), and |1 − x| < 1 ⇔ 0 < x < 2.",
    bound="components within rounding of |wᵢ'| = |wᵢ| are not judged",
    draw=partial(draw_quadratic, stable=2.5, rotated=False),
)
def _monotone_edge_clauses(adapter: Adapter, problem: Problem) -> Iterable[Clause]:
    step, hp = first_step(adapter, problem), problem.hp
    lr, rho, spectrum = hp.lr, hp.rho, problem.facts.spectrum
    w, after = step.start, step.end_to_rounding
    edge = monotone_edge(norm(problem.facts.product(w)), lr, rho)
    growth = abs(after) - abs(w)
    rising, falling = growth.value > growth.bound, growth.value < -growth.bound
    sharp, flat = spectrum >= edge.value - edge.bound, spectrum <= edge.value + edge.bound
    yield true("what grows is sharper than the edge", bool(np.all(sharp[rising])))
    yield true("what shrinks is flatter than the edge", bool(np.all(flat[falling])))


def draw_near_minimum(source: NumberSource) -> Problem:
    """Draw a bowl that is not too eccentric, its start within ρ of the minimum."""
    problem = draw_quadratic(source, largest=12, kinds=("tame", "equal"))
    w = problem.vector()
    near = problem.hp.rho * power_of_ten(source, -6, 0)
    return problem.at(w / np.linalg.norm(w) * near)


@state(
    slug="never-rests",
    statement="SAM does not converge to the minimum of a bowl: of two iterates in a row one is at "
    "least this far away.",
    equation="max(‖w‖, ‖w'‖) ≥ ηρλmin/(1 + q), q = max|1 − ηλᵢ|",
    source="‖w'‖ ≥ ηρ‖Hĝ‖ − ‖(I − ηH)w‖ ≥ ηρλmin − q‖w‖.",
    bound=ROUNDING,
    draw=draw_near_minimum,
    picture="bounce",
)
def _never_rests(adapter: Adapter, problem: Problem) -> Iterable[Clause]:
    step, hp, facts = first_step(adapter, problem), problem.hp, problem.facts
    lr, rho, spectrum = hp.lr, hp.rho, facts.spectrum
    q, skew = contraction(lr, facts), 4 * facts.defect * spectrum.max()
    least = (exact(lr) * rho * spectrum.min()).widened(lr * rho * skew)
    farther = max((step.start, step.end_to_rounding), key=lambda x: float(norm(x).value))
    yield at_most("max(‖w‖, ‖w'‖) ≥ ηρλmin/(1 + q)", least / (1 + q), norm(farther))


def contraction(lr: float, facts: Quadratic) -> Rounded:
    """Return q = max|1 − ηλᵢ|, as far off as the rotation is from orthogonal."""
    return norm(1 - exact(lr) * facts.spectrum, np.inf).widened(4 * facts.defect)


@state(
    slug="stays-near-sgd",
    statement="Over T steps on a bowl SAM stays within a bound of SGD that does not grow with T.",
    equation="‖w_T − u_T‖ ≤ ηρλ₁(1 − q^T)/(1 − q), q = max|1 − ηλᵢ| < 1",
    source="δ' = (I − ηH)δ − η(∇L(w+ε) − ∇L(w)): the first part shrinks by q, the second is at "
    "most ηρλ₁. Sum the series.",
    bound="T steps' rounding, each that of one step, shrunk by q likewise",
    draw=lambda source: draw_quadratic(source, stable=1.5, largest=12, kinds=("tame", "equal")),
)
def _stays_near_sgd(adapter: Adapter, problem: Problem, steps: int = 12) -> Iterable[Clause]:
    hp, facts = problem.hp, problem.facts
    lr, rho, spectrum = hp.lr, hp.rho, facts.spectrum
    q, allowed = contraction(lr, facts), exact(0.0)
    points = path(adapter, problem, steps)
    coordinates = facts.coordinates(exact(points[0]))  # SGD's, along the eigenvectors
    strayed, skew = 0.0, facts.defect * float(norm(coordinates).value)
    for t in range(1, steps + 1):
        here = problem.at(points[t - 1])
        own = float(np.linalg.norm(right_end(here, exact(points[t - 1])).bound))
        strayed = float(q.value) * strayed + own
        # QᵀQ ≠ I: SGD with H = QΛQᵀ strays by ηλ₁ times the defect from its coordinates' path
        own = 2 * lr * spectrum.max() * facts.defect * float(norm(coordinates).value)
        skew = float(q.value) * skew + own
        coordinates = (1 - lr * spectrum) * coordinates
        sgd = facts.rotated(coordinates)
        allowed = q * allowed + exact(lr) * rho * spectrum.max()
        gap = norm(exact(points[t]) - sgd)
        yield at_most(
            f"‖w_T − u_T‖ ≤ ηρλ₁(1 − q^T)/(1 − q), T = {t}",
            gap.known_to(gap.bound + strayed),
            allowed.widened(skew + 4 * facts.defect * float(allowed.value)),
        )


@state(
    slug="exact-sharpness",
    statement="The rise of the loss on the climb, SAM's measure of sharpness, is ρ times the slope "
    "and ½ρ² times the curvature along it.",
    equation="L(B) − L(A) = ρG + ½ρ²ĝᵀHĝ",
    source="Taylor's expansion of a quadratic ends there.",
    bound="the climb's rounding through L",
    draw=signed,
    picture="figure2",
)
def _exact_sharpness(adapter: Adapter, problem: Problem) -> Iterable[Clause]:
    step, rho, H = first_step(adapter, problem), problem.hp.rho, problem.facts.product
    g, climb = H(step.start), step.climb_from_loss
    G = norm(g)
    rise = inner(g, climb) + 0.5 * inner(climb, H(climb))
    right = rho * G + (0.5 * rho * rho) * (inner(g, H(g)) / (G * G))
    yield equal("L(B) − L(A) = ρG + ½ρ²ĝᵀHĝ", rise, right)


@state(
    slug="dropped-term",
    statement="What the paper drops from the gradient of L(w + ε(w)) is of second order in ρ, and "
    "vanishes where the gradient is an eigenvector.",
    equation="∇[L(w + ε(w))] − d2 = (ρ²/G) H(I − ĝĝᵀ)Hĝ, of norm ≤ ρ² max|λ| (λ₁ − λₙ)/(2G)",
    source="∂ε/∂w = (ρ/G)(I − ĝĝᵀ)H; (I − ĝĝᵀ)Hĝ has norm at most (λ₁ − λₙ)/2 by Popoviciu.",
    bound=ROUNDING,
    draw=signed,
)
def _dropped_term(adapter: Adapter, problem: Problem) -> Iterable[Clause]:
    step, hp, facts = first_step(adapter, problem), problem.hp, problem.facts
    rho, H = hp.rho, facts.product
    g = H(step.start)
    unit = g / norm(g)
    d2 = H(step.start + step.climb_from_loss)
    turning = d2 - inner(unit, d2) * unit
    extra = (rho / norm(g)) * H(turning)
    Hu = H(unit)
    right = (rho * rho / norm(g)) * H(Hu - inner(unit, Hu) * unit)
    yield equal("(ρ/G) H(I − ĝĝᵀ)d2 = (ρ²/G) H(I − ĝĝᵀ)Hĝ", extra, right)
    spread = facts.spectrum.max() - facts.spectrum.min()
    top = np.abs(facts.spectrum).max()
    limit = (rho * rho * top * spread / 2) / norm(g)
    limit = limit.widened(rho * rho * top * top * 8 * facts.defect / float(norm(g).value))
    yield at_most("… ≤ ρ² max|λ| (λ₁ − λₙ)/(2G)", norm(extra), limit)
