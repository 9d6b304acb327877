import numpy as np
import pytest

from minisam.experiments.claims.rho_transfer import regret, rescaled, rises, shift
from minisam.nn.models import mlp

SETTINGS = {
    "train_size": 100,
    "test_size": 40,
    "epochs": 2,
    "model": "mlp",
    "model_options": {"hidden": [8, 8]},
}


def test_rescaling_changes_the_weights_and_not_the_function():
    model = mlp((8, 8))
    w, x = model.init(0, dtype=np.float64), np.random.default_rng(0).normal(size=(5, 32, 32, 3))
    other = rescaled(w, 16.0)
    assert not np.allclose(w["fc1.weight"], other["fc1.weight"])
    np.testing.assert_allclose(model.apply(w, x), model.apply(other, x), rtol=1e-12)


def test_asams_rise_stays_and_sams_moves():
    ladder = {"SAM": [0.05, 0.1, 0.2], "ASAM": [0.5, 1.0, 2.0]}
    curves = rises(seed=0, first=SETTINGS, radii=ladder)
    results = {"rises": [curves]}
    assert shift(results, "ASAM") < 1e-9
    assert shift(results, "SAM") > 0.1
    for method, radii in ladder.items():
        assert len(curves[method]["as trained"]) == len(radii)
        assert np.all(np.diff(curves[method]["as trained"]) > 0)


def test_regret_is_the_loss_by_the_other_stages_rho():
    runs = [
        {"method": "SAM", "stage": stage, "rho": rho, "seed": seed, "last": last + seed}
        for stage, curve in ((1, {0.1: 60.0, 0.2: 50.0}), (2, {0.1: 30.0, 0.2: 33.0}))
        for rho, last in curve.items()
        for seed in (0, 1)
    ]
    found = regret({"runs": runs, "radii": {"SAM": [0.1, 0.2]}}, "SAM")
    assert found == {0: pytest.approx(3.0), 1: pytest.approx(3.0)}
