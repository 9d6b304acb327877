import importlib

import pytest

from minisam.experiments.reproduce import STUDIES
from minisam.experiments.runs import mean
from minisam.experiments.scale import Scale, over_seeds

SCALE = Scale("toy", (0, 1, 2))


def cells(grid, function=None):
    return [{"last": float(settings["seed"])} for settings in grid]


def test_every_entry_is_run_with_every_seed_and_labelled():
    runs = over_seeds(cells, SCALE, [({"method": m}, {"lr": 1}) for m in ("a", "b")])
    assert [(run["method"], run["seed"]) for run in runs] == [
        (m, s) for m in ("a", "b") for s in (0, 1, 2)
    ]
    assert mean(runs, method="a").value == 1.0


def test_a_seeds_runs_follow_each_other_so_that_its_data_are_made_once():
    asked = []

    def remembering(grid, function=None):
        asked.extend(settings["seed"] for settings in grid)
        return cells(grid)

    over_seeds(remembering, SCALE, [({"method": m}, {"lr": 1}) for m in ("a", "b")])
    assert asked == [0, 0, 1, 1, 2, 2]


def test_scales():
    assert SCALE.settings()["data"] == "toy"
    assert SCALE.settings(epochs=7)["epochs"] == 7
    for data in ("toy", "cifar10"):
        whole = Scale(data, (0,)).settings()
        assert whole["test_size"] == 10_000
        assert whole["validation_size"] >= 5000
        assert whole["nesterov"]
        assert (whole["lr_warmup"], whole["rho_warmup"]) == (0.1, 0.25)
    smoke = Scale("toy", (0,), smoke=True).settings(epochs=7)
    assert (smoke["epochs"], smoke["train_size"]) == (1, 100)


def test_of_real_images_fewer_are_learned_for_longer_but_as_asked_for_and_not_in_a_smoke_test():
    assert SCALE.learned(noise=0.2) == SCALE.settings(noise=0.2)
    real = Scale("cifar10", (0,))
    plain, learned = real.settings(), real.learned()
    assert learned["epochs"] > plain["epochs"]
    assert learned["train_size"] < plain["train_size"]
    assert learned.keys() == plain.keys()
    assert real.learned(epochs=7)["epochs"] == 7
    assert real._replace(smoke=True).learned()["epochs"] == 1


@pytest.mark.parametrize("name", ["flatness", "landscape", "width", "m_sharpness"])
def test_real_images_are_learned_where_ends_widths_and_shards_are_compared(name):
    class Asked(Exception):
        pass

    def cells(grid, function=None):
        raise Asked(grid)

    scale = Scale("cifar10", (0,))
    with pytest.raises(Asked) as asked:
        importlib.import_module(STUDIES[name]).run(cells, scale)
    epochs = {settings["epochs"] for settings in asked.value.args[0]}
    assert epochs == {scale.learned()["epochs"]}
