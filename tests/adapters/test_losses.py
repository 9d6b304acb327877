"""The losses of scripted gradients are numbers that one can compare."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minisam import optim
from minisam.adapters.library import adapter_of, optimizer_of
from minisam.adapters.losses import MOST_POINTS, ScriptedLoss
from minisam.adapters.protocol import HYPERPARAMETERS
from minisam.oracle.checking import check

numbers = st.floats(-1e3, 1e3)


@given(st.lists(st.tuples(numbers, numbers), min_size=1, max_size=6), st.floats(-1e300, 1e300))
def test_it_is_finite_never_zero_and_the_same_at_the_same_point(points, size):
    loss = ScriptedLoss()
    for point in points:
        values = []
        for _ in range(2):
            values.append(loss.at([np.array(point)]))
            loss.learn([np.array(point)], [np.array([size, -size])])
        assert values[0] == values[1]
        assert 1 <= values[0] <= 3


@given(st.lists(numbers, min_size=2, max_size=5), st.floats(1e-3, 1e3))
def test_it_rises_along_a_climb_and_falls_along_a_descent(gradient, rho):
    g = np.array(gradient)
    length = np.linalg.norm(g)
    if length < 1e-3:
        return
    loss, A = ScriptedLoss(), np.zeros(len(g))
    here = loss.at([A])
    loss.learn([A], [g])
    assert loss.at([A - rho * g / length]) < here < loss.at([A + rho * g / length])


def test_its_slope_at_a_point_is_the_gradient_told_there():
    loss, A, g = ScriptedLoss(), np.array([1.0, 2.0]), np.array([0.5, -0.25])
    loss.learn([A], [g])
    h = 2.0**-20
    for k in range(2):
        step = h * np.eye(2)[k]
        slope = (loss.at([A + step]) - loss.at([A - step])) / (2 * h)
        # the cubic term of atan, and half a unit in the last place of 2 twice
        assert abs(slope - g[k]) <= 3 * (h * g[k]) ** 2 + 2.0**-52 / h


def test_a_tensor_without_a_gradient_has_no_part_in_it():
    loss, w = ScriptedLoss(), [np.ones(2), np.ones(3)]
    loss.learn(w, [None, np.ones(3)])
    assert loss.at([np.zeros(2), np.ones(3)]) == loss.at(w)
    assert loss.at([np.ones(2), np.zeros(3)]) < loss.at(w)


def test_what_is_not_finite_leaves_no_trace():
    loss, w = ScriptedLoss(), [np.ones(2)]
    loss.learn(w, [np.array([np.nan, 1.0])])
    assert loss.at([np.array([np.nan, 1.0])]) == loss.at([np.zeros(2)]) == 2.0
    loss.learn([np.array([np.inf, 1.0])], [np.ones(2)])
    assert loss.at([np.zeros(2)]) == 2.0


@pytest.mark.fault("special-value", "oracle.check")
def test_a_step_that_ends_at_a_loss_that_is_not_finite_conforms():
    def make(hp):
        opt = optimizer_of(hp)

        def step(params, state, value_and_grad):
            if not math.isfinite(value_and_grad(params)[0]):
                return params, state, None
            return opt.step(params, state, value_and_grad)

        return opt._replace(step=step)

    assert check(adapter_of(make), "float64", method="sam").conforms


def test_it_forgets_points_of_long_ago():
    loss = ScriptedLoss()
    for k in range(10 * MOST_POINTS):
        loss.at([np.array([float(k)])])
    assert len(loss.known) <= MOST_POINTS


@pytest.mark.fault("special-value", "oracle.own")
def test_the_librarys_optimizers_are_told_a_loss():
    seen = []

    def make(hp):
        def step(params, state, value_and_grad):
            seen.append(value_and_grad(params)[0])
            return {name: w - 0.5 for name, w in params.items()}, state, None

        return optim.Optimizer(lambda params: None, step)

    run = adapter_of(make)([np.ones(2)], HYPERPARAMETERS)
    for _ in range(3):
        run(lambda point: [np.ones(2)])
    assert seen[0] > seen[1] > seen[2] > 1
