"""The bounds hold against exact rational arithmetic, and are not absurdly wide."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rounding.bounds import DTYPES, contains, draw, error_in_bounds, fractions, numbers

from minisam.rounding import UNITS, Rounded, arithmetic, exact, inner, sigmoid
from minisam.rounding.arithmetic import error_times

pairs = st.lists(st.tuples(numbers, numbers), min_size=1, max_size=30)


@given(numbers, numbers, numbers)
def test_arithmetic_contains_the_exact_result(a, b, c):
    x, y, z = exact(a), exact(b), exact(c)
    fa, fb, fc = map(Fraction, (a, b, c))
    assert contains(x + y, fa + fb)
    assert contains(x - y, fa - fb)
    assert contains(x * y + z, fa * fb + fc)
    assert contains((x - y) * (y - z), (fa - fb) * (fb - fc))
    if b:
        assert contains((x * z) / y, fa * fc / fb)


def test_a_wrong_bound_would_be_noticed():
    x = exact(0.1) + exact(0.2)
    assert not contains(x.known_to(0.0), Fraction(0.1) + Fraction(0.2))


@given(pairs)
def test_sums_and_products_contain_the_exact_result(drawn):
    a, b = map(list, zip(*drawn, strict=True))
    truth = sum((Fraction(x) * Fraction(y) for x, y in drawn), Fraction(0))
    assert contains(exact(a) @ exact(b), truth)
    assert contains(inner(exact(a), b), truth)
    assert contains(np.sum(exact(a)), sum(map(Fraction, a), Fraction(0)))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_matrix_products_hold_in_any_order_and_are_tight(dtype):
    rng, worst = np.random.default_rng(6), 0.0
    for _ in range(50):
        a, b = draw(rng, dtype, (3, 7)), draw(rng, dtype, 7)
        bounded, computed = exact(a, dtype) @ exact(b, dtype), np.flip(a, 1) @ np.flip(b)
        for row in range(3):
            truth = sum(x * y for x, y in zip(fractions(a[row]), fractions(b), strict=True))
            worst = max(worst, error_in_bounds(computed[row], truth, bounded[row]))
    assert 0.05 < worst <= 1


OPERATIONS = {
    "add": (lambda x, y: x + y, lambda x, y: x + y),
    "subtract": (lambda x, y: x - y, lambda x, y: x - y),
    "multiply": (lambda x, y: x * y, lambda x, y: x * y),
    "divide": (lambda x, y: x / y, lambda x, y: x / y),
    "chain": (lambda x, y: (x + y) * x - y / x, lambda x, y: (x + y) * x - y / x),
    "cancel": (lambda x, y: (x + y) - x, lambda x, y: (x + y) - x),
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_bounds_hold_against_fractions_and_are_tight(operation, dtype):
    function, truth = OPERATIONS[operation]
    rng = np.random.default_rng(3)
    worst = 0.0
    for _ in range(300):
        x, y = draw(rng, dtype), draw(rng, dtype)
        computed = function(x, y)
        bounded = function(exact(x, dtype), exact(y, dtype))
        used = error_in_bounds(computed, truth(*fractions([x, y])), bounded)
        assert used <= 1
        worst = max(worst, used)
    assert worst > 0.25


@pytest.mark.parametrize("dtype", DTYPES)
def test_sums_in_any_order_stay_within_their_bound(dtype):
    rng = np.random.default_rng(4)
    worst = 0.0
    for _ in range(100):
        x = draw(rng, dtype, 17)
        bounded = np.sum(exact(x, dtype))
        truth = sum(fractions(x))
        for order in (x, x[::-1], np.sort(x), rng.permutation(x)):
            one_by_one = order[0]
            for entry in order[1:]:
                one_by_one = one_by_one + entry
            for computed in (one_by_one, np.sum(order)):
                used = error_in_bounds(computed, truth, bounded)
                assert used <= 1
                worst = max(worst, used)
    assert worst > 0.05


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_constant_that_the_format_cannot_hold_is_rounded(dtype):
    bounded = exact(1.0, dtype) * 0.1
    expected = UNITS[dtype].u * 0.1 if dtype == "float32" else 0.0
    assert bounded.bound == pytest.approx(expected, rel=1e-6)
    assert abs(float(np.float32(0.1)) - 0.1) <= (exact(1.0, "float32") * 0.1).bound


def test_what_rounding_leaves_alone_has_no_bound():
    x = exact([0.1, -3.0], "float32")
    for same in (
        x + 0.0 * x,
        x * 2.0,
        x * 0.25,
        x / 4.0,
        abs(x),
        -x,
        np.max(x),
        x - exact(0.0, "float32"),
    ):
        assert np.all(same.bound == 0)
    assert np.all((x + x * 0.1).bound > 0)


def test_division_by_what_may_be_zero_promises_nothing():
    assert np.isinf((exact(1.0, "float64") / Rounded(1e-9, 1e-8, UNITS["float64"])).bound)


def test_underflow_is_allowed_for():
    small = exact(1e-200)
    for gone in (small * small, small / 1e200, small**3):  # float64 has no 1e-400
        assert gone.value == 0 < gone.bound


TINY = np.float32(2.0**-126)


near_the_end = st.tuples(st.floats(1, 2, width=32), st.integers(-66, -58), st.sampled_from([-1, 1]))


def kept(x):
    """A result of float32, where below the normal numbers fewer digits are left."""
    return np.float32(x)


def flushed(x):
    """The same on a device that makes zeros of subnormal results."""
    x = np.float32(x)
    return np.where(np.abs(x) < TINY, np.float32(0), x)


def small_results(x, y, done=lambda x: x):
    """Results around the smallest normal number, each operation followed by ``done``."""
    square = done(x * x)
    yield square
    yield done(done(x * y) + square)
    yield done(done(x * y) - square)
    yield done(done(x * x) / np.float32(1.5))
    yield done(x * np.float32(2.0**-66))  # a power of two
    yield done(x / np.float32(2.0**66))
    yield np.sqrt(done(square + done(y * y)))


def errors_of_small_results(a, b, done):
    """The errors, in units of the bound; the bounds are far above float64's own rounding."""
    x, y = (np.float32(sign * np.ldexp(m, e)) for m, e, sign in (a, b))
    bounded = list(small_results(exact(x, "float32"), exact(y, "float32")))
    truths = small_results(np.longdouble(x), np.longdouble(y))
    for computed, number, truth in zip(small_results(x, y, done), bounded, truths, strict=True):
        error = abs(np.longdouble(computed) - truth)
        yield 0.0 if error == 0 else float(error / number.bound) if number.bound else np.inf


@pytest.mark.fault("same-elsewhere", "rounding.Rounded")
@pytest.mark.fault("special-value", "rounding.Rounded")
@pytest.mark.parametrize("done", [kept, flushed])
@given(a=near_the_end, b=near_the_end)
def test_results_below_the_normal_numbers_may_be_zero(done, a, b):
    assert max(errors_of_small_results(a, b, done)) <= 1 + 1e-6


BELOW = {  # results of float32 between 0 and its smallest normal number
    "add": lambda x: exact(1.5 * TINY, "float32") + exact(-TINY, "float32"),
    "sum": lambda x: np.sum(exact([1.5 * TINY, -TINY], "float32")),
    "multiply": lambda x: x * x,
    "multiply what is not exact": lambda x: x.off_by(2.0**-24) * x.off_by(2.0**-24),
    "multiply by a power of two": lambda x: x * 2.0**-64,
    "divide": lambda x: x / (1.5 * 2.0**64),
    "matmul": lambda x: exact([x.value, x.value], "float32") @ exact([x.value / 2] * 2, "float32"),
    "power": lambda x: x**3,
    "exp": lambda x: np.exp(exact(-88.0, "float32")),
    "sigmoid": lambda x: sigmoid(exact(-88.0, "float32")),
}


@pytest.mark.parametrize("operation", BELOW)
def test_each_operation_says_that_a_device_may_make_it_zero(operation):
    found = BELOW[operation](exact(1.25 * 2.0**-64, "float32"))
    assert 0 < found.value < TINY
    assert found.value <= found.bound < 4 * TINY  # of a sum of two products all three


def test_what_may_be_below_the_normal_numbers_may_be_zero_too():
    """Where 1.3 tiny stands for 0.9 tiny, a device has zero."""
    found = Rounded(1.2 * TINY, 0.4 * TINY, UNITS["float32"]) + exact(0.1 * TINY, "float32")
    assert TINY < found.value <= found.bound


def test_what_may_not_be_zero_is_rounded_to_a_digit_of_those_numbers():
    """A product of 0.75 · 2⁻¹⁴⁹, say, to 2⁻¹⁴⁹."""
    small = Rounded(0.0, 2.0**-24, UNITS["float32"]) * exact(0.75 * 2.0**-125, "float32")
    assert small.value == 0
    assert small.bound >= np.float32(0.75 * 2.0**-149) == 2.0**-149


def test_a_bound_without_what_is_lost_would_be_noticed(monkeypatch):
    monkeypatch.setattr(arithmetic, "lost", lambda *_: 0.0)
    a = b = (1.5, -64, 1)
    assert max(errors_of_small_results(a, b, flushed)) > 1000


def test_what_stays_normal_loses_nothing():
    x = exact(2.0**-62, "float32")
    assert (x * x).bound == 0 == (x * 0.5).bound
    odd = exact(1.5 * 2.0**-62, "float32")
    assert (odd * odd).bound < 2.0**-24 * (odd * odd).value * 1.01
    both = exact([1.5 * 2.0**-62, 1.5 * 2.0**-64], "float32")
    assert (inner(both, both).bound / inner(both, both).value) < 1 / 16 + 1e-6


def test_an_error_times_a_size_is_none_where_there_is_none_and_infinite_where_it_is_unknown():
    with np.errstate(invalid="ignore"):
        for none in (0.0, np.zeros(2)):
            for size in (0.0, 3.0, np.inf):
                np.testing.assert_array_equal(error_times(none, size), 0.0)
        np.testing.assert_array_equal(error_times(np.array([np.inf, 2.0]), 0.0), [np.inf, 0.0])
        np.testing.assert_array_equal(error_times(np.array([np.nan, 2.0]), 3.0), [np.inf, 6.0])


def test_a_product_of_two_errors_counts():
    most = Rounded(1.0, 0.5, UNITS["float64"])
    assert (most * most).bound >= 1.5**2 - 1
