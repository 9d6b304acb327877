import autograd.numpy as np
import numpy as onp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minisam.sharpness.adaptive import adaptive_sharpness
from minisam.sharpness.worst_case import worst_case

RNG = onp.random.default_rng(0)
INPUTS, TARGETS = RNG.standard_normal((16, 3)), RNG.standard_normal(16)


def relu_loss(p):
    hidden = np.dot(INPUTS, p["1.weight"]) + p["1.bias"]
    output = np.dot(hidden * (hidden > 0), p["2.weight"])
    return np.mean((output - TARGETS) ** 2)


def relu_params():
    rng = onp.random.default_rng(1)
    return {
        "1.weight": rng.standard_normal((3, 6)),
        "1.bias": rng.standard_normal(6),
        "2.weight": rng.standard_normal(6),
    }


def rescaled(p, a):
    return {"1.weight": a * p["1.weight"], "1.bias": a * p["1.bias"], "2.weight": p["2.weight"] / a}


@given(st.integers(-6, 6))
def test_node_rescaling_does_not_change_it(power):
    w = relu_params()
    a = 2.0**power  # exact, so that the loss has the same bits
    expected = adaptive_sharpness(relu_loss, w, 0.3).rise
    assert adaptive_sharpness(relu_loss, rescaled(w, a), 0.3).rise == pytest.approx(
        expected, rel=1e-9
    )


def test_node_rescaling_changes_plain_sharpness():
    w = relu_params()
    plain = [worst_case(relu_loss, v, 0.3).rise for v in (w, rescaled(w, 16.0))]
    assert plain[1] > 10 * plain[0]


def test_scope_weights_and_eta_break_the_invariance():
    w = relu_params()
    for options in ({"scope": "weights"}, {"eta": 0.1}):
        a = adaptive_sharpness(relu_loss, w, 0.3, **options).rise
        b = adaptive_sharpness(relu_loss, rescaled(w, 16.0), 0.3, **options).rise
        assert a != pytest.approx(b, rel=1e-3)


def test_equal_weights_make_it_plain_sharpness_of_another_radius():
    w = {"w": onp.array([2.0, -2.0, 2.0])}
    loss = lambda p: np.sum(onp.array([1.0, 2.0, 3.0]) * p["w"] ** 2)  # noqa: E731
    adaptive = adaptive_sharpness(loss, w, rho=0.1, eta=0.5, steps=50).rise
    assert adaptive == pytest.approx(worst_case(loss, w, rho=0.25, steps=50).rise, rel=1e-9)
