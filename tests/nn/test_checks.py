"""The checks themselves: each of them fails on a function that is wrong in just that way."""

import autograd.numpy as anp
import numpy as np
import pytest
from autograd.extend import defjvp, defvjp, primitive
from autograd.tracer import getval
from nn.checks import (
    STEP,
    check_derivatives,
    check_float32,
    check_repeats,
    steps_over_a_kink,
)

X = np.linspace(0.5, 1.5, 6).reshape(2, 3)


def cube_with(vjp, jvp):
    @primitive
    def cube(x):
        return x * x * x

    defvjp(cube, vjp)
    defjvp(cube, jvp)
    return cube


def test_right_derivatives_pass():
    right = cube_with(lambda y, x: lambda g: 3 * x * x * g, lambda t, y, x: 3 * x * x * t)
    check_derivatives(right, X)
    check_float32(right, X)


@pytest.mark.parametrize(
    "wrong",
    [
        cube_with(lambda y, x: lambda g: 3.0001 * x * x * g, lambda t, y, x: 3.0001 * x * x * t),
        cube_with(lambda y, x: lambda g: 3 * x * x * g, lambda t, y, x: 3.0001 * x * x * t),
        cube_with(
            lambda y, x: lambda g: 3 * getval(x) * getval(x) * g,
            lambda t, y, x: 3 * x * x * t,
        ),
    ],
    ids=["both modes off by 3e-5", "forward mode off", "second derivative missing"],
)
def test_wrong_derivatives_fail(wrong):
    with pytest.raises(AssertionError):
        check_derivatives(wrong, X)


@pytest.mark.parametrize(("distance", "over"), [(3.0, False), (1.0, True), (-1.0, True)])
def test_a_kink_within_two_steps_is_seen(distance, over):
    at, along = (np.array([1.0, distance * STEP]),), (np.array([1.0, 1.0]),)
    assert steps_over_a_kink(lambda x: x, at, along) == over


def test_a_leak_to_float64_fails():
    with pytest.raises(AssertionError, match="gradient of argument 0 is float64"):
        check_float32(lambda x: anp.maximum(x, 0), X)


def test_kernels_that_do_not_repeat_or_that_change_an_argument_are_found():
    counts = iter(range(100))

    def pixels(x, w):
        return x @ w[1, 1]

    def moving(*args):
        return pixels(*args) + next(counts)

    def spoiling(k):
        def kernel(*args):
            result = args[0] + 1
            args[k][...] = -1
            return result

        return kernel

    check_repeats(pixels, np.vdot, channels=2)
    wrong = [(pixels, spoiling(k)) for k in (0, 1)] + [(spoiling(k), np.vdot) for k in (0, 1)]
    for kernels in (*wrong, (moving, np.vdot), (pixels, lambda *_: next(counts))):
        with pytest.raises(AssertionError):
            check_repeats(*kernels, channels=2)
