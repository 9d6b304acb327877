import numpy as np
import pytest

from minisam.course.assignments import NAMES, assignment
from minisam.course.child import Other
from minisam.course.rubric import (
    ADVICE,
    POINTS,
    Criterion,
    Lost,
    Task,
    as_like,
    as_number,
    constants,
    credit_of,
    given,
    near,
    unchanged,
)

CRITERION = Criterion("c", 3, "what")


@pytest.mark.parametrize("name", NAMES)
def test_an_assignment_has_twenty_points_and_a_name_for_each(name):
    found = assignment(name)
    assert sum(one.points for one in found.criteria) == POINTS
    assert len({one.name for one in found.criteria}) == len(found.criteria)


def test_an_unknown_assignment_is_refused_by_name():
    with pytest.raises(ValueError, match="assignment must be among a1"):
        assignment("a9")


@pytest.mark.parametrize(("points", "status"), [(0, "wrong"), (2, "partly")])
def test_what_is_lost_is_said(points, status):
    def ask():
        raise Lost("seen", "why?", points)

    assert credit_of(CRITERION, ask)[1:5] == (points, status, "seen", "why?")


def test_advice_is_a_question():
    assert all(text.endswith("?") for text in ADVICE.values())


@pytest.mark.parametrize("text", ["def f(:", "\0", "x" * 10 + "(" * 500, "[" * 10_000])
def test_of_a_text_that_is_no_python_there_are_no_constants(text):
    assert constants(text) == {}


@pytest.mark.parametrize(("values", "points"), [((1, 2, 3), 3), ((0, None, ""), 1), ((None,), 0)])
def test_answers_count_if_they_are_there(values, points):
    assert given(CRITERION, values).points == points


def test_more_answers_than_points_earn_no_more():
    assert given(CRITERION, (1, 2, 3), each=2).points == CRITERION.points


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


def test_another_seed_draws_other_numbers():
    assert Task(1).draw("x").random() != Task(2).draw("x").random()
    assert Task(1).draw("x").random() == Task(1).draw("x").random()


@pytest.mark.parametrize("text", ["A = 1 / 0", "A = f()", "A = B = [x]", "A: int = -x"])
def test_what_is_no_literal_is_never_run(text):
    assert isinstance(constants(text)["A"], str)
