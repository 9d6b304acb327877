"""Each landscape is what its docstring says: its gradient, its minima, their depth, curvature."""

import numpy as np
import pytest
from autograd import hessian

from minisam.landscapes import (
    curved_valley,
    kinked_well,
    lifted,
    linear_regression,
    logistic_regression,
    quadratic,
    random_rotation,
    rayleigh_quotient,
    relu_network,
    sam_path,
    sgd_path,
    smooth_well,
    twin_valley,
)
from minisam.optim import sam, sgd
from minisam.rounding import exact

RNG = np.random.default_rng(7)
LANDSCAPES = {
    "quadratic": (quadratic([5.0, 2.0, 0.1]), 3),
    "rotated quadratic": (quadratic([5.0, 2.0, 0.1], random_rotation(3, RNG)), 3),
    "indefinite quadratic": (quadratic([5.0, -2.0]), 2),
    "kinked well": (kinked_well(4.0, 0.5, 1.0), 1),
    "smooth well": (smooth_well(4.0, 0.5, 1.0, 20.0), 1),
    "smooth well in four dimensions": (
        lifted(smooth_well(4.0, 0.5, 1.0, 20.0), random_rotation(4, RNG)[:, :1]),
        4,
    ),
    "twin valley": (twin_valley(0.02, 4.0, 0.4, 2.0), 2),
    "rotated twin valley": (
        lifted(twin_valley(0.02, 4.0, 0.4, 2.0), random_rotation(2, RNG)),
        2,
    ),
    "curved valley": (curved_valley(), 2),
    "curved valley of six variables": (curved_valley(3), 6),
    "curved valley with a negative target": (curved_valley(2, -0.7), 4),
    "curved valley with no flattest point but the origin": (curved_valley(2, 0.0), 4),
    "Rayleigh quotient": (rayleigh_quotient([3.0, -1.0, 2.0]), 3),
    "ReLU network": (relu_network(RNG.normal(size=(6, 2)), RNG.normal(size=6), 3), 9),
    "linear regression": (linear_regression(RNG.normal(size=(6, 3)), RNG.normal(size=6)), 3),
    "logistic regression": (logistic_regression(RNG.normal(size=(6, 3)), l2=0.1), 3),
}
everywhere = pytest.mark.parametrize(("landscape", "n"), LANDSCAPES.values(), ids=LANDSCAPES.keys())


@everywhere
def test_closed_slope_is_autograds_gradient(landscape, n):
    rng = np.random.default_rng(1)
    for _ in range(20):
        w = rng.normal(scale=2.0, size=n)
        value, grads = landscape.value_and_grad({"w": w})
        assert value == pytest.approx(float(landscape.loss(w)), rel=1e-12, abs=1e-12)
        scale = 1 + np.abs(grads["w"]).max()
        np.testing.assert_allclose(landscape.slope(w), grads["w"], atol=1e-12 * scale)
        np.testing.assert_array_equal(landscape.gradient(w), grads["w"])


@everywhere
def test_a_grid_is_evaluated_at_once(landscape, n):
    grid = np.random.default_rng(2).normal(size=(3, 4, n))
    values, slopes = landscape.loss(grid), landscape.slope(grid)
    assert values.shape == (3, 4)
    assert slopes.shape == grid.shape
    for index in np.ndindex(3, 4):
        assert float(values[index]) == pytest.approx(float(landscape.loss(grid[index])), rel=1e-12)
        np.testing.assert_allclose(slopes[index], landscape.slope(grid[index]), rtol=1e-9)


@everywhere
def test_minima_have_the_value_slope_and_curvature_that_are_claimed(landscape, n):
    for low in landscape.minima:
        assert low.point.shape == low.curvature.shape == (n,)
        assert float(landscape.loss(low.point)) == pytest.approx(low.value, abs=1e-12)
        np.testing.assert_allclose(landscape.slope(low.point), 0, atol=1e-12)
        curvature = np.linalg.eigvalsh(hessian(landscape.loss)(low.point))
        np.testing.assert_allclose(curvature, np.sort(low.curvature), atol=1e-10)


CARRY_ERRORS = ["quadratic", "rotated quadratic", "Rayleigh quotient", "logistic regression"]
CARRY_ERRORS += [name for name in LANDSCAPES if name.startswith("curved valley")]


@pytest.mark.parametrize("name", CARRY_ERRORS)
def test_what_the_specification_uses_carries_its_rounding_error(name):
    """The truth is that of the library's own numbers, to within the bound of both sides."""
    (landscape, n), rng = LANDSCAPES[name], np.random.default_rng(2)
    for _ in range(10):
        w = rng.normal(size=n)
        for formula in (landscape.slope, landscape.loss):
            ours = formula(exact(w))
            assert np.all(np.abs(ours.value - formula(w)) <= 2 * ours.bound)
            assert np.any(ours.bound > 0)
            assert np.all(ours.bound < 1e-13)


def test_sam_path_is_the_optimizers_path():
    for landscape, n in LANDSCAPES.values():
        w = np.random.default_rng(4).normal(size=n)
        opt = sam(sgd(lr=0.01), rho=0.1)
        params = {"w": w}
        state = opt.init(params)
        path = sam_path(landscape, w, 0.01, 0.1, 3)
        for t in range(3):
            params, state, _ = opt.step(params, state, landscape.value_and_grad)
            np.testing.assert_allclose(path[t + 1], params["w"], atol=1e-11)
        assert np.array_equal(sam_path(landscape, w, 0.01, 0.0, 3), sgd_path(landscape, w, 0.01, 3))
