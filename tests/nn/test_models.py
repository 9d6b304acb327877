import numpy as np
import pytest
from nn.checks import central_difference, dot, random_like

from minisam.nn.gradients import training_objective, value_and_grad
from minisam.nn.layers import gelu
from minisam.nn.losses import cross_entropy
from minisam.nn.models import cnn, mixer, mlp, parameter_count, resnet, vit

SHAPE = (8, 8, 3)
MODELS = {
    "mlp": mlp(hidden=(5, 4), input_shape=SHAPE, classes=3, activation=gelu),
    "cnn": cnn(channels=((3, 2), (4,)), input_shape=SHAPE, classes=3),
    "resnet": resnet(width=2, blocks=2, classes=3),
    "mixer": mixer(width=4, blocks=2, patch=4, input_shape=SHAPE, classes=3),
    "vit": vit(width=4, blocks=2, heads=2, patch=4, input_shape=SHAPE, classes=3),
}
LABELS = np.array([0, 2, 1, 1])


def images(dtype=np.float64):
    return np.random.default_rng(3).standard_normal((4, *SHAPE)).astype(dtype)


@pytest.fixture(params=MODELS)
def model(request):
    return MODELS[request.param]


def test_gradient_along_a_direction_is_the_finite_difference(model):
    params, statistics = model.init(0, np.float64), model.initial_statistics()
    objective = training_objective(model, cross_entropy, images(), LABELS, statistics)
    loss, grads, _ = objective(params)
    keys = list(params)
    values = tuple(params[k] for k in keys)
    direction = random_like(np.random.default_rng(1), values)

    def loss_at(leaves):
        return objective(dict(zip(keys, leaves, strict=True)))[0]

    numeric, truncation = central_difference(loss_at, values, direction)
    slope = dot([grads[k] for k in keys], direction)
    assert abs(slope - numeric) <= truncation + 1e4 * 2.0**-53 * loss / 6e-6


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtype_is_kept(model, dtype):
    params, statistics = model.init(0, dtype), model.initial_statistics()
    assert {v.dtype for v in params.values()} == {np.dtype(dtype)}
    logits, new = model.apply_training(params, images(dtype), statistics)
    assert {logits.dtype, *(v.dtype for v in new.values())} == {np.dtype(dtype)}
    assert model.apply(params, images(dtype), new).dtype == dtype
    _, grads, _ = training_objective(model, cross_entropy, images(dtype), LABELS, new)(params)
    assert {v.dtype for v in grads.values()} == {np.dtype(dtype)}


def test_every_parameter_gets_a_gradient_of_its_shape(model):
    params = model.init(0, np.float64)
    objective = training_objective(
        model, cross_entropy, images(), LABELS, model.initial_statistics()
    )
    _, grads, _ = objective(params)
    assert {k: v.shape for k, v in grads.items()} == {k: v.shape for k, v in params.items()}
    assert all(np.any(g) for g in grads.values())


def test_same_seed_same_parameters(model):
    first, second, other = model.init(1), model.init(np.random.default_rng(1)), model.init(2)
    assert all(np.array_equal(first[k], second[k]) for k in first)
    assert any(not np.array_equal(first[k], other[k]) for k in first)


def test_initial_loss_is_near_that_of_guessing(model):
    """He's initialization keeps the logits of order 1: the loss is near log(classes)."""
    logits, _ = model.apply_training(model.init(0), images(np.float32), model.initial_statistics())
    assert np.all(np.abs(logits) < 20)


def test_inference_does_not_depend_on_the_rest_of_the_batch(model):
    params, statistics = model.init(0, np.float64), model.initial_statistics()
    _, statistics = model.apply_training(params, images(), statistics)
    together = model.apply(params, images(), statistics)
    alone = np.concatenate([model.apply(params, images()[k : k + 1], statistics) for k in range(4)])
    np.testing.assert_allclose(together, alone, rtol=0, atol=1e-12)


def test_names_are_those_of_torchvision():
    names = set(resnet(width=2, blocks=1, stages=2).init(0))
    assert {"conv1.weight", "bn1.bias", "layer1.0.conv2.weight", "layer2.0.bn1.weight"} <= names
    assert {"layer2.0.downsample.0.weight", "layer2.0.downsample.1.bias", "fc.bias"} <= names
    assert "conv1.bias" not in names
    assert set(cnn(((2,),)).init(0)) == {"conv1.weight", "conv1.bias", "fc.weight", "fc.bias"}
    assert list(mlp((3,)).init(0)) == ["fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"]


def test_known_parameter_counts():
    assert parameter_count(mlp((256, 256)).init(0)) == 3072 * 256 + 256 * 256 + 2560 + 522
    # ResNet-20 on CIFAR-10 with projection shortcuts (He et al. 2016 report 0.27 million).
    assert parameter_count(resnet(width=16, blocks=3).init(0)) == 272474


def test_models_without_batch_norm_need_no_statistics():
    model = MODELS["cnn"]
    params = model.init(0, np.float64)
    assert model.initial_statistics() == {}
    np.testing.assert_array_equal(
        model.apply(params, images()), model.apply_training(params, images(), {})[0]
    )
    value_and_grad(lambda p: cross_entropy(model.apply(p, images()), LABELS))(params)


BAD_SIZES = [0, -1, 2.5, 4.0, True, "4", None, (4,), np.nan]


@pytest.mark.fault("option-value", "nn.models")
@pytest.mark.parametrize("bad", BAD_SIZES, ids=repr)
def test_sizes_that_are_no_sizes_are_named(bad):
    for make, names in {
        resnet: ("width", "blocks", "stages", "channels", "classes"),
        vit: ("width", "blocks", "heads", "patch", "classes"),
        mixer: ("width", "blocks", "patch", "token_hidden", "channel_hidden", "classes"),
        cnn: ("classes",),
        mlp: ("classes",),
    }.items():
        for name in names:
            if (name == "blocks" and bad == 0 and make is not resnet) or (
                bad is None and name.endswith("_hidden")
            ):
                make(**{name: bad})  # no block at all; the default
                continue
            with pytest.raises(ValueError, match=f"^{name} must be a whole number "):
                make(**{name: bad})
    with pytest.raises(ValueError, match=r"^hidden\[1\] must be a whole number of at least 1"):
        mlp(hidden=(4, bad))
    with pytest.raises(ValueError, match=r"^channels\[1\]\[0\] must be a whole number"):
        cnn(channels=((4,), (bad,)))
    for make in (mlp, cnn, mixer, vit):
        with pytest.raises(ValueError, match=r"^input_shape\[2\] must be a whole number"):
            make(input_shape=(32, 32, bad))


@pytest.mark.fault("option-value", "nn.models")
@pytest.mark.parametrize(
    "bad", [256, np.int64(256), np.array(256), "256", None, {256}, iter([256])]
)
def test_widths_that_are_no_sequence_are_named(bad):
    """(256) is a number, (256,) a sequence."""
    such_as = r" must be a sequence of whole numbers such as \(256,\), got "
    with pytest.raises(ValueError, match=f"^hidden{such_as}"):
        mlp(hidden=bad)
    with pytest.raises(ValueError, match=rf"^channels\[0\]{such_as}"):
        cnn(channels=(bad,))
    with pytest.raises(ValueError, match=r"^channels must be a sequence for each stage, got "):
        cnn(channels=bad)
    for make in (mlp, cnn, mixer, vit):
        with pytest.raises(ValueError, match=r"^input_shape must be a sequence"):
            make(input_shape=bad)
    for make in (cnn, mixer, vit):
        with pytest.raises(
            ValueError, match=r"^input_shape must hold 3 whole numbers, got \(32,\)"
        ):
            make(input_shape=(32,))


@pytest.mark.parametrize("hidden", [[5], (5,), range(5, 6), np.array([5]), (np.int8(5),)])
def test_widths_of_any_sequence_are_taken(hidden):
    expected = mlp(hidden=(5,)).init(0)
    for key, leaf in mlp(hidden=hidden).init(0).items():
        np.testing.assert_array_equal(leaf, expected[key])
    assert cnn(channels=(hidden,)).init(0)["conv1.bias"].shape == (5,)
    assert set(mlp(hidden=()).init(0)) == {"fc1.weight", "fc1.bias"}


@pytest.mark.fault("dtype", "nn.models")
def test_small_integers_of_numpy_do_not_overflow():
    """4 · 64 is beyond int8, and so are 16 · 16 and 8 · 8 · 4."""
    sizes = {"width": np.int8(64), "blocks": np.int8(1), "classes": np.int8(3)}
    for make in (resnet, vit, mixer):
        size = parameter_count(make(width=64, blocks=1, classes=3).init(0))
        assert parameter_count(make(**sizes).init(0)) == size
    shape = tuple(np.array([16, 16, 3], np.int8))
    assert cnn(((np.int8(4),),), shape).init(0)["fc.weight"].shape == (256, 10)
    assert mlp((), shape).init(0)["fc1.weight"].shape == (768, 10)


@pytest.mark.fault("shape", "nn.models")
@pytest.mark.parametrize(
    "shape",
    [(0, 8, 8, 3), (4, 0, 8, 3), (8, 8, 3), (4, 8, 8, 1), (4, 3, 8, 8), (4, 8, 8, 3, 1), ()],
)
def test_images_of_another_shape_are_refused(model, shape):
    params, statistics = model.init(0), model.initial_statistics()
    if model.name == "mlp" and np.prod(shape[1:], dtype=int) == np.prod(SHAPE) and 0 not in shape:
        return  # which it takes for what they are: so many numbers
    for apply in (model.apply, model.apply_training):
        with pytest.raises(ValueError, match=r"^images must be real numbers of shape \(batch, "):
            apply(params, np.zeros(shape, np.float32), statistics)


@pytest.mark.fault("dtype", "nn.models")
@pytest.mark.parametrize(
    "bad", [None, [[0.5]], np.zeros((4, *SHAPE), complex), np.full(SHAPE, "a")]
)
def test_images_that_are_no_numbers_are_refused(model, bad):
    with pytest.raises(ValueError, match=r"^images must be real numbers"):
        model.apply(model.init(0), bad, model.initial_statistics())


@pytest.mark.fault("dtype", "nn.models")
@pytest.mark.parametrize("dtype", ["u1", "i8", ">i2", "?", "f4", ">f4", "f2"])
def test_images_of_any_real_type_are_what_they_are_as_floats(model, dtype):
    """To the rounding of the layers' sums: the numbers 0 and 1 themselves are in every type."""
    params, statistics = model.init(0, np.float64), model.initial_statistics()
    x = np.random.default_rng(0).integers(0, 2, (4, *SHAPE))
    expected = model.apply(params, x.astype(np.float64), statistics)
    found = model.apply(params, x.astype(dtype), statistics)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e4 * 2.0**-53)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: mlp(activation="relu"), "activation must be a function of an array, got 'relu'"),
        (lambda: cnn(((2,),) * 4, input_shape=(8, 8, 3)), "channels has 4 stages"),
        (lambda: mixer(patch=5), "patch must divide images of 32×32, got 5"),
        (lambda: vit(width=6, heads=4), "heads must divide the width 6, got 4"),
    ],
)
def test_bad_arguments_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
