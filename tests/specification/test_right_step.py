"""The right step is the steepest in its ball, and what is allowed for is what rounding does."""

import numpy as np
import pytest

from minisam.adapters.library import library
from minisam.rounding import exact, unit_roundoff
from minisam.specification import PROPERTIES, RandomSource
from minisam.specification.families import Quadratic, draw_scripted
from minisam.specification.right_step import (
    ball_widths,
    base_step,
    dual,
    exact_climb,
    unit_climb,
)


@pytest.mark.parametrize("method", ["sam", "asam"])
@pytest.mark.parametrize("p", [1, 1.5, 2, 3, np.inf])
def test_no_other_climb_in_the_ball_rises_faster(method, p):
    rng = np.random.default_rng(1)
    for _ in range(20):
        problem = draw_scripted(RandomSource(rng), p=p, method=method)
        w, g, rho = problem.vector(), problem.facts.ascent_gradient, problem.hp.rho
        T = ball_widths(problem, exact(w)).value
        rise = g @ exact_climb(problem, exact(w), exact(g)).value
        assert rise == pytest.approx(rho * np.linalg.norm(T * g, dual(p)), rel=1e-12)
        others = T * rng.normal(size=(200, w.size))
        others *= rho / np.linalg.norm(others / T, p, axis=1, keepdims=True)
        assert np.all(others @ g <= rise * (1 + 1e-12))


@pytest.mark.fault("special-value", "specification")
@pytest.mark.parametrize("method", ["sam", "asam"])
@pytest.mark.parametrize("p", [1, 1.5, 2, 3, np.inf])
@pytest.mark.parametrize("size", [2.0**-1074, 2.0**-1024, 2.0**-500, 2.0**1000])
def test_a_climb_is_known_as_well_for_a_gradient_of_any_size(method, p, size):
    """Below the normal numbers T g may be lost, and a bound as large as ε holds nothing."""
    problem = draw_scripted(RandomSource(np.random.default_rng(3)), p=p, method=method)
    w = exact(problem.vector())
    near, far = (exact_climb(problem, w, exact(g * np.ones(w.size))) for g in (1.0, size))
    np.testing.assert_array_equal(far.value, near.value)
    np.testing.assert_array_equal(far.bound, near.bound)
    assert np.all(near.bound < 1e-12)


@pytest.mark.parametrize("T", [None, exact([1.0, 2.0])])
def test_a_zero_gradient_climbs_nowhere(T):
    climb = unit_climb(exact([0.0, -0.0]), T)
    np.testing.assert_array_equal(climb.value, [0.0, 0.0])
    assert not np.any(climb.bound)


@pytest.mark.fault("special-value", "specification")
@pytest.mark.parametrize("slug", [slug for slug in PROPERTIES if slug.endswith("-contains-sam")])
def test_the_second_step_may_begin_at_the_minimum(slug):
    """From 1 on ½w² with ρ = 1 and η = ½ the first step ends at 0, where the gradient is zero."""
    drawn = PROPERTIES[slug].problem(np.random.default_rng(0))
    bowl = Quadratic(np.ones(1), None)
    problem = drawn._replace(start=[np.ones(1)], field=bowl.product, facts=bowl)
    problem = problem.having(
        rho=1.0, lr=0.5, momentum=0.0, names=("layer0.weight",), dtype="float64"
    )
    PROPERTIES[slug].check(library, problem).raise_if_broken()


def test_a_base_step_is_off_by_no_more_than_its_slack():
    rng, u = np.random.default_rng(2), unit_roundoff("float32")
    w, d = rng.normal(size=(2, 10_000)).astype(np.float32)
    lr = np.float32(0.3)
    right = base_step(exact(w), 0.3, exact(d), u)
    share = np.abs((w - lr * d).astype(np.float64) - right.value) / right.bound
    assert 0.3 < share.max() <= 1
