import numpy as np

from minisam.experiments.claims.two_stages import (
    FIRST,
    SECOND,
    pretrained,
    two_stages,
    with_new_head,
)
from minisam.experiments.training import records
from minisam.experiments.trial import fit

SETTINGS = {
    "train_size": 200,
    "test_size": 100,
    "epochs": 2,
    "model": "mlp",
    "model_options": {"hidden": [8]},
    "lr": 0.02,
}


def test_only_the_head_is_new():
    start = fit(*records({**SETTINGS, "classes": FIRST}))
    w, new = start.params, with_new_head(start, seed=0)
    np.testing.assert_array_equal(new["fc1.weight"], w["fc1.weight"])
    assert not np.array_equal(new["fc2.weight"], w["fc2.weight"])
    assert new["fc2.weight"].shape == w["fc2.weight"].shape
    assert not set(FIRST) & set(SECOND)


def test_the_second_stage_starts_from_the_first_and_forgets_its_optimizer():
    plain = two_stages(0, SETTINGS, {"epochs": 1})
    same = two_stages(0, {**SETTINGS, "optimizer": "sam", "rho": 0.0}, {"epochs": 1})
    assert same["history"][0]["loss"] == plain["history"][0]["loss"]
    other = two_stages(0, {**SETTINGS, "optimizer": "sam", "rho": 0.5}, {"epochs": 1})
    assert other["history"][0]["loss"] != plain["history"][0]["loss"]
    first = pretrained(SETTINGS, 0)
    assert plain["first"]["last"] == 100 * first.history[-1]["test"]
    assert plain["examples"] < 0.3 * 0.5 * SETTINGS["train_size"]
    assert pretrained(SETTINGS, 0) is first
    more = two_stages(0, SETTINGS, {"epochs": 1, "train_size": 200})
    assert more["examples"] > 2 * plain["examples"]


def test_frozen_batch_norm_keeps_the_statistics_of_the_first_stage():
    small = {**SETTINGS, "model": "resnet", "model_options": {"width": 2}, "side": 8}
    start = pretrained(small, 0)
    data, training = records({**small, "train_size": 40, "classes": SECOND})
    kept = fit(data, training, with_new_head(start, 0), frozen=start.statistics)
    for name, value in start.statistics.items():
        np.testing.assert_array_equal(kept.statistics[name], value)
    moved = fit(data, training, with_new_head(start, 0))
    assert any(np.any(moved.statistics[k] != value) for k, value in start.statistics.items())
    told = two_stages(0, small, {"train_size": 40}, frozen=True)
    assert told["history"][-1]["loss"] == kept.history[-1]["loss"] != moved.history[-1]["loss"]
