"""Rescaling leaves the loss alone, and SAM's measure of sharpness not."""

import numpy as np
import pytest

from minisam.landscapes import curved_valley, relu_network, rescale_nodes


def test_relu_network_does_not_change_when_its_nodes_are_rescaled():
    rng = np.random.default_rng(3)
    network = relu_network(rng.normal(size=(6, 2)), rng.normal(size=6), 3)
    w = rng.normal(size=9)
    other = rescale_nodes(w, np.array([100.0, 0.01, 3.0]))
    assert float(network.loss(other)) == pytest.approx(float(network.loss(w)), rel=1e-12)
    assert np.linalg.norm(network.slope(other)) > 2 * np.linalg.norm(network.slope(w))


def test_sam_sharpness_of_one_function_is_unbounded_and_adaptive_sharpness_is_not():
    rho, valley = 0.1, curved_valley()
    for t, sharp in ((1.0, 0.01072), (100.0, 50.0)):
        minimum = np.array([t, 1 / t])
        across = minimum[::-1] / np.linalg.norm(minimum)
        N2 = t**2 + t**-2
        rise = float(valley.loss(minimum + rho * across))
        assert rise == pytest.approx(0.5 * (rho * N2**0.5 + rho**2 / N2) ** 2, rel=1e-9)
        assert rise == pytest.approx(sharp, rel=2e-3)
        adaptive = float(valley.loss(minimum + rho * minimum / 2**0.5))
        assert adaptive == pytest.approx(0.5 * (2**0.5 * rho + rho**2 / 2) ** 2, rel=1e-9)
        assert adaptive == pytest.approx(0.01072, rel=2e-3)
