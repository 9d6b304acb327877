"""State the two passes: where the gradients are asked for, and where the weights go from there."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from minisam.adapters.protocol import Adapter
from minisam.specification.clause import Clause, equal, identical, true
from minisam.specification.families import draw_scripted
from minisam.specification.problem import Problem
from minisam.specification.property import chapter
from minisam.specification.source import NumberSource
from minisam.specification.steps import first_step

state = chapter("The two passes", methods=("sam", "asam"))
BITS = "none: bit for bit"


def draw_either_method(source: NumberSource) -> Problem:
    """Draw a scripted problem, for SAM or for ASAM."""
    return draw_scripted(source, method=source.choice(("sam", "asam")))


@state(
    slug="two-gradients",
    statement="A step asks for two gradients, the first of them at A itself, the second at B ≠ A.",
    equation="queries = (A, B), B ≠ A when ρ > 0 and d1 ≠ 0",
    source="Foret et al. 2020, Algorithm 1.",
    bound=BITS,
    draw=draw_either_method,
    picture="figure2",
)
def _two_gradients(adapter: Adapter, problem: Problem) -> Iterable[Clause]:
    step = first_step(adapter, problem)
    queries = step.observation.queries
    yield true("two gradients are asked for", len(queries) == 2)
    yield identical(
        "the first gradient is taken at A",
        step.problem.vector(queries[0]) if queries else np.array(np.inf),
        step.start.value,
    )
    moved = step.perturbed.value != step.start.value
    right = np.abs(step.climb.bound) < np.abs(step.climb.value)
    yield true("the second is not taken at A", bool(np.any(moved)) or not np.any(right))


@state(
    slug="descends-from-a",
    statement="The weights move from A, not from B, and along d2, not along d1.",
    equation="w' = A − η d2",
    source="Foret et al. 2020, Algorithm 1.",
    bound="one product and one difference: u(|w'| + 3η|d2|)",
    draw=draw_either_method,
    picture="figure2",
)
def _descends_from_a(adapter: Adapter, problem: Problem) -> Iterable[Clause]:
    step = first_step(adapter, problem)
    yield equal("w' = A − η d2", step.end, step.descent_along(step.descent_gradient))
