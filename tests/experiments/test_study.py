import pytest

from minisam.experiments.study import (
    TUNING_SEED,
    Scale,
    gain,
    judge,
    mean,
    over_seeds,
    select,
    tune,
)
from minisam.statistics import Interval

SCALE = Scale("toy", (0, 1, 2))


def recorded(seen):
    """Return cells whose validation accuracy is made up from the settings, and record them."""

    def cells(grid, function=None):
        seen.extend(grid)
        return [
            {"validation": 10 * s.get("rho", s["lr"]) + s["base"], "last": float(s["seed"])}
            for s in grid
        ]

    return cells


def test_tuning_chooses_by_validation_with_equal_budgets_and_its_own_seed():
    seen = []
    candidates = {"SGD": [{"lr": 0.1}, {"lr": 0.3}], "SAM": [{"rho": 2.0}, {"rho": 1.0}]}
    problems = [({"noise": 0.2}, {"base": 1, "lr": 0}), ({"noise": 0.8}, {"base": 0, "lr": 0})]
    chosen, search = tune(recorded(seen), SCALE, problems, candidates)
    assert chosen == [{"SGD": {"lr": 0.3}, "SAM": {"rho": 2.0}}] * 2
    assert {settings["seed"] for settings in seen} == {TUNING_SEED}
    assert TUNING_SEED not in SCALE.seeds
    assert len(search) == len(seen) == 8
    assert search[0] == {
        "noise": 0.2, "method": "SGD", "settings": {"lr": 0.1}, "validation": 2.0,
    }  # fmt: skip


def test_unequal_budgets_are_refused():
    with pytest.raises(ValueError, match="as many for every method"):
        tune(recorded([]), SCALE, [({}, {})], {"SGD": [{"lr": 1}], "SAM": [{"rho": 1}] * 2})


def test_a_method_whose_every_candidate_scores_zero_still_gets_one():
    cells = lambda grid: [{"validation": 0.0} for _ in grid]  # noqa: E731
    chosen, _ = tune(cells, SCALE, [({}, {})], {"SGD": [{"lr": 1}, {"lr": 2}]})
    assert chosen == [{"SGD": {"lr": 1}}]


def test_every_entry_is_run_with_every_seed_and_labelled():
    runs = over_seeds(
        recorded([]), SCALE, [({"method": m}, {"base": 0, "lr": 1}) for m in ("a", "b")]
    )
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
    assert len(select(runs, method="SAM", noise=0.4)) == 3


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
    assert judge(Interval((low + high) / 2, low, high, 3)) == expected


def test_scales():
    assert SCALE.settings()["data"] == "toy"
    assert SCALE.settings(epochs=7)["epochs"] == 7
    assert Scale("cifar10", (0,)).settings()["train_size"] >= 5000
    smoke = Scale("toy", (0,), smoke=True).settings(epochs=7)
    assert (smoke["epochs"], smoke["train_size"]) == (1, 100)
