from minisam.experiments.claims.m_sharpness import SHARDS, run, table, verdict
from minisam.experiments.study import Scale


def made_up(grid, function=None):
    """Results in which a smaller m gains more, each m best at a ρ of its own."""
    results = []
    for s in grid:
        m = s.get("m", 1000)
        off = abs(s.get("rho", 0.1) - (0.05 if m == 1 else 0.2)) if "rho" in s else 0
        last = 40.0 + s["seed"] - m / 100 - 10 * off
        results.append({"last": last, "best": last + 1, "validation": last})
    return results


def test_every_m_has_a_radius_of_its_own_and_as_many_settings_as_sgd():
    results = run(made_up, Scale("toy", (0, 1, 2)))
    assert results["chosen"]["m = 1"] == {"optimizer": "m_sam", "m": 1, "rho": 0.05}
    assert results["chosen"]["m = 128"]["rho"] == 0.2
    tried = [entry["method"] for entry in results["search"]]
    assert {tried.count(method) for method in ("SGD", *(f"m = {m}" for m in SHARDS))} == {9}
    assert len(results["runs"]) == (1 + len(SHARDS)) * 3


def test_table_and_verdict_say_what_the_runs_say():
    results = run(made_up, Scale("toy", (0, 1, 2)))
    rows = table(results)
    assert rows[2][:3] == ["m = 1", "0.05", "41.0 ± 2.5 (n=3)"]
    assert rows[2][3] == "42.0 ± 2.5 (n=3)"
    assert verdict(results) == "shows: m = 1 against m = 128: +1.3 ± 0.0 (n=3) points"
