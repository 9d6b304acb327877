"""What the base update must do with d2: momentum, weight decay, schedules, split batches."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

import numpy as np

from minisam.adapters.protocol import Adapter
from minisam.rounding import Rounded, norm, unit_roundoff
from minisam.specification.families import draw_quadratic
from minisam.specification.problem import Problem, Source, real, rounded
from minisam.specification.property import state
from minisam.specification.steps import (
    Clause,
    base_step_slack,
    equal,
    near_one,
    next_velocity,
    one_step,
    walk,
)

SECTION = "The base update"


def _draw_momentum(source: Source) -> Problem:
    problem = draw_quadratic(source, stable=0.5)
    return problem.having(
        method=source.choice(("sam", "asam")),
        momentum=rounded(real(source, 0.1, 0.95), problem.dtype),
        nesterov=source.choice((False, True)),
        weight_decay=source.choice((0.0, 0.125)),
    )


@state(
    slug="momentum-sees-d2-once",
    section=SECTION,
    statement="The velocity is fed by the gradient at B, once a step, and outlives the step.",
    equation="v ← μv + (d2 + λA), w' = A − ηv; with Nesterov w' = A − η(d2 + λA + μv)",
    source="SAM replaces the gradient that the base optimizer is given, and nothing else of it.",
    bound="3u for every product and sum, v's error carried from step to step",
    methods=("sam", "asam"),
    draw=_draw_momentum,
)
def _momentum_sees_d2_once(adapter: Adapter, problem: Problem) -> Iterable[Clause]:
    hyper, u = problem.hyperparameters, unit_roundoff(problem.dtype)
    lr, mu, decay = hyper["lr"], hyper["momentum"], hyper["weight_decay"]
    velocity = None
    for seen in walk(adapter, problem, 4):
        d2 = rounded_decay(seen.descent_gradient, decay, seen.start, u)
        velocity = next_velocity(velocity, mu, d2, u)
        move = next_velocity(velocity, mu, d2, u) if hyper["nesterov"] else velocity
        right = seen.start - lr * move
        slack = base_step_slack(right, lr, move, u)
        yield equal("w' = A − ηv", seen.end, right.widened(slack))


def rounded_decay(gradient: Rounded, decay: float, w: Rounded, u: float) -> Rounded:
    """G + λw, in the optimizer's dtype."""
    if not decay:
        return gradient
    size = np.abs(gradient.value) + 2 * decay * np.abs(w.value)
    return (gradient + decay * w).widened(2 * u * size)


def _draw_decay(source: Source, decay: str) -> Problem:
    problem = draw_quadratic(source, stable=0.5)
    return problem.having(
        weight_decay=rounded(real(source, 0.01, 0.5), problem.dtype),
        decay=decay,
        momentum=0.5 if decay == "decoupled" and source.choice((False, True)) else 0.0,
    )


@state(
    slug="decay-at-a",
    section=SECTION,
    statement="Weight decay of the base update is taken at A, and the climb does not see it.",
    equation="ε = ρ d1/‖d1‖, w' = A − η(d2 + λA)",
    source="A gradient step on L(w + ε) + ½λ‖w‖² with ε from L alone.",
    bound="as the climb; 3u for every product and sum",
    methods=("sam",),
    draw=partial(_draw_decay, decay="coupled"),
)
def _decay_at_a(adapter: Adapter, problem: Problem) -> Iterable[Clause]:
    hyper, u = problem.hyperparameters, unit_roundoff(problem.dtype)
    seen = one_step(adapter, problem)
    g, _ = near_one(seen.ascent_gradient)
    yield equal("ε = ρ d1/‖d1‖", seen.climb, hyper["rho"] * (g / norm(g)))
    d2 = rounded_decay(seen.descent_gradient, hyper["weight_decay"], seen.start, u)
    right = seen.start - hyper["lr"] * d2
    slack = base_step_slack(right, hyper["lr"], d2, u)
    yield equal("w' = A − η(d2 + λA)", seen.end, right.widened(slack))


@state(
    slug="decay-in-the-loss",
    section=SECTION,
    statement="Weight decay in the loss is in both gradients: SAM on the loss L + ½λ‖w‖².",
    equation="ε = ρ(d1 + λA)/‖d1 + λA‖, w' = A − η(d2 + λB)",
    source="∇(L + ½λ‖w‖²) = ∇L + λw, at A as at B.",
    bound="as the climb, with 2u more for d1 + λA; 3u for every product and sum",
    methods=("sam",),
    draw=partial(_draw_decay, decay="in_loss"),
)
def _decay_in_the_loss(adapter: Adapter, problem: Problem) -> Iterable[Clause]:
    hyper, u = problem.hyperparameters, unit_roundoff(problem.dtype)
    seen = one_step(adapter, problem)
    g = rounded_decay(seen.ascent_gradient, hyper["weight_decay"], seen.start, u)
    climb = seen.climb_along(g)
    g, _ = near_one(g)
    yield equal("ε = ρ(d1 + λA)/‖d1 + λA‖", climb, hyper["rho"] * (g / norm(g)))
    d2 = rounded_decay(seen.descent_gradient, hyper["weight_decay"], seen.perturbed, u)
    right = seen.start - hyper["lr"] * d2
    slack = base_step_slack(right, hyper["lr"], d2, u)
    yield equal("w' = A − η(d2 + λB)", seen.end, right.widened(slack))


@state(
    slug="decoupled-decay",
    section=SECTION,
    statement="Decoupled weight decay shrinks A beside the step and never enters the velocity.",
    equation="v ← μv + d2, w' = (1 − ηλ)A − ηv",
    source="Loshchilov and Hutter 2019, arXiv 1711.05101, Algorithm 1.",
    bound="3u for every product and sum, v's error carried from step to step",
    methods=("sam",),
    draw=partial(_draw_decay, decay="decoupled"),
)
def _decoupled_decay(adapter: Adapter, problem: Problem) -> Iterable[Clause]:
    hyper, u = problem.hyperparameters, unit_roundoff(problem.dtype)
    lr, decay, mu = hyper["lr"], hyper["weight_decay"], hyper["momentum"]
    velocity = None
    for seen in walk(adapter, problem, 3):
        velocity = next_velocity(velocity, mu, seen.descent_gradient, u)
        right = seen.start - (lr * decay) * seen.start - lr * velocity
        size = (1 + lr * decay) * np.abs(seen.start.value) + lr * np.abs(velocity.value)
        yield equal("w' = (1 − ηλ)A − ηv", seen.end, right.widened(4 * u * size))


def _draw_schedule(source: Source) -> Problem:
    problem = draw_quadratic(source, stable=0.5)
    hyper = problem.hyperparameters
    return problem.having(
        lr=[hyper["lr"] * factor for factor in (1.0, 0.5, 0.125)],
        rho=[hyper["rho"] * factor for factor in (0.25, 1.0, 0.5)],
    )


@state(
    slug="schedules-are-followed",
    section=SECTION,
    statement="Step t uses the learning rate and the radius of step t.",
    equation="‖εₜ‖ = ρₜ, wₜ₊₁ = wₜ − ηₜ d2ₜ",
    source="Foret et al. 2020, Algorithm 1, with η and ρ from a schedule.",
    bound="as the climb; u(|w'| + 3η|d2|)",
    methods=("sam",),
    draw=_draw_schedule,
)
def _schedules_are_followed(adapter: Adapter, problem: Problem) -> Iterable[Clause]:
    u = unit_roundoff(problem.dtype)
    for step, seen in enumerate(walk(adapter, problem, 3)):
        now = problem.hyperparameters.at(step)
        g, _ = near_one(seen.ascent_gradient)
        yield equal("ε = ρₜ g/‖g‖", seen.climb, now["rho"] * (g / norm(g)))
        d2 = seen.descent_gradient
        right = seen.start - now["lr"] * d2
        slack = base_step_slack(right, now["lr"], d2, u)
        yield equal("w' = w − ηₜ d2", seen.end, right.widened(slack))
