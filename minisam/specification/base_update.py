"""State what the base update does with d2: momentum, weight decay, schedules."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

import numpy as np

from minisam.adapters.protocol import Adapter
from minisam.rounding import Rounded
from minisam.specification.clause import Clause, equal
from minisam.specification.families import draw_quadratic
from minisam.specification.problem import Problem
from minisam.specification.property import chapter
from minisam.specification.right_step import next_velocity, unit_climb
from minisam.specification.source import NumberSource, real, rounded
from minisam.specification.steps import first_step, first_steps

state = chapter("The base update")


def _draw_momentum(source: NumberSource) -> Problem:
    problem = draw_quadratic(source, stable=0.5)
    return problem.having(
        method=source.choice(("sam", "asam")),
        momentum=rounded(real(source, 0.1, 0.95), problem.dtype),
        nesterov=source.choice((False, True)),
        weight_decay=source.choice((0.0, 0.125)),
    )


@state(
    slug="momentum-sees-d2-once",
    statement="The velocity is fed by the gradient at B, once a step, and outlives the step.",
    equation="v ← μv + (d2 + λA), w' = A − ηv; with Nesterov w' = A − η(d2 + λA + μv)",
    source="SAM replaces the gradient that the base optimizer is given, and nothing else of it.",
    bound="3u for every product and sum, v's error carried from step to step",
    methods=("sam", "asam"),
    draw=_draw_momentum,
)
def _momentum_sees_d2_once(adapter: Adapter, problem: Problem) -> Iterable[Clause]:
    hp, u = problem.hp, problem.u
    mu, decay = hp.momentum, hp.weight_decay
    velocity = None
    for step in first_steps(adapter, problem, 4):
        d2 = with_decay(step.descent_gradient, decay, step.start, u)
        velocity = next_velocity(velocity, mu, d2, u)
        move = next_velocity(velocity, mu, d2, u) if hp.nesterov else velocity
        yield equal("w' = A − ηv", step.end, step.descent_along(move))


def with_decay(gradient: Rounded, decay: float, w: Rounded, u: float) -> Rounded:
    """Return g + λw, in the optimizer's dtype."""
    if not decay:
        return gradient
    size = np.abs(gradient.value) + 2 * decay * np.abs(w.value)
    return (gradient + decay * w).widened(2 * u * size)


def _draw_decay(source: NumberSource, decay: str) -> Problem:
    problem = draw_quadratic(source, stable=0.5)
    return problem.having(
        weight_decay=rounded(real(source, 0.01, 0.5), problem.dtype),
        decay=decay,
        momentum=0.5 if decay == "decoupled" and source.choice((False, True)) else 0.0,
    )


@state(
    slug="decay-at-a",
    statement="Weight decay of the base update is taken at A, and the climb does not see it.",
    equation="ε = ρ d1/‖d1‖, w' = A − η(d2 + λA)",
    source="A gradient step on L(w + ε) + ½λ‖w‖² with ε from L alone.",
    bound="as the climb; 3u for every product and sum",
    draw=partial(_draw_decay, decay="coupled"),
)
def _decay_at_a(adapter: Adapter, problem: Problem) -> Iterable[Clause]:
    hp, u = problem.hp, problem.u
    step = first_step(adapter, problem)
    yield equal("ε = ρ d1/‖d1‖", step.climb, hp.rho * unit_climb(step.ascent_gradient))
    d2 = with_decay(step.descent_gradient, hp.weight_decay, step.start, u)
    yield equal("w' = A − η(d2 + λA)", step.end, step.descent_along(d2))


@state(
    slug="decay-in-the-loss",
    statement="Weight decay in the loss is in both gradients: SAM on the loss L + ½λ‖w‖².",
    equation="ε = ρ(d1 + λA)/‖d1 + λA‖, w' = A − η(d2 + λB)",
    source="∇(L + ½λ‖w‖²) = ∇L + λw, at A as at B.",
    bound="as the climb, with 2u more for d1 + λA; 3u for every product and sum",
    draw=partial(_draw_decay, decay="in_loss"),
)
def _decay_in_the_loss(adapter: Adapter, problem: Problem) -> Iterable[Clause]:
    hp, u = problem.hp, problem.u
    step = first_step(adapter, problem)
    g = with_decay(step.ascent_gradient, hp.weight_decay, step.start, u)
    yield equal("ε = ρ(d1 + λA)/‖d1 + λA‖", step.climb_along(g), hp.rho * unit_climb(g))
    d2 = with_decay(step.descent_gradient, hp.weight_decay, step.perturbed, u)
    yield equal("w' = A − η(d2 + λB)", step.end, step.descent_along(d2))


@state(
    slug="decoupled-decay",
    statement="Decoupled weight decay shrinks A beside the step and never enters the velocity.",
    equation="v ← μv + d2, w' = (1 − ηλ)A − ηv",
    source="Loshchilov and Hutter 2019, arXiv 1711.05101, Algorithm 1.",
    bound="3u for every product and sum, v's error carried from step to step",
    draw=partial(_draw_decay, decay="decoupled"),
)
def _decoupled_decay(adapter: Adapter, problem: Problem) -> Iterable[Clause]:
    hp, u = problem.hp, problem.u
    lr, decay, mu = hp.lr, hp.weight_decay, hp.momentum
    velocity = None
    for step in first_steps(adapter, problem, 3):
        velocity = next_velocity(velocity, mu, step.descent_gradient, u)
        right = step.start - (lr * decay) * step.start - lr * velocity
        size = (1 + lr * decay) * np.abs(step.start.value) + lr * np.abs(velocity.value)
        yield equal("w' = (1 − ηλ)A − ηv", step.end, right.widened(4 * u * size))


def _draw_schedule(source: NumberSource) -> Problem:
    problem = draw_quadratic(source, stable=0.5)
    hp = problem.hp
    return problem.having(
        lr=[hp.lr * factor for factor in (1.0, 0.5, 0.125)],
        rho=[hp.rho * factor for factor in (0.25, 1.0, 0.5)],
    )


@state(
    slug="schedules-are-followed",
    statement="Step t uses the learning rate and the radius of step t.",
    equation="‖εₜ‖ = ρₜ, wₜ₊₁ = wₜ − ηₜ d2ₜ",
    source="Foret et al. 2020, Algorithm 1, with η and ρ from a schedule.",
    bound="as the climb; u(|w'| + 3η|d2|)",
    draw=_draw_schedule,
)
def _schedules_are_followed(adapter: Adapter, problem: Problem) -> Iterable[Clause]:
    for step in first_steps(adapter, problem, 3):
        yield equal(
            "ε = ρₜ g/‖g‖", step.climb, step.problem.hp.rho * unit_climb(step.ascent_gradient)
        )
        yield equal("w' = w − ηₜ d2", step.end, step.descent_along(step.descent_gradient))
