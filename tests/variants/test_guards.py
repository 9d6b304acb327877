"""What each guard does about a gradient that is not finite, and that it leaves others alone."""

import numpy as np
import pytest

from minisam.variants.guards import GUARDS
from minisam.variants.recipe import optimizer

NAN = np.nan
A, D1, D2 = (1.0, 2.0), (3.0, 4.0), (1.0, 2.0)
B, END = (1.3, 2.4), (0.75, 1.5)  # A + 0.5 d1/5 and A − 0.25 d2


def walk(guard, *steps, **settings):
    """Take steps with told gradients; return B of the last one and the new weights."""
    opt = optimizer({"method": "sam", "rho": 0.5, "lr": 0.25, **settings}, [GUARDS[guard]])
    w = {"w": np.array(A)}
    state, points = opt.init(w), []
    for told in steps:
        answers = iter(told)

        def ask(point, answers=answers):
            points.append(point["w"])
            return 0.0, {"w": np.array(next(answers))}

        w, state, _ = opt.step(w, state, ask)
    return points[-1], w["w"]


def lands(seen, b, end):
    np.testing.assert_allclose(seen[0], b, rtol=1e-15)
    np.testing.assert_allclose(seen[1], end, rtol=1e-15)


@pytest.mark.parametrize("guard", GUARDS)
def test_finite_gradients_are_left_alone(guard):
    lands(walk(guard, (D1, D2)), B, END)


@pytest.mark.parametrize(("guard", "b", "end"), [
    ("no_climb", A, END),
    ("skip", (NAN, NAN), A),
    ("skip_first", (NAN, NAN), A),
    ("skip_second", (NAN, NAN), END),
    ("zero", (1.0, 2.5), END),  # along (0, 4)
    ("zero_all", A, END),
])  # fmt: skip
def test_a_first_gradient_that_is_not_finite(guard, b, end):
    lands(walk(guard, ((NAN, 4.0), D2)), b, end)


@pytest.mark.parametrize(("guard", "end"), [
    ("no_climb", (0.75, NAN)),
    ("skip", A),
    ("skip_first", (0.75, NAN)),
    ("skip_second", A),
    ("zero", (0.75, 2.0)),
    ("zero_all", A),
    ("raise", (0.75, NAN)),
])  # fmt: skip
def test_a_second_gradient_that_is_not_finite(guard, end):
    lands(walk(guard, (D1, (1.0, NAN))), B, end)


def test_a_first_gradient_may_be_refused():
    with pytest.raises(FloatingPointError, match="not finite"):
        walk("raise", ((np.inf, 4.0), D2))


def test_a_skipped_step_leaves_the_velocity_and_not_the_schedule():
    more = {"momentum": 0.5, "lr": [0.25, 0.125, 0.5]}
    _, end = walk("skip", (D1, D2), (D1, (NAN, 0.0)), (D1, D2), **more)
    np.testing.assert_allclose(end, np.subtract(END, np.multiply(0.5 * 1.5, D2)), rtol=1e-15)
