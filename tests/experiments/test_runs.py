import pytest

from minisam.experiments.runs import best_elsewhere, gain, labelled, removed
from minisam.experiments.statistics import Interval


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
