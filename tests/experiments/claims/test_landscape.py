import numpy as np
import pytest

from minisam.experiments.claims.landscape import (
    headline,
    learned_by_worse,
    one_step,
    slices,
    widening,
)

SETTINGS = {
    "data": "toy",
    "seed": 0,
    "train_size": 60,
    "test_size": 30,
    "epochs": 1,
    "model": "mlp",
    "model_options": {"hidden": [4]},
    "lr": 0.02,
}


def test_slices_cross_at_the_end_point():
    found = slices(points=5, grid=3, **SETTINGS)
    for line in found["lines"]:
        assert line[2] == pytest.approx(found["centre"])
    assert found["plane"][1, 1] == pytest.approx(found["centre"])
    assert np.shape(found["plane"]) == (3, 3)


def test_the_step_lies_on_its_plane():
    found = one_step(rho=0.05, grid=3, **SETTINGS)
    assert found["b"] == [pytest.approx(0.05, rel=1e-4), 0.0]
    assert found["end"][0] < 0  # down, where the gradient at B agrees with that at A
    assert np.hypot(*found["end"]) == pytest.approx(0.025, rel=1e-4)
    assert found["losses"][1] < found["losses"][0]


def test_widening_is_sgds_rise_minus_sams():
    runs = [
        {"method": m, "seed": s, "rise": r + s}
        for m, r in (("SGD", 0.5), ("SAM", 0.2))
        for s in (0, 1)
    ]
    assert widening({"runs": runs}).value == pytest.approx(0.3)


def test_the_method_that_fits_worse_decides_whether_anything_is_judged():
    runs = [
        {"method": m, "seed": s, "rise": r, "centre": 0.05, "train": train}
        for m, r, train in (("SGD", 0.5, 100.0), ("SAM", 0.2, 93.0))
        for s in (0, 1)
    ]
    assert (headline({"runs": runs}).word, headline({"runs": runs}).train) == ("shows", 93.0)
    for one in runs:  # as older results have it
        del one["train"]
    assert learned_by_worse({"runs": runs}) == pytest.approx(100 * np.exp(-0.05))
    runs[-1]["centre"] = 1.5
    assert headline({"runs": runs}).word == "under-fitted"
