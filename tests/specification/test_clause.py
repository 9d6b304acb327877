"""A comparison holds within its bound, and at no other entry than the worst."""

import numpy as np

from minisam.rounding import UNITS, Rounded, exact
from minisam.specification.clause import Clause, at_most, equal, identical, worst_entry


def test_comparisons_use_their_bounds():
    assert equal("=", exact(1.0).widened(0.1), exact(1.05)).holds
    assert not equal("=", exact(1.0).widened(0.1), exact(1.2)).holds
    assert at_most("≤", exact(1.0), exact(1.0)).holds
    assert not at_most("≤", exact(1.1), exact(1.0)).holds


def test_nan_never_holds():
    assert not Clause("nan", float("nan"), 1.0).holds
    assert not identical("nan", np.array([np.nan]), np.array([0.0])).holds
    assert not worst_entry("nan", np.array([0.0, np.nan]), np.ones(2)).holds


def test_an_infinity_never_holds_though_its_bound_is_infinite():
    """A step that overflows is not within rounding of anything."""
    right = exact(1.0) * exact(0.1)
    for far in (np.inf, -np.inf):
        assert not equal("=", exact(far), right).holds
        assert not at_most("≤", exact(far), right).holds
        assert not at_most("≤", right, exact(far)).holds
        assert not equal("=", exact([far, 1.0]), exact([1.0, 1.0])).holds
        assert equal("=", exact([far, 3.0]), exact([1.0, 1.0])).residual == np.inf


def test_what_may_have_been_divided_by_zero_is_not_judged():
    unknown = exact([1.0, 0.0]) / Rounded(1e-17, 1e-16, UNITS["float64"])
    for factor in (1.0, 0.0, exact(2.0), exact([1.0, 0.0])):
        with np.errstate(invalid="ignore"):  # as where steps are judged
            assert equal("=", exact([3.0, 4.0]), factor * unknown).holds
            assert not equal("=", exact([3.0, np.nan]), factor * unknown).holds


def test_the_worst_entry_is_the_one_that_exceeds_its_bound_by_most():
    clause = worst_entry("=", np.array([5.0, 2.0, 0.0]), np.array([9.0, 1.0, 0.0]))
    assert (clause.residual, clause.bound) == (2.0, 1.0)
