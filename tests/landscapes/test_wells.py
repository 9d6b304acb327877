"""The wells are equally deep, and SAM leaves the sharp ones at the radius that is claimed."""

import numpy as np
import pytest

from minisam.landscapes import (
    bounce_amplitude,
    escape_threshold,
    escape_window,
    kinked_well,
    sam_path,
    smooth_well,
    twin_valley,
)


@pytest.mark.parametrize(
    "landscape",
    [
        kinked_well(4.0, 0.5, 1.0),
        smooth_well(4.0, 0.5, 1.0, 20.0),
        twin_valley(0.02, 4.0, 0.4, 2.0),
    ],
)
def test_wells_are_equally_deep_and_one_is_flatter(landscape):
    sharp, flat = landscape.minima[:2]
    assert sharp.value == flat.value == 0
    assert flat.curvature.max() < sharp.curvature.max() / 4


def test_smooth_well_has_one_barrier_and_tends_to_the_kinked_one():
    smooth = smooth_well(4.0, 0.5, 1.0, 20.0)
    x = np.linspace(-1, 6, 100_001)[:, None]
    turns = np.flatnonzero(np.diff(np.sign(smooth.slope(x)[:, 0])) != 0)
    assert len(turns) == 3  # sharp minimum, barrier, flat minimum
    near = smooth_well(4.0, 0.5, 1.0, 1e8)
    kinked = kinked_well(4.0, 0.5, 1.0)
    np.testing.assert_allclose(near.loss(x), kinked.loss(x), atol=1e-6)


def test_escape_window_is_proved_ground():
    sharp, flat, wall, lr = 1.6, 0.8, 1.0, 1.0
    low, high = escape_window(sharp, flat, wall, lr)
    assert low == escape_threshold(sharp, wall, lr) < high
    well = kinked_well(sharp, flat, wall)
    f = well.minima[1].point[0]
    rho = np.array([0.999 * low, 1.001 * low, 0.999 * high])
    end = sam_path(well, np.full((3, 1), 0.1), lr, rho, 2000)[-1, :, 0]
    assert abs(end[0]) == pytest.approx(bounce_amplitude(sharp, lr, rho[0]), rel=1e-9)
    assert np.all(np.abs(end[1:] - f) <= lr * flat * rho[1:])


def test_many_wells_at_once_are_each_one_well():
    sharp, flat = np.array([4.0, 2.0]), np.array([0.5, 0.2])
    wall = np.array([1.0, 3.0])
    many = kinked_well(sharp, flat, wall)
    valleys = twin_valley(0.01 * sharp, sharp, flat, wall)
    rng = np.random.default_rng(9)
    w, xy = rng.normal(scale=3, size=(2, 1)), rng.normal(size=(2, 2))
    for i in range(2):
        one = kinked_well(sharp[i], flat[i], wall[i])
        np.testing.assert_allclose(many.slope(w)[i], one.slope(w[i]), rtol=1e-14)
        np.testing.assert_allclose(many.loss(w)[i], one.loss(w[i]), rtol=1e-14)
        np.testing.assert_allclose(many.minima[1].point[i], one.minima[1].point, rtol=1e-14)
        valley = twin_valley(0.01 * sharp[i], sharp[i], flat[i], wall[i])
        np.testing.assert_allclose(valleys.slope(xy)[i], valley.slope(xy[i]), rtol=1e-12)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: kinked_well(0.0, 1.0, 1.0), "sharp must be a positive number, got 0.0"),
        (lambda: smooth_well(1.0, 1.0, 1.0, np.inf), "fall must be a positive number, got inf"),
        (lambda: escape_window(1.0, 1.0, 1.0, 0.5), r"lr \* sharp must lie in \(1, 2\)"),
    ],
)
def test_a_bad_argument_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
