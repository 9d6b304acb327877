import numpy as np
import pytest

from minisam.checkpoint import load_checkpoint
from minisam.experiments.subset import Data
from minisam.experiments.training import Training, has_ghost, prepared, records
from minisam.experiments.trial import FOLLOWED, accuracies, fit, outcome, trial
from minisam.nn.losses import accuracy
from minisam.train import predict

TINY = {
    "train_size": 60,
    "test_size": 30,
    "validation_size": 30,
    "epochs": 2,
    "model": "mlp",
    "model_options": {"hidden": [6]},
    "batch_size": 20,
}


def test_a_seed_fixes_everything_and_settings_change_what_they_say():
    one, two = trial(**TINY, noise=0.4, seed=3), trial(**TINY, noise=0.4, seed=3)
    for result in (one, two):
        for record in result["history"]:
            record.pop("seconds")
    assert one == two
    other = trial(**TINY, noise=0.4, seed=4)
    assert other["history"][-1]["loss"] != one["history"][-1]["loss"]
    for change in (
        {"optimizer": "sam", "rho": 0.1},
        {"optimizer": "asam", "rho": 0.5},
        {"optimizer": "m_sam", "rho": 0.1, "m": 5},
        {"lr": 0.01},
        {"weight_decay": 0.1},
        {"mixup": 1.0},
        {"crop_and_flip": True},
        {"loss": "gce"},
        {"loss": "soft_bootstrap", "loss_options": {"beta": 0.5}},
        {"loss": "hard_bootstrap"},
        {"bootstrap": True},
        {"nesterov": True},
        {"lr_warmup": 0.5},
        {"side": 16},
    ):
        changed = trial(**TINY, noise=0.4, seed=3, **change)
        assert changed["history"][-1]["loss"] != one["history"][-1]["loss"], change


def test_rho_warms_up_for_sam_and_says_nothing_to_sgd():
    plain, sam = {}, {"optimizer": "sam", "rho": 0.5}
    first, last = (
        [trial(**TINY, **own, rho_warmup=share)["history"][k]["loss"] for own in (plain, sam)
         for share in (0.0, 0.9)]
        for k in (0, 1)
    )  # fmt: skip
    assert first[0] == first[1]
    assert last[2] != last[3]


def test_the_last_epoch_is_judged_on_all_images_and_the_others_on_the_first():
    data, training = records({**TINY, "test_size": FOLLOWED + 100, "every": 2, "epochs": 3})
    fitted = fit(data, training)
    logits = predict(fitted.model, fitted.params, fitted.statistics, fitted.arrays.test_images)
    right = accuracy(logits, fitted.arrays.test_labels)
    assert len(logits) == FOLLOWED + 100
    assert fitted.history[-1]["test"] == right
    followed = accuracies(fitted.model, fitted.arrays, fitted.params, fitted.statistics)
    assert followed["test"] == accuracy(logits[:FOLLOWED], fitted.arrays.test_labels[:FOLLOWED])
    assert followed["test"] != right
    assert ["test" in record for record in fitted.history] == [False, True, True]


def test_an_mlps_m_sam_is_the_fast_one_and_a_residual_networks_the_slow_one():
    sharded = {**TINY, "optimizer": "m_sam", "rho": 0.1, "m": 5}
    _, training = records(sharded)
    assert has_ghost(training)
    assert not has_ghost(training._replace(model="resnet"))
    assert not has_ghost(training._replace(mixup=1.0))
    fast = trial(**sharded)["history"]
    # The cross-entropy by another name, which goes shard by shard.
    named = {"loss": "soft_bootstrap", "loss_options": {"beta": 1.0}}
    slow = trial(**sharded, **named)["history"]
    for one, other in zip(fast, slow, strict=True):
        assert one["loss"] == pytest.approx(other["loss"], rel=1e-4)  # float32, six steps
        assert one["perturbed_loss"] == pytest.approx(other["perturbed_loss"], rel=1e-4)


def test_the_epoch_to_stop_at_is_chosen_by_validation_and_never_by_the_test():
    history = [
        {"test": 0.5, "validation": 0.6, "train": 0.5},
        {"train": 0.7},
        {"test": 0.9, "validation": 0.4, "train": 1.0},
    ]
    assert outcome(history)["stopped"] == 50.0
    assert np.isnan(outcome([{"test": 0.5, "train": 0.5}])["stopped"])


def test_methods_of_one_seed_share_data_and_start():
    first = [
        trial(**TINY, seed=1, optimizer=name, rho=rho)["history"][0]["loss"]
        for name, rho in (("sgd", 0.0), ("sam", 0.0))
    ]
    assert first[0] == first[1]  # SAM with ρ = 0 is SGD, from the same start on the same batches


def test_memorized_and_recovered_are_shares_of_the_flipped_labels():
    larger = {"train_size": 300, "epochs": 40, "model_options": {"hidden": [64]}}
    fitted = fit(*records({**TINY, **larger, "noise": 0.4, "lr": 0.05}))
    last = fitted.history[-1]
    assert last["train"] > 0.9
    assert last["memorized"] > 0.8
    assert 0 <= last["recovered"] <= 1 - last["memorized"]
    assert fitted.history[0]["memorized"] < 0.5


def test_bootstrap_retrains_from_scratch_on_predicted_labels():
    plain = trial(**TINY, noise=0.4)
    both = trial(**TINY, noise=0.4, bootstrap=True)
    for result in (plain, both["first"]):
        for record in result["history"]:
            record.pop("seconds")
    assert both["first"]["history"] == plain["history"]
    assert both["first"]["last"] == plain["last"]
    assert both["history"][0]["loss"] != plain["history"][0]["loss"]


def test_a_diverged_run_is_a_guess_that_says_so():
    result = trial(**TINY, lr=1e6)
    assert "not finite" in result["diverged"] or "loss is" in result["diverged"]
    assert (result["last"], result["validation"], result["history"]) == (10.0, 10.0, [])
    assert trial(**TINY, lr=1e6, bootstrap=True)["first"]["last"] == 10.0


def test_a_checkpoint_tells_its_network_and_data(tmp_path):
    path = str(tmp_path / "run.npz")
    fitted = fit(*records({**TINY, "classes": [1, 2, 3]}), checkpoint=path)
    model, data = prepared(load_checkpoint(path).settings["trial"])
    np.testing.assert_array_equal(data.images, fitted.arrays.images)
    np.testing.assert_array_equal(data.labels, fitted.arrays.labels)
    assert model.apply(fitted.params, data.images[:2]).shape == (2, 3)
    with pytest.raises(ValueError, match="checkpoint holds one training"):
        fit(*records({**TINY, "bootstrap": True}), checkpoint=path)


@pytest.mark.fault("round-trip", "fit")
def test_a_trial_whose_widths_are_a_tuple_goes_on(tmp_path):
    data, training = records({**TINY, "model_options": {"hidden": (8,)}})
    path = str(tmp_path / "run.npz")
    first, second = (fit(data, training, checkpoint=path) for _ in range(2))
    assert second.history == first.history
    with pytest.raises(ValueError, match=r"trial.model_options.hidden was \[8\], now \[9\]"):
        fit(data, training._replace(model_options={"hidden": (9,)}), checkpoint=path)


def test_noise_within_some_classes_is_refused():
    with pytest.raises(ValueError, match="noise would lead out of the classes"):
        fit(*records({**TINY, "noise": 0.2, "classes": [1, 2, 3]}))


def test_outcome_is_in_percent():
    history = [{"test": 0.5, "train": 0.5}, {"test": 0.25, "train": 1.0, "validation": 0.75}]
    found = outcome(history)
    assert (found["last"], found["best"], found["train"]) == (25.0, 50.0, 100.0)
    assert found["validation"] == 75.0


@pytest.mark.fault("option-value", "fit")
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"epochs": 0}, "epochs must be a whole number of at least 1, got 0"),
        ({"epochs": 2.0}, "epochs must be a whole number of at least 1, got 2.0"),
        ({"batch_size": 0}, "batch_size must be a whole number of at least 1, got 0"),
        ({"batch_size": 16.0}, "batch_size must be a whole number"),
        ({"optimizer": "m_sam", "m": 2.5}, "m must be a whole number of at least 1, got 2.5"),
        ({"optimizer": "m_sam"}, "m must be a whole number of at least 1, got 0"),
        ({"train_size": 0}, "train_size must be a whole number"),
        ({"rho": float("nan"), "optimizer": "sam"}, "rho must be a number"),
        ({"lr": -1.0}, "must be a number"),
        ({"model": "mpl"}, "model must be one of 'mlp', .*, got 'mpl'"),
        ({"loss": "mse"}, "loss must be one of 'cross_entropy', .*, got 'mse'"),
        ({"optimizer": "adam"}, "optimizer must be one of 'sgd', .*, got 'adam'"),
        ({"rhoo": 0.1}, "a setting must be one of 'data', .*, got 'rhoo'"),
    ],
)
def test_arguments_out_of_range_are_named(change, message):
    with pytest.raises(ValueError, match=message):
        fit(*records({**TINY, **change}))


def test_a_checkpoint_names_every_setting_and_its_default_as_it_always_has(tmp_path):
    path = str(tmp_path / "run.npz")
    fit(Data(train_size=20, test_size=10), Training(epochs=1), checkpoint=path)
    defaults = {
        "data": "toy", "seed": 0, "train_size": 20, "test_size": 10, "validation_size": 0,
        "noise": 0.0, "classes": None, "model": "mlp", "model_options": None, "optimizer": "sgd",
        "rho": 0.0, "m": 0, "lr": 0.05, "weight_decay": 5e-4, "epochs": 1, "batch_size": 128,
        "crop_and_flip": False, "loss": "cross_entropy", "loss_options": None, "mixup": 0.0,
        "bootstrap": False,
    }  # fmt: skip
    stored = load_checkpoint(path).settings["trial"]
    young = {"side": 16, "nesterov": True, "lr_warmup": 0.5, "rho_warmup": 0.5, "every": 2}
    data, training = records({"train_size": 20, "test_size": 10, "epochs": 1, **young})
    fit(data, training, checkpoint=str(tmp_path / "young.npz"))
    told = load_checkpoint(tmp_path / "young.npz").settings["trial"]
    assert {key: told[key] for key in young} == young
    assert prepared(told)[1].images.shape == (20, 16, 16, 3)
    assert list(stored.items()) == list(defaults.items())
    whole = records({})
    assert (whole[0].train_size, whole[0].test_size, whole[1].epochs) == (1000, 1000, 20)
