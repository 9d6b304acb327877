"""The library's own optimizers meet every statement of the specification."""

import ast
import functools
import inspect
import textwrap
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from strategies import problems

from minisam.adapters.library import library
from minisam.rounding import Rounded, arithmetic, is_exact, unit_roundoff
from minisam.specification import PROPERTIES, RandomSource, UnsuitableProblem, clause
from minisam.specification.right_step import climb_slack

every_property = pytest.mark.parametrize("slug", PROPERTIES)


@every_property
def test_holds(slug):
    statement = PROPERTIES[slug]

    # A quarter of the profile's examples: they are long, and the seeded problems come on top.
    @settings(max_examples=max(10, settings.default.max_examples // 4))
    @given(problem=problems(statement))
    def holds(problem):
        statement.check(library, problem).raise_if_broken()

    holds()


@every_property
def test_holds_on_seeded_problems(slug):
    PROPERTIES[slug].try_on(library, trials=10, seed=2).raise_if_broken()


@every_property
def test_preconditions_discard_few_examples(slug):
    """Hypothesis holds its own draws to a share that differs by its version."""
    met, source = 0, RandomSource(np.random.default_rng(0))
    for _ in range(100):
        with suppress(UnsuitableProblem):
            PROPERTIES[slug].draw(source)
            met += 1
    assert met >= 50


EXACT = {  # nothing is compared but bits and conditions
    "two-gradients",
    "rho-zero-is-sgd",
    "lr-zero-rests",
    "zero-gradient-rests",
    "zero-second-gradient-restores",
    "missing-second-gradient-restores",
    "monotone-edge",
}
LOOSEST = 4  # two sides, each with its step's rounding and with that of its own evaluation


@functools.cache
def looseness(slug, factor=1, enough=np.inf):
    """The largest bound of a property, in units of what one rounding of every number may do.

    It looks no further where that is more than ``enough``.

    One rounding: every number that is observed or given is known to a relative u of the problem's
    dtype, and what follows from that alone is carried through the equation, near cancellation and
    all; nothing is allowed for by hand. A right climb rounds (n + 16 + 4q) times (`climb_slack`),
    and nothing else rounds more often, so that is the unit. What is allowed for by hand, ``factor``
    times, goes through `Rounded.widened`.
    """
    statement, rng, loosest = PROPERTIES[slug], np.random.default_rng(3), 0.0
    for _ in range(10):
        problem = statement.problem(rng)
        allowed = bounds(statement, problem, by_hand(factor))
        inherent = bounds(statement, problem, rounded_once(unit_roundoff(problem.dtype)))
        roundings = climb_slack(problem) / unit_roundoff(problem.dtype)
        for bound, least in zip(allowed, inherent, strict=True):
            with np.errstate(invalid="ignore"):
                share = np.where(bound == 0, 0.0, bound / (roundings * least))
            loosest = max(loosest, float(np.max(share, initial=0.0)))
        if loosest > enough:
            break
    return loosest


def by_hand(factor):
    """What is allowed for by hand, so many times."""

    def widened(self, error, widen=Rounded.widened):
        return widen(self, factor * np.asarray(error))

    return {(Rounded, "widened"): widened}


def rounded_once(u):
    """Nothing allowed for by hand, and every number known to a relative u."""

    def init(self, value, bound, unit, init=Rounded.__init__):
        init(self, value, u * np.abs(value) if is_exact(bound) else bound, unit)

    def operand(x, unit):
        return (x.value, x.bound) if isinstance(x, Rounded) else (x, u * np.abs(x))

    return {
        (Rounded, "widened"): lambda self, error: self,
        (Rounded, "__init__"): init,
        (arithmetic, "operand"): operand,
    }


def bounds(statement, problem, changes):
    """The bounds of every entry that a property compares, with some changes to the arithmetic."""
    seen = []

    def worst_entry(name, residual, bound, worst_entry=clause.worst_entry):
        seen.append(bound)
        return worst_entry(name, residual, bound)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clause, "worst_entry", worst_entry)
        for (where, name), what in changes.items():
            patch.setattr(where, name, what)
        statement.check(library, problem)
    return seen


@pytest.mark.fault("cannot-fail", "specification")
@every_property
def test_bounds_are_a_small_multiple_of_rounding(slug):
    """A bound is not a licence: no property allows more than it derives."""
    assert looseness(slug) <= LOOSEST


@pytest.mark.fault("cannot-fail", "specification")
@every_property
def test_bounds_a_thousand_times_too_wide_are_noticed(slug):
    if slug in EXACT:
        assert looseness(slug, 1000) == 0
    else:
        assert looseness(slug, 1000, enough=LOOSEST) > LOOSEST


@pytest.mark.fault("cannot-fail", "specification")
def test_no_tolerance_is_typed():
    """What is allowed for is derived: a small number in a comparison would be a guess."""
    typed = set()
    for slug, statement in PROPERTIES.items():
        source = ast.parse(textwrap.dedent(inspect.getsource(statement.clauses)))
        numbers = [node.value for node in ast.walk(source) if isinstance(node, ast.Constant)]
        typed |= {slug for x in numbers if isinstance(x, float) and 0 < x < 0.01}
    assert typed == {"trapped-at-a-maximum"}  # how near the top its walk is followed
