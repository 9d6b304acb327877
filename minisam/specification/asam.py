"""State ASAM: the steepest climb in a ball that stretches with the weights."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from minisam.adapters.protocol import Adapter
from minisam.landscapes import relu_network, rescale_nodes
from minisam.rounding import exact, inner, norm
from minisam.specification.clause import Clause, equal, identical, true
from minisam.specification.families import draw_quadratic, draw_scripted, draw_two_layers
from minisam.specification.problem import Problem, UnsuitableProblem, make_problem
from minisam.specification.property import chapter
from minisam.specification.right_step import ball_widths, dual, near_one, unit_climb
from minisam.specification.source import (
    DTYPES,
    NumberSource,
    draw_order,
    draw_point,
    draw_signs,
    generator,
    power_of_ten,
    rounded,
)
from minisam.specification.steps import first_step, first_steps

state = chapter("ASAM", methods=("asam",))
ROUNDING = (
    "ε to (n + 16 + 4q)u for its sum, root, powers and quotient, and half a unit of B = A + ε"
)


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


def draw_network(source: NumberSource) -> Problem:
    """Draw a ReLU network and factors for its nodes, powers of two so that rescaling is exact."""
    features, hidden, examples = source.integer(1, 3), source.integer(1, 4), source.integer(1, 5)
    rng = generator(source)
    network = relu_network(rng.normal(size=(examples, features)), rng.normal(size=examples), hidden)
    w = draw_point(source, hidden * features + hidden, -1, 0.5)
    w = np.where(w == 0, 1.0, w)
    factors = np.array([2.0 ** source.integer(-6, 6) for _ in range(hidden)])
    dtype = source.choice(DTYPES)
    if not np.any(network.slope(rounded(w, dtype))):
        raise UnsuitableProblem("every node is off")
    hp = {"method": "asam", "eta": 0.0, "scope": "all", "rho": power_of_ten(source, -2, 0)}
    return make_problem(
        source, w, lambda x: exact(network.slope(x.value)), factors, dtype, lr=0.1, **hp
    )


@state(
    slug="node-rescaling-does-not-matter",
    statement="Rescaling the nodes of a ReLU network, which leaves its function alone, rescales "
    "ASAM's climb in the same way (η = 0), so that B is the same function too. (The step is not "
    "rescaled: η d2 goes the other way.)",
    equation="L(Aw) = L(w) for all w ⇒ ε(Aw) = Aε(w)",
    source="g(Aw) = A⁻¹g(w) and T(Aw) = AT(w), so that Tg is unchanged and T²g is multiplied by A.",
    bound=ROUNDING + "; the factors are powers of two",
    draw=draw_network,
)
def _node_rescaling(adapter: Adapter, problem: Problem) -> Iterable[Clause]:
    w = problem.vector()
    A = rescale_nodes(np.ones(w.size), problem.facts)
    other = problem.at(A * w)
    here, there = first_step(adapter, problem), first_step(adapter, other)
    yield equal("ε(Aw) = Aε(w)", there.climb, A * here.climb)


def _draw_sam_unbalanced(source: NumberSource) -> Problem:
    problem = draw_two_layers(source)
    t = 2.0 ** source.integer(3, 6)
    k = problem.vector().size // 2
    stretch = np.concatenate([np.full(k, t), np.full(k, 1 / t)])
    return problem._replace(facts=(problem.facts, stretch))


@state(
    slug="sam-knows-the-scale",
    statement="SAM, unlike ASAM, climbs differently when a network's layers are rescaled by t and "
    "1/t: the same function looks sharper, without limit.",
    equation="L(B) = ½(u·v(1 + s²) + sN² − y)², s = ρ sgn r/N, N² = ‖u‖² + ‖v‖², at (tu, v/t)",
    source="B = (u + sv, v + su); u·v is unchanged by t, and N grows with it.",
    bound="the climb's rounding through L",
    methods=("sam",),
    draw=_draw_sam_unbalanced,
)
def _sam_knows_the_scale(adapter: Adapter, problem: Problem) -> Iterable[Clause]:
    facts, stretch = problem.facts
    rises = []
    for here in (problem, problem.at(stretch * problem.vector())):
        step = first_step(adapter, here)
        w, B, k = step.start, step.start + step.climb_from_loss, step.start.size // 2
        _, high = facts.at_b(w, here.hp.rho)
        yield equal("residual at B", inner(B[:k], B[k:]) - facts.target, high)
        rises.append(abs(inner(B[:k], B[k:]) - inner(w[:k], w[k:])))
    apart = rises[1] - rises[0]
    yield true("the two climbs rise differently", bool(np.abs(apart.value) > apart.bound))


def _draw_layers_asam(source: NumberSource) -> Problem:
    problem = _draw_sam_unbalanced(source)
    return problem.having(method="asam", eta=0.0, scope="all")


@state(
    slug="asam-does-not-know-the-scale",
    statement="ASAM rises by the same amount at (tu, v/t) for every t.",
    equation="L(B) at (tu, v/t) = L(B) at (u, v), η = 0",
    source="ε(Aw) = Aε(w), and u·v is unchanged by A.",
    bound="the climb's rounding through L; t is a power of two",
    draw=_draw_layers_asam,
)
def _asam_does_not_know_the_scale(adapter: Adapter, problem: Problem) -> Iterable[Clause]:
    _, stretch = problem.facts
    products = []
    for here in (problem, problem.at(stretch * problem.vector())):
        step = first_step(adapter, here)
        B, k = step.start + step.climb_from_loss, step.start.size // 2
        products.append(inner(B[:k], B[k:]))
    yield equal("u·v at B", products[1], products[0])


@state(
    slug="asam-knows-the-axes",
    statement="ASAM's ball has axes and an origin: turned by 45°, or shifted, the same loss is "
    "climbed differently, where SAM would go along.",
    equation="w = (1, 0), g = (1, 1): ε = ρ(1, 0); turned by 45° and back: ε = ρ(½, ½); shifted by "
    "(0, 1): ε = ρ(√½, √½); η = 0",
    source="T = diag(1, 0) in the first, √½I in the second, I in the third.",
    bound=ROUNDING,
    draw=lambda source: _draw_axes(source),
)
def _asam_knows_the_axes(adapter: Adapter, problem: Problem) -> Iterable[Clause]:
    rho = problem.hp.rho
    yield equal("ε = ρ(1, 0)", first_step(adapter, problem).climb, exact([rho, 0.0]))
    half = 0.5**0.5
    turned = problem.at(np.array([half, half]))
    turned = turned._replace(field=lambda w: exact([0.0, 1.0]))
    right = exact([0.0, 1.0]) * (rho * turned.vector()[1])
    yield equal("ε = ρ(0, √½)", first_step(adapter, turned).climb, right)
    shifted = first_step(adapter, problem.at(np.array([1.0, 1.0])))
    yield equal("ε = ρ(√½, √½)", shifted.climb, rho * exact([half, half]).widened(2.0**-53))


def _draw_axes(source: NumberSource) -> Problem:
    point, dtype = np.array([1.0, 0.0]), source.choice(DTYPES)
    hp = {"method": "asam", "eta": 0.0, "scope": "all", "rho": power_of_ten(source, -2, 1)}
    return make_problem(source, point, lambda w: exact([1.0, 1.0]), None, dtype, **hp)
