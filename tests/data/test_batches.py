"""Standardization, augmentation and mini-batches: pure functions of their arguments."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from minisam.data import augment, channel_statistics, load, minibatches, standardize

images = hnp.arrays(
    np.uint8, st.tuples(st.integers(1, 4), st.integers(1, 6), st.integers(1, 6), st.just(3))
)
seeds = st.integers(0, 2**32)


@given(images)
def test_channel_statistics_are_those_of_the_scaled_pixels(x):
    mean, std = channel_statistics(x)
    scaled = x.reshape(-1, 3) / 255
    # 256 levels, n pixels: each mean is one rounding away; numpy's own sums n of them.
    bound = len(scaled) * np.finfo(float).eps
    assert np.allclose(mean, scaled.mean(axis=0), rtol=bound, atol=bound)
    assert np.allclose(std**2, scaled.var(axis=0), rtol=8 * bound, atol=8 * bound)


def test_channel_statistics_of_the_toy_set_do_not_depend_on_the_order():
    x = load("toy").train.images
    shuffled = x[np.random.default_rng(0).permutation(len(x))]
    for a, b in zip(channel_statistics(x), channel_statistics(shuffled), strict=True):
        assert np.array_equal(a, b)


@given(images, st.sampled_from([np.float32, np.float64]))
def test_standardize_is_the_formula_in_the_type_asked_for(x, dtype):
    mean, std = np.array([0.1, 0.5, 0.9]), np.array([0.2, 1.0, 3.0])
    z = standardize(x, mean, std, dtype=dtype)
    assert z.dtype == dtype
    assert np.array_equal(z, ((x / 255 - mean) / std).astype(dtype))


def test_standardized_images_have_mean_0_and_deviation_1():
    x = load("toy").train.images
    z = standardize(x, *channel_statistics(x), dtype=np.float64)
    assert np.allclose(z.mean(axis=(0, 1, 2)), 0, atol=1e-12)
    assert np.allclose(z.std(axis=(0, 1, 2)), 1, atol=1e-12)


def test_standardizing_twice_is_refused():
    x = np.zeros((1, 2, 2, 3), np.uint8)
    z = standardize(x, np.zeros(3), np.ones(3))
    with pytest.raises(ValueError, match="images must be uint8"):
        standardize(z, np.zeros(3), np.ones(3))


@pytest.mark.parametrize("std", [[1, 1, 0], [1, -1, 1], [1, 1, np.nan], [1, 1, np.inf]])
def test_bad_deviations_are_refused(std):
    with pytest.raises(ValueError, match="std positive"):
        standardize(np.zeros((1, 2, 2, 3), np.uint8), np.zeros(3), np.array(std))


@pytest.mark.fault("shape", "data.standardize")
@pytest.mark.parametrize(
    "bad",
    [
        [0.5],
        [0.5] * 2,
        [0.5] * 4,
        [[0.5]] * 3,
        [[0.5] * 3],
        [],
        None,
        "0.5",
        ["0.5"] * 3,
        [0.5j] * 3,
    ],
    ids=repr,
)
def test_means_and_deviations_of_another_shape_are_refused(bad):
    """Three channels: one number too few was an IndexError, one too many taken."""
    x = np.zeros((1, 2, 2, 3), np.uint8)
    shape = r" must be numbers of shape \(3,\), one for each channel, got "
    with pytest.raises(ValueError, match=f"^mean{shape}"):
        standardize(x, bad, np.ones(3))
    with pytest.raises(ValueError, match=f"^std{shape}"):
        standardize(x, np.zeros(3), bad)


@pytest.mark.fault("dtype", "data.standardize")
@pytest.mark.parametrize(
    "one", [1, 1.0, np.array(1), (1, 1, 1), np.ones(3, ">f4"), np.ones(3, "u1")]
)
def test_means_and_deviations_of_any_real_type_are_taken(one):
    x = np.arange(12, dtype=np.uint8).reshape(1, 2, 2, 3)
    expected = (x / 255 - 1).astype(np.float32)
    np.testing.assert_array_equal(standardize(x, one, one), expected)


@pytest.mark.fault("dtype", "data.standardize")
@pytest.mark.parametrize("dtype", [int, np.uint8, bool, object, complex])
def test_a_type_that_is_not_floating_point_is_refused(dtype):
    with pytest.raises(ValueError, match="dtype must be floating-point, got "):
        standardize(np.zeros((1, 2, 2, 3), np.uint8), np.zeros(3), np.ones(3), dtype)


@pytest.mark.fault("special-value", "data.standardize")
@pytest.mark.parametrize(("std", "dtype"), [(5e-324, "f8"), (1e-39, "f4"), (1e-5, "f2")])
def test_a_deviation_whose_quotients_overflow_is_refused(std, dtype):
    x = np.zeros((1, 2, 2, 3), np.uint8)
    with pytest.raises(ValueError, match="std is too small for float"):
        standardize(x, np.zeros(3), np.full(3, std), dtype)


@pytest.mark.fault("shape", "data.standardize", "data.augment")
def test_no_images_stay_none():
    x = np.zeros((0, 2, 2, 3), np.uint8)
    assert standardize(x, np.zeros(3), np.ones(3)).shape == x.shape
    assert augment(x, np.random.default_rng(0)).shape == x.shape


def test_statistics_of_nothing_are_refused():
    with pytest.raises(ValueError, match="images is empty"):
        channel_statistics(np.zeros((0, 2, 2, 3), np.uint8))


@given(images, seeds, st.integers(0, 3))
def test_augment_shifts_and_mirrors_whole_images(x, seed, padding):
    """Every result is one of the (2p+1)² crops of its padded image, or the mirror of one."""
    result = augment(x, np.random.default_rng(seed), padding)
    assert result.dtype == x.dtype
    _, height, width, _ = x.shape
    for before, after in zip(x, result, strict=True):
        padded = np.pad(before, ((padding, padding), (padding, padding), (0, 0)))
        crops = [
            padded[top : top + height, left : left + width]
            for top in range(2 * padding + 1)
            for left in range(2 * padding + 1)
        ]
        assert any(
            np.array_equal(after, crop) or np.array_equal(after, crop[:, ::-1]) for crop in crops
        )


def test_augment_uses_every_shift_and_both_orientations():
    marked = np.zeros((4000, 9, 9, 1), np.uint8)
    marked[:, 4, 4] = 1  # the middle: where it goes tells the shift
    marked[:, 4, 5] = 2  # on which side of it tells the orientation
    result = augment(marked, np.random.default_rng(0), padding=2)
    _, row, column, _ = np.nonzero(result == 1)
    _, _, beside, _ = np.nonzero(result == 2)
    assert {*zip((row - 4).tolist(), (column - 4).tolist(), strict=True)} == {
        (i, j) for i in range(-2, 3) for j in range(-2, 3)
    }
    # 4,000 fair coins: 5 standard deviations are 158.
    assert abs(int(np.sum(beside < column)) - 2000) < 158


@given(images, seeds)
def test_augment_leaves_its_argument_alone_and_repeats_itself(x, seed):
    before = x.copy()
    first = augment(x, np.random.default_rng(seed), 2)
    second = augment(x, np.random.default_rng(seed), 2)
    assert np.array_equal(x, before)
    assert np.array_equal(first, second)
    assert not np.shares_memory(first, x)


@given(st.integers(0, 50), st.integers(1, 20), seeds)
def test_minibatches_visit_every_example_once(n, batch_size, seed):
    batches = list(minibatches(n, batch_size, np.random.default_rng(seed)))
    assert [len(batch) for batch in batches[:-1]] == [batch_size] * (len(batches) - 1)
    visited = np.concatenate([*batches, np.zeros(0, int)])
    assert np.array_equal(np.sort(visited), np.arange(n))


def test_minibatches_come_in_another_order_each_time():
    rng = np.random.default_rng(0)
    assert not np.array_equal(next(minibatches(99, 99, rng)), next(minibatches(99, 99, rng)))


@pytest.mark.fault("option-value", "data.minibatches", "data.augment")
@pytest.mark.parametrize("bad", [-1, 2.0, True, "2", None])
def test_numbers_that_are_not_whole_are_refused(bad):
    rng = np.random.default_rng(0)
    for size in (bad, 0):
        with pytest.raises(ValueError, match="batch_size must be a whole number of at least 1"):
            next(minibatches(5, size, rng))
    with pytest.raises(ValueError, match="n must be a whole number of at least 0"):
        next(minibatches(bad, 2, rng))
    with pytest.raises(ValueError, match="padding must be a whole number of at least 0"):
        augment(np.zeros((1, 2, 2, 3)), rng, padding=bad)


@pytest.mark.fault("dtype", "data.augment")
def test_a_small_integer_of_numpy_as_padding_does_not_overflow():
    x = np.ones((4, 200, 2, 1), np.uint8)
    found = augment(x, np.random.default_rng(0), padding=np.int8(100))
    np.testing.assert_array_equal(found, augment(x, np.random.default_rng(0), padding=100))
