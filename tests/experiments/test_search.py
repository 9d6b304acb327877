import pytest

from minisam.experiments.runs import labelled
from minisam.experiments.scale import RADII, Scale
from minisam.experiments.search import (
    DECAYS,
    FEW_TEST_IMAGES,
    RATES,
    TUNING_SEEDS,
    base_candidates,
    candidates,
    times,
    tune,
    tune_base,
)

SCALE = Scale("toy", (0, 1, 2))


def recorded(seen):
    """Return cells whose validation accuracy is made up from the settings, and record them."""

    def luck(s):  # the second seed alone would choose the worst
        value = 10 * s.get("rho", 1) - 100 * abs(s["lr"] - 0.125) - 1000 * s["weight_decay"]
        return -0.5 * value if s["seed"] == TUNING_SEEDS[1] else value

    def cells(grid, function=None):
        seen.extend(grid)
        return [{"validation": luck(s) + s["base"], "last": float(s["seed"])} for s in grid]

    return cells


CANDIDATES = {"SAM": [{"rho": 2.0}, {"rho": 1.0}], "Mixup": [{"mixup": 1.0}]}


def test_sgd_is_searched_first_and_all_others_stand_on_its_learning_rate_and_decay():
    seen = []
    problems = [({"noise": n}, {"base": 100, "lr": 0.05}) for n in (0.2, 0.8)]
    chosen, search = tune(recorded(seen), SCALE, problems, CANDIDATES)
    best = {"lr": 0.125, "weight_decay": DECAYS[0]}
    assert chosen == [
        {"SGD": best, "SAM": {**best, "rho": 2.0}, "Mixup": {**best, "mixup": 1.0}}
    ] * 2  # fmt: skip
    assert {settings["seed"] for settings in seen} == set(TUNING_SEEDS)
    assert not set(TUNING_SEEDS) & set(SCALE.seeds)
    assert 2 * len(search) == len(seen) == 2 * 2 * (len(RATES) * len(DECAYS) + 3)
    others = [s for s in seen if "rho" in s or "mixup" in s]
    assert all(settings["lr"] == 0.125 for settings in others)
    assert seen.index(others[0]) > seen.index([s for s in seen if s not in others][-1])
    assert search[0] == {
        "noise": 0.2, "method": "SGD", "settings": {"lr": 0.02, "weight_decay": 5e-4},
        "validation": pytest.approx(100 - 0.5 * 0.5), "seeds": list(TUNING_SEEDS),
    }  # fmt: skip


@pytest.mark.parametrize(("train", "expected"), [(95.0, DECAYS[1]), (60.0, DECAYS[0])])
def test_sgd_is_chosen_among_those_that_learn_their_labels_if_there_are_such(train, expected):
    def cells(grid, function=None):
        found = recorded([])(grid)
        learned = [train if s["weight_decay"] == DECAYS[1] else 70.0 for s in grid]
        return [{**one, "train": fit} for one, fit in zip(found, learned, strict=True)]

    problems = [({}, {"base": 0, "lr": 0.05})]
    (free,), _ = tune(cells, SCALE, problems, CANDIDATES)
    assert free["SGD"]["weight_decay"] == DECAYS[0]  # the best of all, half trained
    (chosen,), search = tune(cells, SCALE, problems, CANDIDATES, fitted=True)
    assert chosen["SGD"] == {"lr": 0.125, "weight_decay": expected}
    assert chosen["SAM"] == {**chosen["SGD"], "rho": 2.0}
    assert len(search) == len(RATES) * len(DECAYS) + 3  # those that are left out are kept, too


@pytest.mark.fault("test-data", "tune")
def test_a_search_looks_at_few_test_images_and_decides_by_none():
    seen = []
    tune(recorded(seen), SCALE, [({}, {"base": 0, "lr": 0.05, "test_size": 10_000})], CANDIDATES)
    assert {settings["test_size"] for settings in seen} == {FEW_TEST_IMAGES}


def test_sgd_may_be_searched_on_other_labels_once_for_all_problems():
    seen = []
    problems = [({"noise": n}, {"base": 9, "lr": 0.05, "noise": n}) for n in (0.4, 0.6)]
    chosen, search = tune(recorded(seen), SCALE, problems, CANDIDATES, base_on={"noise": 0.0})
    of_sgd = labelled(search, method="SGD")
    assert {entry["noise"] for entry in of_sgd} == {0.0}
    assert len(of_sgd) == len(base_candidates(0.05))
    assert {entry["noise"] for entry in labelled(search, method="SAM")} == {0.4, 0.6}
    assert [settings["noise"] for settings in seen].count(0.0) == 2 * len(of_sgd)
    assert chosen[0]["SGD"] == chosen[1]["SGD"] == {"lr": 0.125, "weight_decay": DECAYS[0]}


def test_the_learning_rates_lie_around_the_experiments_own():
    tried = base_candidates(0.1)
    assert {option["lr"] for option in tried} == {times(0.1, factor) for factor in RATES}
    assert min(RATES) < 1 < max(RATES)


def test_one_seed_alone_would_have_chosen_otherwise():
    cells, values = recorded([]), {seed: [] for seed in TUNING_SEEDS}
    for decay in DECAYS:
        for s in TUNING_SEEDS:
            settings = {"lr": 0.125, "weight_decay": decay, "base": 0, "seed": s}
            values[s].append(cells([settings])[0]["validation"])
    assert [v.index(max(v)) for v in values.values()] == [0, len(DECAYS) - 1]


def test_sam_and_asam_try_as_many_radii():
    for data in ("toy", "cifar10"):
        tried = candidates(Scale(data, (0,)), "SAM", "ASAM")
        assert len(tried["SAM"]) == len(tried["ASAM"])
        assert tried["ASAM"][0] == {"optimizer": "asam", "rho": Scale(data, (0,)).radii("asam")[0]}
    assert candidates(SCALE, "SAM", radii=RADII)["SAM"][0]["rho"] == RADII["sam"][0]


def test_a_method_whose_every_candidate_scores_zero_still_gets_one():
    cells = lambda grid: [{"validation": 0.0} for _ in grid]  # noqa: E731
    chosen, _ = tune_base(cells, SCALE, [({}, {"lr": 1})])
    assert chosen == [base_candidates(1)[0]]


@pytest.mark.fault("test-data", "tune")
def test_nothing_is_chosen_where_no_images_are_held_out():
    cells = lambda grid: [{"validation": None, "last": 50.0} for _ in grid]  # noqa: E731
    with pytest.raises(ValueError, match=r"must hold out images to choose on, which .*0\.4"):
        tune(cells, SCALE, [({"noise": 0.4}, {"lr": 1})], CANDIDATES)


def test_what_cannot_be_searched_is_named():
    with pytest.raises(ValueError, match="methods must be of SAM, ASAM, got 'Adam'"):
        candidates(SCALE, "SAM", "Adam")
    with pytest.raises(ValueError, match=r"problems must name a learning rate lr, which .*0\.4"):
        tune(recorded([]), SCALE, [({"noise": 0.4}, {"base": 0})], CANDIDATES)
