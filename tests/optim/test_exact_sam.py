import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad, make_hvp
from hypothesis import given
from hypothesis import strategies as st

from minisam.optim import add_l2, exact_sam, sam, sgd
from minisam.trees import norm, subtract


def carrying(value_and_grad, hessian_product):
    value_and_grad.hessian_product = hessian_product
    return value_and_grad


def problem(seed):
    """A smooth loss that is not quadratic, its gradient and its Hessian product."""
    rng = np.random.default_rng(seed)
    X, y = rng.normal(size=(6, 4)), rng.normal(size=6)

    def loss(params):
        hidden = anp.tanh(anp.dot(X, params["a"]))
        return anp.mean((anp.dot(hidden, params["b"]) - y) ** 2)

    params = {"a": rng.normal(size=(4, 3)), "b": rng.normal(size=3)}
    value_and_grad = lambda w: (loss(w), grad(loss)(w))  # noqa: E731
    return loss, params, carrying(value_and_grad, lambda w, v: make_hvp(loss)(w)[0](v))


@given(seed=st.integers(0, 10_000), rho=st.floats(1e-3, 0.5))
def test_is_the_gradient_through_the_climb(seed, rho):
    loss, params, value_and_grad = problem(seed)

    def perturbed(w):
        g = grad(loss)(w)
        length = anp.sqrt(sum(anp.sum(leaf**2) for leaf in g.values()))
        return loss({key: w[key] + rho * g[key] / length for key in w})

    opt = exact_sam(sgd(lr=0.1), rho=rho)
    _, _, step = opt.step(params, opt.init(params), value_and_grad)
    expected = grad(perturbed)(params)
    difference = norm(subtract(step.descent_gradient, expected))
    # Two hand-written backward passes of some 200 operations each, with condition ρ‖H‖/G below 1e3.
    assert difference <= 1e3 * 200 * 2.3e-16 * norm(expected)


def test_dropping_the_term_would_be_seen():
    _, params, value_and_grad = problem(3)
    exact, plain = exact_sam(sgd(lr=0.1), rho=0.2), sam(sgd(lr=0.1), rho=0.2)
    _, _, one = exact.step(params, exact.init(params), value_and_grad)
    _, _, two = plain.step(params, plain.init(params), value_and_grad)
    gap = norm(subtract(one.descent_gradient, two.descent_gradient))
    assert gap > 1e-3 * norm(two.descent_gradient)


def test_vanishes_where_the_gradient_is_an_eigenvector():
    h = np.array([1.0, 4.0])
    loss = lambda w: (0.5 * float(h @ w["w"] ** 2), {"w": h * w["w"]})  # noqa: E731
    w = {"w": np.array([0.0, 2.0])}
    exact, plain = exact_sam(sgd(lr=0.1), rho=0.5), sam(sgd(lr=0.1), rho=0.5)
    new, _, _ = exact.step(w, exact.init(w), carrying(loss, lambda p, v: {"w": h * v["w"]}))
    expected, _, _ = plain.step(w, plain.init(w), loss)
    np.testing.assert_array_equal(new["w"], expected["w"])


@pytest.mark.parametrize("w", [np.zeros(2), np.array([1.0, 2.0])])
def test_needs_no_product_without_a_climb(w):
    h = np.array([1.0, 4.0])
    loss = lambda p: (0.5 * float(h @ p["w"] ** 2), {"w": h * p["w"]})  # noqa: E731
    opt = exact_sam(sgd(lr=0.1), rho=0.0 if w.any() else 0.5)

    def refuse(params, vector):
        raise AssertionError("asked for a Hessian product that is zero")

    new, _, _ = opt.step({"w": w}, opt.init({"w": w}), carrying(loss, refuse))
    np.testing.assert_array_equal(new["w"], w - 0.1 * (h * w))


def test_tiny_gradients_do_not_overflow():
    h = np.array([1.0, 4.0]) * 1e-170
    loss = lambda w: (0.0, {"w": h * w["w"]})  # noqa: E731
    w = {"w": np.array([1.0, 1.0])}
    opt = exact_sam(sgd(lr=0.1), rho=0.5)
    _, _, step = opt.step(w, opt.init(w), carrying(loss, lambda p, v: {"w": h * v["w"]}))
    unit = lambda w: (0.0, {"w": np.array([1.0, 4.0]) * w["w"]})  # noqa: E731
    product = lambda p, v: {"w": np.array([1.0, 4.0]) * v["w"]}  # noqa: E731
    _, _, expected = opt.step(w, opt.init(w), carrying(unit, product))
    ratio = step.descent_gradient["w"] / (expected.descent_gradient["w"] * 1e-170)
    np.testing.assert_allclose(ratio, 1.0, rtol=1e-13)


def test_a_function_without_a_hessian_product_is_told_what_to_carry():
    opt = exact_sam(sgd(lr=0.1), rho=0.5)
    w = {"w": np.ones(2)}
    with pytest.raises(ValueError, match=r"must carry hessian_product, the function \(params, vec"):
        opt.step(w, opt.init(w), lambda p: (0.0, p))


def test_decay_in_the_loss_is_part_of_the_hessian():
    _, params, value_and_grad = problem(4)
    decayed, whole = add_l2(value_and_grad, 0.5), value_and_grad.hessian_product(params, params)
    expected = {key: whole[key] + 0.5 * params[key] for key in params}
    same = decayed.hessian_product(params, params)
    for key in params:
        np.testing.assert_array_equal(same[key], expected[key])
