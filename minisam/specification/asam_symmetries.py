"""State which changes of a network's weights ASAM does not see, and which it does."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from minisam.adapters.protocol import Adapter
from minisam.landscapes import relu_network, rescale_nodes
from minisam.rounding import exact
from minisam.specification.asam import ROUNDING, state
from minisam.specification.clause import Clause, equal, true
from minisam.specification.families import draw_two_layers, layers_product
from minisam.specification.problem import Problem, UnsuitableProblem, make_problem
from minisam.specification.source import (
    DTYPES,
    NumberSource,
    draw_point,
    generator,
    power_of_ten,
    rounded,
)
from minisam.specification.steps import first_step


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
        w, at_b = step.start, layers_product(step.start + step.climb_from_loss)
        _, high = facts.at_b(w, here.hp.rho)
        yield equal("residual at B", at_b - facts.target, high)
        rises.append(abs(at_b - layers_product(w)))
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
        products.append(layers_product(step.start + step.climb_from_loss))
    yield equal("u·v at B", products[1], products[0])


def _draw_axes(source: NumberSource) -> Problem:
    point, dtype = np.array([1.0, 0.0]), source.choice(DTYPES)
    hp = {"method": "asam", "eta": 0.0, "scope": "all", "rho": power_of_ten(source, -2, 1)}
    return make_problem(source, point, lambda w: exact([1.0, 1.0]), None, dtype, **hp)


@state(
    slug="asam-knows-the-axes",
    statement="ASAM's ball has axes and an origin: turned by 45°, or shifted, the same loss is "
    "climbed differently, where SAM would go along.",
    equation="w = (1, 0), g = (1, 1): ε = ρ(1, 0); turned by 45° and back: ε = ρ(½, ½); shifted by "
    "(0, 1): ε = ρ(√½, √½); η = 0",
    source="T = diag(1, 0) in the first, √½I in the second, I in the third.",
    bound=ROUNDING,
    draw=_draw_axes,
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
