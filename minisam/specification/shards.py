"""State a climb for every few examples instead of one for the batch, and batches in pieces."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import NamedTuple

import numpy as np

from minisam.adapters.protocol import Adapter, Arrays, Observation, mark
from minisam.rounding import Rounded, exact, inner, norm
from minisam.specification.clause import Clause, at_most, equal
from minisam.specification.families import Quadratic, draw_quadratic
from minisam.specification.problem import Problem, UnsuitableProblem, make_problem
from minisam.specification.property import chapter
from minisam.specification.right_step import right_end
from minisam.specification.source import (
    DTYPES,
    NumberSource,
    draw_point,
    power_of_ten,
    real,
    rounded,
)
from minisam.specification.steps import check_form, first_step, start_run

state = chapter("Shards of a batch")
ROUNDING = "running: each shard's climb and gradient rounded as one step's"


class Shards(NamedTuple):
    """Shards ½(w − c_s)ᵀH(w − c_s) with one Hessian and a centre each."""

    bowl: Quadratic
    centres: np.ndarray


def draw_shards(source: NumberSource) -> Problem:
    """Draw a batch of up to six shards, each with its centre."""
    problem = draw_quadratic(source, stable=1.0, largest=12, kinds=("tame", "equal"))
    count, n = source.integer(2, 6), problem.vector().size
    centres = np.stack([rounded(draw_point(source, n, -1, 1), problem.dtype) for _ in range(count)])
    point = draw_point(source, n, -1, 1)
    shards = Shards(problem.facts, centres)
    return problem.at(point)._replace(facts=shards)


def of_shard(problem: Problem, centre: np.ndarray) -> Problem:
    """Return the problem of one shard alone."""
    product = problem.facts.bowl.product
    return problem._replace(field=lambda w: product(w - centre))


def mean_vector(parts: list[Rounded]) -> Rounded:
    """Return the mean of some vectors."""
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total / len(parts)


@state(
    slug="m-sharpness-gradient",
    statement="With a climb for every shard, the mean gradient at the Bs is that of the "
    "mean loss plus ρH times the mean of the shards' unit gradients.",
    equation="mean d2_s = mean g_s + ρH mean ĝ_s, for shards of one Hessian H",
    source="d2_s = g_s + ρHĝ_s. Foret et al. 2020, section 4.1, for m-sharpness.",
    bound=ROUNDING,
    draw=draw_shards,
)
def _m_sharpness_gradient(adapter: Adapter, problem: Problem) -> Iterable[Clause]:
    facts, hp = problem.facts, problem.hp
    moves, right = [], []
    for centre in facts.centres:
        here = of_shard(problem, centre)
        step = first_step(adapter, here)
        g = here.field(step.start)
        unit = g / norm(g) if np.any(g.value) else g  # a zero gradient does not climb
        moves.append((step.start - step.end_to_rounding) / hp.lr)
        right.append(g + hp.rho * facts.bowl.product(unit))
    yield equal("mean d2_s = mean g_s + ρH mean ĝ_s", mean_vector(moves), mean_vector(right))


@state(
    slug="m-sharpness-grows",
    statement="Refining the shards never lowers the mean sharpness: a climb for everybody hurts "
    "each of them no more than a climb of its own.",
    equation="mean ⟨g_s, ε_s⟩ = ρ mean ‖g_s‖ ≥ ρ‖mean g_s‖ = ⟨mean g_s, ε⟩",
    source="The mean of maxima is at least the maximum of the mean; here, the triangle inequality.",
    bound=ROUNDING,
    draw=draw_shards,
)
def _m_sharpness_grows(adapter: Adapter, problem: Problem) -> Iterable[Clause]:
    facts = problem.facts
    rises, gradients = [], []
    for centre in facts.centres:
        step = first_step(adapter, of_shard(problem, centre))
        gradients.append(step.ascent_gradient)
        rises.append(inner(step.ascent_gradient, step.climb))
    whole = problem._replace(
        field=lambda w: mean_vector([of_shard(problem, c).field(w) for c in facts.centres])
    )
    step = first_step(adapter, whole)
    together = inner(step.ascent_gradient, step.climb)
    lengths = mean_vector([norm(g) for g in gradients])
    yield equal("mean ⟨g_s, ε_s⟩ = ρ mean ‖g_s‖", mean_vector(rises), problem.hp.rho * lengths)
    # the batch's gradient was rounded once more than the mean of the shards'
    slack = problem.hp.rho * 2 * problem.u * lengths.value
    yield at_most("⟨mean g_s, ε⟩ ≤ mean ⟨g_s, ε_s⟩", together, mean_vector(rises).widened(slack))


class Location(NamedTuple):
    """Points at 0 and, a fraction d of them, at M."""

    outliers: int
    points: int
    outlier: float


def draw_location(source: NumberSource) -> Problem:
    """Draw up to 20 points of which fewer than half are far off, and a start between."""
    dtype = source.choice(DTYPES)
    count = source.integer(3, 20)
    outliers = source.integer(1, (count - 1) // 2)
    outlier, rho = power_of_ten(source, 0, 2), power_of_ten(source, -1, 1)
    start = rounded(outlier * real(source, 0.05, 0.95), dtype)
    if not 0 < start < outlier:
        raise UnsuitableProblem("the start is not between the points")
    facts, lr = Location(outliers, count, rounded(outlier, dtype)), real(source, 0.05, 1.0)
    return make_problem(source, np.array([start]), lambda w: w * 1.0, facts, dtype, rho=rho, lr=lr)


@state(
    slug="outliers-are-resisted",
    statement="With a climb for every example SAM resists outliers: it adds ρ to each example's "
    "pull whatever its distance, as a median does, and so ends nearer the majority than the mean.",
    equation="mean d2ᵢ = w − dM + ρ(1 − 2d) on (0, M); the minimizer is max(0, dM − ρ(1 − 2d))",
    source="d2ᵢ = (w − cᵢ) + ρ sgn(w − cᵢ), from a fraction d at M and the rest at 0.",
    bound=ROUNDING,
    draw=draw_location,
)
def _outliers_are_resisted(adapter: Adapter, problem: Problem) -> Iterable[Clause]:
    facts, hp = problem.facts, problem.hp
    pulls = []
    for centre in (facts.outlier, 0.0):

        def pull(w: Rounded, centre: float = centre) -> Rounded:
            return w - centre

        step = first_step(adapter, problem._replace(field=pull))
        pulls.append((step.start - step.end_to_rounding) / hp.lr)
    d = exact(facts.outliers) / facts.points
    average_pull = d * pulls[0] + (1 - d) * pulls[1]
    right = problem.vector() - d * facts.outlier + hp.rho * (1 - 2 * d)
    yield equal("mean d2ᵢ = w − dM + ρ(1 − 2d)", average_pull, right)


@state(
    slug="split-batch-is-one-batch",
    statement="A batch that is processed in pieces takes the step of the whole batch: the pieces' "
    "gradients are averaged before the climb, both passes see the same pieces, and there is one ε.",
    equation="d1 = mean g_s(A), d2 = mean g_s(B), B = A + ρ d1/‖d1‖",
    source="The mean of the gradients is the gradient of the mean.",
    bound="as for one step, a mean of k pieces rounded k + 1 times more",
    methods=("sam", "asam"),
    draw=lambda source: draw_shards(source).having(method=source.choice(("sam", "asam"))),
    requires="shards",
)
def _split_batch(adapter: Adapter, problem: Problem) -> Iterable[Clause]:
    facts = problem.facts
    count = len(facts.centres)

    def gradient(arrays: Arrays, shard: int | None = None) -> Arrays:
        here = whole if shard is None else of_shard(problem, facts.centres[shard])
        return here.gradient(arrays)

    mark(gradient, shards=[partial(gradient, shard=index) for index in range(count)])

    centre = mean_vector([exact(c) for c in facts.centres])
    product = facts.bowl.product

    def field(w: Rounded) -> Rounded:
        g = product(w - centre)
        parts = [np.abs(product(w - c).value) for c in facts.centres]
        return g.widened((count + 2) * 2 * problem.u * np.mean(parts, axis=0))

    whole = problem._replace(field=field)
    end = start_run(adapter, problem.having(shards=count))(gradient)
    check_form(problem, Observation(problem.start, [], [], end))
    right = right_end(whole, exact(problem.vector()))
    yield equal("w'", exact(problem.vector(end)).known_to(right.bound), right)
