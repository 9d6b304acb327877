import numpy as np

from minisam.rounding import gamma, to_bfloat16


def test_gamma_grows_with_the_number_of_roundings():
    assert 0 == gamma(0, 2.0**-53) < gamma(1, 2.0**-53) < gamma(2, 2.0**-53)
    assert gamma(300, 2.0**-8) == np.inf


def test_bfloat16_rounds_to_nearest_even():
    np.testing.assert_array_equal(to_bfloat16([1 + 2.0**-8, 1 + 3 * 2.0**-8]), [1.0, 1 + 2.0**-6])
    assert np.isnan(to_bfloat16(np.nan))
    assert np.isinf(to_bfloat16(np.inf))
