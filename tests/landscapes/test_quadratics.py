"""Every closed form on a bowl is what SAM does there."""

import numpy as np
import pytest

from minisam.landscapes import (
    bounce_amplitude,
    distance_from_sgd,
    lyapunov,
    monotone_edge,
    quadratic,
    sam_path,
    sam_step_on_quadratic,
    sgd_path,
)
from minisam.optim import sam, sgd, unnormalized_perturbation


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


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: quadratic([[1.0]]), "spectrum must be a list of finite numbers"),
        (lambda: quadratic([1.0], np.eye(2)), r"rotation must have shape \(1, 1\), got \(2, 2\)"),
        (lambda: bounce_amplitude(1.0, 2.5, 0.1), r"lr \* curvature must lie in \(0, 2\)"),
        (lambda: distance_from_sgd(1.0, 1.0, 1.0, 1.0, 1), r"contraction must lie in \[0, 1\)"),
    ],
)
def test_a_bad_argument_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
