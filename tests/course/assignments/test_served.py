import numpy as np
import pytest

from minisam.course.assignments.served import (
    MOST_STEPS,
    NAMED,
    Server,
    right_cases,
    slugs,
    wrong_cases,
)
from minisam.variants.mutants import MUTANTS

W = [np.array([1.0, 2.0]), np.ones((2, 2))]


def test_what_has_a_name_is_a_plain_mistake():
    assert set(NAMED.values()) <= set(slugs())


def test_right_steps_agree():
    ends = [case.make()(list(map(np.copy, W)), lambda w: [2 * x for x in w], rho=0.5, lr=0.25)
            for case in right_cases()]  # fmt: skip
    assert len(ends) == 10
    for end in ends:
        for x, y in zip(end, ends[0], strict=True):
            np.testing.assert_allclose(x, y, rtol=1e-9)


def test_another_seed_draws_other_cases_and_no_case_twice():
    a, b = ([one.name for one in wrong_cases(np.random.default_rng(s), 20, 10)] for s in (1, 2))
    assert a != b
    assert len(set(a)) == 30


def test_a_step_remembers_until_the_shapes_change():
    stale = Server([MUTANTS["M21-stale-ascent"].change])
    grads = iter([[np.array([1.0])], [np.array([2.0])], [np.array([-3.0])], [np.array([4.0])]])
    points = []

    def grad_fn(w):
        points.append(w[0][0])
        return next(grads)

    for _ in range(2):
        stale([np.array([1.0])], grad_fn, rho=0.5, lr=0.5)
    assert len(points) < 4 or points[3] == 1.5  # it climbs along the old gradient
    stale([np.ones(2)], lambda w: w, rho=0.5, lr=0.5)
    assert stale.shapes == [(2,)]


@pytest.mark.parametrize("w", [None, 3, [1.0], "w"])
def test_weights_that_are_none_are_refused(w):
    with pytest.raises(ValueError, match="w must be a list of arrays"):
        Server([])(w, lambda w: w, rho=0.5, lr=0.5)


def test_nobody_takes_steps_for_ever():
    step = right_cases()[0].step()
    for _ in range(MOST_STEPS):
        step([np.ones(1)], lambda w: w, rho=0.5, lr=0.5)
    with pytest.raises(ValueError, match="more than"):
        step([np.ones(1)], lambda w: w, rho=0.5, lr=0.5)
