"""The measured thresholds are the predicted ones."""

from functools import partial

import numpy as np
import pytest

from minisam.landscapes import (
    escape_threshold,
    kinked_well,
    lifted,
    random_rotation,
    sam_path,
    smooth_well,
)
from minisam.optim import sam, sgd
from minisam.pictures import escape


@pytest.mark.parametrize("thresholds", [escape.well_thresholds, escape.valley_thresholds])
def test_bisection_over_two_hundred_landscapes_finds_the_predicted_threshold(thresholds):
    measured, predicted = thresholds(200, np.random.default_rng(5))
    assert len(measured) == 200
    np.testing.assert_allclose(measured, predicted, rtol=1e-5)


def test_a_wrong_prediction_would_be_seen():
    """That the bounce itself must cross the wall, ρ > c(2 − m)/m, is not what is measured."""
    rng = np.random.default_rng(6)
    measured, _ = escape.well_thresholds(20, np.random.default_rng(6))
    wells = escape.random_wells(20, rng)
    m = wells["lr"] * wells["sharp"]
    wrong = wells["wall"] * (2 - m) / m
    assert np.all(np.abs(measured / wrong - 1) > 1e-2)


def value_and_grad(well, params):
    return 0.0, {"w": well.slope(params["w"])}


def test_the_optimizer_itself_escapes_in_a_rotated_well():
    rng = np.random.default_rng(7)
    wells = escape.random_wells(4, rng)
    for sharp, flat, wall, lr, low, _ in zip(*wells.values(), strict=True):
        direction = random_rotation(5, rng)[:, :1]
        well = lifted(kinked_well(sharp, flat, wall), direction)
        for factor, escapes in ((0.999, False), (1.001, True)):
            opt = sam(sgd(lr=lr), rho=factor * low)
            params = {"w": 0.1 * wall * direction[:, 0]}
            state = opt.init(params)
            for _ in range(300):
                params, state, _ = opt.step(params, state, partial(value_and_grad, well))
            assert bool(params["w"] @ direction[:, 0] > wall) is escapes


@pytest.mark.parametrize("fall", [1e3, 1e4, 1e5])
def test_rounding_off_the_kink_shifts_the_threshold_by_a_few_times_its_slope_ratio(fall):
    sharp, flat, wall, lr = 1.6, 0.8, 1.0, 1.0
    well, predicted = smooth_well(sharp, flat, wall, fall), escape_threshold(sharp, wall, lr)

    def above(rho):
        return (
            sam_path(well, np.full((1, 1), 0.05), lr, rho, 2000)[-1, :, 0]
            > well.minima[1].point / 2
        )

    low, high = np.array([0.9 * predicted]), np.array([1.1 * predicted])
    found = escape.bisect(above, low, high, relative=0.05 * sharp / fall)[0]
    assert 1 < (found / predicted - 1) / (sharp / fall) < 5.5


def test_bisection_wants_ends_that_differ():
    with pytest.raises(ValueError, match="above must be False at every low"):
        escape.bisect(lambda rho: rho > 2, np.zeros(1), np.ones(1))


def test_nothing_escapes_below_the_predicted_radius():
    record = escape.compute(smoke=True)
    for curve in record["curves"]:
        below = np.array(curve["rho"]) < curve["window"][0]
        assert below.any()
        assert not np.any(np.array(curve["fraction"])[below])
    assert record["sgd_fraction"] == 0
