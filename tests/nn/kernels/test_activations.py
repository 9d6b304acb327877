import numpy as np
import pytest
from autograd import grad
from nn.checks import check_derivatives, check_float32

from minisam.nn.kernels import activations as p

rng = np.random.default_rng(0)
# Away from 0 by more than the finite differences' step, so that no relu changes its mind.
AWAY_FROM_ZERO = rng.choice([-1, 1], (4, 6)) * rng.uniform(0.1, 2, (4, 6))
X = rng.standard_normal((5, 4))

CASES = {
    "relu": (p.relu, (AWAY_FROM_ZERO,)),
    "gate": (lambda g: p.gate(g, AWAY_FROM_ZERO), (rng.standard_normal((4, 6)),)),
    "gelu": (p.gelu, (X,)),
    "gelu_slope": (p.gelu_slope, (X,)),
    "tanh": (p.tanh, (X,)),
    "softmax": (p.softmax, (X,)),
}


@pytest.mark.parametrize("name", CASES)
def test_derivatives(name):
    function, args = CASES[name]
    check_derivatives(function, *args, name=name)
    check_float32(function, *args)


def test_a_single_number():
    assert p.relu(np.array(-1.0)) == 0
    assert grad(p.relu)(2.0) == 1


def test_relu_has_subgradient_zero_at_zero():
    x = np.array([-1.0, -0.0, 0.0, 5e-324, 1.0])
    np.testing.assert_array_equal(grad(lambda x: p.relu(x).sum())(x), [0, 0, 0, 1, 1])


def test_relu_does_not_hide_nan():
    assert np.isnan(p.relu(np.array([np.nan]))[0])


def test_gelu_is_close_to_x_times_the_normal_distribution_function():
    from math import erf

    x = np.linspace(-6, 6, 241)
    exact = np.array([0.5 * v * (1 + erf(v / np.sqrt(2))) for v in x])
    assert np.max(np.abs(p.gelu(x) - exact)) < 5e-4


@pytest.mark.parametrize("shift", [0.0, 1e30, -1e30])
def test_softmax_neither_overflows_nor_vanishes(shift):
    probabilities = p.softmax(np.array([[0.0, 0.0], [0.0, 700.0]]) + shift)
    np.testing.assert_array_equal(probabilities[0], [0.5, 0.5])
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=4 * 2.0**-53)


@pytest.mark.fault("dtype", "nn.activations")
@pytest.mark.parametrize("dtype", ["u1", "i1", "?", "i8"])
def test_softmax_of_integers_is_that_of_floats(dtype):
    """0 − 1 is 255 in eight bits without a sign."""
    x = np.array([0, 1], dtype)
    np.testing.assert_array_equal(p.softmax(x), p.softmax(x.astype(float)))
