"""The bounce diagram's paths settle at the amplitude that it draws."""

import numpy as np

from minisam.pictures import bounce


def test_paths_settle_at_the_amplitude_while_sgd_converges():
    for run in bounce.compute()["runs"]:
        np.testing.assert_allclose(np.abs(run["SAM"][-2:]), run["amplitude"], rtol=1e-3)
        assert run["SAM"][-1] * run["SAM"][-2] < 0
        assert abs(run["SGD"][-1]) < 1e-3
