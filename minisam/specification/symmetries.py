"""State what must not matter: units, the loss's scale, the axes, how the weights are cut up."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from minisam.adapters.protocol import Adapter
from minisam.landscapes import random_rotation
from minisam.rounding import exact
from minisam.specification.clause import Clause, equal
from minisam.specification.families import Scripted, defect, draw_quadratic, draw_scripted
from minisam.specification.problem import Problem
from minisam.specification.property import chapter
from minisam.specification.right_step import right_end
from minisam.specification.source import NumberSource, draw_order, draw_signs, generator
from minisam.specification.steps import first_step

state = chapter("What must not matter")
BOTH_STEPS = "the rounding of both steps; changes of scale are powers of two, and exact"


class Changed(NamedTuple):
    """What is known of a loss, and the factor, matrix or shift by which it is changed."""

    loss: Any
    change: float | np.ndarray


def _draw_scaled(source: NumberSource) -> Problem:
    problem = draw_quadratic(source, signed=True, largest=20)
    factor = 2.0 ** source.integer(-12, 12)
    problem = problem._replace(facts=Changed(problem.facts, factor))
    return problem.having(method=source.choice(("sam", "asam")))


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
    right = first_step(adapter, problem).end_to_rounding
    yield equal("w'", first_step(adapter, other).end_to_rounding, right)


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
    right = first_step(adapter, whole).end_to_rounding
    yield equal("w'", first_step(adapter, problem).end_to_rounding, right)


def draw_shifted(source: NumberSource) -> Problem:
    """Draw a start and a shift that are multiples of 2⁻⁸ below 2⁴: their sum is exact."""
    problem = draw_quadratic(source, signed=True, largest=12, kinds=("tame", "equal"))
    n = problem.vector().size
    grid = np.round(source.reals(-8, 8, 2 * n) * 256) / 256
    start = np.where(grid[:n] == 0, 1.0, grid[:n])
    return problem.at(start)._replace(facts=Changed(problem.facts, grid[n:]))


@state(
    slug="translation-does-not-matter",
    statement="SAM does not know where the origin is.",
    equation="SAM(w + t; L(· − t)) = SAM(w; L) + t",
    source="∇L(· − t) at w + t is ∇L(w).",
    bound="none on t, which is exact; the rounding of both steps",
    draw=draw_shifted,
)
def _translation(adapter: Adapter, problem: Problem) -> Iterable[Clause]:
    t, field = problem.facts.change, problem.field
    other = problem._replace(field=lambda w: field(w - t)).at(problem.vector() + t)
    right = first_step(adapter, problem).end_to_rounding + t
    yield equal("w' + t", first_step(adapter, other).end_to_rounding, right)
