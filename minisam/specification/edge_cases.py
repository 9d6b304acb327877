"""State the cases at the edge, where something is zero or missing, most of them to the last bit."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

import numpy as np

from minisam.adapters.protocol import Adapter, Arrays
from minisam.rounding import exact
from minisam.specification.clause import Clause, equal, identical
from minisam.specification.families import Scripted, draw_quadratic
from minisam.specification.problem import Problem, make_problem
from minisam.specification.right_step import base_step
from minisam.specification.source import (
    DTYPES,
    NumberSource,
    draw_gradient,
    draw_order,
    draw_size,
    power_of_ten,
    real,
)
from minisam.specification.steps import first_step, path, start_run
from minisam.specification.two_passes import BITS, draw_either_method, state


def _draw_rho_zero(source: NumberSource) -> Problem:
    problem = draw_quadratic(source, signed=True)
    return problem.having(
        rho=0.0,
        method=source.choice(("sam", "asam")),
        momentum=source.choice((0.0, 0.5)),
        weight_decay=source.choice((0.0, 0.25)),
    )


@state(
    slug="rho-zero-is-sgd",
    statement="With ρ = 0 three steps are the base optimizer's, to the last bit.",
    equation="SAM(ρ = 0) = SGD",
    source="B = A, so that d2 = d1; nothing is rounded that SGD does not round.",
    bound=BITS,
    draw=_draw_rho_zero,
)
def _rho_zero_is_sgd(adapter: Adapter, problem: Problem) -> Iterable[Clause]:
    if "sgd" in getattr(adapter, "methods", ()):
        ours, base = path(adapter, problem, 3), path(adapter, problem.having(method="sgd"), 3)
        yield identical("SAM's path is SGD's", ours, base)
        return
    # no base optimizer to compare with: plain SGD, to within the rounding of a product and a sum
    plain = problem.having(momentum=0.0, weight_decay=0.0)
    ours, lr = path(adapter, plain, 3), plain.hp.lr
    for before, after in itertools.pairwise(ours):
        here = plain.at(before)
        d1 = exact(here.vector(here.gradient(here.start)))
        yield equal("w' = w − η d1", exact(after), base_step(exact(before), lr, d1, problem.u))


@state(
    slug="lr-zero-rests",
    statement="With η = 0 the weights are what they were, to the last bit: A is restored from a "
    "copy. (A + ε) − ε is not A in floating point.",
    equation="η = 0 ⇒ w' = w",
    source="w' = A − 0 · d2.",
    bound=BITS,
    draw=lambda source: draw_either_method(source).having(lr=0.0),
)
def _lr_zero_rests(adapter: Adapter, problem: Problem) -> Iterable[Clause]:
    points = path(adapter, problem, 2)
    yield identical("w' = w", points[1:], np.broadcast_to(points[0], points[1:].shape))


def _draw_zero_gradient(source: NumberSource) -> Problem:
    problem = draw_either_method(source)
    zero = np.zeros(problem.vector().size)
    return Scripted(problem.vector(), zero, zero).put_on(problem)


@state(
    slug="zero-gradient-rests",
    statement="Where the gradient is zero there is no climb and no step, and no NaN.",
    equation="g = 0 ⇒ ε = 0, w' = w",
    source="ε = 0 is the only choice that commutes with every rotation.",
    bound=BITS,
    draw=_draw_zero_gradient,
)
def _zero_gradient_rests(adapter: Adapter, problem: Problem) -> Iterable[Clause]:
    step = first_step(adapter, problem)
    for query in step.observation.queries:
        yield identical("B = A", problem.vector(query), step.start.value)
    yield identical("w' = w", step.end.value, step.start.value)


def _draw_zero_second(source: NumberSource) -> Problem:
    problem = draw_either_method(source)
    d2 = problem.facts.descent_gradient.copy()
    ends = np.cumsum([array.size for array in problem.start])
    keep = source.integer(0, len(problem.start) - 1)  # one tensor has no gradient at B, or all
    whole = source.choice((True, False))
    for index, (end, array) in enumerate(zip(ends, problem.start, strict=True)):
        if whole or index != keep:
            d2[end - array.size : end] = 0.0
    return problem.facts._replace(descent_gradient=d2).put_on(problem)


@state(
    slug="zero-second-gradient-restores",
    statement="A tensor whose gradient at B is zero goes back to A exactly.",
    equation="d2ᵢ = 0 ⇒ wᵢ' = wᵢ",
    source="w' = A − η d2, tensor by tensor.",
    bound=BITS,
    draw=_draw_zero_second,
)
def _zero_second_gradient_restores(adapter: Adapter, problem: Problem) -> Iterable[Clause]:
    step = first_step(adapter, problem)
    still = problem.facts.descent_gradient == 0
    yield identical("wᵢ' = wᵢ", step.end.value[still], step.start.value[still])


@state(
    slug="missing-second-gradient-restores",
    statement="So does a tensor that has no gradient at B at all, as where a framework's graph "
    "does not reach it.",
    equation="d2ᵢ = None ⇒ wᵢ' = wᵢ",
    source="No gradient is a gradient of zero.",
    bound=BITS,
    draw=_draw_zero_second,
    requires="missing-gradient",
)
def _missing_second_gradient_restores(adapter: Adapter, problem: Problem) -> Iterable[Clause]:
    def gradient(arrays: Arrays) -> list:
        return [g if np.any(g) else None for g in problem.gradient(arrays)]

    end = problem.vector(start_run(adapter, problem.having(missing=True))(gradient))
    at_b = problem.tensors(problem.facts.descent_gradient)
    still = np.repeat([not np.any(g) for g in at_b], [g.size for g in at_b])
    yield identical("wᵢ' = wᵢ", end[still], problem.vector()[still])


def _draw_linear(source: NumberSource) -> Problem:
    dtype, p = source.choice(DTYPES), draw_order(source)
    n = draw_size(source)
    g = draw_gradient(source, n, dtype)
    point = source.reals(-10, 10, n)
    facts = Scripted(point, g, g)
    method, rho = source.choice(("sam", "asam")), power_of_ten(source, -4, 2)
    hp = {"method": method, "p": p, "rho": rho, "lr": real(source, 0.01, 1.0)}
    return make_problem(source, point, facts.field, facts, dtype, **hp)


@state(
    slug="linear-loss-is-sgd",
    statement="On a linear loss, flat in every sense, SAM is SGD for every p and every ρ.",
    equation="L(w) = gᵀw ⇒ w' = w − ηg",
    source="The gradient at B is the gradient at A.",
    bound="one product and one difference: u(|w'| + 3η|g|)",
    draw=_draw_linear,
)
def _linear_loss_is_sgd(adapter: Adapter, problem: Problem) -> Iterable[Clause]:
    points = path(adapter, problem, 2)
    lr, u = problem.hp.lr, problem.u
    g = exact(problem.facts.ascent_gradient)
    for before, after in itertools.pairwise(points):
        yield equal("w' = w − ηg", exact(after), base_step(exact(before), lr, g, u))
