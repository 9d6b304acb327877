"""Figure 1 shows what it says: SGD ends in the sharp minimum, SAM in the flat one."""

import numpy as np

from minisam.landscapes import smooth_well
from minisam.pictures import figure1


def test_sgd_ends_in_the_sharp_minimum_and_sam_in_the_flat_one():
    record = figure1.compute()
    flat = smooth_well(**figure1.WELL).minima[1].point[0]
    well, valley = record["well"], record["valley"]
    assert abs(well["SGD"][-1, 0]) < 1e-9
    assert abs(well["SAM"][-1, 0] - flat) < 0.1 * flat
    np.testing.assert_allclose(valley["SGD"][-1], [0, 0], atol=1e-3)
    np.testing.assert_allclose(valley["SAM"][-1], [figure1.VALLEY["distance"], 0], atol=0.02)
