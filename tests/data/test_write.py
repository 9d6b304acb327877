"""Files in CIFAR's formats: read by the loaders of others, written whole, refused when unfit."""

import pickle

import numpy as np
import pytest

from minisam.data import LabelNoise, load
from minisam.data.write import pickle_2, write


@pytest.mark.parametrize("encoding", ["latin1", "bytes"])
def test_other_loaders_read_the_pickles(encoding, toy_data, tmp_path):
    """One common loader decodes the keys as text, another as bytes."""
    folder = write(toy_data, tmp_path)

    def key(name):
        return name if encoding == "latin1" else name.encode()

    images, labels = [], []
    for i in range(1, 6):
        with open(folder / f"data_batch_{i}", "rb") as file:
            batch = pickle.load(file, encoding=encoding)
        images.append(batch[key("data")])
        labels += batch[key("labels")]
        assert len(batch[key("filenames")]) == 10
    images = np.vstack(images).reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    assert np.array_equal(images, toy_data.train.images)
    assert labels == toy_data.train.labels.tolist()
    with open(folder / "batches.meta", "rb") as file:
        names = pickle.load(file, encoding=encoding)[key("label_names")]
    assert names == [key(name) for name in toy_data.class_names]


def test_other_loaders_read_the_binary_version(toy_data, tmp_path):
    folder = write(toy_data, tmp_path, version="binary")
    records = np.fromfile(folder / "test_batch.bin", np.uint8).reshape(-1, 3073)
    assert np.array_equal(records[:, 0], toy_data.test.labels)
    planes = toy_data.test.images.transpose(0, 3, 1, 2).reshape(-1, 3072)
    assert np.array_equal(records[:, 1:], planes)
    names = (folder / "batches.meta.txt").read_text().split()
    assert names == list(toy_data.class_names)


def test_noisy_labels_are_written(tmp_path):
    data = load("toy", noise=LabelNoise("symmetric", 0.4), train_size=50, test_size=10)
    write(data, tmp_path)
    again = load("cifar10", tmp_path, unknown_files=True)
    assert np.array_equal(again.train.labels, data.train.labels)
    assert np.array_equal(again.test.labels, data.test.clean_labels)


def test_nothing_but_the_files_is_left(toy_data, tmp_path):
    folder = write(toy_data, tmp_path)
    expected = [f"data_batch_{i}" for i in range(1, 6)]
    assert sorted(p.name for p in folder.iterdir()) == ["batches.meta", *expected, "test_batch"]


@pytest.mark.parametrize(
    ("like", "version", "message"),
    [
        ("cifar100", "python", "cifar100 has 100 and 20 classes, toy has 10 and 0"),
        ("imagenet32", "python", "like must be cifar10 or cifar100"),
        ("cifar10", "matlab", "version of cifar10 must be one of python, binary"),
        ("mnist", "python", "data set must be one of"),
    ],
)
def test_unfit_data_is_refused(like, version, message, toy_data, tmp_path):
    with pytest.raises(ValueError, match=message):
        write(toy_data, tmp_path / "new", like, version)
    assert not (tmp_path / "new").exists()


def test_too_few_images_are_refused(tmp_path):
    with pytest.raises(ValueError, match="5 files, which need an image each"):
        write(load("toy", train_size=4, test_size=1), tmp_path)


def test_other_types_are_not_pickled():
    with pytest.raises(TypeError, match="a CIFAR file holds no set"):
        pickle_2({"a": {1}})
