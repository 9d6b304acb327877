import autograd
import autograd.numpy as anp
import numpy as np
import pytest
from autograd.core import make_vjp
from autograd.extend import defvjp, primitive

from minisam import blas, sharpness
from minisam.nn.gradients import derivative_of_gradient, training_objective, value_and_grad
from minisam.nn.losses import cross_entropy
from minisam.nn.models import cnn, mixer, mlp, resnet, vit
from minisam.optim import asam, sam, sgd
from minisam.optim.perturbation import (
    asam_perturbation,
    sam_perturbation,
    unnormalized_perturbation,
)

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


NO_SCALARS = {
    "float64 of shape \\(3, 2\\)": lambda p: p["a"],
    "float64 of shape \\(1,\\)": lambda p: p["b"].sum().reshape(1),
    "complex128 of shape \\(\\)": lambda p: p["b"].sum() * 1j,
    "a NoneType": lambda p: None,
    "a str": lambda p: "0.5",
    "a bool": lambda p: True,
    "a tuple": lambda p: (p["b"].sum(), {}),
    "a list": lambda p: [p["b"].sum(), [0.0]],
    "a dict": lambda p: {},
}


@pytest.mark.fault("dtype", "nn.value_and_grad")
@pytest.mark.parametrize("got", NO_SCALARS)
def test_a_loss_that_is_no_scalar_is_refused(got):
    for function in (value_and_grad(NO_SCALARS[got]), value_and_grad(pair(NO_SCALARS[got]), True)):
        with pytest.raises(
            TypeError, match=f"the loss must be a scalar, one real number, got {got}"
        ):
            function(PARAMS)


def pair(loss):
    return lambda params: (loss(params), "note")


@pytest.mark.fault("dtype", "nn.value_and_grad")
def test_a_loss_without_its_auxiliary_value_is_refused():
    for result, got in ((1.0, "float"), (None, "NoneType"), ((1.0, 2, 3), "tuple"), ("a", "str")):
        with pytest.raises(TypeError, match=f"auxiliary=True .* must return two values, got {got}"):
            value_and_grad(lambda params, result=result: result, auxiliary=True)(PARAMS)


@pytest.mark.fault("dtype", "nn.value_and_grad")
@pytest.mark.parametrize("constant", [3, 3.0, np.float32(3), np.array(3), np.array(3.0, ">f8")])
def test_a_constant_loss_is_flat(constant):
    value, grads = value_and_grad(lambda params: constant)(PARAMS)
    assert (type(value), value) == (float, 3.0)
    assert not any(g.any() for g in grads.values())
    assert value_and_grad(lambda params: params["a"])({"a": 3.0}) == (3.0, {"a": 1.0})


# L = 0.3 Σ w², so that ∇L = 0.6 w and H = 0.6 I, at w = (1, 2): gradients that no integer holds.
def bowl(params):
    return (0.3 * params["w"] ** 2.0).sum()


@pytest.mark.fault("dtype", "nn.value_and_grad", "optim", "sharpness")
@pytest.mark.parametrize("dtype", ["i8", "i4", "u1", "?", "O", "c16", ">i2"])
def test_parameters_that_are_not_floating_point_are_refused(dtype):
    w = {"w": np.array([1, 2]).astype(dtype)}
    opt = sam(sgd(lr=0.1), rho=0.5)
    from_outside = lambda params: (0.0, {"w": np.array([0.6, 1.2])})  # noqa: E731
    for use in (
        lambda: value_and_grad(bowl)(w),
        lambda: value_and_grad(bowl).hessian_product(w, w),
        lambda: opt.step(w, opt.init(w), value_and_grad(bowl)),
        lambda: sgd(lr=0.1).step(w, opt.init(w), from_outside),
        lambda: asam_perturbation(w, {"w": np.array([0.6, 1.2])}, rho=0.5),
        lambda: sharpness.dense_hessian(bowl, w),
        lambda: sharpness.flat_hessian(lambda v: v, w),
        lambda: sharpness.unflatten(np.array([0.5, 0.5]), w),
        lambda: sharpness.worst_case(bowl, w, rho=0.5),
        lambda: sharpness.adaptive_sharpness(bowl, w, rho=0.5),
        lambda: sharpness.filter_normalized_direction(w, np.random.default_rng(0)),
    ):
        with pytest.raises(ValueError, match=r"\['w'\] must be floating-point, got "):
            use()


@pytest.mark.fault("dtype", "optim")
@pytest.mark.parametrize("dtype", ["i8", "u1", "?", "c16"])
def test_gradients_that_are_not_floating_point_are_refused(dtype):
    w, g = {"w": np.ones(2)}, {"w": np.array([3, 4]).astype(dtype)}
    for opt in (sgd(lr=0.1), sam(sgd(lr=0.1))):
        with pytest.raises(ValueError, match=r"grads\['w'\] must be floating-point, got "):
            opt.step(w, opt.init(w), lambda params: (0.0, g))
    for perturb in (sam_perturbation, asam_perturbation, unnormalized_perturbation):
        with pytest.raises(ValueError, match=r"grads\['w'\] must be floating-point, got "):
            perturb(w, g, rho=0.1)


@pytest.mark.fault("dtype", "nn.value_and_grad", "optim", "sharpness")
@pytest.mark.parametrize("dtype", ["f2", "f4", ">f4", "f8", ">f8", "g"])
def test_floating_point_parameters_of_any_type(dtype):
    w = {"w": np.array([1, 2]).astype(dtype)}
    u = float(np.finfo(dtype).eps)
    value, grads = value_and_grad(bowl)(w)
    assert value == pytest.approx(1.5, rel=4 * u)
    np.testing.assert_allclose(grads["w"], [0.6, 1.2], rtol=4 * u)
    opt = sam(sgd(lr=0.1), rho=0.5)
    step = opt.step(w, opt.init(w), value_and_grad(bowl))[2]
    assert np.linalg.norm(step.perturbation["w"]) == pytest.approx(0.5, rel=8 * u)
    np.testing.assert_allclose(sharpness.dense_hessian(bowl, w), 0.6 * np.eye(2), rtol=4 * u)


@pytest.mark.parametrize(("leaf", "got"), [(3, "a int"), (True, "a bool"), ([1.0], "a list")])
def test_parameters_that_are_no_arrays_are_refused(leaf, got):
    with pytest.raises(ValueError, match=rf"params\['w'\] must be floating-point, got {got}"):
        value_and_grad(lambda params: 0.0)({"w": leaf})
    with pytest.raises(ValueError, match="params must be a dict of arrays, got list"):
        sgd(lr=0.1).step([np.ones(2)], None, lambda params: (0.0, params))


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
    with pytest.raises(ValueError, match="m must be a whole number"):
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
    from minisam.nn.kernels import convolution

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


def layouts(x):
    """The same numbers, laid out in memory in seven other ways."""
    back = (slice(None, None, -1),) * x.ndim
    frozen = x.copy()
    frozen.setflags(write=False)
    after_a_byte = np.frombuffer(b"\0" + x.tobytes(), np.uint8)[1:]
    return {
        "Fortran": np.asfortranarray(x),
        "transposed": np.ascontiguousarray(x.T).T,
        "negative strides": np.ascontiguousarray(x[back])[back],
        "big-endian": x.astype(x.dtype.newbyteorder(">")),
        "read-only": frozen,
        "every second": np.repeat(x, 2, axis=0)[::2],
        "unaligned": after_a_byte.view(x.dtype).reshape(x.shape),
    }


@pytest.mark.fault("memory-layout", "nn.models", "optim")
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", ["mlp", "cnn", "resnet", "vit", "mixer"])
def test_images_and_parameters_of_any_layout_give_one_step(name, dtype):
    """Only the order of summation may differ: some 1,000 terms, added in several layers."""
    model = {
        "mlp": lambda: mlp(hidden=(8,), input_shape=(16, 16, 3)),
        "cnn": lambda: cnn(channels=[[4], [8]], input_shape=(16, 16, 3)),
        "resnet": lambda: resnet(width=4),
        "vit": lambda: vit(width=8, blocks=1, heads=2, input_shape=(16, 16, 3)),
        "mixer": lambda: mixer(width=8, blocks=1, input_shape=(16, 16, 3)),
    }[name]()
    x = np.random.default_rng(0).standard_normal((5, 16, 16, 3)).astype(dtype)
    params, statistics, y = model.init(0, dtype), model.initial_statistics(), np.arange(5)
    opt = asam(sgd(lr=0.1, momentum=0.9))

    def step(params, x):
        objective = training_objective(model, cross_entropy, x, y, statistics)
        return opt.step(params, opt.init(params), objective)[0]

    expected = step(params, x)
    ways = {key: layouts(w) for key, w in params.items()}
    for layout, images in layouts(x).items():
        for found in (step(params, images), step({key: ways[key][layout] for key in ways}, x)):
            for key, w in expected.items():
                assert found[key].dtype == dtype
                np.testing.assert_allclose(found[key], w, rtol=0, atol=1e4 * np.finfo(dtype).eps)


def test_blas_has_one_thread_for_a_whole_gradient_and_product_with_the_hessian():
    """Whatever a loss computes with it, its threads do not spin beside the next kernel's."""
    get = blas.openblas("get_num_threads")
    if get is None:
        pytest.skip("NumPy is not built with OpenBLAS")
    seen = []

    @primitive
    def watched(x):
        seen.append(get())
        return x

    defvjp(watched, lambda y, x: lambda g: watched(g))
    w = {"w": np.ones(3)}
    product = derivative_of_gradient(lambda params: (watched(params["w"]) ** 2).sum(), w)
    assert seen == [1, 1]
    product(w)
    assert len(seen) > 2
    assert set(seen) == {1}
