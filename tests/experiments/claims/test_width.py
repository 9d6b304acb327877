import pytest

from minisam.experiments.claims.width import (
    WIDTHS,
    headline,
    per_example,
    run,
    slope,
    table,
    verdict,
)
from minisam.experiments.scale import Scale


def made_up(grid, function=None):
    """Results in which SAM's gain is the logarithm of the width, on noisy labels only."""
    results = []
    for s in grid:
        width = s["model_options"]["hidden"][0]
        gain = (width.bit_length() - 2) * (s["noise"] > 0) * (s.get("optimizer") == "sam")
        result = {"last": 40.0 + s["seed"] + gain, "train": 95.0, "validation": 1.0}
        results.append({**result, "parameters": 100 * width, "examples": 50})
    return results


def test_slope_and_verdict_follow_the_gains():
    results = run(made_up, Scale("toy", (0, 1, 2)))
    results["widths"] = [width for width in WIDTHS if width != 12]  # whose logarithm is not whole
    assert slope(results, 0.4).value == pytest.approx(1.0)
    assert slope(results, 0.0).value == pytest.approx(0.0, abs=1e-12)
    said = verdict(results)
    assert said.startswith("shows with 40 % label noise: +1.00 ± 0.00 (n=3) points per doubling")
    assert "to +7.0 ± 0.0 (n=3) points at 256" in said
    assert "no more than δ with 0 % label noise" in said
    assert headline(results)[:2] == ("shows", "+1.00 ± 0.00 points per doubled width")
    rows = table(results)
    assert len(rows) == 1 + 2 * 4 + 2
    assert rows[4][-1] == "+7.00 ± 0.00 (n=3)"
    assert per_example(results, 32) == pytest.approx(64)


def test_the_narrowest_network_of_a_kept_result_is_left_out_of_the_slope():
    runs = [
        {"method": method, "width": width, "noise": 0.4, "seed": seed, "train": 95.0,
         "last": 50.0 * (width != 4) + 7.0 * (method == "SAM") * (width != 4)}
        for method in ("SGD", "SAM") for width in (4, 12, 32, 64) for seed in (0, 1)
    ]  # fmt: skip
    found = {"widths": [4, 12, 32, 64], "rates": [0.4], "runs": runs}
    assert slope(found, 0.4).value == pytest.approx(0.0, abs=1e-12)


def test_a_slope_that_leans_on_a_width_that_does_not_fit_is_told_without_it():
    gains = {12: 0.0, 32: 9.0, 64: 8.0, 128: 7.0}
    runs = [
        {"method": method, "width": width, "noise": 0.4, "seed": seed,
         "train": 70.0 if width == 12 else 95.0, "last": 50.0 + gains[width] * (method == "SAM")}
        for method in ("SGD", "SAM") for width in gains for seed in (0, 1)
    ]  # fmt: skip
    found = {"widths": list(gains), "rates": [0.4], "runs": runs}
    assert slope(found, 0.4).value > 0
    told = "-1.00 ± 0.00 among the widths at which SGD learns its labels, from 32 on"
    assert headline(found).beside == told
    assert verdict(found).endswith(f"({told})")


def test_a_slope_that_ends_at_nothing_is_no_gain():
    def only_harm(grid, function=None):
        results = made_up(grid)
        for s, result in zip(grid, results, strict=True):
            narrow = s["model_options"]["hidden"][0] == WIDTHS[0]
            result["last"] = 40.0 - 5.0 * narrow * (s.get("optimizer") == "sam")
        return results

    results = run(only_harm, Scale("toy", (0, 1, 2)))
    assert slope(results, 0.4).low > 0
    assert verdict(results).startswith("no more than δ with 40 % label noise")
    assert headline(results).word == "no more than δ"


def test_where_the_widest_network_does_not_fit_nothing_is_judged():
    def half_trained(grid, function=None):
        return [{**result, "train": 60.0} for result in made_up(grid)]

    results = run(half_trained, Scale("toy", (0, 1, 2)))
    assert headline(results).word == "under-fitted"
