"""State the follow-ups of SAM: where each is SAM, and what it changes."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

import numpy as np

from minisam.adapters.protocol import Adapter
from minisam.optim.methods import METHODS, title_of
from minisam.rounding import inner, norm
from minisam.specification.clause import Clause, equal
from minisam.specification.families import draw_quadratic, draw_scripted
from minisam.specification.problem import Problem
from minisam.specification.property import Property, chapter, register
from minisam.specification.right_step import base_step_slack, next_velocity, unit_climb
from minisam.specification.source import NumberSource, real, rounded
from minisam.specification.steps import first_step, first_steps

SECTION = "Follow-ups"
state = chapter(SECTION)


def draw_reduction(source: NumberSource, method: str) -> Problem:
    """Draw a bowl, and a method with the hyper-parameters for which it is SAM."""
    problem = draw_quadratic(source, stable=0.5)
    row = METHODS[method]
    momentum = source.choice((0.0, 0.5))
    return problem.having(method=method, momentum=momentum, **{**row.own, **(row.is_sam_at or {})})


def sam_clauses(adapter: Adapter, problem: Problem) -> Iterable[Clause]:
    """Compare two steps with SAM's: the climb along d1, the move along d2 or its velocity."""
    hp, u, velocity = problem.hp, problem.u, None
    for step in first_steps(adapter, problem, 2):
        yield equal("ε = ρ d1/‖d1‖", step.climb, hp.rho * unit_climb(step.ascent_gradient))
        velocity = next_velocity(velocity, hp.momentum, step.descent_gradient, u)
        yield equal("w' = A − ηv, v ← μv + d2", step.end, step.descent_along(velocity))


# By method: the equation, and why, where the row of `minisam.optim.methods` does not say it all.
EXPLAINED = {
    "gsam": ("α = 0: d = d2", "d = d2 − α d1⊥. Zhuang et al. 2022, arXiv 2203.08065, Algorithm 1."),
    "looksam": (
        "k = 1: d = d2 in every step",
        "Every step is a k-th step. Liu et al. 2022, arXiv 2203.02714, Algorithm 1.",
    ),
    "friendly_sam": (
        "σ = 0: ε = ρ d1/‖d1‖",
        "ε is along d1 − σm. Li et al. 2024, arXiv 2403.12350, Algorithm 1.",
    ),
    "wsam": (
        "γ = ½: d = d1 + (d2 − d1)",
        "d = d1 + γ/(1−γ)(d2 − d1). Yue et al. 2023, arXiv 2305.15817, eq. (3).",
    ),
}


def reduction(method: str) -> Property:
    """Return the statement that a method is SAM for some values of its own hyper-parameters.

    Args:
        method: a name in `minisam.optim.METHODS`, whose row says for which.

    Example:
        >>> reduction("gsam").statement
        'GSAM with alpha = 0 is SAM.'
    """
    where = METHODS[method].is_sam_at or {}
    shown = {k: f"{v:g}" if isinstance(v, float) else str(v) for k, v in where.items()}
    values = ", ".join(f"{key} = {value}" for key, value in shown.items())
    equation, why = EXPLAINED.get(method, (f"{values}: ε = ρ d1/‖d1‖, d = d2", "Its definition."))
    return Property(
        section=SECTION,
        slug=f"{method.replace('_', '-')}-contains-sam",
        statement=f"{title_of(method)} with {values} is SAM.",
        equation=equation,
        source=why,
        bound="as the climb; 3u for every product and sum of the base update",
        methods=(method,),
        draw=partial(draw_reduction, method=method),
        clauses=sam_clauses,
    )


for _name, _row in METHODS.items():
    if _row.is_sam_at:
        register(reduction(_name))


@state(
    slug="gsam-keeps-the-descent",
    statement="GSAM descends the perturbed loss exactly as fast as SAM, for every α: what it adds "
    "is across d2.",
    equation="⟨d, d2⟩ = ‖d2‖², d = (w − w')/η",
    source="d = d2 − α(d1 − d2⟨d1, d2⟩/‖d2‖²); take the product with d2.",
    bound="2(n + 2)u for ⟨d1, d2⟩/‖d2‖², 3u for every product and sum; w' to u(|w'| + 3η|d|)",
    methods=("gsam",),
    draw=lambda source: draw_scripted(source, method="gsam").having(
        alpha=rounded(real(source, 0.05, 1.0), "float32"), lr=1.0
    ),
)
def _gsam_keeps_the_descent(adapter: Adapter, problem: Problem) -> Iterable[Clause]:
    step, u = first_step(adapter, problem), problem.u
    lr, alpha = problem.hp.lr, problem.hp["alpha"]
    d1, d2 = step.ascent_gradient, step.descent_gradient
    share = inner(d1, d2) / inner(d2, d2)
    summed = float(inner(abs(d1), abs(d2)).value / inner(d2, d2).value)
    along = share.widened(2 * (d2.size + 2) * u * summed) * d2
    across = (d1 - along).widened(3 * u * (np.abs(d1.value) + np.abs(along.value)))
    right = (d2 - alpha * across).widened(3 * u * (np.abs(d2.value) + alpha * np.abs(across.value)))
    right = right.widened(base_step_slack(step.end, lr, right, u) / lr)
    d = (step.start - step.end) / lr
    d = d.known_to(d.bound + right.bound)
    yield equal("⟨d, d2⟩ = ‖d2‖²", inner(d, d2), inner(d2, d2))


@state(
    slug="wsam-interpolates",
    statement="On a quadratic, mixing the two gradients is SAM with another radius: "
    "WSAM(γ, ρ) is SAM(ργ/(1−γ)).",
    equation="(1 − α)d1 + αd2 = Hw + αρHĝ",
    source="d2 − d1 = ρHĝ.",
    bound="each of d1, ε, B, d2, w' rounded once, carried through the gradient",
    methods=("wsam",),
    draw=lambda source: draw_quadratic(source, signed=True).having(
        method="wsam", gamma=source.choice((0.25, 0.75, 0.875))
    ),
)
def _wsam_interpolates(adapter: Adapter, problem: Problem) -> Iterable[Clause]:
    step, hp, H = first_step(adapter, problem), problem.hp, problem.facts.product
    lr, alpha = hp.lr, hp["gamma"] / (1 - hp["gamma"])
    g, u = H(step.start), problem.u
    d2 = H(step.start + step.climb_from_loss)
    right = g + (alpha * hp.rho) * H(g / norm(g))
    size = (1 + alpha) * np.abs(g.value) + alpha * np.abs(d2.value)
    slack = alpha * d2.bound + 8 * u * size + u * np.abs(step.end.value) / lr
    yield equal("d = Hw + αρHĝ", ((step.start - step.end) / lr).widened(slack), right)


@state(
    slug="unnormalized-is-sam-with-rho-g",
    statement="SAM without its norm is SAM with a radius that shrinks along with the gradient; "
    "near a minimum it is therefore SGD, and does not bounce.",
    equation="ε = ρ g = (ρG) ĝ",
    source="Andriushchenko and Flammarion 2022, arXiv 2206.06232, section 3.",
    bound="u(|B| + 3|ε|)",
    methods=("unnormalized_sam",),
    draw=lambda source: draw_quadratic(source, stable=0.5).having(method="unnormalized_sam"),
)
def _unnormalized(adapter: Adapter, problem: Problem) -> Iterable[Clause]:
    step, u = first_step(adapter, problem), problem.u
    rho = problem.hp.rho
    right = rho * step.ascent_gradient
    slack = base_step_slack(step.perturbed, rho, step.ascent_gradient, u)
    yield equal("ε = ρ g", (step.perturbed - step.start).widened(slack), right)
