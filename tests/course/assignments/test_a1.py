"""What the wrong answers to A1 lose, and what they are told."""

import math
import re

import numpy as np
import pytest

from minisam.course.assignments.a1 import ASSIGNMENT
from minisam.course.here import Here
from minisam.course.rubric import Task
from minisam.course.texts import reference


def judged(seed=4, **replaced):
    scope = {}
    exec(reference(ASSIGNMENT, {}), scope)
    desk = Here({**scope, **replaced}, ASSIGNMENT.functions)
    task = Task(seed, {}, {f"PREDICTION_{n}": scope[f"PREDICTION_{n}"] for n in (1, 2, 3)})
    return {one.name: one for one in ASSIGNMENT.judge(desk, task).credits}


def in_place(w, g, *, lr):
    w -= (lr * g).astype(w.dtype)
    return w


def momentum(form):
    def step(w, g, v, *, lr, beta):
        if form == "inside":
            v = beta * v + lr * g
            return w - v, v
        if form == "average":
            v = beta * v + (1 - beta) * g
            return w - lr * v, v
        return w - lr * g, beta * v + g

    return step


def whole(tol, factor):
    return math.ceil(math.log(tol) / math.log(factor)) if 0 < factor < 1 else 1


WRONG = [  # the function, the wrong one, the criteria it loses, a word of what it is told
    ("sgd_step", in_place, {"sgd_step"}, "changes an array"),
    ("sgd_step", lambda w, g, *, lr: w + lr * g, {"sgd_step"}, "along \\+g"),
    ("sgd_step", lambda w, g, *, lr: w - np.float64(lr) * g, {"sgd_step"}, "float64 came out"),
    ("sgd_step", lambda w, g, *, lr: list(w), {"sgd_step"}, "not an array"),
    ("momentum_step", momentum("inside"), {"momentum_later"}, "After step 1"),
    ("momentum_step", momentum("average"), {"momentum_first", "momentum_later"}, "times that"),
    ("momentum_step", momentum("unfelt"), {"momentum_later"}, "feel the velocity"),
    ("largest_stable_lr", lambda x: 1 / max(x), {"largest_stable_lr"}, "it returns"),
    ("largest_stable_lr", lambda x: 2 / min(x), {"largest_stable_lr"}, "it returns"),
    ("largest_stable_lr", lambda x: "2", {"largest_stable_lr"}, "returns str"),
    (
        "steps_to",
        lambda tol, x, lr: math.floor(math.log(tol) / math.log(max(abs(1 - lr * np.asarray(x))))),
        {"steps_to"},
        "it returns",
    ),
    (
        "steps_to",
        lambda tol, x, lr: 1 + math.ceil(math.log(tol) / math.log(max(abs(1 - lr * x)))),
        {"steps_to"},
        "it returns",
    ),
    ("steps_to", lambda tol, x, lr: whole(tol, max(1 - lr * x)), {"steps_to"}, "it returns"),
    ("steps_to", lambda tol, x, lr: whole(tol, 1 - lr * min(x)), {"steps_to"}, "it returns"),
    ("steps_to", lambda tol, x, lr: whole(tol, abs(1 - lr * max(x))), {"steps_to"}, "it returns"),
    ("bounce", lambda lr, lam, rho: lr * lam * rho / 2, {"bounce"}, "one step of SAM leads to"),
    ("bounce", lambda lr, lam, rho: None, {"bounce"}, "returns nothing"),
]


@pytest.mark.parametrize(("name", "function", "loses", "told"), WRONG)
def test_a_wrong_answer_loses_its_own_points(name, function, loses, told):
    found = judged(**{name: function})
    lost = {one.name for one in found.values() if one.status != "right"}
    assert lost == loses
    text = " ".join(found[one].said for one in loses)
    assert re.search(told, text), text


@pytest.mark.parametrize(("rate", "asks"), [
    (lambda x: 1 / max(x), "overshoot"),
    (lambda x: 2 / min(x), "leaves first"),
    (lambda x: 1 / min(x), "leaves first"),
    (lambda x: 3 / max(x), "multiplied"),
])  # fmt: skip
def test_what_is_asked_back_depends_on_the_rate(rate, asks):
    assert asks in judged(largest_stable_lr=rate)["largest_stable_lr"].question


@pytest.mark.parametrize("rounded", [math.floor, float])
def test_a_number_of_steps_that_is_none_yet_is_told_apart(rounded):
    def steps_to(tol, x, lr):
        return rounded(math.log(tol) / math.log(max(abs(1 - lr * x))))

    assert "whole steps" in judged(steps_to=steps_to)["steps_to"].question


@pytest.mark.parametrize("seed", range(5))
def test_the_reference_is_right_with_any_numbers(seed):
    assert sum(one.points for one in judged(seed).values()) == 20


def test_a_guess_counts_whatever_it_is_and_none_does_not():
    desk = Here({}, ASSIGNMENT.functions)
    for values, points in (({}, 0), ({"PREDICTION_1": 9, "PREDICTION_2": "a"}, 2)):
        assert ASSIGNMENT.judge(desk, Task(0, {}, values)).credits[-1].points == points
