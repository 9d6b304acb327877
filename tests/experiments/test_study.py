import pytest

from minisam.experiments.study import (
    TUNING_SEEDS,
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

    def luck(s):  # the second seed alone would choose the smallest
        value = 10 * s.get("rho", s["lr"])
        return -0.5 * value if s["seed"] == TUNING_SEEDS[1] else value

    def cells(grid, function=None):
        seen.extend(grid)
        return [{"validation": luck(s) + s["base"], "last": float(s["seed"])} for s in grid]

    return cells


def test_tuning_chooses_by_mean_validation_with_equal_budgets_and_seeds_of_its_own():
    seen = []
    candidates = {"SGD": [{"lr": 0.1}, {"lr": 0.3}], "SAM": [{"rho": 2.0}, {"rho": 1.0}]}
    problems = [({"noise": 0.2}, {"base": 1, "lr": 0}), ({"noise": 0.8}, {"base": 0, "lr": 0})]
    chosen, search = tune(recorded(seen), SCALE, problems, candidates)
    assert chosen == [{"SGD": {"lr": 0.3}, "SAM": {"rho": 2.0}}] * 2
    assert {settings["seed"] for settings in seen} == set(TUNING_SEEDS)
    assert not set(TUNING_SEEDS) & set(SCALE.seeds)
    assert 2 * len(search) == len(seen) == 16
    assert search[0] == {
        "noise": 0.2, "method": "SGD", "settings": {"lr": 0.1}, "validation": 1.25,
        "seeds": list(TUNING_SEEDS),
    }  # fmt: skip


def test_one_seed_alone_would_have_chosen_otherwise():
    values = {seed: [] for seed in TUNING_SEEDS}
    seen = []
    cells = recorded(seen)
    for settings in [{"lr": lr, "base": 0, "seed": s} for lr in (0.1, 0.3) for s in TUNING_SEEDS]:
        values[settings["seed"]].append(cells([settings])[0]["validation"])
    assert [v.index(max(v)) for v in values.values()] == [1, 0]


def test_every_method_has_as_many_candidates():
    for data in ("toy", "cifar10"):
        tried = Scale(data, (0,)).candidates("SGD", "SAM", "ASAM")
        assert {len(options) for options in tried.values()} == {5}
        assert tried["ASAM"][0] == {"optimizer": "asam", "rho": Scale(data, (0,)).radii("asam")[0]}


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
