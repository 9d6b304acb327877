import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nn.checks import check_derivatives, check_float32, check_repeats

from minisam.nn.kernels import patches
from minisam.nn.kernels.convolution import (
    convolution,
    convolve,
    input_gradient,
    weight_gradient,
)
from minisam.nn.kernels.patches import output_size
from minisam.threads import PARTS

pytestmark = pytest.mark.filterwarnings("error")


@st.composite
def cases(draw):
    """Images, a kernel, an array shaped like the output, stride and padding."""
    kernel = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    stride = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    padding = draw(st.tuples(st.integers(0, 4), st.integers(0, 4)))
    size = tuple(max(1, k - 2 * p) + draw(st.integers(0, 5)) for k, p in zip(kernel, padding))  # noqa: B905
    channels, filters = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    batch = draw(st.sampled_from([1, 2, 3, 4, 3 * PARTS]))  # or several images in a part
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    x = rng.integers(-4, 5, (batch, *size, channels))
    w = rng.integers(-4, 5, (*kernel, channels, filters))
    y = rng.integers(-4, 5, (batch, *output_size(size, kernel, stride, padding), filters))
    return x, w, y, stride, padding


def by_definition(x, w, y, stride, padding):
    """Return T's three partial derivatives by walking over the sum, in exact integers."""
    (s, v), (p, q) = stride, padding
    out_y, out_x, out_w = np.zeros_like(y), np.zeros_like(x), np.zeros_like(w)
    for i in range(y.shape[1]):
        for j in range(y.shape[2]):
            for a in range(w.shape[0]):
                for b in range(w.shape[1]):
                    row, column = s * i + a - p, v * j + b - q
                    if 0 <= row < x.shape[1] and 0 <= column < x.shape[2]:
                        pixel = x[:, row, column]
                        out_y[:, i, j] += pixel @ w[a, b]
                        out_x[:, row, column] += y[:, i, j] @ w[a, b].T
                        out_w[a, b] += pixel.T @ y[:, i, j]
    return out_y, out_x, out_w


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@settings(deadline=None)
@given(case=cases(), small=st.integers(1, 40))
def test_three_kernels_equal_the_definition_exactly(case, dtype, small):
    """On small integers nothing rounds: every order of summation agrees bit for bit.

    Also where products of so many patches are the faster ones.
    """
    x, w, y, stride, padding = case
    expected = by_definition(*case)
    x, w, y = x.astype(dtype), w.astype(dtype), y.astype(dtype)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(patches, "small_products", lambda _: small)
        results = (
            convolve(x, w, stride, padding),
            input_gradient(y, w, x.shape[1:3], stride, padding),
            weight_gradient(x, y, w.shape[:2], stride, padding),
        )
    for result, exact in zip(results, expected, strict=True):
        assert result.dtype == dtype
        np.testing.assert_array_equal(result, exact)


@settings(deadline=None)
@given(case=cases(), seed=st.integers(0, 2**32 - 1))
def test_three_kernels_are_adjoint(case, seed):
    """⟨y, x∗w⟩ = ⟨x, input_gradient⟩ = ⟨w, weight_gradient⟩ up to γₙ T(|x|, |w|, |y|)."""
    *shapes, stride, padding = case
    rng = np.random.default_rng(seed)
    x, w, y = (rng.standard_normal(a.shape) for a in shapes)
    forms = (
        np.vdot(y, convolve(x, w, stride, padding)),
        np.vdot(x, input_gradient(y, w, x.shape[1:3], stride, padding)),
        np.vdot(w, weight_gradient(x, y, w.shape[:2], stride, padding)),
    )
    of_magnitudes = np.vdot(np.abs(y), convolve(np.abs(x), np.abs(w), stride, padding))
    terms = y.size * w[..., 0].size
    bound = 2 * terms * 2.0**-53 / (1 - terms * 2.0**-53) * of_magnitudes
    assert max(forms) - min(forms) <= bound


@settings(max_examples=15, deadline=None)
@given(case=cases())
def test_derivatives_of_all_orders(case):
    *integers, s, p = case
    rng = np.random.default_rng(7)
    x, w, y = (rng.standard_normal(a.shape) for a in integers)
    size, kernel = x.shape[1:3], w.shape[:2]

    def before_relu(x, w, b):
        return convolution(x, w, b, s, p)

    for function, args, kinks in (
        (lambda x, w: convolve(x, w, s, p), (x, w), None),
        (lambda y, w: input_gradient(y, w, size, s, p), (y, w), None),
        (lambda x, y: weight_gradient(x, y, kernel, s, p), (x, y), None),
        (before_relu, (x, w, w[0, 0, 0]), None),
        (lambda x, w, b: convolution(x, w, b, s, p, True), (x, w, w[0, 0, 0]), before_relu),
    ):
        check_derivatives(function, *args, kinks=kinks)
        check_float32(function, *args)


def test_arguments_are_not_changed_and_results_repeat():
    check_repeats(
        lambda x, w: convolve(x, w, (1, 1), (1, 1)),
        lambda x, y: weight_gradient(x, y, (3, 3), (1, 1), (1, 1)),
        channels=8,
    )


@pytest.mark.parametrize("kernel", [1, 2, 5, 7])
def test_float32_is_within_the_bound_of_a_float64_reference(kernel):
    """|error| ≤ γ_{K+1} Σ|x||w| for sums of K products, in any order of summation.

    Kernels of three rows are in test_winograd.py.
    """
    rng = np.random.default_rng(kernel)
    x = rng.standard_normal((8, 32, 32, 16)).astype(np.float32)
    w = rng.standard_normal((kernel, kernel, 16, 32)).astype(np.float32)
    p = (kernel // 2, kernel // 2)
    y = rng.standard_normal((8, *output_size((32, 32), (kernel,) * 2, (1, 1), p), 32))
    y = y.astype(np.float32)
    for function, args, terms in (
        (lambda x, w: convolve(x, w, (1, 1), p), (x, w), kernel * kernel * 16),
        (lambda y, w: input_gradient(y, w, (32, 32), (1, 1), p), (y, w), kernel * kernel * 32),
        (lambda x, y: weight_gradient(x, y, (kernel,) * 2, (1, 1), p), (x, y), y[..., 0].size),
    ):
        exact = function(*(a.astype(np.float64) for a in args))
        of_magnitudes = function(*(np.abs(a).astype(np.float64) for a in args))
        gamma = (terms + 1) * 2.0**-24 / (1 - (terms + 1) * 2.0**-24)
        assert np.all(np.abs(function(*args) - exact) <= gamma * of_magnitudes)


def test_images_larger_than_a_block_are_cut_into_rows():
    rng = np.random.default_rng(0)
    x, w = rng.integers(-4, 5, (1, 90, 90, 16)), rng.integers(-4, 5, (3, 3, 16, 2))
    y = rng.integers(-4, 5, (1, 90, 90, 2))
    expected = by_definition(x, w, y, (1, 1), (1, 1))
    x, w, y = (a.astype(float) for a in (x, w, y))
    np.testing.assert_array_equal(convolve(x, w, (1, 1), (1, 1)), expected[0])
    np.testing.assert_array_equal(weight_gradient(x, y, (3, 3), (1, 1), (1, 1)), expected[2])
