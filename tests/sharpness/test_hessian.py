import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad
from autograd.differential_operators import make_jvp
from hypothesis import given
from hypothesis import strategies as st
from tiny_network import tiny_examples, tiny_mean_loss, tiny_params

from minisam.nn.gradients import value_and_grad
from minisam.sharpness.hessian import (
    dense_hessian,
    flat_hessian,
    hessian_product,
)
from minisam.trees import flatten


def test_product_matches_differences_of_the_gradient():
    w, v = tiny_params(), tiny_params(seed=5)
    h = 1e-5  # central differences: error h² L⁗ / 6 + eps L'' / h, both about 1e-10
    ahead, behind = ({k: w[k] + s * h * v[k] for k in w} for s in (1, -1))
    g_ahead, g_behind = grad(tiny_mean_loss)(ahead), grad(tiny_mean_loss)(behind)
    expected = {k: (g_ahead[k] - g_behind[k]) / (2 * h) for k in w}
    found = hessian_product(tiny_mean_loss, w)(v)
    for key in w:
        np.testing.assert_allclose(found[key], expected[key], rtol=0, atol=1e-8)


def test_product_matches_forward_over_reverse():
    w, v = tiny_params(), tiny_params(seed=5)
    one, two = w["1.bias"], v["1.bias"]
    loss = lambda bias: tiny_mean_loss({**w, "1.bias": bias})  # noqa: E731
    _, expected = make_jvp(grad(loss))(one)(two)
    found = hessian_product(lambda p: loss(p["b"]), {"b": one})({"b": two})
    np.testing.assert_allclose(found["b"], expected, rtol=1e-12)


@given(st.integers(0, 1000), st.floats(-3, 3))
def test_product_is_linear_and_symmetric(seed, c):
    w = tiny_params()
    product = hessian_product(tiny_mean_loss, w)
    u, v = tiny_params(seed + 1), tiny_params(seed + 2)
    mixed = product({k: u[k] + c * v[k] for k in w})
    hu, hv = product(u), product(v)
    for key in w:
        np.testing.assert_allclose(mixed[key], hu[key] + c * hv[key], atol=1e-13)
    np.testing.assert_allclose(flatten(u) @ flatten(hv), flatten(v) @ flatten(hu), atol=1e-13)


def test_product_of_a_quadratic_is_its_matrix():
    matrix = np.array([[2.0, -1.0], [-1.0, 5.0]])
    loss = lambda p: 0.5 * p["w"] @ matrix @ p["w"]  # noqa: E731
    np.testing.assert_allclose(dense_hessian(loss, {"w": np.array([3.0, 4.0])}), matrix)


def test_a_linear_loss_has_no_curvature():
    found = hessian_product(
        lambda p: p["w"].sum() + p["v"].sum() ** 2, {"w": np.ones(2), "v": np.ones(2)}
    )({"w": np.ones(2), "v": np.ones(2)})
    np.testing.assert_array_equal(found["w"], 0.0)
    np.testing.assert_array_equal(found["v"], 4.0)


def test_float32_stays_float32():
    w = {k: leaf.astype(np.float32) for k, leaf in tiny_params().items()}
    inputs = tiny_examples()[0].astype(np.float32)

    def loss(p):
        hidden = anp.tanh(anp.dot(inputs, p["1.weight"]) + p["1.bias"])
        return anp.sum((anp.dot(hidden, p["2.weight"]) + p["2.bias"]) ** 2)

    product = hessian_product(loss, w)
    assert {leaf.dtype for leaf in product(w).values()} == {np.dtype(np.float32)}
    assert flat_hessian(product, w).matvec(np.ones(37)).dtype == np.float64


def test_bad_input_is_named():
    w = tiny_params()
    with pytest.raises(ValueError, match=r"vector do not match the parameters: missing '2\.bias'"):
        hessian_product(tiny_mean_loss, w)({k: w[k] for k in list(w)[:3]})


def bowl(p):
    return 0.5 * anp.sum(p["w"] ** 2)


@pytest.mark.fault("dtype", "sharpness.hessian_product")
def test_vectors_of_real_numbers_are_taken_and_no_others():
    """H = I: of a complex vector the imaginary part would be lost."""
    w = {"w": np.ones(2)}
    product = hessian_product(bowl, w)
    for v in (np.array([1, 2]), np.array([1, 2], "u1"), np.array([1.0, 2.0], ">f4")):
        np.testing.assert_array_equal(product({"w": v})["w"], [1, 2])
    for v in (np.array([1j, 2]), np.array([1.0, 2.0], object), np.array(["1", "2"]), [1.0, 2.0]):
        with pytest.raises(ValueError, match=r"vector\['w'\] must be real numbers, got "):
            product({"w": v})


@pytest.mark.fault("shape", "sharpness.dense_hessian", "nn.value_and_grad")
def test_no_parameters_have_no_hessian():
    for w in ({}, {"w": np.zeros(0)}):
        loss = lambda p: 1.0 + sum(anp.sum(leaf**2) for leaf in p.values())  # noqa: E731
        assert dense_hessian(loss, w).shape == (0, 0)
    assert dense_hessian(bowl, {"w": np.array(3.0)}).tolist() == [[1.0]]
    assert dense_hessian(bowl, {"w": 3.0}).tolist() == [[1.0]]


@pytest.mark.fault("dtype", "sharpness.hessian_product", "nn.value_and_grad")
@pytest.mark.parametrize("w", [[np.ones(2)], np.ones(2), 1.0, None, "w"], ids=repr)
def test_parameters_that_are_no_dict_are_refused(w):
    for use in (value_and_grad(bowl), lambda w: hessian_product(bowl, w)):
        with pytest.raises(ValueError, match="params must be a dict of arrays, got "):
            use(w)
