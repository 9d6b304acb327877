import numpy as np
import pytest

from minisam.anatomy.climbs import OPERATIONS, Ruler, compare_climb, compare_ending
from minisam.rounding import UNITS, exact

ROOM = 2.0**-30  # between what rounding explains and what can be seen


def ruler(order=2, scaling=None, shortest=1.0, dtype="float64"):
    return Ruler(order, scaling, shortest, UNITS[dtype])


def climbed(right, seen, **measured):
    origin = {key: np.zeros(len(x)) for key, x in right.items()}
    wanted = {key: exact(x) for key, x in right.items()}
    point = {key: np.array(x, float) for key, x in seen.items()}
    found = compare_climb(origin, point, wanted, ruler(**measured))
    return found.along, found.exact


RIGHT = {"a": [3.0, 0.0], "b": [0.0, 4.0]}


@pytest.mark.parametrize(("seen", "along", "exact_"), [
    (RIGHT, True, True),
    ({"a": [-3, 0], "b": [0, -4]}, False, True),  # against
    ({"a": [6, 0], "b": [0, 8]}, True, False),  # too far
    ({"a": [6, 0], "b": [0, 4]}, True, False),  # one of them
    ({"a": [4, 0], "b": [0, 3]}, False, True),  # as long as it should be, by other parts
    ({"a": [0, 0], "b": [0, 4]}, False, True),  # one is left out
    ({"a": [0, 0], "b": [0, 5]}, False, True),  # and the rest makes up for it
    ({"a": [0, 3], "b": [4, 0]}, False, True),  # aside
    ({"a": [np.nan, 3], "b": [4, 0]}, False, False),
])  # fmt: skip
def test_direction_and_length_are_told_apart(seen, along, exact_):
    assert climbed(RIGHT, seen) == (along, exact_)


def test_only_what_is_not_to_move_may_stay():
    assert climbed({"a": [3.0], "b": [0.0]}, {"a": [3.0], "b": [0.0]}) == (True, True)
    assert climbed({"a": [3.0], "b": [0.0]}, {"a": [3.0], "b": [ROOM]}) == (False, True)


def test_lengths_are_taken_in_the_norm_and_the_coordinates_of_the_climb():
    assert climbed({"a": [1.0, 1.0]}, {"a": [1.0, -1.0]}, order=np.inf) == (False, True)
    assert climbed({"a": [2.0, 0.0]}, {"a": [0.0, 0.5]}, scaling={"a": np.array([2.0, 0.5])}) == (
        False,
        True,
    )


def test_a_climb_may_be_shorter_by_what_is_accepted():
    assert climbed({"a": [1.0]}, {"a": [0.75]}, shortest=0.5) == (True, True)
    assert climbed({"a": [1.0]}, {"a": [0.25]}, shortest=0.5) == (True, False)
    assert climbed({"a": [1.0]}, {"a": [1.25]}, shortest=0.5) == (True, False)


def test_what_is_right_to_float32_is_coarse_in_float64_only():
    origin, point = {"a": np.zeros(1)}, {"a": np.array([1 + 2.0**-24])}
    for dtype, right, coarse in (("float64", True, True), ("float32", True, False)):
        found = compare_climb(origin, point, {"a": exact([1.0], dtype)}, ruler(dtype=dtype))
        assert (found.exact, found.coarse) == (right, coarse)


@pytest.mark.parametrize("size", [2.0**-5, 2.0**-12, 1e-5, 2.0**-26])  # of the last nothing is left
def test_a_point_that_float32_rounds_is_coarse_however_short_the_climb(size):
    origin = {"a": np.array([1 / 3, -4 / 3])}
    climb = {"a": np.array([0.6, 0.8]) * size}
    in_float32 = {"a": (origin["a"] + climb["a"]).astype(np.float32).astype(float)}
    found = compare_climb(origin, in_float32, {"a": exact(climb["a"])}, ruler())
    assert (found.along, found.exact, found.coarse) == (True, True, True)
    aside = {"a": in_float32["a"] + [0.0, 2.0**-21]}  # a few of its units more
    assert not compare_climb(origin, aside, {"a": exact(climb["a"])}, ruler()).along


def test_both_ends_may_have_been_rounded_to_float32():
    origin, climb = {"a": np.array([1 + 2.0**-24 - 2.0**-40])}, np.array([2.0**-12 + 2.0**-24])
    point = np.float32(origin["a"]) + np.float32(climb)  # each rounds down by half a unit
    assert point == 1 + 2.0**-12
    found = compare_climb(origin, {"a": point.astype(float)}, {"a": exact(climb)}, ruler())
    assert (found.along, found.exact, found.coarse) == (True, True, True)


@pytest.mark.parametrize("moved", [0.6, 1.0])  # the other's own part, or that of both
def test_a_tensor_that_only_rounding_moves_is_left_out(moved):
    origin = {"a": np.array([1 / 3]), "b": np.array([-1 / 3])}
    climb, wanted = {"a": moved * 1e-5, "b": 0.0}, {"a": exact([6e-6]), "b": exact([8e-6])}
    point = {key: np.float32(origin[key] + climb[key]).astype(float) for key in origin}
    assert point["b"] != origin["b"]
    found = compare_climb(origin, point, wanted, ruler())
    assert (found.along, found.exact) == (False, True)
    assert "b" in found.off


@pytest.mark.parametrize(("more", "fits"), [(-1, True), (2, False)])
def test_each_operation_may_round_to_float32(more, fits):
    """The rounding of B itself is one more."""
    share, A = (OPERATIONS + more) * 2.0**-24, {"a": np.zeros(1)}
    for length in (1 + share, 1 - share):
        there, wanted = {"a": np.array([length])}, {"a": exact([1.0])}
        assert compare_climb(A, there, wanted, ruler()).exact == fits
        ending = compare_ending({"a": np.ones(1)}, A, wanted, there, ruler().unit)
        assert ending.right == fits


def test_a_lower_precision_than_float32_is_not_looked_for():
    ends = np.array([1.0, -2.0]), np.array([3.0, 4.0])
    np.testing.assert_array_equal(ruler().rounding(*ends), 2.0**-24 * np.array([4.0, 6.0]))
    assert not np.any(ruler(dtype="float32").rounding(*ends))


@pytest.mark.parametrize(("off", "right"), [(-1, True), (1, True), (-4, False), (4, False)])
def test_rounding_may_shorten_a_climb_as_well_as_lengthen_it(off, right):
    wanted = {"a": exact([1.0], "float32")}
    seen = {"a": np.array([1 + off * UNITS["float32"].u])}  # twice u is what is allowed
    found = compare_climb({"a": np.zeros(1)}, seen, wanted, ruler(dtype="float32"))
    assert found.exact == right


def ending(end, dtype="float64", start=1.0, expected=0.5, point=1.0):
    arrays = ({"a": np.array([x])} for x in (start, point, end))
    a, b, new = arrays
    return compare_ending(a, b, {"a": exact([expected])}, new, UNITS[dtype])[:2]


def test_new_weights_are_right_to_within_their_format():
    assert ending(0.5) == (True, False)
    assert ending(0.5 + 2.0**-24) == (True, True)
    assert ending(0.5 + 2.0**-10) == (False, False)
    assert ending(np.nan) == (False, False)


def test_weights_that_come_back_from_a_far_point_have_its_rounding():
    one = UNITS["float64"].u  # of a point at 1: four of them are allowed
    assert ending(2 * one, start=0.0, expected=0.0, point=1.0) == (True, False)
    assert ending(2 * one, start=0.0, expected=0.0, point=0.0) == (False, False)
