"""Instance-dependent noise: Xia et al.'s algorithm, step by step, and its portable arithmetic."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from minisam.data import channel_statistics, label_hash, load
from minisam.data.instance_noise import (
    NORMAL_DEVIATION,
    flip_rates,
    instance_noise,
    portable_exp,
    softmax_without,
    whole_levels,
    whole_normals,
    whole_pixels,
)
from minisam.data.portable_random import stream

TOY = load("toy", train_size=1000, test_size=10).train


@given(hnp.arrays(float, st.integers(1, 20), elements=st.floats(-700, 0)))
def test_portable_exp_is_exp(x):
    # 2¹² squarings and products double the relative error of one: 2¹² · 2 roundings at most.
    assert np.allclose(portable_exp(x), np.exp(x), rtol=2**13 * 2.0**-53, atol=0)


@pytest.mark.fault("same-elsewhere", "data.instance.portable_exp")
def test_portable_exp_has_pinned_bits():
    assert portable_exp(np.array([-0.1, -1.0, -30.0])).tolist() == [
        0.9048374180361535,
        0.3678794411714939,
        9.35762296884124e-14,
    ]


@given(hnp.arrays(float, (3, 5), elements=st.floats(-1e4, 1e4)), st.integers(0, 4))
def test_softmax_without_a_class(z, excluded):
    p = softmax_without(z, excluded)
    others = np.delete(np.arange(5), excluded)
    assert np.all(p[:, excluded] == 0)
    shifted = z[:, others] - z[:, others].max(axis=1, keepdims=True)
    expected = np.exp(shifted) / np.exp(shifted).sum(axis=1, keepdims=True)
    assert np.allclose(p[:, others], expected, rtol=1e-11, atol=1e-300)


@pytest.mark.parametrize("rate", [0.0, 0.1, 0.4, 1.0])
def test_flip_rates_are_truncated_normal(rate):
    """Kolmogorov-Smirnov against scipy's distribution, at a confidence of 1 − 1e-6."""
    q = flip_rates(rate, 20_000, stream(0, "test"))
    assert q.shape == (20_000,)
    expected = stats.truncnorm((0 - rate) / 0.1, (1 - rate) / 0.1, loc=rate, scale=0.1)
    assert stats.kstest(q, expected.cdf).pvalue > 1e-6


def test_projections_are_normal_enough():
    """Mean, variance and kurtosis; eight bytes' sum has excess kurtosis −6/5 · 1/8."""
    n = 200_000
    whole = whole_normals(stream(0, "test"), n)
    assert np.array_equal(whole, np.rint(whole))
    w = whole / NORMAL_DEVIATION
    assert abs(w.mean()) < 5 / np.sqrt(n)
    assert abs(w.var() - 1) < 5 * np.sqrt(2 / n)
    assert abs(stats.kurtosis(w) + 0.15) < 5 * np.sqrt(24 / n)


def test_logits_are_exact_whole_numbers():
    """The same in float64 by BLAS, and in Python's integers: no order of adding can matter."""
    pixels = whole_pixels(TOY.images[:3], whole_levels(TOY.images))
    w = whole_normals(stream(0, "test"), 3072 * 4).reshape(3072, 4)
    exact = [
        [sum(int(a) * int(b) for a, b in zip(x, column, strict=True)) for column in w.T]
        for x in pixels
    ]
    assert (pixels @ w).tolist() == exact


@pytest.mark.parametrize("rate", [0.2, 0.4])
def test_rate_is_about_the_one_asked_for(rate):
    """The mean of the truncated normal, within five deviations of a binomial."""
    noisy = instance_noise(TOY.images, TOY.clean_labels, rate, 10)
    mean = stats.truncnorm((0 - rate) / 0.1, (1 - rate) / 0.1, loc=rate, scale=0.1).mean()
    n = len(noisy)
    assert abs(np.mean(noisy != TOY.clean_labels) - mean) < 5 * np.sqrt(mean * (1 - mean) / n)


def test_wrong_labels_follow_the_softmax():
    """Algorithm 2 in plain floating point, on images of one pixel, whose softmax is soft."""
    pixels = np.array([[0, 90, 200], [130, 40, 60], [255, 255, 120]], np.uint8)
    images = np.repeat(pixels, 20_000, axis=0).reshape(-1, 1, 1, 3)
    label, classes = 2, 5
    labels = np.full(len(images), label)
    noisy = instance_noise(images, labels, 0.5, classes)
    bits = stream(0, "instance projections")
    w = [whole_normals(bits, 3 * classes).reshape(3, classes) for _ in range(label + 1)][label]
    mean, std = channel_statistics(images)
    for pixel, seen in zip(pixels, noisy.reshape(3, -1), strict=True):
        z = (pixel / 255 - mean) / std @ w / NORMAL_DEVIATION
        z[label] = -np.inf
        p = np.exp(z) / np.exp(z).sum()
        wrong = seen[seen != label]
        assert abs(len(wrong) - 10_000) < 5 * np.sqrt(20_000 / 4)
        share = np.bincount(wrong, minlength=classes) / len(wrong)
        # Five deviations, and what rounding pixels to 1/256 of a deviation moves.
        assert np.all(abs(share - p) <= 5 * np.sqrt(p * (1 - p) / len(wrong)) + 0.02 * p)


def test_equal_images_of_a_class_take_the_same_wrong_label():
    """With images of many pixels the softmax is nearly one-hot: the image chooses the label."""
    images = np.repeat(TOY.images[:5], 50, axis=0)
    labels = np.repeat(TOY.clean_labels[:5], 50)
    noisy = instance_noise(images, labels, 0.9, 10)
    for first in range(0, 250, 50):
        group = noisy[first : first + 50]
        wrong = group[group != labels[first]]
        assert len(set(wrong.tolist())) <= 2
        assert len(wrong) > 25


def test_different_images_of_a_class_take_different_wrong_labels():
    noisy = instance_noise(TOY.images, TOY.clean_labels, 0.9, 10)
    for label in range(10):
        wrong = noisy[(TOY.clean_labels == label) & (noisy != label)]
        assert len(set(wrong.tolist())) >= 3


def test_purposes_share_projections_but_not_draws():
    """A validation set is noisy in the same way as the training set, not alike image by image."""
    a = instance_noise(TOY.images, TOY.clean_labels, 0.5, 10, purpose="noise")
    b = instance_noise(TOY.images, TOY.clean_labels, 0.5, 10, purpose="validation noise")
    both = (a != TOY.clean_labels) & (b != TOY.clean_labels)
    assert 150 < both.sum() < 350  # independent: a quarter of 1,000
    assert np.mean(a[both] == b[both]) > 0.9


@pytest.mark.fault("same-elsewhere", "data.instance.instance_noise")
def test_pinned_labels():
    """The same on every machine, though a linear algebra library and exp take part."""
    assert (
        label_hash(instance_noise(TOY.images, TOY.clean_labels, 0.4, 10))[:16] == "3466e81b2d20f11e"
    )


def test_arguments_are_left_alone():
    images, labels = TOY.images.copy(), TOY.clean_labels.copy()
    instance_noise(images, labels, 0.5, 10)
    assert np.array_equal(images, TOY.images)
    assert np.array_equal(labels, TOY.clean_labels)


@pytest.mark.fault("option-value", "data.instance.instance_noise")
@pytest.mark.fault("shape", "data.instance.instance_noise")
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        # A rate that no number of [0, 1] is near would be sought forever.
        *(({"rate": rate}, "rate must be a number in") for rate in (np.nan, 50, -9, True)),
        ({"n_classes": 1}, "n_classes must be a whole number of at least 2, got 1"),
        ({"clean_labels": np.array([0, 3])}, "labels must lie from 0 to 2"),
        ({"clean_labels": np.array([[0], [1]])}, "labels must be integers of shape"),
        ({"clean_labels": np.array([0, 1, 2])}, "3 labels do not go with 2 images"),
        ({"images": np.zeros((2, 4, 4, 3))}, "images must be uint8"),
        ({"seed": -1}, "seed must be a whole number"),
    ],
)
def test_arguments_without_sense_are_named(changes, message):
    good = {"images": np.zeros((2, 4, 4, 3), np.uint8), "clean_labels": np.array([0, 1])}
    with pytest.raises(ValueError, match=message):
        instance_noise(**{**good, "rate": 0.5, "n_classes": 3, **changes})
