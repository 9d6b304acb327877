import pytest

from minisam.course.assignments import NAMES, assignment
from minisam.course.rubric import (
    ADVICE,
    POINTS,
    Criterion,
    Lost,
    Task,
    credit_of,
    given,
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


@pytest.mark.parametrize(("values", "points"), [((1, 2, 3), 3), ((0, None, ""), 1), ((None,), 0)])
def test_answers_count_if_they_are_there(values, points):
    assert given(CRITERION, values).points == points


def test_more_answers_than_points_earn_no_more():
    assert given(CRITERION, (1, 2, 3), each=2).points == CRITERION.points


def test_another_seed_draws_other_numbers():
    assert Task(1).draw("x").random() != Task(2).draw("x").random()
    assert Task(1).draw("x").random() == Task(1).draw("x").random()
