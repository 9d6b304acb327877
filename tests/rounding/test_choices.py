import numpy as np

from minisam.rounding import UNITS, Rounded, exact


def test_bounds_move_along_with_their_entries():
    x = exact([1.0, 2.0, 3.0]).widened(np.array([0.1, 0.2, 0.3]))
    np.testing.assert_array_equal(np.roll(x, 1).bound, [0.3, 0.1, 0.2])
    np.testing.assert_array_equal(x[1:].bound, [0.2, 0.3])
    np.testing.assert_array_equal(np.ldexp(x, 2).bound, 4 * x.bound)
    np.testing.assert_array_equal(np.broadcast_to(x, (2, 3)).T.bound, np.stack([x.bound] * 2, 1))
    np.testing.assert_array_equal(exact([1.0, 2.0]).widened(0.5)[1].bound, 0.5)


def test_signs_and_order_are_uncertain_only_near_zero():
    noisy = Rounded(np.array([1.0, 1e-9]), np.array([1e-8, 1e-8]), UNITS["float64"])
    np.testing.assert_array_equal(np.sign(noisy).bound, [0.0, 2.0])
    np.testing.assert_array_equal(np.maximum(noisy, 0.0).bound, [1e-8, 1e-8])
