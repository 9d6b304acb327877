from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minisam.checks import check_choice, check_flag, check_number, check_whole, is_real

NO_NUMBERS = [True, False, np.True_, np.array(True), "0.5", b"0.5", None, 0.5j, [0.5], (), {}]
NO_NUMBERS += [np.array([0.5]), np.array([]), np.complex64(0.5), np.array("0.5"), ..., float]


@pytest.mark.fault("dtype", "checks.check_number")
@pytest.mark.parametrize("kind", [float, Fraction, np.float16, np.float32, np.float64, np.array])
def test_a_half_is_a_number_of_whatever_type(kind):
    check_number("rate", kind(0.5), high=1.0)
    with pytest.raises(ValueError, match=r"^rate must be a number in \[1, 2\], got .*"):
        check_number("rate", kind(0.5), low=1.0, high=2.0)


@pytest.mark.fault("dtype", "checks.check_number")
@pytest.mark.parametrize("kind", [int, np.uint8, np.int16, np.int64, np.longdouble])
def test_one_is_a_number_of_whatever_type(kind):
    check_number("rate", kind(1), high=1.0)


@pytest.mark.fault("dtype", "checks.check_number")
@pytest.mark.parametrize("value", NO_NUMBERS, ids=repr)
def test_what_is_no_number_is_refused_by_name(value):
    assert not is_real(value)
    with pytest.raises(ValueError, match=r"^rho must be a number in \[0, inf\], got "):
        check_number("rho", value)


@pytest.mark.fault("special-value", "checks.check_number")
@pytest.mark.parametrize("value", [np.nan, np.float32("nan"), -np.inf, 10**400, -5e-324])
def test_what_is_not_at_least_0_or_no_float_is_refused(value):
    with pytest.raises(ValueError, match=r"^rho must be a number in \[0, inf\], got "):
        check_number("rho", value)


@pytest.mark.fault("special-value", "checks.check_number")
def test_infinity_is_taken_only_where_the_interval_holds_it():
    check_number("p", np.inf, low=1.0)
    check_number("rho", -0.0)
    for value in (np.inf, np.float32(np.inf)):
        with pytest.raises(ValueError, match=r"^rho must be a number in \[0, inf\), got"):
            check_number("rho", value, open_high=True)
        with pytest.raises(ValueError, match=r"^rate must be a number in \[0, 1\], got"):
            check_number("rate", value, high=1.0)


@given(st.floats() | st.integers(), st.booleans())
def test_what_is_taken_is_what_lies_in_the_interval(value, open_high):
    inside = 0 <= value < 1 if open_high else 0 <= value <= 1
    try:
        check_number("rate", value, high=1.0, open_high=open_high)
    except ValueError:
        assert not inside
    else:
        assert inside


@pytest.mark.fault("dtype", "checks.check_whole")
@pytest.mark.parametrize("kind", [int, np.int8, np.uint64, np.array])
def test_two_is_whole_of_whatever_type(kind):
    check_whole("epochs", kind(2), low=2)
    check_whole("epochs", kind(2), high=2)
    with pytest.raises(ValueError, match=r"^epochs must be a whole number of at least 3, got "):
        check_whole("epochs", kind(2), low=3)
    with pytest.raises(ValueError, match=r"^epochs must be a whole number from 0 to 1, got "):
        check_whole("epochs", kind(2), high=1)


@pytest.mark.fault("dtype", "checks.check_whole")
@pytest.mark.parametrize("value", [*NO_NUMBERS, 2.0, np.float32(2), np.nan, np.inf, "2"], ids=repr)
def test_what_is_not_whole_is_refused_by_name(value):
    with pytest.raises(ValueError, match=r"^epochs must be a whole number of at least 0, got "):
        check_whole("epochs", value)


def test_a_flag_is_true_or_false():
    for value in (True, False, np.True_, np.False_):
        check_flag("nesterov", value)
    for value in (1, 0, None, "False", np.array(True)):
        with pytest.raises(ValueError, match=r"^nesterov must be True or False, got"):
            check_flag("nesterov", value)


def test_a_choice_is_one_of_the_choices():
    check_choice("decay", "coupled", ("coupled", "decoupled"))
    for value in (3, None, "Coupled", np.array(["coupled"] * 2), ["coupled"]):
        with pytest.raises(ValueError, match=r"^decay must be one of 'coupled', 'decoupled', got"):
            check_choice("decay", value, ("coupled", "decoupled"))
