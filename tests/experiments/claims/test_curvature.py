import pytest

from minisam.experiments.claims.curvature import (
    SHARES,
    best_against_best,
    exact_or_not,
    headline,
    pruning,
)

SETTINGS = {
    "data": "toy",
    "seed": 0,
    "train_size": 120,
    "test_size": 60,
    "validation_size": 20,
    "noise": 0.2,
    "epochs": 2,
    "model": "mlp",
    "model_options": {"hidden": [6]},
    "lr": 0.02,
    "optimizer": "sgd",
}


def test_the_exact_gradient_is_another_run_and_costs_more():
    runs = {
        name: exact_or_not(**{**SETTINGS, "optimizer": name, "rho": rho})
        for name, rho in (("sgd", 0.0), ("sam", 0.0), ("exact_sam", 0.0), ("exact_sam", 0.5))
    }
    assert runs["sam"]["last"] == runs["sgd"]["last"]  # ρ = 0
    assert set(runs["sgd"]) == {"last", "best", "milliseconds"}
    near = exact_or_not(**{**SETTINGS, "optimizer": "exact_sam", "rho": 1e-6})
    assert near["last"] == pytest.approx(runs["sgd"]["last"], abs=5)


def test_unpruned_networks_are_the_network():
    found = pruning(**SETTINGS)
    assert SHARES[0] == 1.0
    assert found["curvature"]["loss"][0] == found["magnitude"]["loss"][0]
    assert found["curvature"]["loss"][-1] != found["magnitude"]["loss"][-1]
    for rule in ("curvature", "magnitude"):
        once, rounds = found[rule], found[rule]["retrained"]
        assert rounds["loss"][0] == once["loss"][0]
        assert rounds["loss"][1] < once["loss"][1]  # two epochs are not enough for so small a net


@pytest.mark.parametrize(
    ("gain", "word"), [(-2.0, "shows"), (0.5, "shows"), (1.5, "opposite"), (1.0, "no more than δ")]
)
def test_both_gradients_are_judged_at_the_radius_that_is_best_for_each(gain, word):
    runs = [
        {"method": method, "rho": rho, "seed": s, "last": 60.0 + s + extra - 20 * (rho != best)}
        for method, best, extra in (("SAM", 0.1, 0.0), ("exact SAM", 0.2, gain))
        for rho in (0.1, 0.2)
        for s in (0, 1, 2)
    ]
    assert best_against_best({"runs": runs}).value == pytest.approx(gain)
    assert headline({"runs": runs}).word == word
