import pytest

from minisam.experiments.claims.m_sharpness import (
    FIXED,
    RADII,
    SHARDS,
    headline,
    run,
    table,
    verdict,
)
from minisam.experiments.scale import Scale

BEST = {1: 0.05, 4: 0.1, 16: 0.2, 64: 0.4}


def made_up(train):
    """Return cells in which each m is best at a ρ of its own, a larger m a little better there."""

    def cells(grid, function=None):
        results = []
        for s in grid:
            m = s.get("m", 0)
            last = 40.0 + s["seed"] % 10
            if m:
                last += 20.0 + m / 64 - 100 * abs(s["rho"] - BEST[m])
            results.append({"last": last, "validation": last, "train": train})
        return results

    return cells


@pytest.fixture(scope="module")
def results():
    return run(made_up(97.0), Scale("toy", (0, 1, 2)))


def test_every_m_has_a_radius_of_its_own_and_is_run_at_all(results):
    chosen = results["chosen"][0]
    assert {m: chosen[f"m = {m}"]["rho"] for m in SHARDS} == BEST
    tried = [entry["method"] for entry in results["search"]]
    assert {tried.count(f"m = {m}") for m in SHARDS} == {len(RADII)}
    assert len(results["runs"]) == (1 + len(SHARDS)) * 3
    assert len(results["curve"]) == len(RADII) * len(SHARDS) * 3


def test_what_is_judged_is_each_m_at_its_own_radius_and_the_other_answer_is_told(results):
    told = headline(results)
    assert told[:2] == ("opposite", "-1.0 ± 0.0 points, m = 1 over 64, own ρ")
    assert (told.rho, told.train) == ("0.05, 0.4", 97.0)
    said = verdict(results)
    assert said.startswith("opposite: with 40 % noise opposite with its own ρ (-1.0 ± 0.0")
    assert f"shows at ρ = {FIXED} for all (+34.0 ± 0.0" in said
    assert "the best ρ is 0.05, 0.1, 0.2, 0.4 for m = 1, 4, 16, 64" in said
    rows = table(results)
    assert rows[2][1:4] == ["m = 1", "0.05", "61.0 ± 2.5 (n=3)"]
    assert rows[-1][-2:] == ["-1.0 ± 0.0 (n=3)", "+34.0 ± 0.0 (n=3)"]


def test_nothing_is_judged_where_sgd_does_not_fit():
    assert headline(run(made_up(80.0), Scale("toy", (0, 1)))).word == "under-fitted"


@pytest.mark.parametrize("data", ["toy", "cifar10"])
def test_the_last_shard_is_the_whole_batch(data):
    sizes = set()

    def cells(grid, function=None):
        sizes.update(s["batch_size"] for s in grid)
        return made_up(97.0)(grid)

    run(cells, Scale(data, (0, 1)))
    assert sizes == {SHARDS[-1]}
