from minisam.experiments.claims.table3 import COMPARED, run, table, verdict
from minisam.experiments.claims.two_stages import FIRST, two_stages
from minisam.experiments.study import Scale


def made_up(seen):
    """Return cells in which SAM gains 2 points in fine-tuning, and ASAM 1 in pre-training."""

    def cells(grid, function=None):
        seen.append((grid, function))
        results = []
        for s in grid:
            first, second = s.get("first", s), s.get("second", {})
            last = 50.0 + s["seed"] + 2 * (second.get("optimizer") == "sam")
            last += first.get("optimizer") == "asam"
            results.append({"last": last, "validation": last})
        return results

    return cells


def test_each_stage_is_searched_and_the_second_starts_from_sgd():
    seen = []
    results = run(made_up(seen), Scale("toy", (0, 1, 2)))
    first, nearer, second, nearer_second, runs = seen
    for grid, function in (first, nearer):
        assert function is None
        assert all(s["classes"] == FIRST for s in grid)
    for grid, function in (second, nearer_second, runs):
        assert function is two_stages
        assert all(set(s) == {"first", "second", "seed"} for s in grid)
        assert all("lr" in s["second"] for s in grid)
    assert all(s["first"].get("optimizer", "sgd") == "sgd" for s in second[0])
    tried = [(s["stage"], s["method"]) for s in results["search"]]
    assert {tried.count((stage, m)) for stage in (1, 2) for m in COMPARED} == {9}
    assert len(results["runs"]) == 9 * 3


def test_the_verdict_is_on_fine_tuning_after_sgd():
    results = run(made_up([]), Scale("toy", (0, 1, 2)))
    assert verdict(results) == (
        "shows: SAM − SGD in fine-tuning after SGD: +2.0 ± 0.0 (n=3) points"
    )
    rows = table(results)
    assert [row[0] for row in rows[1:]] == [f"pre-trained with {method}" for method in COMPARED]
    assert rows[1][4] == rows[3][4] == "+2.00 ± 0.00 (n=3)"
    assert rows[3][1] == "52.0 ± 2.5 (n=3)"
