import numpy as np
import pytest
from nn.checks import check_derivatives, check_float32

from minisam.nn.kernels import normalization as n

rng = np.random.default_rng(0)
X = rng.standard_normal((5, 2, 3, 4))
WEIGHT, BIAS = rng.uniform(0.5, 2, 4), rng.standard_normal(4)

CASES = {
    "moments": (n.moments, (X,)),
    "scale_shift": (n.scale_shift, (X, WEIGHT, BIAS)),
    "scale_channels": (n.scale_channels, (X, WEIGHT)),
    "channel_inner": (n.channel_inner, (X, X[::-1])),
    "batch_norm": (lambda x, w, b: n.batch_norm(x, w, b)[0], (X, WEIGHT, BIAS)),
    "root": (n.root, (WEIGHT,)),
    "layer_norm": (n.layer_norm, (X, WEIGHT, BIAS)),
    "normalize_by": (
        lambda x, w, b: n.normalize_by(x, np.zeros(4, x.dtype), np.full(4, 2, x.dtype), w, b),
        (X, WEIGHT, BIAS),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_derivatives(name):
    function, args = CASES[name]
    check_derivatives(function, *args, name=name)
    check_float32(function, *args)


def test_batch_norm_normalizes():
    y, (mean, variance) = n.batch_norm(X, np.ones(4), np.zeros(4), eps=0.0)
    np.testing.assert_allclose(mean, X.mean(axis=(0, 1, 2)), rtol=1e-14, atol=1e-15)
    np.testing.assert_allclose(variance, X.var(axis=(0, 1, 2)), rtol=1e-14)
    np.testing.assert_allclose(y.mean(axis=(0, 1, 2)), 0, atol=1e-15)
    np.testing.assert_allclose(y.var(axis=(0, 1, 2)), 1, rtol=1e-14)


def test_layer_norm_normalizes_each_position():
    y = n.layer_norm(X, np.ones(4), np.zeros(4), eps=0.0)
    np.testing.assert_allclose(y.mean(axis=-1), 0, atol=1e-15)
    np.testing.assert_allclose(y.var(axis=-1), 1, rtol=1e-13)


def test_variance_survives_a_large_mean_in_float32():
    """The variance is of x − mean, not E x² − mean², which loses every digit here."""
    x = (1000 + np.random.default_rng(0).standard_normal((2**16, 2))).astype(np.float32)
    exact = x.astype(np.float64).var(axis=0)
    # Rounding of the mean: relative u · 1000 enters the variance squared, the rest is γ of a few u.
    assert np.all(
        np.abs(n.moments(x)[1] - exact) <= ((1000 * 2.0**-24) ** 2 + 8 * 2.0**-24) * exact
    )


def test_a_batch_of_one_value_per_channel_is_finite():
    y, _ = n.batch_norm(np.ones((1, 4)), WEIGHT, BIAS)
    # y = a x + (bias − a mean) with a = weight / √eps: two roundings of each of its three terms.
    terms = 2 * WEIGHT / np.sqrt(1e-5) + np.abs(BIAS)
    assert np.all(np.abs(y[0] - BIAS) <= 2 * 2.0**-53 * terms)
