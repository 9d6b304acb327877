"""Each follow-up is SAM at one value of its own parameter, and differs from it elsewhere."""

import numpy as np
import pytest

from minisam.optim import friendly_sam, gsam, looksam, sam, sgd, wsam
from minisam.trees import inner, norm

H = np.array([1.0, 6.0, 0.2])


def loss(params):
    w = params["w"]
    return 0.5 * float(H @ w**2) + 0.1 * float(np.sum(w**4)), {"w": H * w + 0.4 * w**3}


def path(opt, steps=6):
    params = {"w": np.array([1.0, 0.5, -2.0])}
    state = opt.init(params)
    points, seen = [], []
    for _ in range(steps):
        params, state, step = opt.step(params, state, loss)
        points.append(params["w"])
        seen.append(step)
    return np.array(points), seen


BASE = sgd(lr=0.05, momentum=0.5)
SAM_PATH = path(sam(BASE, rho=0.3))[0]


@pytest.mark.parametrize(
    "opt",
    [
        gsam(BASE, rho=0.3, alpha=0.0),
        wsam(BASE, rho=0.3, gamma=0.5),
        friendly_sam(BASE, rho=0.3, sigma=0.0),
        looksam(BASE, rho=0.3, every=1),
    ],
    ids=["gsam", "wsam", "friendly_sam", "looksam"],
)
def test_reduces_to_sam(opt):
    np.testing.assert_array_equal(path(opt)[0], SAM_PATH)


@pytest.mark.parametrize(
    "opt",
    [
        gsam(BASE, rho=0.3, alpha=0.4),
        wsam(BASE, rho=0.3, gamma=0.8),
        friendly_sam(BASE, rho=0.3),
        looksam(BASE, rho=0.3, every=3),
    ],
    ids=["gsam", "wsam", "friendly_sam", "looksam"],
)
def test_differs_from_sam_elsewhere(opt):
    assert np.abs(path(opt)[0] - SAM_PATH).max() > 1e-4


def test_gsam_direction_keeps_its_product_with_d2():
    for step in path(gsam(BASE, rho=0.3, alpha=0.7))[1]:
        d2 = loss(step.perturbed_params)[1]
        square = inner(d2, d2)
        assert abs(inner(step.descent_gradient, d2) - square) <= 32 * 2.3e-16 * square
        assert norm(step.descent_gradient) >= norm(d2)


def test_wsam_without_weight_is_the_base_optimizer():
    plain = path(sgd(lr=0.05, momentum=0.5))[0]
    np.testing.assert_array_equal(path(wsam(BASE, rho=0.3, gamma=0.0))[0], plain)


def test_friendly_sam_climbs_along_what_the_mean_leaves():
    steps = path(friendly_sam(BASE, rho=0.3, sigma=0.5, decay=0.8))[1]
    mean = np.zeros(3)
    for step in steps:
        d1 = step.ascent_gradient["w"]
        mean = 0.8 * mean + 0.2 * d1
        particular = d1 - 0.5 * mean
        expected = 0.3 * particular / np.linalg.norm(particular)
        np.testing.assert_allclose(step.perturbation["w"], expected, rtol=1e-13)


def test_looksam_reuses_the_orthogonal_part():
    steps = path(looksam(BASE, rho=0.3, every=3, alpha=0.7))[1]
    assert [step.perturbation is None for step in steps] == [False, True, True] * 2
    d1, d2 = steps[0].ascent_gradient["w"], steps[0].descent_gradient["w"]
    v = d2 - d1 * (d1 @ d2) / (d1 @ d1)
    g = steps[1].ascent_gradient["w"]
    expected = g + 0.7 * np.linalg.norm(g) / np.linalg.norm(v) * v
    np.testing.assert_allclose(steps[1].descent_gradient["w"], expected, rtol=1e-13)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: gsam(BASE, alpha=-1), "alpha must be"),
        (lambda: gsam(BASE, rho=-1), "rho must be"),
        (lambda: wsam(BASE, gamma=1.0), r"gamma must be a number in \[0, 1\)"),
        (lambda: friendly_sam(BASE, sigma=-1), "sigma must be"),
        (lambda: friendly_sam(BASE, decay=1), "decay must be"),
        (lambda: looksam(BASE, every=0), r"every must be a number in \[1, inf\)"),
        (lambda: looksam(BASE, every=1.5), "every must be a whole number"),
        (lambda: looksam(sam(BASE)), "base must be a base optimizer"),
    ],
)
def test_bad_arguments_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_zero_gradients_stay_where_they_are():
    flat = lambda params: (0.0, {"w": np.zeros(2)})  # noqa: E731
    for opt in (gsam(BASE), wsam(BASE), friendly_sam(BASE), looksam(BASE, every=2)):
        params = {"w": np.array([1.0, 2.0])}
        state = opt.init(params)
        for _ in range(3):
            params, state, _ = opt.step(params, state, flat)
        np.testing.assert_array_equal(params["w"], [1.0, 2.0])
