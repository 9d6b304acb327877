"""Compare a bound with exact fractions, for the tests of numbers that carry one."""

from fractions import Fraction

import numpy as np
from hypothesis import strategies as st

DTYPES = ["float64", "float32"]


def fractions(array):
    return [Fraction(float(x)) for x in np.ravel(array)]


def error_in_bounds(computed, exact_value, bounded):
    """|computed − exact| in units of the bound; the value itself is a float64 computation."""
    error = abs(Fraction(float(computed)) - exact_value)
    return float(error / Fraction(float(bounded.bound))) if error else 0.0


numbers = st.floats(-1e6, 1e6, allow_subnormal=False).filter(lambda x: x == 0 or abs(x) > 1e-6)


def contains(rounded, exact_value):
    """Whether an exact fraction lies within the bound of a float64 number, compared exactly."""
    distance = abs(Fraction(float(rounded.value)) - exact_value)
    return distance <= Fraction(float(rounded.bound)) * Fraction(1000001, 1000000)


def draw(rng, dtype, size=None):
    return np.asarray(rng.normal(size=size) * 10.0 ** rng.uniform(-3, 3, size), dtype)[()]
