import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from minisam import trees
from minisam.optim import asam_perturbation, sam_perturbation, scaling, unnormalized_perturbation

ORDERS = [1, 1.25, 1.5, 2, 3, 7.5, np.inf]
UNIT = np.finfo(np.float64).eps / 2


def tensors(width=64):
    elements = st.floats(-1, 1, width=width, allow_subnormal=False)
    dtype = np.float64 if width == 64 else np.float32
    return st.fixed_dictionaries(
        {
            "fc.weight": hnp.arrays(dtype, (3, 2), elements=elements),
            "fc.bias": hnp.arrays(dtype, 3, elements=elements),
        }
    )


def nonzero(tree):
    return max(np.abs(leaf).max() for leaf in tree.values()) > 1e-30


def power_error(p):
    """Relative error allowed: 9 terms summed, and powers whose exponents amplify roundings.

    |g|^(q−1) of a ratio below 1 has relative error about (q + |log|) u; the logarithm of the
    smallest ratio that still counts is below q·log(1e30).
    """
    q = {1: 1.0, np.inf: 1.0}.get(p) or p / (p - 1)
    return (40 + 80 * q) * UNIT


@pytest.mark.parametrize("p", ORDERS)
@given(g=tensors(), rho=st.floats(1e-4, 1e2))
def test_maximizes_the_linear_model_on_the_ball(p, g, rho):
    assume(nonzero(g))
    epsilon = sam_perturbation(g, g, rho, p)
    q = {1: np.inf, np.inf: 1.0}.get(p) or p / (p - 1)
    assert abs(trees.norm(epsilon, p) - rho) <= power_error(p) * rho
    best = rho * trees.norm(g, q)
    assert abs(trees.inner(g, epsilon) - best) <= power_error(p) * best


@pytest.mark.parametrize("p", ORDERS)
@given(g=tensors(), k=st.integers(-900, 900))
def test_scale_of_the_loss_does_not_change_a_bit(p, g, k):
    assume(nonzero(g))
    # Powers of two are exact as long as nothing becomes subnormal.
    g = {key: np.where(np.abs(leaf) < 1e-30, 0, leaf) for key, leaf in g.items()}
    scaled = {key: np.ldexp(leaf, k) for key, leaf in g.items()}
    first, second = sam_perturbation(g, g, 0.5, p), sam_perturbation(g, scaled, 0.5, p)
    for key in g:
        np.testing.assert_array_equal(first[key], second[key])


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("p", ORDERS)
def test_extreme_gradients_give_the_right_direction(p, dtype):
    unit = {"w": np.array([3.0, -4.0], dtype)}
    limits = np.finfo(dtype)
    expected = sam_perturbation(unit, unit, 1.0, p)["w"]
    for size in (limits.tiny * 4, limits.max / 8):
        epsilon = sam_perturbation(unit, {"w": unit["w"] * size}, 1.0, p)["w"]
        assert epsilon.dtype == dtype
        np.testing.assert_allclose(epsilon, expected, rtol=64 * limits.eps)


def test_smallest_subnormal_gradient_still_climbs_by_rho():
    g = {"w": np.array([np.finfo(np.float64).smallest_subnormal, 0.0])}
    np.testing.assert_array_equal(sam_perturbation(g, g, 0.05)["w"], [0.05, 0.0])


@pytest.mark.parametrize("p", ORDERS)
def test_zero_gradient_gives_no_climb_and_no_nan(p):
    zero = {"weight": np.zeros((2, 2)), "bias": np.zeros(1)}
    w = {"weight": np.ones((2, 2)), "bias": np.ones(1)}
    for epsilon in (sam_perturbation(w, zero, 1.0, p), asam_perturbation(w, zero, 1.0, p)):
        np.testing.assert_array_equal(epsilon["weight"], np.zeros((2, 2)))
        np.testing.assert_array_equal(epsilon["bias"], np.zeros(1))


def test_one_norm_over_all_tensors():
    g = {"a": np.array([3.0, 4.0]), "b": np.array([12.0])}
    epsilon = sam_perturbation(g, g, 1.0)
    np.testing.assert_allclose(epsilon["a"], [3 / 13, 4 / 13], rtol=4 * UNIT)
    np.testing.assert_allclose(epsilon["b"], [12 / 13], rtol=4 * UNIT)


def test_p_one_shares_ties_and_p_infinity_leaves_zeros():
    g = {"w": np.array([2.0, -2.0, 1.0, 0.0])}
    np.testing.assert_array_equal(sam_perturbation(g, g, 1.0, 1)["w"], [0.5, -0.5, 0, 0])
    np.testing.assert_array_equal(sam_perturbation(g, g, 1.0, np.inf)["w"], [1, -1, 1, 0])


@pytest.mark.parametrize("p", ORDERS)
@given(w=tensors(), g=tensors(), eta=st.sampled_from([0.01, 1.0]))
def test_asam_maximizes_on_its_stretched_ball(p, w, g, eta):
    assume(nonzero(g))
    T = scaling(w, eta)
    epsilon = asam_perturbation(w, g, 0.5, p, eta=eta)
    inside = {key: epsilon[key] / T[key] for key in w}
    q = {1: np.inf, np.inf: 1.0}.get(p) or p / (p - 1)
    assert abs(trees.norm(inside, p) - 0.5) <= 2 * power_error(p)
    best = 0.5 * trees.norm(trees.multiply(T, g), q)
    assert abs(trees.inner(g, epsilon) - best) <= 2 * power_error(p) * best


def test_scope_and_granularity():
    w = {
        "conv.weight": np.arange(16.0).reshape(2, 2, 2, 2),
        "fc.weight": np.array([[-3.0, 4.0]]),
        "fc.bias": np.array([-2.0]),
    }
    element = scaling(w, eta=0.0)
    np.testing.assert_array_equal(element["fc.weight"], [[3.0, 4.0]])
    np.testing.assert_array_equal(element["fc.bias"], [1.0])
    np.testing.assert_array_equal(scaling(w, 0.0, scope="all")["fc.bias"], [2.0])
    np.testing.assert_array_equal(scaling(w, 0.0, granularity="layer")["fc.weight"], [[5.0, 5.0]])
    filters = scaling(w, 0.0, granularity="filter")
    np.testing.assert_array_equal(filters["fc.weight"], [[3.0, 4.0]])
    for j in range(2):
        length = np.linalg.norm(w["conv.weight"][..., j])
        np.testing.assert_allclose(filters["conv.weight"][..., j], length, rtol=8 * UNIT)


def test_asam_with_equal_weights_is_sam_of_another_radius():
    w = {"weight": np.array([0.5, -0.5, 0.5])}
    g = {"weight": np.array([1.0, 2.0, -3.0])}
    np.testing.assert_allclose(
        asam_perturbation(w, g, 0.2, eta=0.25)["weight"],
        sam_perturbation(w, g, 0.75 * 0.2)["weight"],
        rtol=16 * UNIT,
    )


def test_unnormalized_climb_is_the_gradient():
    g = {"w": np.array([3.0, 4.0])}
    np.testing.assert_array_equal(unnormalized_perturbation(g, g, 0.5)["w"], [1.5, 2.0])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"rho": -1}, r"rho must be a number in \[0, inf\), got -1"),
        ({"rho": np.nan}, "rho must be"),
        ({"rho": np.inf}, "rho must be"),
        ({"rho": 1, "p": 0.5}, r"p must be a number in \[1, inf\], got 0.5"),
        ({"rho": 1, "p": np.nan}, "p must be"),
        ({"rho": 1, "eta": -0.1}, "eta must be"),
        ({"rho": 1, "scope": "some"}, "scope must be one of 'weights', 'all', got 'some'"),
        ({"rho": 1, "granularity": "row"}, "granularity must be one of"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    w = {"weight": np.ones(2)}
    with pytest.raises(ValueError, match=message):
        asam_perturbation(w, w, **arguments)


def test_mismatched_gradient_is_named():
    with pytest.raises(ValueError, match="grads do not match the parameters: missing 'w'"):
        sam_perturbation({"w": np.ones(1)}, {"v": np.ones(1)}, 0.1)


@pytest.mark.fault("special-value", "optim.sam_perturbation")
@pytest.mark.parametrize("p", [1, 1.5, 2, 3, np.inf])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_gradient_that_is_no_number_gives_a_climb_that_is_none(p, bad):
    """A run stops where its gradient is not finite: nothing is divided by zero before that."""
    g = {"w": np.array([bad, 1.0])}
    with np.errstate(invalid="ignore"):
        climbed = sam_perturbation(g, g, 0.5, p)["w"][0]
    signed = p == bad == np.inf  # then only its sign counts
    assert climbed == 0.5 if signed else np.isnan(climbed)
