import pytest

from minisam.experiments.claims.table3 import COMPARED, PROBLEMS, headline, run, table, verdict
from minisam.experiments.claims.two_stages import two_stages
from minisam.experiments.scale import Scale


def made_up(seen):
    """Return cells in which SAM gains 2 points in fine-tuning."""

    def cells(grid, function=None):
        seen.append((grid, function))
        results = []
        for s in grid:
            last = 50.0 + s["seed"] + 2 * (s["second"].get("optimizer") == "sam")
            result = {"last": last, "validation": last, "train": 95.0, "history": []}
            results.append({**result, "first": {"last": 61.0}})
        return results

    return cells


def test_the_second_stage_is_searched_and_starts_from_sgd():
    seen = []
    results = run(made_up(seen), Scale("toy", (0, 1, 2)))
    for grid, function in seen:
        assert function is two_stages
        assert all(set(s) - {"frozen"} == {"first", "second", "seed"} for s in grid)
        assert all("lr" in s["second"] for s in grid)
        assert all(s["first"].get("optimizer", "sgd") == "sgd" for s in grid)
        # half of either stage's images are of its classes
        sizes = {(s["second"]["train_size"], s.get("frozen", False)) for s in grid}
        assert sizes == {(2 * images, frozen) for images, frozen in PROBLEMS}
    assert {(s["images"], s["frozen"], s["method"]) for s in results["search"]} == {
        (*problem, method) for problem in PROBLEMS for method in COMPARED
    }
    assert len(results["runs"]) == len(PROBLEMS) * len(COMPARED) * 3
    assert results["runs"][0]["before"] == 61.0


def test_the_verdict_is_on_fine_tuning_after_sgd():
    results = run(made_up([]), Scale("toy", (0, 1, 2)))
    assert verdict(results) == (
        "shows, pre-trained with SGD, 1,000 images: SAM − SGD = +2.0 ± 0.0 (n=3) points; "
        "shows, pre-trained with SGD, 1,000 images, batch norm frozen: SAM − SGD = +2.0 ± 0.0 "
        "(n=3) points; shows, pre-trained with SGD, 250 images: SAM − SGD = +2.0 ± 0.0 (n=3) points"
    )
    told = headline(results)
    assert told[:2] == ("shows", "+2.0 ± 0.0 points")
    assert told.share.value == pytest.approx(100 * 2 / 49, rel=1e-3)  # of 50, 49 and 48 % errors
    rows = table(results)
    assert rows[1][4] == rows[2][4] == "+2.00 ± 0.00 (n=3)"
    assert rows[1][1] == "51.0 ± 2.5 (n=3)"


def test_a_kept_result_with_three_ways_of_pre_training_is_still_read():
    runs = [
        {"pretrained": one, "method": two, "seed": seed, "last": 50.0, "train": 99.0}
        for one in COMPARED
        for two in COMPARED
        for seed in (0, 1)
    ]
    assert [row[0] for row in table({"runs": runs})[1:]] == [
        f"pre-trained with {m}" for m in COMPARED
    ]
    assert headline({"runs": runs}).word == "no more than δ"
