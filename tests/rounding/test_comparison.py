import numpy as np

from minisam.rounding import UNITS, Rounded, exact, ratio


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
