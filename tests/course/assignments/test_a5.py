"""What a judge earns that finds little, cries wolf, or knows no names."""

import numpy as np
import pytest

from minisam.course.assignments import a5, served
from minisam.course.assignments.a5 import ASSIGNMENT
from minisam.course.here import Here
from minisam.course.rubric import Task
from minisam.course.texts import reference

SCOPE = {}
exec(reference(ASSIGNMENT, {}), SCOPE)


def points(judge, seed=3):
    desk = Here({"judge": judge}, ASSIGNMENT.functions)
    return [one.points for one in ASSIGNMENT.judge(desk, Task(seed)).credits]


def one_number(step):
    """Look at one step of one tensor of two numbers."""
    w, d1, d2 = [np.array([1.0, 2.0])], [np.array([3.0, 4.0])], [np.array([1.0, -1.0])]
    points = []

    def grad_fn(point):
        points.append(np.array(point[0]))
        return d1 if np.allclose(point[0], [1.0, 2.0]) else d2

    new = step(w, grad_fn, rho=0.5, lr=0.5)
    right = np.allclose(new[0], [0.5, 2.5]) and np.allclose(points[-1], [1.3, 2.4])
    return "right" if right else "wrong"


@pytest.mark.parametrize("seed", [7])
def test_the_reference_gets_everything(seed):
    assert points(SCOPE["judge"], seed) == [12, 4, 4]


@pytest.mark.parametrize(("judge", "due"), [
    (lambda step: "right", [0, 0, 0]),
    (lambda step: "wrong", [0, 0, 0]),
    (lambda step: 1 / 0, [0, 0, 0]),
    (lambda step: None, [0, 0, 0]),
    (lambda step: 3, [0, 0, 0]),
])  # fmt: skip
def test_who_does_not_look_gains_nothing_by_it(judge, due):
    assert points(judge) == due


def credits(judge):
    return ASSIGNMENT.judge(Here({"judge": judge}, ASSIGNMENT.functions), Task(3)).credits


def test_what_a_judge_raises_is_told_always_or_of_how_many_steps():
    def sometimes(step):
        said = SCOPE["judge"](step)
        return "right" if said == "right" else {}[said]

    assert all("KeyError" in one.said for one in credits(lambda step: {}["x"]))
    first, *others = credits(sometimes)
    assert first.points == 0
    assert "it says nothing: judge raises KeyError" in first.said
    assert not any("KeyError" in one.said for one in others)


def test_one_number_finds_some():
    found, quiet, named = points(one_number)
    assert 0 < found < 12
    assert (quiet, named) == (4, 0)


def test_a_judge_who_is_too_strict_cries_wolf():
    def strict(step):
        def exact(w, grad_fn, *, rho, lr):
            new = step(w, grad_fn, rho=rho, lr=lr)
            return new if isinstance(new, list) else [np.full_like(x, np.nan) for x in w]

        return SCOPE["judge"](exact)

    assert points(strict)[1] == 2


@pytest.mark.parametrize(("alarms", "due"), [(4, [12, 0, 4]), (5, [0, 0, 4])])
def test_who_calls_half_of_the_right_ones_wrong_has_found_none(alarms, due, monkeypatch):
    kept = a5.verdicts

    def more_alarms(desk, task):
        said = kept(desk, task)
        return said._replace(right=["wrong"] * alarms + said.right[alarms:])

    monkeypatch.setattr(a5, "verdicts", more_alarms)
    assert points(SCOPE["judge"]) == due


def test_who_never_stops_asking_is_refused(monkeypatch):
    monkeypatch.setattr(served, "MOST_STEPS", 3)
    asked = []

    def judge(step):
        while True:
            asked.append(step([np.ones(2)], lambda w: w, rho=0.5, lr=0.5))

    assert points(judge) == [0, 0, 0]


@pytest.mark.parametrize(("unnamed", "due"), [(4, 4), (5, 3)])
def test_eight_names_of_twelve_are_enough(unnamed, due):
    hidden = {*list(served.NAMED)[:unnamed]}

    def forgetful(step):
        said = SCOPE["judge"](step)
        return "wrong" if said in hidden else said

    assert points(forgetful) == [12, 4, due]
