import numpy as np
import pytest

from minisam.experiments.claims.flatness import correlation, measured, training_loss
from minisam.experiments.trial import fit, records
from minisam.sharpness import flat_hessian, hessian_product, lanczos, worst_case

SETTINGS = {
    "data": "toy",
    "seed": 0,
    "train_size": 60,
    "test_size": 30,
    "validation_size": 10,
    "noise": 0.2,
    "epochs": 2,
    "model": "mlp",
    "model_options": {"hidden": [3]},
    "lr": 0.02,
}


def test_measures_are_of_the_training_loss_at_the_end():
    found = measured(**SETTINGS)
    fitted = fit(*records(SETTINGS))
    loss = training_loss(fitted.model, fitted.arrays, fitted.statistics)
    hessian = flat_hessian(hessian_product(loss, fitted.params), fitted.params)
    start = np.random.default_rng(5).standard_normal(hessian.size)
    exact = lanczos(hessian.matvec, start, 150).eigenvalues[-1]
    assert found["eigenvalue"] == pytest.approx(exact, rel=1e-2)
    assert found["history"][-1]["eigenvalue"] == pytest.approx(exact, rel=0.1)
    assert found["gap"] == pytest.approx(found["train"] - found["last"])
    assert np.sum(found["weights"]) == pytest.approx(1.0)
    assert found["rise"] > 0
    assert found["rise"] == worst_case(loss, fitted.params, 0.05, steps=10).rise
    assert found["far_rise"] == worst_case(loss, fitted.params, 0.2, steps=20).rise
    assert found["far_rise"] > 4 * found["rise"]  # a slope alone would give 4 times as much


def test_correlation_is_over_all_runs():
    runs = [{"eigenvalue": k, "gap": k**2, "last": 50 + k} for k in range(5)]
    assert correlation({"runs": runs}, "eigenvalue", "gap").value == 1.0
    assert correlation({"runs": runs}, "eigenvalue", "error").value == -1.0
