"""The toy set: the same bytes everywhere, balanced, nested, and drawn as its shapes say."""

import hashlib

import numpy as np
import pytest

from minisam.data import toy

# Every pixel of the default set. It can only change with a new kind of image, never with a library.
PINNED = "12490486acb29334e897db3499c797fbefacbee144704288df6bef06cca330d7"


@pytest.mark.fault("same-elsewhere", "data.toy.toy")
def test_the_bytes_are_the_same_on_every_machine():
    train, train_labels, test, test_labels = toy.toy()
    content = b"".join(
        part.astype(part.dtype.newbyteorder("<")).tobytes()
        for part in (train, train_labels, test, test_labels)
    )
    assert hashlib.sha256(content).hexdigest() == PINNED


def test_shapes_and_types():
    train, train_labels, test, test_labels = toy.toy(n_train=25, n_test=7)
    assert (train.shape, train.dtype) == ((25, 32, 32, 3), np.uint8)
    assert (test.shape, test.dtype) == ((7, 32, 32, 3), np.uint8)
    assert (train_labels.shape, train_labels.dtype) == ((25,), np.int64)
    assert (test_labels.shape, test_labels.dtype) == ((7,), np.int64)


def test_every_ten_in_a_row_show_each_class_once():
    _, labels, _, _ = toy.toy(n_train=60, n_test=0)
    assert np.array_equal(np.sort(labels.reshape(6, 10)), np.tile(np.arange(10), (6, 1)))


@pytest.mark.parametrize("n", [0, 1, 199, 200, 201])
def test_a_smaller_set_is_the_beginning_of_a_larger(n):
    large, large_labels, _, _ = toy.toy(n_train=210, n_test=0)
    small, small_labels, _, _ = toy.toy(n_train=n, n_test=0)
    assert np.array_equal(small, large[:n])
    assert np.array_equal(small_labels, large_labels[:n])


def test_seeds_and_splits_give_different_images():
    a, _, b, _ = toy.toy(20, 20, seed=0)
    c, _, _, _ = toy.toy(20, 0, seed=1)
    assert not np.array_equal(a, b)
    assert not np.array_equal(a, c)


def test_no_image_is_in_both_splits():
    train, _, test, _ = toy.toy()
    assert not {image.tobytes() for image in train} & {image.tobytes() for image in test}


def test_the_shapes_are_distinct_at_every_size():
    x = np.arange(-16, 17)
    for radius in range(3, 13):
        masks = [toy.covers(kind, x, x[:, None], radius).tobytes() for kind in range(10)]
        assert len(set(masks)) == 10


def test_colour_alone_does_not_give_the_class_away():
    """Nearest class mean, a linear rule on pixels, stays far below what shapes allow."""
    train, labels, test, test_labels = toy.toy()
    means = np.array([train[labels == k].mean(axis=0).reshape(-1) for k in range(10)])
    pixels = test.reshape(len(test), -1).astype(np.float64)
    distance = (means**2).sum(axis=1) - 2 * pixels @ means.T
    accuracy = np.mean(distance.argmin(axis=1) == test_labels)
    assert 0.2 < accuracy < 0.6


@pytest.mark.fault("machine-size", "data.toy.toy")
@pytest.mark.fault("option-value", "data.toy.toy")
@pytest.mark.parametrize("size", [-1, 10**12, 2.0, True, None, "2"])
def test_sizes_without_sense_are_named(size):
    for name in ("n_train", "n_test"):
        with pytest.raises(
            ValueError, match=rf"^{name} must be a whole number from 0 to 1,000,000"
        ):
            toy.toy(**{name: size})


@pytest.mark.fault("shape", "data.toy.toy")
def test_no_images_are_images_too():
    images, labels, _, _ = toy.toy(0, 1)
    assert (images.shape, labels.shape) == ((0, 32, 32, 3), (0,))
