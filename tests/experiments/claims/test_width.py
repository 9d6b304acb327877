import pytest

from minisam.experiments.claims.width import WIDTHS, growth, per_example, run, table, verdict
from minisam.experiments.study import Scale


def made_up(grid, function=None):
    """Results in which SAM's gain is the logarithm of the width, on noisy labels only."""
    results = []
    for s in grid:
        width = s["model_options"]["hidden"][0]
        gain = (width.bit_length() - 2) * (s["noise"] > 0) * (s.get("optimizer") == "sam")
        result = {"last": 40.0 + s["seed"] + gain, "train": 80.0, "validation": 1.0}
        results.append({**result, "parameters": 100 * width, "examples": 50})
    return results


def test_growth_and_verdict_follow_the_gains():
    results = run(made_up, Scale("toy", (0, 1, 2)))
    assert growth(results, 0.4).value == WIDTHS[-1].bit_length() - WIDTHS[0].bit_length()
    assert growth(results, 0.0).value == 0.0
    said = verdict(results)
    assert said.startswith("shows with 40 % label noise, where the widest network gains +7.0 ± 0.0")
    assert "points, +6.0 ± 0.0 (n=3) more than the narrowest" in said
    assert "does not show with 0 % label noise" in said
    rows = table(results)
    assert len(rows) == 1 + 2 * 6
    assert rows[6][-1] == "+7.00 ± 0.00 (n=3)"
    assert per_example(results, 32) == pytest.approx(64)


def test_a_growth_that_ends_at_nothing_is_no_gain():
    def only_harm(grid, function=None):
        results = made_up(grid)
        for s, result in zip(grid, results, strict=True):
            narrow = s["model_options"]["hidden"][0] == WIDTHS[0]
            result["last"] = 40.0 - 5.0 * narrow * (s.get("optimizer") == "sam")
        return results

    results = run(only_harm, Scale("toy", (0, 1, 2)))
    assert growth(results, 0.4).value == 5.0
    assert verdict(results).startswith("does not show with 40 % label noise")
