"""A bounded number contains the real number that it stands for."""

from decimal import Context, Decimal, localcontext
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minisam.oracle.properties.rounding import Bounded, exp, gamma, norm, sigmoid, sqrt, total

numbers = st.floats(-1e6, 1e6, allow_subnormal=False).filter(lambda x: x == 0 or abs(x) > 1e-6)
vectors = st.lists(numbers, min_size=1, max_size=30)


def contains(bounded, exact):
    """Whether an exact fraction lies within the bound, compared exactly."""
    distance = abs(Fraction(float(bounded.value)) - exact)
    return distance <= Fraction(float(bounded.error)) * Fraction(1000001, 1000000)


@given(numbers, numbers, numbers)
def test_arithmetic_contains_the_exact_result(a, b, c):
    x, y, z = Bounded(a), Bounded(b), Bounded(c)
    fa, fb, fc = map(Fraction, (a, b, c))
    assert contains(x + y, fa + fb)
    assert contains(x - y, fa - fb)
    assert contains(x * y + z, fa * fb + fc)
    assert contains((x - y) * (y - z), (fa - fb) * (fb - fc))
    if b:
        assert contains((x * z) / y, fa * fc / fb)


@given(vectors, vectors)
def test_sums_and_products_contain_the_exact_result(a, b):
    n = min(len(a), len(b))
    a, b = a[:n], b[:n]
    exact = sum((Fraction(x) * Fraction(y) for x, y in zip(a, b, strict=True)), Fraction(0))
    assert contains(Bounded(a) @ Bounded(b), exact)
    assert contains(total(Bounded(a)), sum(map(Fraction, a), Fraction(0)))


@given(vectors)
def test_norm_contains_the_exact_result(a):
    square = sum((Fraction(x) ** 2 for x in a), Fraction(0))
    length = norm(a)
    low = Fraction(max(float(length.value - length.error), 0.0)) ** 2
    high = Fraction(float(length.value + length.error)) ** 2
    slack = Fraction(1000001, 1000000)
    assert low / slack <= square <= high * slack


FUNCTIONS = {
    "exp": (exp, lambda t: t.exp()),
    "sigmoid": (sigmoid, lambda t: 1 / (1 + (-t).exp())),
    "sqrt": (lambda x: sqrt(abs(x)), lambda t: abs(t).sqrt()),
}


@pytest.mark.fault("same-elsewhere", "rounding.exp", "rounding.sigmoid", "rounding.sqrt")
@pytest.mark.parametrize("name", FUNCTIONS)
@given(st.floats(-30, 30), st.floats(0, 1e-3))
def test_functions_contain_the_results_at_the_ends_of_an_interval(name, x, error):
    function, truth = FUNCTIONS[name]
    bounded = function(Bounded(x, error))
    with localcontext(
        Context(prec=50)
    ):  # in floating point x + error may lie outside, and exp errs too
        for end in (Decimal(x) - Decimal(error), Decimal(x) + Decimal(error)):
            assert contains(bounded, Fraction(truth(end)))


@given(vectors, st.sampled_from([1, 1.5, 2, 3, 10, np.inf]))
def test_norms_of_every_order_agree_with_numpys(a, p):
    length = norm(a, p)
    scale = max(np.max(np.abs(a)), 1e-300)
    usual = np.linalg.norm(np.array(a) / scale, p) * scale
    assert abs(length.value - usual) <= length.error + 1e-12 * usual


@pytest.mark.parametrize("size", [5e-324, 1e-310, 1e-200, 1e200, 1e307])
def test_norm_neither_over_nor_underflows(size):
    length = norm([3 * size, 4 * size])
    assert abs(length.value / size - 5) < 1e-9


def test_division_by_what_may_be_zero_is_unbounded():
    assert np.isinf((Bounded(1.0) / Bounded(1.0, 2.0)).error)


def test_gamma_grows_with_the_number_of_roundings():
    assert 0 == gamma(0) < gamma(1) < gamma(2)


def test_a_wrong_bound_would_be_noticed():
    x = Bounded(0.1) + Bounded(0.2)
    assert not contains(Bounded(x.value, 0.0), Fraction(0.1) + Fraction(0.2))
