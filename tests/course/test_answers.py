"""What kind of thing an answer is, and whether it is near enough."""

import numpy as np
import pytest

from minisam.course.answers import as_like, as_number, near, unchanged
from minisam.course.child import Other
from minisam.course.rubric import Lost


@pytest.mark.parametrize("value", [True, "3", None, Other("set"), np.ones(2), [1.0]])
def test_what_is_no_number_is_none(value):
    with pytest.raises(Lost, match="f returns"):
        as_number(value, "f")


@pytest.mark.parametrize("value", [3, 3.0, np.float32(3), np.array([3.0])])
def test_a_number_is_one_in_any_form(value):
    assert as_number(value, "f") == 3.0


@pytest.mark.parametrize("value", [[1.0], np.ones((1, 2)), np.ones(2, np.float32), None])
def test_what_is_not_like_the_weights_is_said(value):
    with pytest.raises(Lost):
        as_like(value, np.ones(2), "f")


def test_arrays_are_near_within_roundings_of_their_dtype():
    one = np.float32(1) / np.float32(3)
    assert near(np.array([one]), np.array([1 / 3], np.float32))
    assert not near(np.array([1 / 3 + 1e-9]), np.array([1 / 3]))
    assert not near(np.array([np.nan]), np.array([1.0]))
    unit = np.finfo(float).eps
    assert near(1 + 3 * unit, 1.0, terms=3)
    assert not near(1 + 4 * unit, 1.0, terms=3)


def test_a_changed_argument_is_seen():
    with pytest.raises(Lost, match="f changes an array"):
        unchanged([np.ones(2)], [np.zeros(2)], "f")
