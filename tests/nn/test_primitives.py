import numpy as np
import pytest
from autograd import grad
from nn.checks import check_derivatives, check_float32

from minisam.nn import primitives as p

rng = np.random.default_rng(0)
# Away from 0 by more than the finite differences' step, so that no relu changes its mind.
AWAY_FROM_ZERO = rng.choice([-1, 1], (4, 6)) * rng.uniform(0.1, 2, (4, 6))
X, W, B = rng.standard_normal((5, 4)), rng.standard_normal((4, 3)), rng.standard_normal(3)
IMAGES = rng.standard_normal((2, 3, 3, 4))

CASES = {
    "relu": (p.relu, (AWAY_FROM_ZERO,)),
    "gate": (lambda g: p.gate(g, AWAY_FROM_ZERO), (rng.standard_normal((4, 6)),)),
    "gelu": (p.gelu, (X,)),
    "gelu_slope": (p.gelu_slope, (X,)),
    "tanh": (p.tanh, (X,)),
    "affine": (p.affine, (X, W, B)),
    "affine on images": (p.affine, (IMAGES, W, B)),
    "affine and relu": (lambda x, w, b: p.affine(x, w, b, True), (X, W, B)),
    "add_bias": (p.add_bias, (IMAGES, rng.standard_normal(4))),
    "total": (p.total, (IMAGES,)),
    "repeat": (lambda b: p.repeat(b, (5, 2, 3)), (B,)),
    "softmax": (p.softmax, (X,)),
}


@pytest.mark.parametrize("name", CASES)
def test_derivatives(name):
    function, args = CASES[name]
    check_derivatives(function, *args, name=name)
    check_float32(function, *args)


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


def test_affine_in_float32_is_within_the_bound():
    """|error| ≤ γ_{n+1} (Σ|x||w| + |b|), n products per entry."""
    r = np.random.default_rng(1)
    x, w, b = (r.standard_normal(s).astype(np.float32) for s in ((64, 500), (500, 32), (32,)))
    exact = p.affine(x.astype(np.float64), w.astype(np.float64), b.astype(np.float64))
    sizes = p.affine(*(np.abs(a).astype(np.float64) for a in (x, w, b)))
    gamma = 502 * 2.0**-24 / (1 - 502 * 2.0**-24)
    assert np.all(np.abs(p.affine(x, w, b) - exact) <= gamma * sizes)


def test_total_of_many_rows_is_within_the_bound_of_blocked_summation():
    """A naive running sum of 2¹⁸ float32 ones-like numbers loses four digits; this must not."""
    x = np.random.default_rng(2).uniform(0.5, 1, (2**18, 3)).astype(np.float32)
    exact = x.astype(np.float64).sum(axis=0)
    assert np.all(np.abs(p.total(x) - exact) <= 2**10 * 2.0**-24 * exact)
