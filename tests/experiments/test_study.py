import pytest

from minisam.experiments.statistics import Interval
from minisam.experiments.study import (
    VERDICTS,
    Headline,
    Scale,
    best_elsewhere,
    gain,
    half_published,
    labelled,
    mean,
    over_seeds,
    removed,
    weigh,
)

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
    with pytest.raises(ValueError, match=r"labels must leave one run a seed, got .* with 6 runs"):
        gain(runs, "SAM")  # of both rates of noise


@pytest.mark.parametrize(
    ("low", "high", "train", "expected"),
    [
        (0.1, 5.0, None, "shows"),
        (0.1, 5.0, 90.0, "shows"),
        (0.1, 5.0, 89.9, "under-fitted"),
        (-5.0, -0.1, 89.9, "under-fitted"),
        (-0.1, 5.0, 100.0, "undecided"),
        (-3.0, 0.5, None, "undecided"),
        (-3.0, -0.5, None, "opposite"),
        (-1.0, 1.0, None, "no more than δ"),
        (-1.1, 0.5, None, "undecided"),
        (0.0, 0.0, None, "no more than δ"),
        (float("nan"), float("nan"), None, "undecided"),
    ],
)
def test_verdicts(low, high, train, expected):
    assert weigh(Interval((low + high) / 2, low, high, 3), train=train) == expected
    assert expected in VERDICTS


def test_delta_is_half_of_the_published_share_of_the_errors_here():
    delta = half_published(50.0, accuracy=60.0)
    assert delta == 10.0  # SAM would remove half of 40 points, and half of that matters
    assert weigh(Interval(0.0, -9.0, 9.0, 5), delta) == "no more than δ"
    assert Headline.of(Interval(0.0, -9.0, 9.0, 5), "points", delta=8.0).word == "undecided"


def test_shares_of_errors_are_taken_seed_by_seed():
    runs = [
        {"method": method, "seed": seed, "last": last}
        for method, values in (("SGD", (90.0, 50.0)), ("SAM", (95.0, 75.0)))
        for seed, last in enumerate(values)
    ]
    assert removed(runs, "SAM") == Interval(50.0, 50.0, 50.0, 2)


@pytest.mark.fault("test-data", "best_elsewhere")
def test_a_radius_is_chosen_without_the_seed_that_is_judged():
    runs = [
        {"rho": rho, "seed": seed, "validation": value}
        for rho, values in ((0.1, (90.0, 50.0, 50.0)), (0.2, (10.0, 60.0, 60.0)))
        for seed, value in enumerate(values)
    ]
    assert [best_elsewhere(runs, seed, "validation") for seed in range(3)] == [0.2, 0.1, 0.1]


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
