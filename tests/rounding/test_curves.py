from decimal import Decimal, localcontext
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rounding.bounds import DTYPES, draw, fractions, numbers

from minisam.rounding import UNITS, Rounded, exact, norm, sigmoid

vectors = st.lists(numbers, min_size=1, max_size=30)


@given(vectors)
def test_norm_contains_the_exact_result(a):
    square = sum((Fraction(x) ** 2 for x in a), Fraction(0))
    length = norm(exact(a))
    low = Fraction(max(float(length.value - length.bound), 0.0)) ** 2
    high = Fraction(float(length.value + length.bound)) ** 2
    slack = Fraction(1000001, 1000000)
    assert low / slack <= square <= high * slack


@given(vectors, st.sampled_from([1, 1.5, 2, 3, 10, np.inf]))
def test_norms_of_every_order_agree_with_numpys(a, p):
    length = norm(exact(a), p)
    scale = max(np.max(np.abs(a)), 1e-300)
    usual = np.linalg.norm(np.array(a) / scale, p) * scale
    assert abs(length.value - usual) <= length.bound + 1e-12 * usual


@pytest.mark.parametrize("size", [5e-324, 1e-310, 1e-200, 1e200, 1e307])
def test_norm_neither_over_nor_underflows(size):
    length = norm(exact([3 * size, 4 * size]))
    assert abs(length.value / size - 5) < 1e-9


@example(0.0, 1e-219)  # whose power underflows
@given(st.floats(-30, 30), st.floats(0, 1e-3))
def test_functions_contain_the_results_at_the_ends_of_an_interval(x, error):
    """The truth is computed to 50 digits."""
    with localcontext() as context:
        context.prec = 50
        truths = {
            np.exp: lambda t: t.exp(),
            sigmoid: lambda t: 1 / (1 + (-t).exp()),
            lambda t: np.logaddexp(0.0, t): lambda t: (1 + t.exp()).ln(),
            lambda t: np.sqrt(abs(t)): lambda t: abs(t).sqrt(),
            lambda t: abs(t) ** 1.5: lambda t: abs(t) ** Decimal("1.5"),
        }
        for function, truth in truths.items():
            bounded = function(exact(x).widened(error))
            for end in (Decimal(x) - Decimal(error), Decimal(x) + Decimal(error)):
                away = abs(truth(end) - Decimal(float(bounded.value)))
                assert away <= Decimal(float(bounded.bound)) * Decimal("1.000001")


def test_sigmoid_takes_plain_numbers_too():
    np.testing.assert_allclose(sigmoid(np.array([-800.0, 0.0, 800.0])), [0.0, 0.5, 1.0])


@pytest.mark.parametrize("dtype", DTYPES)
def test_norms_stay_within_their_bound(dtype):
    rng = np.random.default_rng(5)
    for _ in range(100):
        x = draw(rng, dtype, 9)
        bounded = np.sqrt(np.vdot(exact(x, dtype), exact(x, dtype)))
        computed = np.sqrt(np.sum(x * x))
        square = sum(f * f for f in fractions(x))
        # |c − √s| ≤ b  ⇔  (c − b)² ≤ s ≤ (c + b)²: no root needed
        c, b = Fraction(float(computed)), Fraction(float(bounded.bound))
        assert (c - b) ** 2 <= square <= (c + b) ** 2
        assert b < 20 * UNITS[dtype].u * float(computed)


@pytest.mark.fault("special-value", "rounding")
@pytest.mark.parametrize("function", [np.exp, sigmoid])
def test_nothing_is_known_of_a_function_of_what_is_not_known_however_small_it_is(function):
    for x in (-1e5, 0.0, 1e5):
        with np.errstate(all="ignore"):  # as where steps are judged
            found = function(Rounded(np.array([x]), np.array([np.inf]), UNITS["float64"]))
        np.testing.assert_array_equal(found.bound, np.inf)
