import pytest

from minisam.experiments.study import Scale
from minisam.experiments.width import WIDTHS, growth, per_example, run, table, verdict


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
    assert verdict(results).startswith("shows with 40 % label noise, where it grows by +6.0 ± 0.0")
    assert "does not show with 0 % label noise" in verdict(results)
    rows = table(results)
    assert len(rows) == 1 + 2 * 6
    assert rows[6][-1] == "+7.00 ± 0.00 (n=3)"
    assert per_example(results, 32) == pytest.approx(64)
