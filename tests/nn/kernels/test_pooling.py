import numpy as np
import pytest
from autograd import grad
from hypothesis import given, settings
from hypothesis import strategies as st
from nn.checks import check_derivatives, check_float32

from minisam.nn.kernels.patches import output_size
from minisam.nn.kernels.pooling import average_pool, max_pool


@st.composite
def cases(draw):
    kernel = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    stride = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    padding = tuple(draw(st.integers(0, k // 2)) for k in kernel)
    size = tuple(k + draw(st.integers(0, 6)) for k in kernel)
    shape = (draw(st.integers(1, 3)), *size, draw(st.integers(1, 3)))
    return shape, kernel, stride, padding, draw(st.integers(0, 2**32 - 1))


def by_definition(x, kernel, stride, padding, reduce, border):
    n, h, w, c = x.shape
    height, width = output_size((h, w), kernel, stride, padding)
    padded = np.full((n, h + 2 * padding[0], w + 2 * padding[1], c), border)
    padded[:, padding[0] : padding[0] + h, padding[1] : padding[1] + w] = x
    y = np.zeros((n, height, width, c))
    for i in range(height):
        for j in range(width):
            rows = slice(i * stride[0], i * stride[0] + kernel[0])
            columns = slice(j * stride[1], j * stride[1] + kernel[1])
            y[:, i, j] = reduce(padded[:, rows, columns], axis=(1, 2))
    return y


@settings(deadline=None)
@given(case=cases())
def test_pooling_equals_its_definition(case):
    shape, kernel, stride, padding, seed = case
    x = np.random.default_rng(seed).integers(-9, 10, shape).astype(np.float64)
    largest = by_definition(x, kernel, stride, padding, np.max, -np.inf)
    np.testing.assert_array_equal(max_pool(x, kernel, stride, padding), largest)
    total = by_definition(x, kernel, stride, padding, np.sum, 0.0)
    # One rounding for 1/area and one for the product.
    mean = total / (kernel[0] * kernel[1])
    np.testing.assert_allclose(average_pool(x, kernel, stride, padding), mean, rtol=3 * 2.0**-53)


@settings(max_examples=25, deadline=None)
@given(case=cases())
def test_derivatives(case):
    shape, kernel, stride, padding, seed = case
    # Values much further apart than the finite differences' step: no tie, no change of choice.
    x = np.random.default_rng(seed).permutation(np.prod(shape)).reshape(shape) / 10
    for pool in (max_pool, average_pool):
        check_derivatives(lambda x, pool=pool: pool(x, kernel, stride, padding), x)
        check_float32(lambda x, pool=pool: pool(x, kernel, stride, padding), x)


def test_at_a_tie_the_first_entry_gets_the_gradient():
    x = np.ones((1, 2, 2, 1))
    gradient = grad(lambda x: max_pool(x, 2).sum())(x)
    np.testing.assert_array_equal(gradient[0, :, :, 0], [[1, 0], [0, 0]])


def test_rows_that_no_window_sees_get_no_gradient():
    gradient = grad(lambda x: max_pool(x, 2).sum())(np.ones((1, 3, 3, 1)))
    np.testing.assert_array_equal(gradient[0, :, :, 0], [[1, 0, 0], [0, 0, 0], [0, 0, 0]])
    between = grad(lambda x: average_pool(x, 1, 2).sum())(np.ones((1, 4, 4, 1)))
    np.testing.assert_array_equal(between[0, :, :, 0], np.tile([[1, 0], [0, 0]], (2, 2)))


@pytest.mark.parametrize("kernel", [1, 2, 4])
def test_nan_is_not_hidden(kernel):
    x = np.zeros((1, kernel, kernel, 1))
    for k in range(x.size):
        y = x.copy()
        y.ravel()[k] = np.nan
        assert np.isnan(max_pool(y, kernel)).all()
        assert np.isnan(average_pool(y, kernel)).all()


def test_large_windows():
    x = np.random.default_rng(0).standard_normal((2, 20, 20, 1))
    np.testing.assert_array_equal(max_pool(x, 20)[:, 0, 0, 0], x.max(axis=(1, 2, 3)))


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="padding must be at most half of the kernel"):
        max_pool(np.zeros((1, 4, 4, 1)), 2, padding=2)
    with pytest.raises(ValueError, match="kernel must be at least 1"):
        average_pool(np.zeros((1, 4, 4, 1)), 0)


def test_the_border_never_wins():
    gradient = grad(lambda x: max_pool(x, 3, 1, 1).sum())(np.zeros((1, 3, 3, 1)))
    assert gradient.sum() == 9
