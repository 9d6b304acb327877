import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minisam.lesson.slips import (
    GENERAL,
    agrees,
    between,
    first_shown,
    is_nan,
    multiple,
    plus,
    shows,
    value,
)

numbers = st.builds(lambda size, sign: size * sign, st.floats(1e-9, 1e9), st.sampled_from([-1, 1]))


@given(numbers)
def test_three_digits_are_enough_and_two_are_not_always(right):
    assert agrees(float(f"{right:.3g}"), right)
    assert agrees([right, float(f"{right:.3g}")], [right, right])
    assert not agrees(1.01 * right, right)
    assert not agrees(-right, right)
    assert not agrees(0.0, right)
    assert not agrees([], right)
    assert not agrees([right, right], right)


@pytest.mark.parametrize(
    "form", [list, tuple, np.array, np.atleast_2d, lambda it: [[x] for x in it]]
)
def test_a_vector_counts_in_every_form(form):
    assert agrees(form([1.0, 2.0]), np.array([1.0, 2.0]))
    assert not agrees(form([2.0, 1.0]), np.array([1.0, 2.0]))


@given(numbers, st.sampled_from([2.0, -1.0, 100.0, 1e-6]))
def test_a_slip_is_told_from_the_right_answer(right, factor):
    assert multiple(factor)(factor * right, right)
    assert not multiple(factor)(right, right)
    assert plus(3 * right)(4 * right, right)
    assert not plus(3 * right)(right, right)
    assert value(1e10, factor * right)(factor * right, right)
    assert not value(1e10, factor * right)(right, right)


def test_the_small_ones_of_many_numbers_may_be_off_by_more():
    right = np.array([1.0, 1e-6])
    assert multiple(2)([2.0, 4e-6], right)
    assert not multiple(2)([2.0, 0.1], right)


@pytest.mark.parametrize("yours", [[1.0, 2.0], "sharp", None, print])
def test_what_cannot_be_compared_shows_no_slip(yours):
    assert not shows(between(0, 1), yours, 3.0)
    assert first_shown({"one?": between(0, 1), "two?": lambda *_: True}, yours, 3.0) == "two?"


@pytest.mark.parametrize(
    ("yours", "right", "word"),
    [(-3.0, 3.0, "sign"), (0.03, 3.0, "share"), (300, 3, "share"), (3.1, 3.15, "digits"),
     ([3, 3], 3, "How many numbers"), (7.0, 3.0, "")],
)  # fmt: skip
def test_what_is_asked_of_every_number(yours, right, word):
    asked = first_shown(GENERAL, yours, right)
    assert word in asked
    assert bool(asked) is bool(word)


@given(st.lists(numbers, min_size=1, max_size=3))
def test_what_is_no_number_is_told_wherever_it_stands(some):
    assert not is_nan(some, 0.0)
    assert all(is_nan([*some[:k], np.nan, *some[k:]], 0.0) for k in range(len(some) + 1))
