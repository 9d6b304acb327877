import numpy as np
import pytest

from minisam.nn import layers, mlp, vit

rng = np.random.default_rng(0)


def test_batch_norm_moves_running_statistics_towards_the_batch():
    x = rng.standard_normal((8, 4, 4, 3))
    params = layers.init_batch_norm("bn", 3, np.float64)
    old = {"bn.running_mean": np.arange(3.0), "bn.running_var": np.arange(1.0, 4.0)}
    _, new = layers.batch_norm(params, "bn", x, old, training=True, momentum=0.25)
    mean, unbiased = x.mean(axis=(0, 1, 2)), x.var(axis=(0, 1, 2), ddof=1)
    np.testing.assert_allclose(
        new["bn.running_mean"], 0.75 * np.arange(3) + 0.25 * mean, rtol=1e-13
    )
    expected = 0.75 * np.arange(1, 4) + 0.25 * unbiased
    np.testing.assert_allclose(new["bn.running_var"], expected, rtol=1e-13)
    np.testing.assert_array_equal(old["bn.running_mean"], np.arange(3.0))


def test_batch_norm_at_inference_uses_and_keeps_the_running_statistics():
    x = rng.standard_normal((2, 3))
    params = layers.init_batch_norm("bn", 3, np.float64)
    old = {"bn.running_mean": np.arange(3.0), "bn.running_var": np.arange(1.0, 4.0)}
    y, new = layers.batch_norm(params, "bn", x, old, training=False)
    expected = (x - np.arange(3)) / np.sqrt(np.arange(1, 4) + 1e-5)
    np.testing.assert_allclose(y, expected, rtol=0, atol=1e-14)
    np.testing.assert_array_equal(new["bn.running_mean"], old["bn.running_mean"])


@pytest.mark.parametrize("training", [True, False])
def test_statistics_of_another_dtype_do_not_leak(training):
    x = rng.standard_normal((4, 3)).astype(np.float32)
    params = layers.init_batch_norm("bn", 3)
    statistics = {k: v.astype(np.float64) for k, v in layers.initial_statistics("bn", 3).items()}
    y, new = layers.batch_norm(params, "bn", x, statistics, training)
    assert {y.dtype, *(v.dtype for v in new.values())} == {np.dtype(np.float32)}


def test_convolution_checks_channels():
    params = layers.init_convolution(rng, "conv1", 3, 3, 8)
    with pytest.raises(
        ValueError,
        match=r"conv1 takes images of shape .*, 3\), at least one, got shape \(1, 8, 8, 4\)",
    ):
        layers.convolution(params, "conv1", np.zeros((1, 8, 8, 4)))


def test_initial_weights_have_he_scale():
    """The sample variance of n normal numbers is within 6 √(2/n) of theirs, but once in 10⁸."""
    weight = layers.init_convolution(rng, "c", 3, 64, 128)["c.weight"]
    assert abs(weight.var() / (2 / (9 * 64)) - 1) < 6 * np.sqrt(2 / weight.size)
    weight = layers.init_dense(rng, "d", 400, 300, gain=1.0)["d.weight"]
    assert abs(weight.var() * 400 - 1) < 6 * np.sqrt(2 / weight.size)


def test_global_average():
    x = rng.standard_normal((2, 3, 5, 4))
    np.testing.assert_allclose(layers.global_average(x), x.mean(axis=(1, 2)), rtol=0, atol=1e-15)


@pytest.mark.parametrize("activation", [layers.relu, layers.gelu, layers.tanh])
@pytest.mark.parametrize("bias", [True, False])
def test_activation_of_a_layer_is_the_activation_after_it(activation, bias):
    x = rng.standard_normal((2, 5, 5, 3))
    params = layers.init_convolution(rng, "c", 3, 3, 4, np.float64, bias=bias)
    plain = layers.convolution(params, "c", x, padding=1)
    fused = layers.convolution(params, "c", x, padding=1, activation=activation)
    np.testing.assert_array_equal(fused, activation(plain))
    assert plain.min() < 0
    params = layers.init_dense(rng, "d", 3, 4, np.float64)
    plain = layers.dense(params, "d", x)
    np.testing.assert_array_equal(layers.dense(params, "d", x, activation), activation(plain))
    assert plain.min() < 0


@pytest.mark.fault("dtype", "nn.layers")
@pytest.mark.parametrize("dtype", [int, np.uint8, bool, object, complex])
def test_weights_that_are_not_floating_point_are_refused(dtype):
    """Weights around ±0.1 would all be rounded to 0."""
    rng = np.random.default_rng(0)
    for make in (
        lambda: layers.init_dense(rng, "fc", 3, 2, dtype),
        lambda: layers.init_convolution(rng, "conv", 3, 3, 2, dtype),
        lambda: layers.init_batch_norm("bn", 2, dtype),
        lambda: mlp(hidden=(3,)).init(0, dtype),
        lambda: vit(width=8, blocks=1).init(0, dtype),
    ):
        with pytest.raises(ValueError, match="dtype must be floating-point, got "):
            make()


@pytest.mark.fault("dtype", "nn.layers")
@pytest.mark.parametrize("training", [True, False])
def test_batch_norm_of_integers_or_of_nothing_is_refused(training):
    params, statistics = layers.init_batch_norm("bn", 2), layers.initial_statistics("bn", 2)
    for x in (np.ones((3, 2), int), np.ones((3, 2), bool), np.ones((0, 4, 4, 2))):
        with pytest.raises(ValueError, match="bn takes floating-point numbers, at least one, got"):
            layers.batch_norm(params, "bn", x, statistics, training)


@pytest.mark.fault("dtype", "nn.layers")
def test_pooling_of_integers_is_refused():
    """Four pixels of 100 are 400, of which 8 bits hold 144: a mean of 36."""
    for x in (np.full((1, 2, 2, 1), 100, np.uint8), np.ones((1, 2, 2, 1), bool), np.ones((2, 2))):
        for pool in (layers.max_pool, layers.average_pool):
            with pytest.raises(ValueError, match="x must be floating-point images of shape"):
                pool(x)


@pytest.mark.fault("shape", "nn.layers")
@pytest.mark.parametrize("shape", [(0, 5, 5, 2), (5, 5, 2), (1, 5, 5, 3), ()])
def test_images_that_do_not_fit_a_convolution_are_refused(shape):
    params = layers.init_convolution(np.random.default_rng(0), "conv", 3, 2, 4)
    for x in (np.ones(shape), np.ones(shape).tolist()):
        with pytest.raises(ValueError, match=r"conv takes images of shape .* at least one, got"):
            layers.convolution(params, "conv", x)


def test_a_dense_layers_product_is_in_pieces_or_not():
    params = layers.init_dense(np.random.default_rng(0), "fc", 3, 2)
    for nonsense in ("no", None, 2):
        with pytest.raises(ValueError, match="in_pieces must be True or False, got "):
            layers.dense(params, "fc", np.ones((1, 3)), in_pieces=nonsense)
