import numpy as np
import pytest

from minisam.oracle.comparing import NARROW, error
from minisam.rounding import exact


def test_a_rough_look_tolerates_a_share_of_the_largest_number():
    for odd in ([], [np.inf], [np.nan]):  # which is no size
        expected = np.array([*odd, 1024.0, 1.0])
        for dtype, share in (("float64", NARROW), ("float32", 1e-3)):
            for factor in (0.9, 1.1):
                seen = np.array([*odd, 1024.0, 1.0 + factor * 1024 * share], dtype)
                with np.errstate(invalid="ignore"):  # as where steps are judged
                    assert (error(seen, expected).max() <= 1) == (factor < 1)


@pytest.mark.fault("special-value", "oracle.judge")
@pytest.mark.parametrize(("odd", "lift"), [
    (np.nan, exact),
    (np.nan, np.asarray),
    (np.inf, np.asarray),
    (-np.inf, np.asarray),
])  # fmt: skip
def test_what_is_no_number_agrees_with_itself_alone_and_excuses_no_other_entry(odd, lift):
    right = np.array([odd, 1.0, 2.0])
    assert not error(right, lift(right)).any()
    with np.errstate(invalid="ignore"):
        assert error(np.array([odd, 1.0, 2.1]), lift(right))[2] > 1
        for other in (np.nan, np.inf, -np.inf, 0.0):
            assert error(np.array([odd, other, 2.0]), lift(right))[1] > 1
            if not np.array_equal(other, odd, equal_nan=True):
                assert error(np.array([other, 1.0, 2.0]), lift(right))[0] > 1
