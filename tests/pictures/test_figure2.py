"""Figure 2 is drawn from a step of the optimizer."""

import numpy as np

from minisam.pictures import figure2


def test_record_is_a_step_of_sam():
    record = figure2.compute()
    step, lr = record["step"], figure2.SETTINGS["lr"]
    climb = step["perturbed_params"]["w"] - record["start"]["w"]
    assert np.isclose(np.linalg.norm(climb), figure2.SETTINGS["rho"])
    np.testing.assert_allclose(
        record["end"]["w"], record["start"]["w"] - lr * step["descent_gradient"]["w"]
    )
