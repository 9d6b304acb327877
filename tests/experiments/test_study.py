import pytest

from minisam.experiments.statistics import Interval
from minisam.experiments.study import Scale, gain, labelled, mean, over_seeds, weigh

SCALE = Scale("toy", (0, 1, 2))


def cells(grid, function=None):
    return [{"last": float(settings["seed"])} for settings in grid]


def test_every_entry_is_run_with_every_seed_and_labelled():
    runs = over_seeds(cells, SCALE, [({"method": m}, {"lr": 1}) for m in ("a", "b")])
    assert [(run["method"], run["seed"]) for run in runs] == [
        (m, s) for m in ("a", "b") for s in (0, 1, 2)
    ]
    assert mean(runs, method="a").value == 1.0


def test_gains_are_paired_by_seed():
    runs = [
        {"method": method, "noise": noise, "seed": seed, "last": 10.0 * seed + (method == "SAM")}
        for method in ("SGD", "SAM")
        for noise in (0.0, 0.4)
        for seed in (0, 1, 2)
    ]
    assert gain(runs, "SAM", noise=0.4) == Interval(1.0, 1.0, 1.0, 3)
    assert len(labelled(runs, method="SAM", noise=0.4)) == 3


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.1, 5.0, "shows"),
        (-0.1, 5.0, "too small to tell"),
        (-3.0, 0.5, "does not show"),
        (-3.0, -0.5, "does not show"),
        (float("nan"), float("nan"), "too small to tell"),
    ],
)
def test_verdicts(low, high, expected):
    assert weigh(Interval((low + high) / 2, low, high, 3)) == expected


def test_scales():
    assert SCALE.settings()["data"] == "toy"
    assert SCALE.settings(epochs=7)["epochs"] == 7
    assert Scale("cifar10", (0,)).settings()["train_size"] >= 5000
    smoke = Scale("toy", (0,), smoke=True).settings(epochs=7)
    assert (smoke["epochs"], smoke["train_size"]) == (1, 100)
