import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from nn.checks import check_derivatives, check_float32, check_repeats
from nn.kernels.test_convolution import by_definition
from numpy.lib.array_utils import byte_bounds

from minisam.nn.kernels import winograd
from minisam.nn.kernels.convolution import convolution, convolve, input_gradient, weight_gradient
from minisam.nn.kernels.patches import SMALL_PRODUCT, output_size

pytestmark = pytest.mark.filterwarnings("error")


EVERY_PATCH = winograd.every_patch


def convolved(x, w, padding, bias=None, rectify=False):
    size = output_size(x.shape[1:3], w.shape[:2], (1, 1), padding)
    y = np.empty((len(x), *size, w.shape[3]), np.result_type(x, w))
    winograd.correlate(x, winograd.kernel_rows(w), w.shape[1], bias, padding, rectify, y)
    return y


@st.composite
def cases(draw):
    """Images and a kernel of three rows of small integers, padding, bytes and patches at a time."""
    kw = draw(st.integers(1, 4))
    padding = draw(st.integers(0, 2)), draw(st.integers(0, kw - 1))
    height = draw(st.integers(max(1, 3 - 2 * padding[0]), 9))
    width = draw(st.integers(max(1, kw - 2 * padding[1]), 7))
    batch, channels, filters = draw(st.tuples(*[st.integers(1, 4)] * 3))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    x = rng.integers(-4, 5, (batch, height, width, channels))
    w = rng.integers(-4, 5, (3, kw, channels, filters))
    y = rng.integers(
        -4, 5, (batch, *output_size((height, width), (3, kw), (1, 1), padding), filters)
    )
    block_bytes, small = draw(st.sampled_from([1, 600, 3000, 1 << 20])), draw(st.integers(1, 40))
    return x, w, y, padding, block_bytes, small


def last_block_is_one_product():
    """Return the case of three images, of which two make two products and one makes one."""
    rng = np.random.default_rng(0)
    x, w = rng.integers(-4, 5, (3, 4, 4, 2)), rng.integers(-4, 5, (3, 3, 2, 2))
    return x, w, rng.integers(-4, 5, x.shape), (1, 1), 1400, 4


def guarded(v, *arguments):
    """Return `every_patch`, unless it reads what is not v's."""
    view = EVERY_PATCH(v, *arguments)
    (low, high), (first, last) = map(byte_bounds, (v, view))
    assert low <= first < last <= high
    return view


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@settings(deadline=None)
@given(case=cases())
@example(case=last_block_is_one_product())
def test_both_kernels_equal_the_definition_exactly(case, dtype):
    """Halves of small integers do not round; whole images, some rows, one pair of rows.

    What was never written would be NaN, also where a factor is 0.
    """
    x, w, y, padding, block_bytes, small = case
    expected, _, expected_gradient = by_definition(x, w, y, (1, 1), padding)
    x, w, y = x.astype(dtype), w.astype(dtype), y.astype(dtype)
    bias = np.tile(np.arange(float(w.shape[3])).astype(dtype), (y.shape[2], 1))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(winograd, "BLOCK_BYTES", block_bytes)
        patch.setattr(winograd, "small_products", lambda _: small)
        patch.setattr(winograd, "every_patch", guarded)
        patch.setattr(np, "empty", lambda shape, dtype=float: np.full(shape, np.nan, dtype))
        np.testing.assert_array_equal(convolved(x, w, padding), expected)
        above = convolved(x, w, padding, bias, rectify=True)
        np.testing.assert_array_equal(above, np.maximum(expected + bias, 0))
        gradient = winograd.kernel_gradient(x, y, w.shape[1], padding)
    np.testing.assert_array_equal(gradient, expected_gradient)
    assert above.dtype == gradient.dtype == dtype


@pytest.mark.parametrize(("filters", "parts"), [(1024, 1), (64, 4), (256, 14)])
def test_blocks_fit_into_the_cache_and_are_cut_into_small_products(filters, parts):
    """1 MB holds v of 30 images: 50 are two blocks of 25, each with 1134 patches.

    With 1024 filters a product is small with 20 patches: that is too few, so that there is one.
    """
    x = np.zeros((50, 16, 16, 16), np.float32)
    blocks = [
        (at[0], patches.shape[2:4])
        for at, patches in winograd.image_rows(x, 3, (1, 1), 16, filters, x.dtype)
    ]
    assert [images for images, _ in blocks] == [slice(0, 25), slice(25, 50)]
    number = -(-25 * 8 * 17 // 3)  # 8 pairs of rows, 17 pixels each
    assert {shape for _, shape in blocks} == {(parts, -(-number // parts))}
    small = -(-number // parts) * 48 * filters <= SMALL_PRODUCT
    assert small == (parts > 1)


def magnitudes(x, w, y, padding):
    """Return bounds on the sums of magnitudes of all terms, as the module's docstring has them.

    Each of an output's m is a sum over v u. With |v| and |u| expanded, every row of x that the
    output sees meets every row of w, twice at most; so does every row of x each row of y that lies
    over it in some position of the kernel, in the kernel's gradient.
    """
    x, w, y = (np.abs(a).astype(np.float64) for a in (x, w, y))
    rows = np.broadcast_to(w.sum(axis=0), w.shape)
    outer = winograd.kernel_gradient(x, y, w.shape[1], padding).sum(axis=0)
    return 2 * convolved(x, rows, padding), np.broadcast_to(2 * outer, w.shape)


def gamma(terms, unit=2.0**-24):
    return (terms + 6) * unit / (1 - (terms + 6) * unit)


@pytest.mark.parametrize("scale", [1.0, 1e-3])
def test_float32_is_within_the_bound_of_a_float64_reference(scale):
    """Also where one row of a kernel is much larger than the others."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((8, 17, 16, 16)).astype(np.float32)
    w = rng.standard_normal((3, 3, 16, 32)).astype(np.float32)
    w[1:] *= scale
    y = rng.standard_normal((8, 17, 16, 32)).astype(np.float32)
    exact = (
        convolved(x.astype(float), w.astype(float), (1, 1)),
        winograd.kernel_gradient(x.astype(float), y.astype(float), 3, (1, 1)),
    )
    results = convolved(x, w, (1, 1)), winograd.kernel_gradient(x, y, 3, (1, 1))
    terms = 3 * 16, 8 * 17 * 16
    for result, right, most, number in zip(
        results, exact, magnitudes(x, w, y, (1, 1)), terms, strict=True
    ):
        assert np.all(np.abs(result - right) <= gamma(number) * most)


@pytest.mark.parametrize("hole", [np.nan, np.inf])
def test_nothing_but_what_an_output_sees_has_a_part_in_it(hole):
    x = np.ones((2, 8, 7, 16))
    x[1, 4, 3, 5] = hole
    y = convolved(x, np.ones((3, 3, 16, 2)), (1, 1))
    spoiled = np.zeros(y.shape, bool)
    spoiled[1, 3:6, 2:5] = True
    np.testing.assert_array_equal(np.isfinite(y), ~spoiled)


def test_convolutions_that_suit_have_all_derivatives():
    """With as many channels as in use; height and padding make an odd number of rows."""
    rng = np.random.default_rng(0)
    s, p = (1, 1), (1, 0)
    x, w = rng.standard_normal((1, 5, 18, 16)), rng.standard_normal((3, 3, 16, 16))
    y = rng.standard_normal((1, 5, 16, 16))
    assert winograd.suits((3, 3), s, p, 18, 16)
    assert winograd.suits((3, 3), s, p, 16, 16)
    for function, args in (
        (lambda x, w: convolve(x, w, s, p), (x, w)),
        (lambda y, w: input_gradient(y, w, (5, 18), s, p), (y, w)),
        (lambda x, y: weight_gradient(x, y, (3, 3), s, p), (x, y)),
        (lambda x, w, b: convolution(x, w, b, s, p), (x, w, w[0, 0, 0])),
    ):
        check_derivatives(function, *args)
        check_float32(function, *args)


@pytest.mark.parametrize(
    ("kernel", "stride", "padding"),
    [
        ((3, 3), (1, 1), (3, 1)), ((3, 3), (1, 1), (1, 3)), ((3, 3), (2, 1), (1, 1)),
        ((3, 3), (1, 2), (1, 1)), ((2, 3), (1, 1), (1, 1)),
    ],
)  # fmt: skip
def test_others_of_as_many_channels_are_left_to_patches(kernel, stride, padding):
    rng = np.random.default_rng(0)
    x, w = rng.integers(-4, 5, (1, 4, 16, 16)), rng.integers(-4, 5, (*kernel, 16, 2))
    y = rng.integers(-4, 5, (1, *output_size((4, 16), kernel, stride, padding), 2))
    assert winograd.suits((3, 3), (1, 1), (2, 2), 16, 16)
    assert not winograd.suits(kernel, stride, padding, 16, 16)
    exact, _, gradient = by_definition(x, w, y, stride, padding)
    x, w, y = (a.astype(float) for a in (x, w, y))
    np.testing.assert_array_equal(convolve(x, w, stride, padding), exact)
    np.testing.assert_array_equal(weight_gradient(x, y, kernel, stride, padding), gradient)


def test_results_repeat_and_arguments_are_not_changed():
    check_repeats(
        lambda x, w: convolved(x, w, (1, 1)),
        lambda x, y: winograd.kernel_gradient(x, y, 3, (1, 1)),
        channels=16,
    )
