"""Each landscape is what its docstring says: its gradient, its minima, their depth, curvature."""

import numpy as np
import pytest
from autograd import hessian

from minisam.landscapes import (
    bounce_amplitude,
    curved_valley,
    distance_from_sgd,
    escape_threshold,
    escape_window,
    kinked_well,
    lifted,
    linear_regression,
    logistic_regression,
    lyapunov,
    margin_upweighting,
    monotone_edge,
    outlier_location,
    quadratic,
    random_rotation,
    rayleigh_quotient,
    relu_network,
    rescale_nodes,
    sam_path,
    sam_step_on_quadratic,
    sgd_path,
    smooth_well,
    twin_valley,
    twin_valley_multiplier,
    twin_valley_threshold,
)
from minisam.optim import m_sam, sam, sgd, unnormalized_perturbation
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


@pytest.mark.parametrize("name", ["kinked well", "smooth well", "twin valley"])
def test_wells_are_equally_deep_and_one_is_flatter(name):
    landscape, _ = LANDSCAPES[name]
    sharp, flat = landscape.minima[:2]
    assert sharp.value == flat.value == 0
    assert flat.curvature.max() < sharp.curvature.max() / 4


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


def test_smooth_well_has_one_barrier_and_tends_to_the_kinked_one():
    smooth = smooth_well(4.0, 0.5, 1.0, 20.0)
    x = np.linspace(-1, 6, 100_001)[:, None]
    turns = np.flatnonzero(np.diff(np.sign(smooth.slope(x)[:, 0])) != 0)
    assert len(turns) == 3  # sharp minimum, barrier, flat minimum
    near = smooth_well(4.0, 0.5, 1.0, 1e8)
    kinked = kinked_well(4.0, 0.5, 1.0)
    np.testing.assert_allclose(near.loss(x), kinked.loss(x), atol=1e-6)


def test_relu_network_does_not_change_when_its_nodes_are_rescaled():
    network, n = LANDSCAPES["ReLU network"]
    w = np.random.default_rng(3).normal(size=n)
    other = rescale_nodes(w, np.array([100.0, 0.01, 3.0]))
    assert float(network.loss(other)) == pytest.approx(float(network.loss(w)), rel=1e-12)
    assert np.linalg.norm(network.slope(other)) > 2 * np.linalg.norm(network.slope(w))


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


def test_closed_step_on_a_quadratic_is_the_optimizers_step():
    rng = np.random.default_rng(5)
    for _ in range(50):
        n = int(rng.integers(1, 8))
        spectrum = rng.normal(size=n)
        w = rng.normal(size=n)
        opt = sam(sgd(lr=0.3), rho=0.7)
        end, _, _ = opt.step({"w": w}, opt.init({"w": w}), quadratic(spectrum).value_and_grad)
        closed = sam_step_on_quadratic(w, spectrum, 0.3, 0.7)
        np.testing.assert_allclose(end["w"], closed, atol=1e-13)


def test_lyapunov_function_never_rises_on_a_convex_bowl():
    rng = np.random.default_rng(6)
    for _ in range(30):
        spectrum = 10 ** rng.uniform(-2, 1, size=4)
        lr = rng.uniform(0.1, 1.9) / spectrum.max()
        path = sam_path(quadratic(spectrum), rng.normal(size=4), lr, 0.3, 200)
        J = lyapunov(path, spectrum, lr, 0.3)
        assert np.all(np.diff(J) <= 1e-13 * (1 + np.abs(J).max()))


def test_bounce_amplitude_is_where_sam_ends():
    path = sam_path(quadratic([2.0]), np.array([0.7]), 0.6, 0.3, 400)
    a = bounce_amplitude(2.0, 0.6, 0.3)
    np.testing.assert_allclose(np.abs(path[-4:]), a, rtol=1e-12)
    assert np.all(path[-4:-1] * path[-3:] < 0)


def test_bounce_amplitude_with_momentum():
    opt = sam(sgd(lr=0.6, momentum=0.5), rho=0.3)
    params = {"w": np.array([0.1])}
    state = opt.init(params)
    for _ in range(600):
        params, state, _ = opt.step(params, state, quadratic([2.0]).value_and_grad)
    assert abs(params["w"][0]) == pytest.approx(bounce_amplitude(2.0, 0.6, 0.3, 0.5), rel=1e-9)


def test_monotone_edge_is_the_curvature_that_keeps_its_coordinate():
    spectrum, w = np.array([3.0, 1.0, 0.2]), np.array([0.1, 2.0, 1.0])
    G = np.linalg.norm(spectrum * w)
    edge = monotone_edge(G, 0.5, 0.4)
    after = sam_step_on_quadratic(w, spectrum, 0.5, 0.4)
    assert np.array_equal(np.abs(after) < np.abs(w), spectrum < edge)


def test_sam_stays_near_sgd_on_a_flat_bowl():
    spectrum, w = np.array([0.3, 0.1]), np.array([1.0, 2.0])
    bound = distance_from_sgd(0.3, 0.9, lr=1.0, rho=0.05, steps=30)
    bowl = quadratic(spectrum)
    gap = sam_path(bowl, w, 1.0, 0.05, 30)[-1] - sgd_path(bowl, w, 1.0, 30)[-1]
    assert 0 < np.linalg.norm(gap) <= bound


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


def test_outlier_location_is_where_per_example_sam_ends():
    fraction, outlier, rho = 0.25, 8.0, 2.0

    def pull_towards(c):
        return lambda w: (0.5 * float((w["w"][0] - c) ** 2), {"w": w["w"] - c})

    batch = pull_towards(fraction * outlier)
    vars(batch)["shards"] = [pull_towards(c) for c in (outlier, 0, 0, 0)]
    opt = m_sam(sgd(lr=0.1), rho=rho)
    params = {"w": np.array([5.0])}
    state = opt.init(params)
    for _ in range(400):
        params, state, _ = opt.step(params, state, batch)
    assert params["w"][0] == pytest.approx(outlier_location(fraction, outlier, rho), abs=1e-9)


def test_upweighting_grows_with_the_margin_between_its_limits():
    margins = np.linspace(-30, 30, 61)
    ratios = [margin_upweighting(m, 2.0, 0.5) for m in margins]
    assert np.all(np.diff(ratios) >= 0)
    assert min(ratios) >= 1
    assert max(ratios) <= np.e


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


@pytest.mark.parametrize("rho", [0.5, 2.0])
def test_without_its_norm_sam_diverges_where_sam_stays_bounded(rho):
    lr, curvature = 0.8, 1.0
    bowl = quadratic([curvature])
    ends = {}
    for name, perturb in (("SAM", None), ("unnormalized", unnormalized_perturbation)):
        opt = sam(sgd(lr=lr), rho=rho, perturb=perturb)
        params = {"w": np.array([0.3])}
        state = opt.init(params)
        for _ in range(60):
            params, state, _ = opt.step(params, state, bowl.value_and_grad)
        ends[name] = abs(params["w"][0])
    assert ends["SAM"] == pytest.approx(bounce_amplitude(curvature, lr, rho), rel=1e-6)
    diverges = lr * curvature * (1 + rho * curvature) > 2
    assert (ends["unnormalized"] > 1) == diverges


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
        (lambda: quadratic([[1.0]]), "spectrum must be a list of finite numbers"),
        (lambda: quadratic([1.0], np.eye(2)), r"rotation must have shape \(1, 1\), got \(2, 2\)"),
        (lambda: escape_window(1.0, 1.0, 1.0, 0.5), r"lr \* sharp must lie in \(1, 2\)"),
        (lambda: bounce_amplitude(1.0, 2.5, 0.1), r"lr \* curvature must lie in \(0, 2\)"),
        (lambda: twin_valley_threshold(0.1, 1.0, 1.0, 1.0, 0.5), "sharp must exceed flat"),
        (lambda: outlier_location(0.5, 1.0, 1.0), r"fraction must lie in \[0, 0.5\)"),
        (lambda: distance_from_sgd(1.0, 1.0, 1.0, 1.0, 1), r"contraction must lie in \[0, 1\)"),
        (lambda: linear_regression(np.ones((2, 1)), np.ones(3)), "inputs must have shape"),
    ],
)
def test_a_bad_argument_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
