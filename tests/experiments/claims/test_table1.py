import pytest

from minisam.experiments.claims.table1 import (
    LONGER,
    METHODS,
    ON_REAL,
    ON_TOY,
    headline,
    run,
    table,
    verdict,
)
from minisam.experiments.study import Scale


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
    assert {r["method"] for r in results["runs"]} == set(METHODS)
    assert len(results["runs"]) == len(ON_REAL) * len(METHODS) * 5
    assert {r["model"] for r in run(made_up, Scale("toy", (0,)))["runs"]} == set(ON_TOY)


def test_the_better_sgd_counts_and_one_that_is_half_trained_judges_nothing():
    results = run(made_up, Scale("cifar10", (0, 1, 2)))
    first, second = table(results)[1:]
    assert first[0] == "residual network"
    assert [cell.split()[0] for cell in first[1:8]] == [
        "28.0", "27.0", "25.0", "28.0", "+3.00", "+0.00", "+2.00",
    ]  # fmt: skip
    assert (first[-1], second[-1]) == ("99.0", "66.0")
    assert verdict(results) == (
        "shows with the residual network (+2.0 ± 0.0 (n=5) points over the better SGD, +3.0 ± 0.0 "
        "(n=5) over SGD with as many epochs; SGD learned 99 % of its training labels); "
        "under-fitted with the residual network, crops and flips (+2.0 ± 0.0 (n=5) points over the "
        "better SGD, +3.0 ± 0.0 (n=5) over SGD with as many epochs; SGD learned 66 % of its "
        "training labels)"
    )
    told = headline(results)
    assert told[:2] == ("shows", "+2.0 ± 0.0 points, residual network")
    assert told.share.value == pytest.approx(100 * 2 / 27, rel=1e-2)
    assert LONGER in table(results)[0]
