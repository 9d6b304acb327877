from minisam.experiments.claims.table4 import (
    MADE_FOR_NOISE,
    NOISE_RATES,
    ORDER,
    RETRAINED,
    SEARCHED,
    rate_name,
    run,
    table,
    verdict,
)
from minisam.experiments.search import candidates
from minisam.experiments.study import Scale

SCALE = Scale("toy", (0, 1))


def made_up(grid, function=None):
    """Results in which retraining adds two points, and SAM's best ρ is smaller at 60 % noise."""
    results = []
    for s in grid:
        rho = 0.05 if s["noise"] > 0.5 else 0.1
        last = 50.0 + s["seed"] % 10 + 10 * (s.get("optimizer") == "sam" and s["rho"] == rho)
        outcome = {"last": last, "best": last + 1, "validation": last, "train": 90.0}
        if s.get("bootstrap"):
            outcome = {**outcome, "last": last + 2, "first": outcome}
        results.append(outcome)
    return results


def test_every_method_has_the_same_budget_and_retraining_has_none_of_its_own():
    tried = candidates(SCALE, "SGD", "SAM", "ASAM") | MADE_FOR_NOISE
    assert {len(options) for options in tried.values()} == {5}
    assert set(ORDER) == set(tried) | set(RETRAINED)
    assert set(RETRAINED.values()) <= set(tried)
    assert set(NOISE_RATES) <= set(SEARCHED)


def test_a_run_serves_a_method_and_its_bootstrap():
    results = run(made_up, SCALE)
    assert len(results["runs"]) == len(ORDER) * len(results["rates"]) * 2
    searched = {(s["noise"], s["method"]) for s in results["search"]}
    assert {rate for rate, _ in searched} == {0.4, 0.6}
    by = {(r["method"], r["noise"], r["seed"]): r["last"] for r in results["runs"]}
    for method, half in RETRAINED.items():
        assert by[method, 0.4, 1] == by[half, 0.4, 1] + 2
    for rate in NOISE_RATES:  # with the ρ that was found there, or at the nearest rate
        assert by["SAM", rate, 0] == by["SGD", rate, 0] + 10


def test_table_and_verdict_say_what_the_runs_say():
    results = run(made_up, SCALE)
    rows = table(results)
    assert [row[0] for row in rows[1:11]] == list(ORDER)
    assert rows[1][3] == "50.5 ± 6.4 (n=2) [51.5]"
    assert rows[11] == ["SAM − SGD, paired", *["+10.0 ± 0.0 (n=2)"] * 5]
    assert verdict(results).startswith("shows: at 40 % noise SAM − SGD = +10.0 ± 0.0")
    assert "Bootstrap + SAM with 62.5 %" in verdict(results)
    assert [rate_name(rate) for rate in (0.0, 0.4, "worse_label")] == ["0 %", "40 %", "human, 40 %"]
