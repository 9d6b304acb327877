import io
import subprocess
import sys
import textwrap
import time
from functools import partial

import numpy as np
import pytest
from disks import full_disk

from minisam.checkpoint import load_checkpoint
from minisam.nn import mlp, resnet
from minisam.nn.gradients import training_objective
from minisam.nn.kernels.activations import tanh
from minisam.nn.losses import cross_entropy
from minisam.nn.robust_losses import generalized_cross_entropy
from minisam.optim import asam, friendly_sam, m_sam, sam, sgd
from minisam.train import NonFiniteError, check_finite, checker, predict, train

MODEL = mlp(hidden=(6,), input_shape=(2, 2, 1), classes=3)


def data(n=40, seed=0):
    rng = np.random.default_rng(seed)
    images = rng.normal(size=(n, 2, 2, 1)).astype(np.float32)
    return images, images.reshape(n, 4)[:, :3].argmax(1)


def same(a, b):
    assert a.keys() == b.keys()
    for key in a:
        np.testing.assert_array_equal(a[key], b[key])


OPTIMIZERS = {
    "sgd": lambda: sgd(lr=0.1, momentum=0.9),
    "sam": lambda: sam(sgd(lr=0.1, momentum=0.9), rho=0.1),
    "asam": lambda: asam(sgd(lr=lambda t: 0.1 / (1 + t), momentum=0.9), rho=0.5),
    "friendly_sam": lambda: friendly_sam(sgd(lr=0.1, momentum=0.9)),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_same_seed_same_bits_and_another_seed_others(name):
    images, labels = data()
    runs = [
        train(MODEL, OPTIMIZERS[name](), images, labels, epochs=3, batch_size=16, seed=seed)
        for seed in (1, 1, 2)
    ]
    same(runs[0].params, runs[1].params)
    assert np.abs(runs[0].params["fc1.weight"] - runs[2].params["fc1.weight"]).max() > 0


def test_learns_and_tells_how():
    images, labels = data(200)
    out = io.StringIO()
    run = train(
        MODEL,
        OPTIMIZERS["sam"](),
        images,
        labels,
        epochs=12,
        batch_size=32,
        evaluate=lambda p, s: {"right": np.mean(predict(MODEL, p, s, images).argmax(1) == labels)},
        progress=out,
    )
    assert run.history[-1]["right"] > 0.85
    assert [record["epoch"] for record in run.history] == list(range(1, 13))
    assert all(record["perturbed_loss"] > record["loss"] for record in run.history)
    lines = out.getvalue().splitlines()
    assert lines[0].split() == ["epoch", "loss", "perturbed_loss", "right", "s/epoch", "left"]
    assert len(lines) == 13
    assert lines[-1].endswith("  0 s")


def test_the_reported_loss_is_the_one_at_a():
    images, labels = data(16)
    params = MODEL.init(0)
    opt = OPTIMIZERS["sam"]()
    run = train(MODEL, opt, images, labels, epochs=1, batch_size=16, params=params)
    expected = float(cross_entropy(MODEL.apply(params, images), labels))
    assert run.history[0]["loss"] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_resumes_to_the_same_bits(name, tmp_path):
    images, labels = data()
    whole = train(MODEL, OPTIMIZERS[name](), images, labels, epochs=6, batch_size=16)
    arguments = {"batch_size": 16, "checkpoint": tmp_path / "run.npz"}
    train(MODEL, OPTIMIZERS[name](), images, labels, epochs=2, **arguments)
    resumed = train(MODEL, OPTIMIZERS[name](), images, labels, epochs=6, **arguments)
    same(whole.params, resumed.params)
    assert [r["loss"] for r in whole.history] == [r["loss"] for r in resumed.history]


def test_forgetting_the_velocity_would_be_seen(tmp_path):
    images, labels = data()
    whole = train(MODEL, OPTIMIZERS["sam"](), images, labels, epochs=4, batch_size=16)
    path = tmp_path / "run.npz"
    train(MODEL, OPTIMIZERS["sam"](), images, labels, epochs=2, batch_size=16, checkpoint=path)
    stored = load_checkpoint(path)
    assert stored.state[1][1] is not None
    forgetful = train(
        MODEL, OPTIMIZERS["sam"](), images, labels, epochs=2, batch_size=16, params=stored.params
    )
    difference = whole.params["fc1.weight"] - forgetful.params["fc1.weight"]
    assert np.abs(difference).max() > 0


PROGRAM = """
    import sys
    import numpy as np
    from minisam.nn import mlp
    from minisam.optim import sam, sgd
    from minisam.train import train

    rng = np.random.default_rng(0)
    images = rng.normal(size=(400, 4, 4, 1)).astype(np.float32)
    labels = rng.integers(0, 3, 400)
    model = mlp(hidden=(16,), input_shape=(4, 4, 1), classes=3)
    opt = sam(sgd(lr=0.05, momentum=0.9), rho=0.1)
    run = train(
        model, opt, images, labels, epochs=25, batch_size=16,
        checkpoint=sys.argv[1] if sys.argv[1] else None, progress=sys.stdout,
    )
    np.savez(sys.argv[2], **run.params)
"""


def test_a_killed_run_resumes_to_the_same_bits(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(textwrap.dedent(PROGRAM))
    command = [sys.executable, str(program)]
    subprocess.run(
        [*command, "", str(tmp_path / "whole.npz")], check=True, stdout=subprocess.DEVNULL
    )
    arguments = [str(tmp_path / "run.npz"), str(tmp_path / "resumed.npz")]
    kills, epochs_at_kill = 0, []
    for delay in (0.0, 0.013, 0.05):
        process = subprocess.Popen([*command, *arguments], stdout=subprocess.PIPE, text=True)
        rows = [process.stdout.readline() for _ in range(3)]
        assert rows[-1]
        time.sleep(delay)  # so that the kill falls at different places within an epoch
        process.kill()
        process.communicate()
        if process.returncode < 0:
            kills += 1
            epochs_at_kill.append(len(load_checkpoint(arguments[0]).history))
    assert kills >= 1, "every run finished before it could be killed"
    assert 0 < epochs_at_kill[0] < 25
    subprocess.run([*command, *arguments], check=True, stdout=subprocess.DEVNULL)
    with np.load(tmp_path / "whole.npz") as whole, np.load(tmp_path / "resumed.npz") as resumed:
        same(dict(whole), dict(resumed))


def test_a_checkpoint_of_another_run_is_refused(tmp_path):
    images, labels = data()
    path = tmp_path / "run.npz"
    train(MODEL, OPTIMIZERS["sgd"](), images, labels, epochs=1, checkpoint=path)
    with pytest.raises(ValueError, match="seed was 0, now 1"):
        train(MODEL, OPTIMIZERS["sgd"](), images, labels, epochs=1, checkpoint=path, seed=1)
    with pytest.raises(ValueError, match="data was"):
        train(MODEL, OPTIMIZERS["sgd"](), *data(seed=9), epochs=2, checkpoint=path)
    with pytest.raises(ValueError, match=r"optimizer was 'optim\.sgd\.sgd\.step', now 'optim\.fr"):
        train(MODEL, OPTIMIZERS["friendly_sam"](), images, labels, epochs=2, checkpoint=path)


OTHER_RUNS = {
    "fewer epochs": ({"epochs": 1}, r"holds 2 epochs, and the run is to have 1: ask for as many"),
    "batch size": ({"batch_size": 8}, "batch_size was 16, now 8"),
    "no climb": ({"optimizer": sgd(0.1, 0.9)}, r"optimizer was 'optim\.sam\.sam\.step', now 'opti"),
    "no momentum": ({"optimizer": sam(sgd(0.1), 0.1)}, "base.update.momentum was 0.9, now 0.0"),
    "ASAM": ({"optimizer": asam(sgd(0.1, 0.9), 0.1)}, "optimizer.climb was .*, now .*asam_pert"),
    "rate": ({"optimizer": sam(sgd(0.2, 0.9), 0.1)}, "learning_rate.number was 0.1, now 0.2"),
    "statistics": ({"statistics_from": "second"}, "statistics_from was 'first', now 'second'"),
    "loss": ({"loss": generalized_cross_entropy}, "loss was .*cross_entropy', now .*generalized"),
    "transform": ({"transform": lambda x, y, rng: (x, y)}, "transform was None, now "),
    "dtype": (
        {"params": MODEL.init(0, np.float64)},
        r"fc1.weight was 'float32 \(4, 6\)', now 'f",
    ),
    "activation": (
        {"model": mlp(hidden=(6,), input_shape=(2, 2, 1), classes=3, activation=tanh)},
        "model.forward.activation",
    ),
}


@pytest.mark.fault("resumed-as-another", "train")
@pytest.mark.parametrize(("change", "message"), OTHER_RUNS.values(), ids=OTHER_RUNS)
def test_only_the_run_of_the_checkpoint_goes_on(change, message, tmp_path):
    images, labels = data()
    run = {
        "model": MODEL, "optimizer": OPTIMIZERS["sam"](), "images": images, "labels": labels,
        "epochs": 2, "batch_size": 16, "params": MODEL.init(0), "checkpoint": tmp_path / "run.npz",
    }  # fmt: skip
    done = train(**run)
    with pytest.raises(ValueError, match=message):
        train(**{**run, "epochs": 3, **change})
    again = train(**{**run, "optimizer": OPTIMIZERS["sam"](), "params": MODEL.init(0)})
    same(done.params, again.params)
    assert (again.history, again.state[0]) == (done.history, done.state[0])


@pytest.mark.fault("round-trip", "train")
@pytest.mark.parametrize(
    "value", [(8, 8), {1: 0.5}, float("nan"), np.float32(0.5), np.int64(3), [np.arange(2)]]
)
def test_the_same_settings_go_on(value, tmp_path):
    images, labels = data()
    run = {"checkpoint": tmp_path / "run.npz", "settings": {"value": value}, "seed": np.int64(1)}
    train(MODEL, sgd(0.1), images, labels, epochs=1, **run)
    assert len(train(MODEL, sgd(0.1), images, labels, epochs=np.int32(2), **run).history) == 2


@pytest.mark.fault("round-trip", "train")
def test_settings_that_cannot_be_stored_are_refused_before_anything_is_trained(tmp_path):
    images, labels = data()
    run = {"epochs": 1, "checkpoint": tmp_path / "run.npz"}
    with pytest.raises(ValueError, match="settings must be what JSON can hold, got set"):
        train(MODEL, sgd(0.1), images, labels, settings={"a": {1}}, evaluate=pytest.fail, **run)
    strange = sgd(0.1)._replace(init=lambda params: (0, {1}))
    with pytest.raises(ValueError, match="state/1 must be arrays, numbers, text or None, got set"):
        train(MODEL, strange, images, labels, evaluate=pytest.fail, **run)
    assert not list(tmp_path.iterdir())


@pytest.mark.fault("file-written", "train")
def test_a_run_whose_disk_was_full_goes_on_to_the_same_bits(tmp_path):
    images, labels = data()
    model = mlp(hidden=(600,), input_shape=(2, 2, 1), classes=3)
    make = OPTIMIZERS["sam"]
    whole = train(model, make(), images, labels, epochs=3, batch_size=16)
    run = {"batch_size": 16, "checkpoint": tmp_path / "run.npz"}
    train(model, make(), images, labels, epochs=1, **run)
    with full_disk(), pytest.raises(OSError, match=r"run\.npz'$"):
        train(model, make(), images, labels, epochs=3, **run)
    assert [path.name for path in tmp_path.iterdir()] == ["run.npz"]
    assert len(load_checkpoint(tmp_path / "run.npz").history) == 1
    same(whole.params, train(model, make(), images, labels, epochs=3, **run).params)


@pytest.mark.fault("home-folder", "train")
def test_a_checkpoint_is_kept_in_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    for epochs in (1, 2):
        train(MODEL, sgd(0.1), *data(), epochs=epochs, checkpoint="~/runs/run.npz")
    assert len(load_checkpoint(tmp_path / "home" / "runs" / "run.npz").history) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["home"]


@pytest.mark.fault("returned-value", "train")
@pytest.mark.parametrize("progress", [None, io.StringIO()])
@pytest.mark.parametrize(
    ("value", "kept"),
    [("text", "text"), (None, None), (True, True), (np.float32(0.5), 0.5), (np.ones((1, 1)), 1.0)],
)
def test_what_evaluate_returns_is_kept_whether_it_is_printed_or_not(progress, value, kept):
    run = train(
        MODEL, sgd(0.1), *data(), epochs=1, evaluate=lambda *_: {"it": value}, progress=progress
    )
    assert run.history[0]["it"] == kept


@pytest.mark.fault("returned-value", "train")
@pytest.mark.parametrize("progress", [None, io.StringIO()])
@pytest.mark.parametrize("returned", [None, 0.5, {"it": [1, 2]}, {"it": {1}}, {"it": 1j}])
def test_what_evaluate_must_not_return_is_named(progress, returned):
    with pytest.raises(ValueError, match="evaluate must return a dict of numbers, got"):
        train(MODEL, sgd(0.1), *data(), epochs=1, evaluate=lambda *_: returned, progress=progress)


def test_non_finite_gradients_are_named():
    images, labels = data()
    images[3] = np.nan
    with pytest.raises(NonFiniteError, match=r"step 0 \(epoch 1\), at A: the gradient of 'fc1"):
        train(MODEL, OPTIMIZERS["sam"](), images, labels, epochs=1)


def test_divergence_stops_and_the_checkpoint_stays(tmp_path):
    images, labels = data()
    path = tmp_path / "run.npz"
    with pytest.raises(NonFiniteError, match=r"step \d+ \(epoch \d+\), at [AB]: the "):
        train(MODEL, sam(sgd(lr=1e18)), images, labels, epochs=50, checkpoint=path)
    if path.exists():
        assert np.isfinite(load_checkpoint(path).history[-1]["loss"])


def test_non_finite_gradient_at_b_alone_is_placed_at_b():
    images, labels = data()

    def jump(params, grads, rho):
        return {key: np.full_like(leaf, np.nan) for key, leaf in grads.items()}

    with pytest.raises(NonFiniteError, match="at B"):
        train(MODEL, sam(sgd(lr=0.1), perturb=jump), images, labels, epochs=1)


@pytest.mark.parametrize("which", ["first", "second"])
def test_batch_statistics_come_from_one_pass(which):
    model = resnet(width=2, blocks=1, stages=1, channels=1, classes=3)
    rng = np.random.default_rng(0)
    images = rng.normal(size=(16, 8, 8, 1)).astype(np.float32)
    labels = rng.integers(0, 3, 16)
    params = model.init(0)
    run = train(
        model,
        sam(sgd(lr=0.1), rho=0.5),
        images,
        labels,
        epochs=1,
        batch_size=16,
        params=params,
        statistics_from=which,
    )
    order = np.random.default_rng([0, 1, 0]).permutation(16)
    x, y = images[order], labels[order]
    opt = sam(sgd(lr=0.1), rho=0.5)
    objective = training_objective(model, cross_entropy, x, y, model.initial_statistics())
    _, _, step = opt.step(params, opt.init(params), objective)
    first, second = step.auxiliary, step.perturbed_auxiliary
    same(run.statistics, first if which == "first" else second)
    assert any(np.abs(first[key] - second[key]).max() > 0 for key in first)


def test_m_sharpness_with_one_shard_is_sam():
    images, labels = data(32)
    plain = train(MODEL, sam(sgd(lr=0.1), rho=0.2), images, labels, epochs=2, batch_size=16)
    sharded = [
        train(
            MODEL,
            m_sam(sgd(lr=0.1), rho=0.2),
            images,
            labels,
            epochs=2,
            batch_size=16,
            objective=partial(training_objective, m=m),
        )
        for m in (16, 4)
    ]
    same(plain.params, sharded[0].params)
    assert np.abs(plain.params["fc1.weight"] - sharded[1].params["fc1.weight"]).max() > 0


def test_transform_sees_its_own_reproducible_stream():
    images, labels = data()
    seen = []

    def jitter(x, y, rng):
        noise = rng.normal(size=x.shape).astype(np.float32)
        seen.append(noise.sum())
        return x + noise, y

    for _ in range(2):
        train(MODEL, sgd(lr=0.1), images, labels, epochs=2, batch_size=16, transform=jitter)
    assert seen[:6] == seen[6:]
    assert len(set(seen)) == 6


@pytest.mark.fault("option-value", "train")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"epochs": -1}, "epochs must be"),
        ({"epochs": 2.0}, "epochs must be a whole number of at least 0, got 2.0"),
        ({"epochs": True}, "epochs must be"),
        ({"epochs": 1, "batch_size": 0}, "batch_size must be"),
        ({"epochs": 1, "batch_size": 16.0}, "batch_size must be a whole number of at least 1, got"),
        ({"epochs": 1, "seed": -1}, "seed must be a whole number of at least 0, got -1"),
        ({"epochs": 1, "seed": 0.5}, "seed must be"),
        ({"epochs": 1, "seed": None}, "seed must be"),
        ({"epochs": 1, "statistics_from": "both"}, "statistics_from must be one of"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        train(MODEL, sgd(lr=0.1), *data(), **arguments)


@pytest.mark.fault("shape", "train")
def test_labels_must_match_images():
    images, labels = data()
    one = "^images and labels must be of one length, at least 1, got images of shape "
    for x, y in (
        (images, labels[:-1]),
        (images, labels[None]),
        (images, 3),
        (images, None),
        (None, labels),
        (images[:0], labels[:0]),
        (images[:, :0], labels),
    ):
        with pytest.raises(ValueError, match=one):
            train(MODEL, sgd(lr=0.1), x, y, epochs=1)
    for y in (labels[:, None], labels.astype(float), labels + 1, labels.astype(object)):
        with pytest.raises(ValueError, match="labels must "):
            train(MODEL, sgd(lr=0.1), images, y, epochs=1)
    with pytest.raises(ValueError, match="images must be real numbers of shape"):
        train(MODEL, sgd(lr=0.1), images[:, :1], labels, epochs=1)


@pytest.mark.fault("dtype", "train", "train.predict")
def test_lists_and_other_types_are_what_they_are_as_arrays():
    images, labels = data()
    expected = train(MODEL, sgd(lr=0.1), images, labels, epochs=1).params
    for x, y in (
        (images.astype(float).tolist(), labels.tolist()),
        (images.astype(">f4"), labels.astype(np.uint8)),
        (np.asfortranarray(images), np.eye(3, dtype=bool)[labels]),
    ):
        found = train(MODEL, sgd(lr=0.1), x, y, epochs=1).params
        for key, leaf in expected.items():
            np.testing.assert_allclose(found[key], leaf, rtol=0, atol=1e-5)
    np.testing.assert_allclose(
        predict(MODEL, expected, {}, images.tolist()),
        predict(MODEL, expected, {}, images),
        rtol=0,
        atol=1e-5,
    )


@pytest.mark.fault("shape", "train.predict")
def test_predictions_of_nothing_and_in_batches_of_no_size_are_refused():
    images, _ = data()
    with pytest.raises(ValueError, match=r"images must be at least one, got shape \(0, 2, 2, 1\)"):
        predict(MODEL, MODEL.init(0), {}, images[:0])
    for size in (0, -1, 2.5, True, None):
        with pytest.raises(ValueError, match="batch_size must be a whole number of at least 1"):
            predict(MODEL, MODEL.init(0), {}, images, size)


def test_arguments_are_left_alone():
    images, labels = data()
    params = MODEL.init(0)
    before = {key: leaf.copy() for key, leaf in params.items()}, images.copy(), labels.copy()
    train(MODEL, OPTIMIZERS["sam"](), images, labels, epochs=2, params=params)
    same(params, before[0])
    np.testing.assert_array_equal(images, before[1])
    np.testing.assert_array_equal(labels, before[2])


def test_large_but_finite_gradients_pass():
    check_finite(1.0, {"w": np.full(3, 1e200), "v": np.full(3, 1e30, np.float32)}, "step 0")


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_bad_values_are_named(bad):
    with pytest.raises(NonFiniteError, match="the gradient of 'b' is not finite"):
        check_finite(1.0, {"a": np.ones(2), "b": np.array([1.0, bad])}, "step 0")
    with pytest.raises(NonFiniteError, match=f"step 0: the loss is {bad}"):
        check_finite(bad, {"a": np.ones(2)}, "step 0")


def test_the_pass_is_named():
    results = iter([(1.0, {}), (np.nan, {})])
    objective = checker(2, 41)(lambda params: next(results))
    objective({})
    with pytest.raises(NonFiniteError, match=r"step 41 \(epoch 3\), at B: the loss is nan"):
        objective({})


def test_what_an_objective_carries_goes_along_and_its_shards_are_checked_too():
    def objective(params):
        return 1.0, params

    def broken(params):
        return np.inf, params

    objective.hessian_product = object()
    objective.shards, objective.sizes = [lambda params: (1.0, params), broken], [3, 1]
    checked = checker(0, 7)(objective)
    assert (checked.hessian_product, checked.sizes) == (objective.hessian_product, [3, 1])
    sound, bad = checked.shards
    sound({}), sound({})
    with pytest.raises(NonFiniteError, match=r"step 7 \(epoch 1\), at A: the loss is inf"):
        bad({})
