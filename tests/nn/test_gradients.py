import autograd
import autograd.numpy as anp
import numpy as np
import pytest
from autograd.core import make_vjp

from minisam.nn.gradients import training_objective, value_and_grad
from minisam.nn.losses import cross_entropy
from minisam.nn.models import mlp, resnet

rng = np.random.default_rng(0)
PARAMS = {"a": rng.standard_normal((3, 2)), "b": rng.standard_normal(2)}
X = rng.standard_normal((5, 3))


def loss(params):
    y = anp.tanh(anp.dot(X, params["a"]) + params["b"])
    return (y * y).sum() + (params["b"] * params["b"] * params["b"]).sum()


def test_equals_autograds_own():
    value, grads = value_and_grad(loss)(PARAMS)
    expected, expected_grads = autograd.value_and_grad(loss)(PARAMS)
    assert isinstance(value, float)
    assert value == expected
    for key, expected_grad in expected_grads.items():
        np.testing.assert_allclose(grads[key], expected_grad, rtol=1e-14)


def test_unused_parameters_have_zero_gradient():
    _, grads = value_and_grad(loss)(PARAMS | {"c": np.ones(3, np.float32)})
    np.testing.assert_array_equal(grads["c"], np.zeros(3))
    assert grads["c"].dtype == np.float32
    value, grads = value_and_grad(lambda params: np.float64(3.0))(PARAMS)
    assert value == 3.0
    assert not any(g.any() for g in grads.values())


def test_a_parameter_used_twice_and_one_returned_as_it_is():
    value, grads = value_and_grad(lambda p: p["a"] * p["a"] + p["a"])({"a": np.array(3.0)})
    assert (value, grads["a"]) == (12.0, 7.0)
    value, grads = value_and_grad(lambda p: p["a"])({"a": np.array(3.0)})
    assert (value, grads["a"]) == (3.0, 1.0)


def test_parameters_are_not_changed():
    before = {k: v.copy() for k, v in PARAMS.items()}
    value_and_grad(loss)(PARAMS)
    for key, array in before.items():
        np.testing.assert_array_equal(PARAMS[key], array)


def test_a_loss_that_is_no_scalar_is_refused():
    with pytest.raises(TypeError, match=r"scalar, got an array of shape \(3, 2\)"):
        value_and_grad(lambda params: params["a"])(PARAMS)


def test_gradients_can_be_differentiated_again():
    """Hessian products through it agree with autograd's own.

    (Reverse mode only: autograd has no forward mode for a dict as a result.)
    """

    def gradient(params):
        return value_and_grad(loss)(params)[1]

    direction = {k: np.ones_like(v) for k, v in PARAMS.items()}
    reverse = make_vjp(gradient, PARAMS)[0](direction)
    expected = make_vjp(autograd.grad(loss), PARAMS)[0](direction)
    for key in PARAMS:
        np.testing.assert_allclose(reverse[key], expected[key], rtol=1e-13)


def test_auxiliary_value_is_handed_on():
    result = value_and_grad(lambda params: (loss(params), "note"), auxiliary=True)(PARAMS)
    assert result[2] == "note"


@pytest.mark.parametrize("auxiliary", [False, True])
def test_it_carries_the_hessian_product(auxiliary):
    function = (lambda params: (loss(params), "note")) if auxiliary else loss
    vector = {key: np.cos(leaf) for key, leaf in PARAMS.items()}
    found = value_and_grad(function, auxiliary).hessian_product(PARAMS, vector)
    expected = autograd.make_hvp(loss)(PARAMS)[0](vector)
    for key in PARAMS:
        np.testing.assert_allclose(found[key], expected[key], rtol=1e-13)


def test_shards_cover_the_batch():
    model = mlp(hidden=(3,), input_shape=(2, 2, 1), classes=3)
    params = {key: leaf.astype(np.float64) for key, leaf in model.init(0).items()}
    images, labels = rng.standard_normal((5, 2, 2, 1)), np.arange(5) % 3
    whole = training_objective(model, cross_entropy, images, labels, {}, m=2)
    assert whole.sizes == [2, 2, 1]
    value, grads, _ = whole(params)
    each = [shard(params) for shard in whole.shards]
    # The same terms of size below 10, added in two orders: tens of roundings, of 1e-15 each.
    mean = sum(n * one[0] for n, one in zip(whole.sizes, each, strict=True)) / 5
    np.testing.assert_allclose(mean, value, rtol=0, atol=1e-13)
    for key, grad in grads.items():
        mean = sum(n * one[1][key] for n, one in zip(whole.sizes, each, strict=True)) / 5
        np.testing.assert_allclose(mean, grad, rtol=0, atol=1e-13)


def test_a_batch_in_one_piece_has_no_shards():
    model = mlp(hidden=(3,), input_shape=(2, 2, 1), classes=3)
    arguments = model, cross_entropy, np.zeros((5, 2, 2, 1)), np.arange(5) % 3, {}
    assert not hasattr(training_objective(*arguments), "shards")
    with pytest.raises(ValueError, match="m must be a number in"):
        training_objective(*arguments, m=0)


def test_training_objective_gives_statistics_without_gradient():
    model = resnet(width=2)
    params, statistics = model.init(0), model.initial_statistics()
    images, labels = np.ones((4, 8, 8, 3), np.float32), np.arange(4)
    before = {k: v.copy() for k, v in statistics.items()}
    _, grads, new = training_objective(model, cross_entropy, images, labels, statistics)(params)
    assert grads.keys() == params.keys()
    assert new.keys() == statistics.keys()
    assert all(type(v) is np.ndarray for v in new.values())
    assert any((new[k] != v).any() for k, v in before.items())
    for key, array in before.items():
        np.testing.assert_array_equal(statistics[key], array)


def test_first_layer_sends_no_gradient_to_the_images(monkeypatch):
    """Nothing that only the images would need is computed: one input gradient per later layer."""
    from minisam.nn import convolution
    from minisam.nn.models import cnn

    calls = []
    original = convolution.input_gradient
    monkeypatch.setattr(
        convolution, "input_gradient", lambda *args: calls.append(args) or original(*args)
    )
    model = cnn(channels=((2, 2), (2,)), input_shape=(8, 8, 3))
    images, labels = np.ones((4, 8, 8, 3), np.float32), np.arange(4)
    training_objective(model, cross_entropy, images, labels, {})(model.init(0))
    assert len(calls) == 2


def test_same_bits_every_time():
    model = mlp(hidden=(64,))
    images = rng.standard_normal((32, 32, 32, 3)).astype(np.float32)
    objective = training_objective(model, cross_entropy, images, np.arange(32) % 10, {})
    first, second = (objective(model.init(0)) for _ in range(2))
    assert first[0] == second[0]
    for key in first[1]:
        np.testing.assert_array_equal(first[1][key], second[1][key])
