import json

import numpy as np
import pytest
from vector_generator import networks as generator

from minisam.nn import training_objective, value_and_grad
from minisam.nn.losses import cross_entropy
from minisam.optim import asam, sam, sgd
from minisam.vectors.networks import FOLDER, MODEL_NAMES, POLICIES, check_model, load_model


def backend(name, policy="first", dtype="float64", **wrong):
    """The library itself, as a backend; ``wrong`` takes a piece's place."""
    model = generator.MODELS[name][0]()
    loss = wrong.get("loss", cross_entropy)

    def loss_and_grad(params, images, labels):
        statistics = load_model(name).under("statistics/before")

        def objective(w):
            return loss(model.apply_training(w, images, statistics)[0], labels)

        return value_and_grad(objective)(params)

    def train(method, params, statistics, batches, h):
        base = sgd(h["lr"], h["momentum"], weight_decay=h["weight_decay"])
        if method == "asam":
            opt = asam(base, h["rho"], h["eta"], wrong.get("scope", h["scope"]))
        else:
            opt = base if method == "sgd" else sam(base, h["rho"])
        state = opt.init(params)
        for images, labels in batches:
            objective = training_objective(model, loss, images, labels, statistics)
            params, state, step = opt.step(params, state, objective)
            if policy in ("both", "second") and step.perturbation is not None:
                after = statistics if policy == "second" else step.auxiliary
                objective = training_objective(model, loss, images, labels, after)
                statistics = objective(step.perturbed_params)[2]
            elif policy != "neither":
                statistics = step.auxiliary
        return params, statistics

    return loss_and_grad, train


@pytest.mark.parametrize("name", MODEL_NAMES)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_the_library_conforms(name, dtype):
    report = check_model(name, *backend(name), dtype=dtype)
    assert report.verdict == "conforms"
    assert report.policy == ("first" if name == "cnn" else None)
    assert report.ran >= 50


@pytest.mark.parametrize("policy", ["second", "both", "neither"])
def test_the_batch_norm_policy_is_named(policy):
    report = check_model("cnn", *backend("cnn", policy))
    assert report.policy == policy
    assert report.failures == ()
    assert report.verdict == (
        "bug: batch norm's running statistics are updated "
        f"{POLICIES[policy]}, not by the first pass only"
    )
    declared = check_model("cnn", *backend("cnn", policy), policy=policy)
    assert declared.verdict == f"conforms as declared (policy='{policy}')"


def test_statistics_of_no_policy_are_a_bug():
    _, train = backend("cnn")

    def halved(*arguments):
        params, statistics = train(*arguments)
        return params, {key: x / 2 for key, x in statistics.items()}

    assert "no known policy" in check_model("cnn", train=halved).verdict


@pytest.mark.parametrize("name", MODEL_NAMES)
def test_wrong_derivatives_are_seen(name):
    def summed(logits, labels):
        return cross_entropy(logits, labels) * len(labels)

    report = check_model(name, *backend(name, loss=summed))
    assert report.verdict.startswith("bug: A/loss differs")


def test_another_convention_of_asam_is_seen():
    report = check_model("mlp", train=backend("mlp", scope="all")[1])
    assert {place.split("/")[0] for place, _ in report.failures} == {"asam"}


def test_one_wrong_entry_is_seen():
    loss_and_grad, _ = backend("cnn")

    def almost(params, images, labels):
        loss, grads = loss_and_grad(params, images, labels)
        grads["conv2.weight"] = grads["conv2.weight"].copy()
        grads["conv2.weight"].flat[17] += 1e-13
        return loss, grads

    report = check_model("cnn", almost)
    assert [place for place, _ in report.failures] == [
        "A/gradient/conv2.weight",
        "B/gradient/conv2.weight",
    ]


def test_missing_and_misshapen_tensors_are_seen():
    loss_and_grad, _ = backend("mlp")

    def transposed(params, images, labels):
        loss, grads = loss_and_grad(params, images, labels)
        del grads["fc1.bias"]
        return loss, {**grads, "fc2.weight": grads["fc2.weight"].T}

    report = check_model("mlp", transposed)
    assert {place for place, distance in report.failures if distance == np.inf} == {
        f"{point}/gradient/{key}" for point in "AB" for key in ("fc1.bias", "fc2.weight")
    }


@pytest.mark.parametrize("name", MODEL_NAMES)
def test_files_are_what_the_generator_makes(name, tmp_path):
    arrays, about = generator.vectors(name)
    stored = load_model(name)
    assert stored.arrays.keys() == arrays.keys()
    for key, x in arrays.items():
        allowed = stored.about["tolerances"].get(key, 0.0)
        np.testing.assert_allclose(stored.arrays[key], x, rtol=0, atol=allowed, err_msg=key)
    same = {key: value for key, value in about.items() if key != "tolerances"}
    assert same == {key: stored.about[key] for key in same}
    # A tolerance is MARGIN changes, and a change the difference of two answers, which another
    # machine may have each a tolerance away.
    factor = 1 + 2 * generator.MARGIN
    for key, value in about["tolerances"].items():
        assert 1 / factor <= value / stored.about["tolerances"][key] <= factor, key


@pytest.mark.parametrize("name", MODEL_NAMES)
def test_both_formats_hold_the_same_numbers(name):
    stored = load_model(name)
    text = json.loads((FOLDER / f"{name}.json").read_text())["arrays"]
    assert text.keys() == stored.arrays.keys()
    for key, entry in text.items():
        x = np.array(entry["data"]).reshape(entry["shape"])
        np.testing.assert_array_equal(x, stored.arrays[key])


def test_no_answer_hangs_on_a_kink():
    """Nothing in the networks is so near a kink of relu that rounding decides the side."""
    for name in MODEL_NAMES:
        stored = load_model(name)
        for key, tolerance in stored.about["tolerances"].items():
            scale = max(np.max(np.abs(stored.arrays[key]), initial=0.0), 0.01)
            assert tolerance <= 1e-10 * scale, key


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="name must be one of 'mlp', 'cnn'"):
        load_model("resnet")
    with pytest.raises(ValueError, match="nothing to check"):
        check_model("mlp")
    with pytest.raises(ValueError, match="policy must be one of 'first'"):
        check_model("mlp", *backend("mlp"), policy="last")
    with pytest.raises(ValueError, match="dtype must be one of"):
        check_model("mlp", *backend("mlp"), dtype="float16")
