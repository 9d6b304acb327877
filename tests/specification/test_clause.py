"""A comparison holds within its bound, and at no other entry than the worst."""

import numpy as np

from minisam.rounding import exact
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


def test_the_worst_entry_is_the_one_that_exceeds_its_bound_by_most():
    clause = worst_entry("=", np.array([5.0, 2.0, 0.0]), np.array([9.0, 1.0, 0.0]))
    assert (clause.residual, clause.bound) == (2.0, 1.0)
