import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from minisam.experiments.student import t_cdf, t_quantile


@given(st.integers(1, 300), st.floats(-50, 50))
def test_t_distribution_is_scipys(degrees, t):
    assert t_cdf(t, degrees) == pytest.approx(stats.t.cdf(t, degrees), abs=1e-13)


@given(st.integers(1, 300), st.floats(0.001, 0.999))
def test_t_quantile_is_scipys(degrees, probability):
    expected = stats.t.ppf(probability, degrees)
    assert t_quantile(probability, degrees) == pytest.approx(expected, rel=1e-9, abs=1e-9)
