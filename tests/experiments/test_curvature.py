import numpy as np
import pytest

from minisam.experiments.curvature import KEPT, exact_or_not, pruned, pruning, saliency

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
}


def test_saliency_is_the_rise_of_a_quadratic_at_its_minimum():
    w, h = {"fc.weight": np.array([1.0, -2.0])}, {"fc.weight": np.array([3.0, 0.5])}
    rise = [0.5 * 3.0 * 1.0**2, 0.5 * 0.5 * 2.0**2]  # of ½ Σ h (v − w)² when one v is set to 0
    np.testing.assert_allclose(saliency(w, "curvature", h)["fc.weight"], rise)
    np.testing.assert_allclose(saliency(w, "magnitude", h)["fc.weight"], [1.0, 2.0])


def test_pruning_keeps_the_worthiest_of_all_layers_and_every_bias():
    w = {
        "a.weight": np.array([[1.0, 4.0]]),
        "a.bias": np.array([0.01]),
        "b.weight": np.array([3.0, 2.0]),
    }
    kept = pruned(w, {key: np.abs(leaf) for key, leaf in w.items()}, 0.5)
    np.testing.assert_array_equal(kept["a.weight"], [[0.0, 4.0]])
    np.testing.assert_array_equal(kept["b.weight"], [3.0, 0.0])
    np.testing.assert_array_equal(kept["a.bias"], w["a.bias"])
    whole = pruned(w, w, 1.0)
    np.testing.assert_array_equal(whole["b.weight"], w["b.weight"])


def test_the_exact_gradient_is_another_run_and_costs_more():
    runs = {
        name: exact_or_not(name, rho, **SETTINGS)
        for name, rho in (("sgd", 0.0), ("sam", 0.0), ("exact_sam", 0.0), ("exact_sam", 0.5))
    }
    assert runs["sam"]["last"] == runs["sgd"]["last"]  # ρ = 0
    assert set(runs["sgd"]) == {"last", "best", "milliseconds"}
    near = exact_or_not("exact_sam", 1e-6, **SETTINGS)
    assert near["last"] == pytest.approx(runs["sgd"]["last"], abs=5)


def test_unpruned_networks_are_the_network():
    found = pruning(probes=2, **SETTINGS)
    assert KEPT[0] == 1.0
    assert found["curvature"]["loss"][0] == found["magnitude"]["loss"][0]
    assert found["curvature"]["loss"][-1] != found["magnitude"]["loss"][-1]
