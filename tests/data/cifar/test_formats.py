"""Each format's parser: what is right is read, what is wrong is named."""

import contextlib
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minisam.data.cifar.formats import channels_last, parse
from minisam.data.cifar.layouts import layouts
from minisam.data.cifar.write import encode_batch, pickle_2

PYTHON, BINARY = layouts("cifar10")
PYTHON_100, BINARY_100 = layouts("cifar100")
(IMAGENET,) = layouts("imagenet32")


def batch(n=3, **changes):
    rng = np.random.default_rng(0)
    content = {"data": rng.integers(0, 256, (n, 3072), np.uint8), "labels": [0, 9, 5][:n]}
    content.update(changes)
    return {key: value for key, value in content.items() if value is not None}


def test_channels_last_is_the_transposition():
    planes = np.random.default_rng(0).integers(0, 256, (300, 3072), np.uint8)
    images = np.empty((300, 32, 32, 3), np.uint8)
    channels_last(planes, images)
    assert np.array_equal(images, planes.reshape(300, 3, 32, 32).transpose(0, 2, 3, 1))


def test_a_pixel_is_where_the_format_says(toy_data):
    """Byte 1024 c + 32 y + x is channel c of the pixel in row y, column x."""
    data = encode_batch(toy_data.train, np.arange(5), BINARY, "")
    image = toy_data.train.images[1]
    record = data[3073 : 2 * 3073]
    assert record[0] == toy_data.train.labels[1]
    assert record[1 + 1024 * 2 + 32 * 7 + 5] == image[7, 5, 2]


@pytest.mark.parametrize("layout", [PYTHON, BINARY])
def test_ten_classes_come_back(layout, toy_data):
    read = parse(encode_batch(toy_data.train, np.arange(50), layout, "title"), layout)
    images = np.empty_like(toy_data.train.images)
    channels_last(read.planes, images)
    assert np.array_equal(images, toy_data.train.images)
    assert np.array_equal(read.labels[0], toy_data.train.labels)


@pytest.mark.parametrize("layout", [PYTHON_100, BINARY_100])
def test_both_kinds_of_labels_come_back(layout, hundred_classes):
    train = hundred_classes.train
    fine, coarse = parse(encode_batch(train, np.arange(200), layout, ""), layout).labels
    assert np.array_equal(fine, train.labels)
    assert np.array_equal(coarse, train.coarse_labels)


def test_the_coarse_label_comes_first_in_the_binary_version():
    record = bytes([19, 99]) + bytes(3072)
    fine, coarse = parse(record, BINARY_100).labels
    assert (fine.tolist(), coarse.tolist()) == ([99], [19])


def test_imagenet_counts_from_1():
    content = pickle.dumps(batch(labels=[1, 1000, 500]))
    assert parse(content, IMAGENET).labels[0].tolist() == [0, 999, 499]
    with pytest.raises(ValueError, match="do not lie from 1 to 1000"):
        parse(pickle.dumps(batch(labels=[0, 1, 2])), IMAGENET)


def test_labels_may_be_an_array():
    content = pickle.dumps(batch(labels=np.array([0, 9, 5], np.uint8)))
    assert parse(content, PYTHON).labels[0].tolist() == [0, 9, 5]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (batch(data=None), "it has no 'data'"),
        (batch(labels=None), "it has no 'labels'"),
        (batch(labels=[0, 9]), "it has 3 images but 2 labels"),
        (batch(labels=[0, 9, 10]), "'labels' do not lie from 0 to 9"),
        (batch(labels=[0, 9, -1]), "'labels' do not lie from 0 to 9"),
        (batch(labels=[0, 9, 10**30]), "do not lie from 0 to 9|damaged"),
        (batch(labels=[0.0, 1.0, 2.0]), "'labels' are no whole numbers"),
        (batch(labels=["a", "b", "c"]), "'labels' are no whole numbers"),
        (batch(labels=[True, False, True]), "'labels' are no whole numbers"),
        (batch(labels=5), "'labels' are no whole numbers"),
        (batch(labels=np.zeros((3, 1), int)), "'labels' are no whole numbers"),
        (batch(data=b"abc"), "'data' is no array of bytes"),
        (batch(data=np.zeros((3, 3072))), "'data' is no array of bytes"),
        (batch(data=np.zeros((3, 3071), np.uint8)), r"'data' has shape \(3, 3071\)"),
        (batch(data=np.zeros((0, 3072), np.uint8), labels=[]), r"'data' has shape \(0, 3072\)"),
        (batch(data=np.zeros(3072, np.uint8)), r"'data' has shape \(3072,\)"),
    ],
)
def test_wrong_contents_are_named(content, message):
    with pytest.raises(ValueError, match=message):
        parse(pickle.dumps(content), PYTHON)


@pytest.mark.parametrize("size", [0, 1, 3072, 3074, 2 * 3073 - 1])
def test_binary_files_have_whole_records(size):
    with pytest.raises(ValueError, match=f"its {size} bytes are no whole number of records"):
        parse(bytes(size), BINARY)


def test_binary_labels_are_checked():
    with pytest.raises(ValueError, match="do not lie from 0 to 9"):
        parse(bytes([10]) + bytes(3072), BINARY)


@given(data=st.binary(max_size=200))
def test_any_bytes_give_a_batch_or_a_value_error(data):
    for layout in (PYTHON, BINARY, PYTHON_100, BINARY_100, IMAGENET):
        try:
            read = parse(data, layout)
        except ValueError:
            continue
        assert {len(kind) for kind in read.labels} == {len(read.planes)}


@given(st.data())
def test_any_damage_to_a_pickle_gives_a_batch_or_a_value_error(data):
    whole = bytearray(pickle_2(batch(n=1, labels=[3])))
    for _ in range(data.draw(st.integers(1, 4))):
        # Nearly all of the file is pixels: damage what is not.
        place = data.draw(st.integers(0, 250) | st.integers(len(whole) - 20, len(whole) - 1))
        whole[place] = data.draw(st.integers(0, 255))
    del whole[data.draw(st.integers(0, len(whole))) :]
    with contextlib.suppress(ValueError):
        read = parse(bytes(whole), PYTHON)
        assert {len(kind) for kind in read.labels} == {len(read.planes)}
