import itertools

import pytest

from minisam.experiments.search import (
    NEARER,
    RATES,
    TUNING_SEEDS,
    at_the_edge,
    candidates,
    times,
    tune,
)
from minisam.experiments.study import RADII, Scale, labelled

SCALE = Scale("toy", (0, 1, 2))


def recorded(seen):
    """Return cells whose validation accuracy is made up from the settings, and record them."""

    def luck(s):  # the second seed alone would choose the smallest
        value = 10 * s.get("rho", 1) - 100 * abs(s["lr"] - 0.12)
        return -0.5 * value if s["seed"] == TUNING_SEEDS[1] else value

    def cells(grid, function=None):
        seen.extend(grid)
        return [{"validation": luck(s) + s["base"], "last": float(s["seed"])} for s in grid]

    return cells


CANDIDATES = {
    "SGD": [{"lr": 0.1}, {"lr": 0.3}],
    "SAM": [{"rho": 2.0}, {"rho": 1.0}],
}


def test_tuning_searches_the_own_hyper_parameter_then_the_learning_rate_with_equal_budgets():
    seen = []
    problems = [({"noise": n}, {"base": 100, "lr": 0.05}) for n in (0.2, 0.8)]
    chosen, search = tune(recorded(seen), SCALE, problems, CANDIDATES)
    assert chosen == [{"SGD": {"lr": 0.125}, "SAM": {"rho": 2.0, "lr": 0.125}}] * 2
    assert {settings["seed"] for settings in seen} == set(TUNING_SEEDS)
    assert not set(TUNING_SEEDS) & set(SCALE.seeds)
    assert 2 * len(search) == len(seen) == 2 * 2 * 2 * (2 + 4)
    for method in ("SGD", "SAM"):
        settings = [str(found["settings"]) for found in labelled(search, method=method, noise=0.2)]
        assert len(settings) == len(set(settings)) == 6
    assert search[0] == {
        "noise": 0.2, "method": "SGD", "settings": {"lr": 0.1}, "validation": 102.0,
        "seeds": list(TUNING_SEEDS),
    }  # fmt: skip


def test_the_first_round_stands_where_no_other_learning_rate_is_better():
    problems = [({}, {"base": 100, "lr": 0.12})]
    options = {"SGD": [{"lr": 0.12}], "SAM": [{"rho": 2.0}]}
    chosen, _ = tune(recorded([]), SCALE, problems, options)
    assert chosen == [{"SGD": {"lr": 0.12}, "SAM": {"rho": 2.0}}]


def test_the_learning_rates_of_both_rounds_are_distinct_and_reach_as_far_for_every_method():
    tried = candidates(SCALE, "SGD", lr=0.1)["SGD"]
    assert [option["lr"] for option in tried] == [times(0.1, factor) for factor in RATES]
    assert min(NEARER) * max(NEARER) == pytest.approx(1, abs=0.05)
    assert max(NEARER) < min(b / a for a, b in itertools.pairwise(RATES))


def test_one_seed_alone_would_have_chosen_otherwise():
    values = {seed: [] for seed in TUNING_SEEDS}
    seen = []
    cells = recorded(seen)
    for settings in [{"lr": lr, "base": 0, "seed": s} for lr in (0.1, 0.3) for s in TUNING_SEEDS]:
        values[settings["seed"]].append(cells([settings])[0]["validation"])
    assert [v.index(max(v)) for v in values.values()] == [0, 1]


def test_every_method_has_as_many_candidates():
    for data in ("toy", "cifar10"):
        tried = candidates(Scale(data, (0,)), "SGD", "SAM", "ASAM")
        assert {len(options) for options in tried.values()} == {5}
        assert tried["ASAM"][0] == {"optimizer": "asam", "rho": Scale(data, (0,)).radii("asam")[0]}
    assert candidates(SCALE, "SAM", radii=RADII)["SAM"][0]["rho"] == RADII["sam"][0]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ([{"rho": 0.1}, {"rho": 0.2}, {"rho": 0.4}], []),
        ([{"rho": 0.2}, {"rho": 0.4}, {"rho": 0.4, "lr": 0.1}], ["SAM, noise 0.4: rho = 0.2"]),
        ([{"rho": 0.4}, {"rho": 0.2, "lr": 0.1}, {"rho": 0.1, "lr": 0.2}],
         ["SAM, noise 0.4: lr = 0.1"]),
        ([{"loss_options": {"q": 0.3}}, {"loss_options": {"q": 0.7}}, {}],
         ["SAM, noise 0.4: q = 0.7"]),
        ([{"m": 4, "rho": 0.1}, {"m": 4, "rho": 0.2}, {"m": 4, "rho": 0.4}], []),
    ],
)  # fmt: skip
def test_choices_at_the_edge_are_named(settings, expected):
    scores = [0.0, 1.0, 0.5] if settings[0] != {"rho": 0.2} else [1.0, 0.5, 0.0]
    search = [
        {"method": "SAM", "noise": 0.4, "settings": option, "validation": score, "seeds": [1]}
        for option, score in zip(settings, scores, strict=True)
    ]
    assert at_the_edge(search) == expected


def test_unequal_budgets_are_refused():
    with pytest.raises(ValueError, match="as many for every method"):
        tune(recorded([]), SCALE, [({}, {})], {"SGD": [{"lr": 1}], "SAM": [{"rho": 1}] * 2})


def test_a_method_whose_every_candidate_scores_zero_still_gets_one():
    cells = lambda grid: [{"validation": 0.0} for _ in grid]  # noqa: E731
    chosen, _ = tune(cells, SCALE, [({}, {"lr": 1})], {"SGD": [{"lr": 1}, {"lr": 2}]})
    assert chosen == [{"SGD": {"lr": 1}}]


@pytest.mark.fault("test-data", "tune")
def test_nothing_is_chosen_where_no_images_are_held_out():
    cells = lambda grid: [{"validation": None, "last": 50.0} for _ in grid]  # noqa: E731
    with pytest.raises(ValueError, match=r"must hold out images to choose on, which .*0\.4"):
        tune(cells, SCALE, [({"noise": 0.4}, {"lr": 1})], {"SGD": [{"lr": 1}]})


def test_what_cannot_be_searched_is_named():
    with pytest.raises(ValueError, match="methods must be of SGD, SAM, ASAM, got 'Adam'"):
        candidates(SCALE, "SGD", "Adam")
    with pytest.raises(ValueError, match=r"problems must name a learning rate lr, which .*0\.4"):
        tune(recorded([]), SCALE, [({"noise": 0.4}, {"base": 0})], CANDIDATES)
