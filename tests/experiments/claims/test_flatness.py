import numpy as np
import pytest

from minisam.experiments.claims.flatness import (
    correlation,
    headline,
    measured,
    sharper_at_equal_loss,
    training_loss,
)
from minisam.experiments.training import records
from minisam.experiments.trial import fit
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


def test_correlation_is_taken_within_a_seed_and_averaged():
    runs = [
        {"eigenvalue": k + 100 * seed, "gap": k**2 - 100 * seed, "last": 50 + k, "seed": seed}
        for k in range(5)
        for seed in (0, 1)
    ]
    assert correlation({"runs": runs}, "eigenvalue", "gap")[:3] == (1.0, 1.0, 1.0)
    assert correlation({"runs": runs}, "eigenvalue", "error").value == -1.0
    same = [{**run, "eigenvalue": 1.0} for run in runs]
    assert correlation({"runs": same}, "eigenvalue", "gap").value == 0.0


@pytest.mark.parametrize(("train", "word"), [(95.0, "shows"), (60.0, "under-fitted")])
def test_where_sam_has_not_learned_its_labels_its_flatness_is_no_evidence(train, word):
    sides = [("SGD", 0.0, 30.0, 100.0), *(("SAM", rho, 10.0, train) for rho in (0.1, 0.2, 0.4))]
    runs = [
        {
            "method": m, "rho": rho, "eigenvalue": value + seed, "train": fit, "seed": seed,
            "history": [{"loss": 0.1, "eigenvalue": (1 if m == "SAM" else 2) * (value + seed)}],
        }
        for m, rho, value, fit in sides
        for seed in (0, 1, 2)
    ]  # fmt: skip
    told = headline({"runs": runs})
    assert (told.word, told.rho, told.train) == (word, "0.2", min(train, 100.0))
    ratios = [(30 + seed) / (10 + seed) for seed in (0, 1, 2)]
    middle = np.prod(ratios) ** (1 / 3)
    assert told.number.startswith(f"λ₁ × {middle:.1f} (")
    assert told.beside.startswith(f"× {2 * middle:.1f} (")  # in its history SGD's is twice as large
    assert told.beside.endswith(") at equal training loss")


def test_eigenvalues_are_compared_where_both_losses_are_equal():
    sgd = [{"loss": loss, "eigenvalue": np.exp(2 * loss)} for loss in (2.0, 1.0, 0.5, 0.0)]
    runs = [{"method": "SGD", "rho": 0.0, "seed": seed, "history": sgd} for seed in (0, 1)]
    runs += [
        {"method": "SAM", "rho": 0.1, "seed": seed, "eigenvalue": np.e, "history": [{"loss": last}]}
        for seed, last in ((0, 0.8), (1, 0.9))
    ]
    told = sharper_at_equal_loss({"runs": runs})
    assert told.value == pytest.approx(0.7)  # ln λ₁ is twice the loss: 1.6 and 1.8; SAM's is 1
    assert told.high - told.low == pytest.approx(2 * 12.706 * 0.1, rel=1e-3)
    late = [{**run, "history": [{"loss": -1.0}]} if run["method"] == "SAM" else run for run in runs]
    assert sharper_at_equal_loss({"runs": late}).value == pytest.approx(-1.0)  # where SGD ends
