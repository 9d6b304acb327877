"""The bounds hold against exact rational arithmetic, and are not absurdly wide."""

from decimal import Decimal, localcontext
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from minisam import trees
from minisam.adapters.protocol import HYPERPARAMETERS
from minisam.rounding import (
    UNITS,
    Rounded,
    arithmetic,
    exact,
    gamma,
    inner,
    norm,
    ratio,
    sigmoid,
    to_bfloat16,
    to_unit,
)
from minisam.rounding.arithmetic import error_times
from minisam.variants.recipe import optimizer

DTYPES = ["float64", "float32"]


def fractions(array):
    return [Fraction(float(x)) for x in np.ravel(array)]


def error_in_bounds(computed, exact_value, bounded):
    """|computed − exact| in units of the bound; the value itself is a float64 computation."""
    error = abs(Fraction(float(computed)) - exact_value)
    return float(error / Fraction(float(bounded.bound))) if error else 0.0


numbers = st.floats(-1e6, 1e6, allow_subnormal=False).filter(lambda x: x == 0 or abs(x) > 1e-6)
vectors = st.lists(numbers, min_size=1, max_size=30)
pairs = st.lists(st.tuples(numbers, numbers), min_size=1, max_size=30)


def contains(rounded, exact_value):
    """Whether an exact fraction lies within the bound of a float64 number, compared exactly."""
    distance = abs(Fraction(float(rounded.value)) - exact_value)
    return distance <= Fraction(float(rounded.bound)) * Fraction(1000001, 1000000)


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


def test_gamma_grows_with_the_number_of_roundings():
    assert 0 == gamma(0, 2.0**-53) < gamma(1, 2.0**-53) < gamma(2, 2.0**-53)
    assert gamma(300, 2.0**-8) == np.inf


def test_bounds_move_along_with_their_entries():
    x = exact([1.0, 2.0, 3.0]).widened(np.array([0.1, 0.2, 0.3]))
    np.testing.assert_array_equal(np.roll(x, 1).bound, [0.3, 0.1, 0.2])
    np.testing.assert_array_equal(x[1:].bound, [0.2, 0.3])
    np.testing.assert_array_equal(np.ldexp(x, 2).bound, 4 * x.bound)
    np.testing.assert_array_equal(np.broadcast_to(x, (2, 3)).T.bound, np.stack([x.bound] * 2, 1))
    np.testing.assert_array_equal(exact([1.0, 2.0]).widened(0.5)[1].bound, 0.5)


def test_what_is_not_known_of_a_function_is_refused():
    with pytest.raises(TypeError, match="cos"):
        np.cos(exact(1.0))
    with pytest.raises(TypeError, match="median"):
        np.median(exact([1.0, 2.0]))


def test_adding_in_place_makes_a_new_number():
    x = y = exact(1.0)
    x += 1.0
    x *= 3.0
    assert (x.value, y.value) == (6.0, 1.0)


def draw(rng, dtype, size=None):
    return np.asarray(rng.normal(size=size) * 10.0 ** rng.uniform(-3, 3, size), dtype)[()]


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


def test_signs_and_order_are_uncertain_only_near_zero():
    noisy = Rounded(np.array([1.0, 1e-9]), np.array([1e-8, 1e-8]), UNITS["float64"])
    np.testing.assert_array_equal(np.sign(noisy).bound, [0.0, 2.0])
    np.testing.assert_array_equal(np.maximum(noisy, 0.0).bound, [1e-8, 1e-8])


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


def test_a_plain_computation_asks_for_no_care():
    """Its range is float64's, so that nothing is rescaled; it may have lost all squares."""
    tiny = {"w": np.array([3e-26, 4e-26])}
    careful = {"w": exact(tiny["w"], "float32")}
    plainly = {"w": exact(tiny["w"], UNITS["float32"]._replace(plain=True))}
    assert trees.norm(careful).bound < 1e-6 * 5e-26
    assert trees.norm(plainly).bound >= trees.norm(plainly).value == pytest.approx(5e-26)
    wide = {"w": exact(tiny["w"], UNITS["float64"]._replace(plain=True)).astype("float32")}
    assert trees.norm(wide).bound >= trees.norm(wide).value  # as plain as before


def test_bfloat16_rounds_to_nearest_even():
    np.testing.assert_array_equal(to_bfloat16([1 + 2.0**-8, 1 + 3 * 2.0**-8]), [1.0, 1 + 2.0**-6])
    assert np.isnan(to_bfloat16(np.nan))
    assert np.isinf(to_bfloat16(np.inf))


def test_ratio_knows_nan_infinity_and_the_end_of_the_range():
    unit = UNITS["float32"]
    assert ratio(np.float32(np.nan), Rounded(np.nan, 0.0, unit)) == 0
    assert ratio(np.float32(np.nan), Rounded(1.0, 0.1, unit)) == np.inf
    assert ratio(np.float32(np.inf), Rounded(1e39, 1e30, unit)) == 0
    assert ratio(np.float32(1.0), Rounded(1.0, 0.0, unit)) == 0
    assert ratio(np.float32(1.5), Rounded(1.0, 0.25, unit)) == 1


def test_what_is_not_known_at_all_agrees_with_any_number():
    unit = UNITS["float32"]
    unknown = exact(1.0, unit) / Rounded(1e-9, 1e-8, unit)  # by what may be zero
    exactly = Rounded(np.array([3.0, 4.0]), np.zeros(2), unit)
    with np.errstate(invalid="ignore"):  # as where steps are judged
        products = (unknown * exactly, exactly * unknown, unknown * exact([3.0, 4.0], unit))
        products += (unknown * exact([0.0, 0.0], unit), exact(0.0, unit) * (unknown * exactly))
        products += ((unknown * exactly) @ np.zeros((2, 2)), np.zeros((2, 2)) @ (exactly * unknown))
    for product in products:
        np.testing.assert_array_equal(product.bound, np.inf)
        np.testing.assert_array_equal(ratio(np.float32([7.0, -2.0]), product), 0.0)


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


@pytest.mark.fault("special-value", "rounding")
@pytest.mark.parametrize("function", [np.exp, sigmoid])
def test_nothing_is_known_of_a_function_of_what_is_not_known_however_small_it_is(function):
    for x in (-1e5, 0.0, 1e5):
        with np.errstate(all="ignore"):  # as where steps are judged
            found = function(Rounded(np.array([x]), np.array([np.inf]), UNITS["float64"]))
        np.testing.assert_array_equal(found.bound, np.inf)


@pytest.mark.parametrize("dtype", ["float64", "float32", "bfloat16"])
@pytest.mark.parametrize("method", ["sgd", "sam", "asam"])
def test_the_library_runs_on_error_carrying_numbers(method, dtype):
    rng = np.random.default_rng(0)
    settings = {"method": method, "momentum": 0.9, "weight_decay": 0.01}
    opt = optimizer({**HYPERPARAMETERS, **settings})

    def numbers():
        return exact(to_unit(rng.normal(size=5), UNITS[dtype]), dtype)

    w = {"weight": numbers()}
    state = opt.init(w)
    for _ in range(2):
        new, state, _ = opt.step(w, state, lambda point: (0.0, {"weight": numbers()}))
        assert isinstance(new["weight"], Rounded)
        assert np.all(new["weight"].bound > 0)
        assert np.all(new["weight"].bound < 100 * UNITS[dtype].u)


def test_a_zero_learning_rate_has_no_room_for_error():
    opt = optimizer({**HYPERPARAMETERS, "lr": 0.0})
    w = {"weight": exact([0.1, 0.2], "float64")}
    grads = {"weight": exact([0.3, 0.4], "float64")}
    new, _, _ = opt.step(w, opt.init(w), lambda point: (0.0, grads))
    np.testing.assert_array_equal(new["weight"].bound, 0.0)
