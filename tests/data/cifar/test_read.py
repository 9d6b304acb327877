"""Whole data sets from folders and archives; the official CIFAR-10 where it is."""

import pickle
import shutil
import tarfile
from pathlib import Path

import numpy as np
import pytest

from minisam.data import channel_statistics, load
from minisam.data.cifar.layouts import LAYOUTS, layouts
from minisam.data.cifar.read import read_dataset
from minisam.data.cifar.write import write_dataset


@pytest.fixture(scope="module")
def official(real_data):
    return load("cifar10", real_data)


def same(ours, theirs):
    return all(
        np.array_equal(a.images, b.images) and np.array_equal(a.labels, b.labels)
        for a, b in ((ours.train, theirs.train), (ours.test, theirs.test))
    )


def test_official_cifar_10_has_its_published_facts(official):
    train, test = official.train, official.test
    assert (train.images.shape, train.images.dtype) == ((50_000, 32, 32, 3), np.uint8)
    assert test.images.shape == (10_000, 32, 32, 3)
    assert train.labels[:10].tolist() == [6, 9, 9, 4, 1, 1, 2, 7, 8, 3]
    assert np.bincount(train.labels).tolist() == [5000] * 10
    assert np.bincount(test.labels).tolist() == [1000] * 10
    names = "airplane automobile bird cat deer dog frog horse ship truck"
    assert " ".join(official.class_names) == names
    mean, std = channel_statistics(train.images)
    # Published to ten digits.
    assert np.allclose(mean, [0.4913996786, 0.4821584084, 0.4465309145], rtol=0, atol=1.01e-10)
    assert np.allclose(std, [0.2470322325, 0.2434851280, 0.2615878417], rtol=0, atol=1.01e-10)
    assert train.images.flags.c_contiguous


def test_both_versions_of_official_cifar_10_are_equal(official, tmp_path):
    """Written as the binary version and read back: labels and pixels."""
    write_dataset(official, tmp_path, version="binary")
    binary = read_dataset("cifar10", tmp_path)
    assert same(binary, official)
    assert binary.class_names == official.class_names


@pytest.mark.parametrize("version", ["python", "binary"])
def test_ten_classes_written_and_read(version, toy_data, tmp_path):
    write_dataset(toy_data, tmp_path, version=version)
    source = read_dataset("cifar10", tmp_path, unknown_files=True)
    assert same(source, toy_data)
    assert source.class_names == toy_data.class_names
    assert source.train.coarse_labels is None


@pytest.mark.parametrize("version", ["python", "binary"])
def test_a_hundred_classes_written_and_read(version, hundred_classes, tmp_path):
    write_dataset(hundred_classes, tmp_path, "cifar100", version)
    source = read_dataset("cifar100", tmp_path, unknown_files=True)
    assert same(source, hundred_classes)
    assert np.array_equal(source.train.coarse_labels, hundred_classes.train.coarse_labels)
    assert source.class_names == hundred_classes.class_names
    assert source.coarse_class_names == hundred_classes.coarse_class_names


def imagenet(folder: Path, train: Path, test: Path) -> np.ndarray:
    """Write eleven small ImageNet32 batches; return the images' planes."""
    (layout,) = layouts("imagenet32")
    planes = np.random.default_rng(0).integers(0, 256, (12, 3072), np.uint8)
    parts = [planes[:1], planes[1:3], *planes[3:11, None], planes[11:]]
    label = 1
    for name, part in zip((*layout.train, layout.test), parts, strict=True):
        target = test if name == layout.test else train
        target.mkdir(exist_ok=True)
        labels = [label * 83 for label in range(label, label + len(part))]
        content = {"data": part, "labels": labels, "mean": part.mean(axis=0)}
        if name == layout.test:
            del content["mean"]
        (target / name).write_bytes(pickle.dumps(content))
        label += len(part)
    return planes


@pytest.mark.parametrize("folders", [(".", "."), ("Imagenet32_train", "Imagenet32_val")])
def test_imagenet32_folders(folders, tmp_path):
    """Labels from 1 become labels from 0; batches of different sizes; ten after nine."""
    train, test = (tmp_path / folder for folder in folders)
    planes = imagenet(tmp_path, train, test)
    source = read_dataset("imagenet32", tmp_path, unknown_files=True)
    images = planes.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    assert np.array_equal(source.train.images, images[:11])
    assert np.array_equal(source.test.images, images[11:])
    assert source.train.labels.tolist() == [83 * i - 1 for i in range(1, 12)]
    assert source.test.labels.tolist() == [995]
    assert len(source.class_names) == 1000


def pack(folder: Path, archive: Path) -> None:
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(folder, folder.name)


def test_an_archive_is_unpacked_beside_itself(toy_data, tmp_path):
    folder = write_dataset(toy_data, tmp_path)
    pack(folder, tmp_path / "cifar-10-python.tar.gz")
    shutil.rmtree(folder)
    assert same(read_dataset("cifar10", tmp_path, unknown_files=True), toy_data)
    assert folder.is_dir()


def test_an_archive_of_a_read_only_folder_is_unpacked_in_the_cache(toy_data, tmp_path, monkeypatch):
    pack(write_dataset(toy_data, tmp_path / "made"), tmp_path / "cifar-10-python.tar.gz")
    monkeypatch.setenv("MINISAM_DATA", str(tmp_path / "cache"))
    monkeypatch.setattr("minisam.data.cifar.read.os.access", lambda path, mode: False)
    assert same(read_dataset("cifar10", tmp_path, unknown_files=True), toy_data)
    assert (tmp_path / "cache" / "cifar-10-batches-py").is_dir()
    assert not (tmp_path / "cifar-10-batches-py").exists()


@pytest.mark.fault("file-written", "load")
def test_an_archive_in_a_read_only_cache_is_unpacked_in_the_platforms(
    toy_data, tmp_path, monkeypatch
):
    """$MINISAM_DATA may be a folder of many users: what is then written to is one's own."""
    pack(write_dataset(toy_data, tmp_path / "made"), tmp_path / "cifar-10-python.tar.gz")
    monkeypatch.setenv("MINISAM_DATA", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "own"))
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr("minisam.data.cifar.read.os.access", lambda path, mode: False)
    assert same(read_dataset("cifar10", unknown_files=True), toy_data)
    assert (tmp_path / "own" / "minisam" / "cifar-10-batches-py").is_dir()
    assert not (tmp_path / "cifar-10-batches-py").exists()


def test_an_incomplete_folder_is_completed_from_the_archive(toy_data, tmp_path):
    folder = write_dataset(toy_data, tmp_path)
    pack(folder, tmp_path / "cifar-10-python.tar.gz")
    (folder / "test_batch").unlink()
    (folder / "mine.txt").write_text("keep")
    assert same(read_dataset("cifar10", tmp_path, unknown_files=True), toy_data)
    assert (folder / "mine.txt").read_text() == "keep"


def test_the_unpacked_folder_itself_may_be_named(cifar10_folder, toy_data):
    folder = cifar10_folder / "cifar-10-batches-py"
    assert same(read_dataset("cifar10", folder, unknown_files=True), toy_data)


def test_the_environment_names_the_folder(cifar10_folder, toy_data, monkeypatch):
    monkeypatch.setenv("MINISAM_DATA", str(cifar10_folder))
    assert same(read_dataset("cifar10", unknown_files=True), toy_data)


def test_a_version_can_be_asked_for(toy_data, tmp_path):
    write_dataset(toy_data, tmp_path, version="binary")
    assert same(read_dataset("cifar10", tmp_path, version="binary"), toy_data)
    with pytest.raises(FileNotFoundError, match=r"put cifar-10-python\.tar\.gz there"):
        read_dataset("cifar10", tmp_path, version="python")


def test_every_layout_says_how_to_get_it(tmp_path):
    for layout in LAYOUTS:
        with pytest.raises(FileNotFoundError) as raised:
            read_dataset(layout.name, tmp_path, layout.version)
        message = str(raised.value)
        assert str(tmp_path) in message
        if layout.archive:
            assert layout.archive in message
            assert layout.hashes[layout.archive].split(":")[1] in message
        else:
            assert layout.test in message
