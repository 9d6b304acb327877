"""A step multiplies a small x by what is claimed."""

import numpy as np
import pytest

from minisam.landscapes import (
    bounce_amplitude,
    sam_path,
    twin_valley,
    twin_valley_multiplier,
    twin_valley_threshold,
)


def test_twin_valley_multiplier_is_what_a_step_does_to_a_small_x():
    rng = np.random.default_rng(8)
    for _ in range(50):
        sharp, flat, f = 1.0, rng.uniform(0.05, 0.2), rng.uniform(0.5, 3)
        along, lr = rng.uniform(1e-3, 5e-3), rng.uniform(0.4, 0.85)
        rho = rng.uniform(0.5, 2) * twin_valley_threshold(along, sharp, flat, f, lr)
        start = np.array([1e-8 * f, bounce_amplitude(sharp, lr, rho)])
        path = sam_path(twin_valley(along, sharp, flat, f), start, lr, rho, 1)
        M = twin_valley_multiplier(along, sharp, flat, f, lr, rho)
        assert path[1, 0] / path[0, 0] == pytest.approx(M, rel=1e-10)
        assert path[1, 1] == pytest.approx(-path[0, 1], rel=1e-10)


def test_a_valley_that_is_nowhere_wider_has_no_threshold():
    with pytest.raises(ValueError, match="sharp must exceed flat"):
        twin_valley_threshold(0.1, 1.0, 1.0, 1.0, 0.5)
