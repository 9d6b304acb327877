from minisam.experiments.claims.table1 import LONGER, MODELS, run, table, verdict
from minisam.experiments.study import Scale


def made_up(grid, function=None):
    """Results in which SAM gains 3 points, and twice the epochs gain SGD 1 point or 5."""
    results = []
    for s in grid:
        special = next(special for special in MODELS.values() if special["model"] == s["model"])
        longer = s["epochs"] == 2 * special.get("epochs", 20)
        last = 70.0 + s["seed"] + 3 * (s.get("optimizer") == "sam")
        last += longer * (5 if s["model"] == "mlp" else 1)
        results.append({"last": last, "validation": last})
    return results


def test_five_seeds_at_least_and_sgd_with_twice_the_epochs():
    results = run(made_up, Scale("toy", (0, 1, 2)))
    assert {r["seed"] for r in results["runs"]} == {0, 1, 2, 3, 4}
    assert {r["method"] for r in results["runs"]} == {"SGD", LONGER, "SAM", "ASAM"}
    assert len(results["runs"]) == 2 * 4 * 5
    assert {len([s for s in results["search"] if s["method"] == m and s["model"] == "MLP"])
            for m in ("SGD", "SAM", "ASAM")} == {9}  # fmt: skip


def test_the_table_tells_errors_and_the_verdict_both_comparisons():
    results = run(made_up, Scale("toy", (0, 1, 2)))
    first, second = table(results)[1:]
    assert first[0] == "residual network"
    assert [cell.split()[0] for cell in first[1:]] == [
        "28.0", "27.0", "25.0", "28.0", "+3.00", "+0.00", "+2.00",
    ]  # fmt: skip
    assert second[-1].startswith("-2.00")
    assert verdict(results) == (
        "shows with the residual network (+3.0 ± 0.0 (n=5) points; +2.0 ± 0.0 (n=5) over SGD with "
        "twice the epochs); shows with the MLP (+3.0 ± 0.0 (n=5) points; -2.0 ± 0.0 (n=5) over SGD "
        "with twice the epochs)"
    )
