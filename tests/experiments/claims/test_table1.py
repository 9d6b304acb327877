import pytest

from minisam.experiments.claims.table1 import (
    CROPPED,
    LONGER,
    METHODS,
    ON_REAL,
    ON_TOY,
    RADII,
    headline,
    methods,
    run,
    table,
    verdict,
)
from minisam.experiments.runs import labelled, models
from minisam.experiments.scale import Scale


def made_up(grid, function=None):
    """SAM gains 3 points, and twice the epochs gain SGD 1; half trained with crops and flips."""
    results = []
    for s in grid:
        usual = {special["epochs"] for special in (*ON_REAL.values(), *ON_TOY.values())}
        last = 70.0 + s["seed"] + 3 * (s.get("optimizer") == "sam") + (s["epochs"] not in usual)
        train = 66.0 if s.get("crop_and_flip") else 99.0
        results.append({"last": last, "validation": last, "train": train, "history": []})
    return results


def test_five_seeds_at_least_and_sgd_with_twice_the_epochs():
    results = run(made_up, Scale("cifar10", (0, 1, 2)))
    assert {r["seed"] for r in results["runs"]} == {0, 1, 2, 3, 4}
    network, cropped = models(results)
    assert (network, cropped) == (*ON_REAL, CROPPED.format(*ON_REAL))
    assert methods(results, network) == list(METHODS)
    assert len(results["runs"]) == (len(METHODS) + 2) * 5
    assert {r["model"] for r in run(made_up, Scale("toy", (0,)))["runs"]} == set(ON_TOY)


def test_the_counter_example_has_the_same_settings_but_for_crops_and_flips():
    seen = {}

    def cells(grid, function=None):
        found = made_up(grid)
        for settings in grid:
            key = (settings.get("optimizer", "sgd"), settings.get("rho"), settings["epochs"])
            for_one = {k: v for k, v in settings.items() if k != "crop_and_flip"}
            seen.setdefault(settings.get("crop_and_flip", False), {})[key] = for_one
        return found

    run(cells, Scale("cifar10", (0,)))
    assert {key[:2] for key in seen[True]} == {("sgd", None), ("sam", RADII["sam"][0])}
    radii = {key[1] for key in seen[False] if key[0] == "sam"}
    assert radii == {*RADII["sam"]}  # in the search
    assert all(seen[False][key] == settings for key, settings in seen[True].items())


def test_the_better_sgd_counts_and_one_that_is_half_trained_judges_nothing():
    results = run(made_up, Scale("cifar10", (0, 1, 2)))
    first, second = table(results)[1:]
    assert first[0] == "residual network"
    assert [cell.split()[0] for cell in first[1:8]] == [
        "28.0", "27.0", "25.0", "28.0", "+3.00", "+0.00", "+2.00",
    ]  # fmt: skip
    assert second[4] == second[6] == ""  # no ASAM
    assert (first[-1], second[-1]) == ("99.0", "66.0")
    assert verdict(results) == (
        "shows with the residual network (+2.0 ± 0.0 (n=5) points over the better SGD, +3.0 ± 0.0 "
        "(n=5) over SGD with as many epochs; SGD learned 99 % of its training labels); "
        "under-fitted with the residual network, crops and flips (+3.0 ± 0.0 (n=5) over SGD with "
        "as many epochs; SGD learned 66 % of its training labels)"
    )
    told = headline(results)
    assert told[:2] == ("shows", "+2.0 ± 0.0 points, residual network")
    assert told.share.value == pytest.approx(100 * 2 / 27, rel=1e-2)
    assert LONGER in table(results)[0]


def test_the_counter_example_is_told_at_a_smaller_radius_too():
    def cells(grid, function=None):
        return [
            {**found, "validation": 50.0 + 10 * (s.get("rho") == 0.2), "last": found["last"] - 5}
            if s.get("rho") == 0.2 and s.get("crop_and_flip")
            else {**found, "validation": 50.0 + 10 * (s.get("rho") == 0.2)}
            for s, found in zip(grid, made_up(grid), strict=True)
        ]

    told = verdict(run(cells, Scale("cifar10", (0,))))
    assert (
        "crops and flips (-2.0 ± 0.0 (n=5) over SGD with as many epochs, +3.0 ± 0.0 (n=5) at "
        in told
    )


def test_real_images_are_tried_a_step_beside_the_chosen_radius_and_cropped_ones_a_step_below():
    def cells(grid, function=None):
        return [
            {**found, "validation": 50.0 + 10 * (s.get("rho") == 0.2)}
            for s, found in zip(grid, made_up(grid), strict=True)
        ]

    network, cropped = models(results := run(cells, Scale("cifar10", (0,))))
    tried = {
        name: {r["rho"] for r in labelled(results["curve"], model=name)}
        for name in (network, cropped)
    }
    assert tried == {network: {0.1, 0.2, 0.28}, cropped: {0.1, 0.2}}
    on_toy = run(made_up, Scale("toy", (0,)))["curve"]
    assert {r["rho"] for r in on_toy} == set(Scale("toy", (0,)).radii("sam"))
