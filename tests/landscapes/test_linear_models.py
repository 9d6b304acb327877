"""SAM moves weight to fitted examples, and resists outliers."""

import numpy as np
import pytest

from minisam.landscapes import linear_regression, margin_upweighting, outlier_location
from minisam.optim import m_sam, sgd


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


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: outlier_location(0.5, 1.0, 1.0), r"fraction must lie in \[0, 0.5\)"),
        (lambda: linear_regression(np.ones((2, 1)), np.ones(3)), "inputs must have shape"),
    ],
)
def test_a_bad_argument_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
