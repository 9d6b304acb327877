import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from minisam.experiments.statistics import (
    Interval,
    holm,
    kendall,
    mean_interval,
    p_value,
    paired_difference,
)
from minisam.experiments.student import t_cdf, t_quantile


@given(st.lists(st.floats(-100, 100), min_size=2, max_size=30), st.floats(0.5, 0.99))
def test_mean_interval_is_scipys(values, confidence):
    found = mean_interval(values, confidence)
    error = stats.sem(values)
    assert found.count == len(values)
    assert found.value == pytest.approx(np.mean(values))
    low = np.mean(values) + stats.t.ppf((1 - confidence) / 2, len(values) - 1) * error
    assert found.low == pytest.approx(low, rel=1e-9, abs=1e-9)
    assert found.value - found.low == pytest.approx(found.high - found.value, abs=1e-9)


@pytest.mark.fault("same-elsewhere", "experiments.statistics.mean_interval")
@given(st.lists(st.floats(-100, 100), min_size=2, max_size=30), st.randoms())
def test_the_mean_is_the_same_in_whatever_order(values, random):
    mean = mean_interval(values).value
    random.shuffle(values)
    assert mean_interval(values).value == mean
    assert mean == float(sum(map(Fraction, values))) / len(values)


def test_means_that_are_equal_in_decimals_are_equal():
    one = [93.8, 94.39999999999999, 93.8, 94.8, 93.60000000000001, 95.6, 94.8, 93.8, 95.4, 94.0]
    other = [93.60000000000001, 94.8, 94.8, 94.8, 92.8, 95.8, 94.8, 93.8, 95.2, 93.6]
    assert mean_interval(one).value == mean_interval(other).value == 94.4


def test_mean_interval_covers_as_often_as_it_says():
    rng = np.random.default_rng(0)
    intervals = [mean_interval(rng.standard_normal(4)) for _ in range(2000)]
    covered = sum(interval.low <= 0 <= interval.high for interval in intervals)
    check = stats.binomtest(covered, 2000).proportion_ci(0.9999, method="wilson")
    assert check.low <= 0.95 <= check.high


def test_one_value_has_no_interval():
    found = mean_interval([3.0])
    assert (found.value, found.count) == (3.0, 1)
    assert math.isnan(found.low)
    assert math.isnan(found.high)


def test_pairs_are_matched_by_seed_and_shared_noise_cancels():
    rng = np.random.default_rng(0)
    shared = rng.normal(0, 10, 5)
    theirs = {seed: 70 + shared[seed] for seed in range(5)}
    ours = {seed: 72 + shared[seed] + 0.1 * rng.standard_normal() for seed in (4, 2, 0, 3, 1)}
    found = paired_difference(ours, theirs)
    assert found.low < 2 < found.high
    assert found.high - found.low < 0.6
    assert paired_difference({0: 1.0, 7: 9.0}, {0: 2.0, 8: 1.0}).count == 1
    with pytest.raises(ValueError, match="no seed is in both"):
        paired_difference({0: 1.0}, {1: 1.0})


values = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=3, max_size=25)


@given(values)
def test_the_rank_correlation_is_scipys(pairs):
    x, y = map(list, zip(*pairs, strict=True))
    if len(set(x)) > 1 and len(set(y)) > 1:
        assert kendall(x, y).value == pytest.approx(stats.kendalltau(x, y).statistic, abs=1e-12)
    else:
        assert math.isnan(kendall(x, y).value)


def test_the_interval_of_a_correlation_covers_about_as_often_as_it_says():
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(500):
        found = kendall(rng.standard_normal(20), rng.standard_normal(20))
        assert found.low <= found.value <= found.high
        covered += found.low <= 0 <= found.high
    check = stats.binomtest(covered, 500).proportion_ci(0.999, method="wilson")
    assert check.high > 0.94
    assert check.low < 0.97


@given(st.lists(st.floats(-5, 5), min_size=3, max_size=8))
def test_the_p_of_an_interval_is_scipys(values):
    if np.ptp(values) < 1e-6:
        values = [*values, values[0] + 1.0]
    expected = stats.ttest_1samp(values, 0.0).pvalue
    assert p_value(mean_interval(values)) == pytest.approx(expected, abs=1e-9)


def test_equal_differences_have_the_p_of_the_sign_test():
    assert p_value(mean_interval([1.0] * 5)) == 2 / 2**5
    assert p_value(mean_interval([0.0] * 5)) == 1.0
    assert math.isnan(p_value(mean_interval([1.0])))


def test_holm_asks_less_of_each_further_one_and_stops_at_the_first_that_fails():
    assert holm([0.04, 0.01, 0.02]) == [True, True, True]
    assert holm([0.04, 0.01, 0.03]) == [False, True, False]  # 0.03 ≥ 0.05/2
    assert holm([0.04, 0.02, 0.001]) == [True, True, True]
    assert holm([0.04, 0.03, 0.02]) == [False, False, False]  # 0.02 ≥ 0.05/3
    assert holm([math.nan, 0.04]) == [False, True]
    assert holm([]) == []


def test_intervals_are_written_with_their_count():
    assert f"{Interval(72.0, 70.0, 74.0, 5):.1f}" == "72.0 ± 2.0 (n=5)"
    assert f"{Interval(2.0, 1.5, 2.5, 3):+.1f}" == "+2.0 ± 0.5 (n=3)"
    assert f"{mean_interval([1.0]):.1f}" == "1.0 ± nan (n=1)"


def test_bad_input_is_named():
    for values in ([], [1.0, math.nan], [[1.0]]):
        with pytest.raises(ValueError, match="values must be a non-empty sequence"):
            mean_interval(values)
    with pytest.raises(ValueError, match="degrees must be a whole number"):
        t_cdf(1.0, 0)
    with pytest.raises(ValueError, match="probability must lie strictly between"):
        t_quantile(1.0, 3)
    with pytest.raises(ValueError, match="x and y must be of one length"):
        kendall([1, 2], [1])
    with pytest.raises(ValueError, match="x and y must be finite"):
        kendall([1, math.nan], [1, 2])
