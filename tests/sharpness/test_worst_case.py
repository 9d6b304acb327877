import autograd.numpy as np
import numpy as onp
import pytest
from autograd import grad
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_network import tiny_mean_loss, tiny_params

from minisam import trees
from minisam.optim.perturbation import asam_perturbation, sam_perturbation, scaling
from minisam.sharpness.m_sharpness import m_sharpness
from minisam.sharpness.worst_case import worst_case


def trust_region_maximum(spectrum, w, rho):
    """The exact maximum of ½ Σ λ (w + ε)² − ½ Σ λ w² over ‖ε‖ ≤ ρ, by bisection on its multiplier.

    At the maximum (μ − λ) ε = λ w with μ > max λ and ‖ε‖ = ρ.
    """
    g = spectrum * w
    low, high = spectrum.max(), spectrum.max() + onp.linalg.norm(g) / rho + 1e-300
    for _ in range(200):
        mu = 0.5 * (low + high)
        if onp.linalg.norm(g / (mu - spectrum)) > rho:
            low = mu
        else:
            high = mu
    epsilon = g / (high - spectrum)
    return g @ epsilon + 0.5 * spectrum @ epsilon**2


@settings(deadline=None)
@given(st.integers(1, 8), st.integers(0, 10**6), st.floats(0.01, 10.0))
def test_quadratics_reach_the_exact_maximum(n, seed, rho):
    rng = onp.random.default_rng(seed)
    spectrum = 10 ** rng.uniform(-2, 1, n)
    w = rng.standard_normal(n)
    found = worst_case(
        lambda p: 0.5 * np.sum(spectrum * p["w"] ** 2),
        {"w": w},
        rho,
        steps=300,
        restarts=2,
        rng=rng,
    )
    exact = trust_region_maximum(spectrum, w, rho)
    assert found.rise <= exact * (1 + 1e-9) + 1e-13
    assert found.rise >= 0.995 * exact
    assert onp.linalg.norm(found.perturbation["w"]) <= rho * (1 + 1e-12)


@given(st.integers(0, 1000), st.floats(0.001, 3.0), st.booleans())
def test_never_below_the_rise_that_sams_own_step_reaches(seed, rho, adaptive):
    w = tiny_params(seed)

    perturb = asam_perturbation if adaptive else sam_perturbation
    epsilon = perturb(w, grad(tiny_mean_loss)(w), rho)
    one_step = tiny_mean_loss(trees.add(w, epsilon)) - tiny_mean_loss(w)
    T = scaling(w) if adaptive else None
    found = worst_case(tiny_mean_loss, w, rho, steps=1, scaling=T)
    assert found.rise == pytest.approx(max(one_step, 0.0), abs=1e-12)
    more = worst_case(tiny_mean_loss, w, rho, steps=10, scaling=T)
    assert more.rise >= found.rise
    assert onp.all(onp.diff(more.losses) >= 0)
    inside = more.perturbation if T is None else trees.map_leaves(onp.divide, more.perturbation, T)
    assert trees.norm(inside) <= rho * (1 + 1e-12)
    rise = tiny_mean_loss(trees.add(w, more.perturbation)) - tiny_mean_loss(w)
    assert rise == pytest.approx(more.rise, abs=1e-12)


def test_a_minimum_needs_a_restart_and_then_gives_half_rho_squared_lambda():
    loss = lambda p: 0.5 * np.sum(onp.array([1.0, 7.0]) * p["w"] ** 2)  # noqa: E731
    at_minimum = {"w": onp.zeros(2)}
    assert worst_case(loss, at_minimum, 0.3).rise == 0.0
    found = worst_case(loss, at_minimum, 0.3, 60, restarts=1, rng=onp.random.default_rng(0))
    assert found.rise == pytest.approx(0.5 * 0.3**2 * 7.0, rel=1e-6)


def test_a_frozen_direction_stays_frozen():
    w = {"a": onp.ones(2), "b": onp.ones(2)}
    T = {"a": onp.zeros(2), "b": onp.ones(2)}
    found = worst_case(lambda p: np.sum(p["a"] ** 2) + np.sum(p["b"] ** 2), w, 1.0, scaling=T)
    onp.testing.assert_array_equal(found.perturbation["a"], 0.0)
    assert found.rise == pytest.approx((onp.sqrt(2) + 1) ** 2 - 2)


def test_inputs_are_not_changed_and_rho_zero_is_no_rise():
    w = tiny_params()
    before = {key: leaf.copy() for key, leaf in w.items()}
    assert worst_case(tiny_mean_loss, w, 0.0).rise == 0.0
    worst_case(tiny_mean_loss, w, 0.5)
    for key in w:
        onp.testing.assert_array_equal(w[key], before[key])


def test_bad_input_is_named():
    w = tiny_params()
    for rho in (-1.0, onp.nan, onp.inf, "1", True, None):
        with pytest.raises(ValueError, match="rho must be a number in"):
            worst_case(tiny_mean_loss, w, rho)
    with pytest.raises(ValueError, match="rng must be given"):
        worst_case(tiny_mean_loss, w, 1.0, restarts=1)
    with pytest.raises(ValueError, match="scaling do not match the parameters"):
        worst_case(tiny_mean_loss, w, 1.0, scaling={"1.bias": w["1.bias"]})


@pytest.mark.fault("option-value", "sharpness.worst_case", "sharpness.m_sharpness")
@pytest.mark.parametrize("bad", [-1, 2.5, True, "2", None])
def test_numbers_of_steps_that_are_not_whole_are_named(bad):
    w = tiny_params()
    for name in ("steps", "restarts"):
        with pytest.raises(ValueError, match=f"{name} must be a whole number of at least 0"):
            worst_case(tiny_mean_loss, w, 1.0, **{name: bad})
    for m in (bad, 0, 3):
        with pytest.raises(ValueError, match="m must be a whole number from 1 to 2"):
            m_sharpness(lambda w, x: 0.0, w, [onp.ones(2)], m, rho=0.1)
    for examples in ([], [onp.ones(0)], [onp.ones(2), onp.ones(3)]):
        with pytest.raises(ValueError, match="examples must be arrays of one length, at least 1"):
            m_sharpness(lambda w, x: 0.0, w, examples, 1, rho=0.1)


@pytest.mark.fault("special-value", "sharpness.worst_case")
@pytest.mark.parametrize("bad", [-1.0, onp.nan, onp.inf])
def test_a_scaling_that_is_not_one_is_named(bad):
    w = tiny_params()
    scaling = {key: onp.ones(leaf.shape) for key, leaf in w.items()}
    scaling["2.bias"][0] = bad
    with pytest.raises(ValueError, match=r"scaling\['2.bias'\] must be finite and not negative"):
        worst_case(tiny_mean_loss, w, 1.0, scaling=scaling)
    scaling["2.bias"][0] = -0.0
    assert worst_case(tiny_mean_loss, w, 1.0, scaling=scaling).rise > 0


@pytest.mark.fault("special-value", "sharpness.worst_case")
@pytest.mark.parametrize("exponent", [-1074, -600, 600])
def test_a_gradient_of_any_size_is_climbed(exponent):
    """L = 2^e w rises by 2^e ρ in a ball of ρ = 1, though ρ/‖∇L‖ may be infinite."""
    slope = 2.0**exponent
    found = worst_case(lambda p: np.sum(slope * p["w"]), {"w": onp.zeros(1)}, 1.0)
    assert found.rise == slope
    assert found.perturbation["w"].tolist() == [1.0]


@pytest.mark.fault("shape", "sharpness.worst_case")
def test_nothing_to_move_does_not_rise():
    for w in ({}, {"w": onp.zeros(0)}):
        found = worst_case(lambda p: 1.0, w, 1.0, restarts=2, rng=onp.random.default_rng(0))
        assert found.rise == 0
