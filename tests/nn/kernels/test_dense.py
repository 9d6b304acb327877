from contextlib import contextmanager
from functools import partial

import autograd
import numpy as np
import pytest
from nn.checks import check_derivatives, check_float32

from minisam.nn.kernels import dense as p
from minisam.nn.models import cnn, mixer, mlp, vit

rng = np.random.default_rng(0)
X, W, B = rng.standard_normal((5, 4)), rng.standard_normal((4, 3)), rng.standard_normal(3)
IMAGES = rng.standard_normal((2, 3, 3, 4))

CASES = {
    "affine": (lambda x, w, b: p.affine(x, w, b, True), (X, W, B)),
    "affine on images": (lambda x, w, b: p.affine(x, w, b, True), (IMAGES, W, B)),
    "affine and relu": (lambda x, w, b: p.affine(x, w, b, True, True), (X, W, B)),
    "affine on BLAS's threads": (lambda x, w, b: p.affine(x, w, b, False), (IMAGES, W, B)),
    "and relu on BLAS's threads": (lambda x, w, b: p.affine(x, w, b, False, True), (X, W, B)),
    "add_bias": (p.add_bias, (IMAGES, rng.standard_normal(4))),
    "total": (p.total, (IMAGES,)),
    "repeat": (lambda b: p.repeat(b, (5, 2, 3)), (B,)),
}


@pytest.mark.parametrize("name", CASES)
def test_derivatives(name):
    function, args = CASES[name]
    check_derivatives(function, *args, name=name)
    check_float32(function, *args)


@pytest.mark.parametrize("in_pieces", [False, True])
def test_affine_in_float32_is_within_the_bound(in_pieces):
    """|error| ≤ γ_{n+1} (Σ|x||w| + |b|), n products per entry."""
    r = np.random.default_rng(1)
    x, w, b = (r.standard_normal(s).astype(np.float32) for s in ((64, 500), (500, 32), (32,)))
    affine = partial(p.affine, in_pieces=in_pieces)
    exact = affine(x.astype(np.float64), w.astype(np.float64), b.astype(np.float64))
    sizes = affine(*(np.abs(a).astype(np.float64) for a in (x, w, b)))
    gamma = 502 * 2.0**-24 / (1 - 502 * 2.0**-24)
    assert np.all(np.abs(affine(x, w, b) - exact) <= gamma * sizes)


@pytest.mark.parametrize("model", [mlp, cnn, mixer, vit])
def test_a_network_of_dense_layers_alone_leaves_all_its_products_to_blas_and_no_other_does(
    model, monkeypatch
):
    left_to_blas = []

    @contextmanager
    def watched():
        left_to_blas.append(1)
        yield

    monkeypatch.setattr(p, "blas_threads", watched)
    net = model(input_shape=(8, 8, 1))
    params = net.init(0, np.float64)
    autograd.grad(lambda w: (net.apply(w, np.ones((3, 8, 8, 1))) ** 2).sum())(params)
    layers = sum(name.endswith("weight") for name in params)
    # Forward, and the gradients of the weights and of what comes in, but for the images.
    assert len(left_to_blas) == (3 * layers - 1 if model is mlp else 0)


@pytest.mark.parametrize("in_pieces", [False, True])
def test_derivatives_of_any_order_make_their_products_as_the_layer_does(in_pieces, monkeypatch):
    product, seen = p.product, []

    def watched(a, b, in_pieces=True):
        seen.append(in_pieces)
        return product(a, b, in_pieces)

    def gradient(layer):
        return autograd.grad(lambda layer: (p.affine(*layer, B, in_pieces) ** 2).sum())(layer)

    monkeypatch.setattr(p, "product", watched)
    autograd.grad(lambda layer: sum((g**2).sum() for g in gradient(layer)))((X, W))
    for argnum in 0, 1:
        function = autograd.make_jvp(p.affine, argnum)(X, W, B, in_pieces)
        function((X, W)[argnum])
    assert len(seen) > 10
    assert set(seen) == {in_pieces}


@pytest.mark.parametrize(("rows", "columns", "piece"), [(40, 6, (20, 6)), (6, 40, (6, 20))])
def test_each_thread_has_an_equal_piece_along_the_longer_side(rows, columns, piece, monkeypatch):
    if p.workers() == 1:
        pytest.skip("NumPy is not built with OpenBLAS")
    matmul, seen = np.matmul, []

    def watched(a, b, out):
        seen.append(out.shape)
        return matmul(a, b, out=out)

    monkeypatch.setattr(p.np, "matmul", watched)
    p.product(np.ones((rows, 3)), np.ones((3, columns)))
    assert seen == [piece] * 2


def test_a_small_product_is_not_worth_a_change_of_threads(monkeypatch):
    monkeypatch.setattr("minisam.threads.SMALLEST_WORK", 1 << 60)
    monkeypatch.delattr(p, "blas_threads")
    np.testing.assert_array_equal(p.product(np.ones((2, 3)), np.ones((3, 4)), False), 3)


def test_total_of_many_rows_is_within_the_bound_of_blocked_summation():
    """A naive running sum of 2¹⁸ float32 ones-like numbers loses four digits; this must not."""
    x = np.random.default_rng(2).uniform(0.5, 1, (2**18, 3)).astype(np.float32)
    exact = x.astype(np.float64).sum(axis=0)
    assert np.all(np.abs(p.total(x) - exact) <= 2**10 * 2.0**-24 * exact)
