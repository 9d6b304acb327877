"""Files in CIFAR's formats: read by the loaders of others, written whole, refused when unfit."""

import os
import pickle
import shutil
import tarfile

import numpy as np
import pytest
from disks import full_disk

from minisam.data import LabelNoise, load
from minisam.data.cifar.write import pickle_2, write_dataset


@pytest.mark.parametrize("encoding", ["latin1", "bytes"])
def test_other_loaders_read_the_pickles(encoding, toy_data, tmp_path):
    """One common loader decodes the keys as text, another as bytes."""
    folder = write_dataset(toy_data, tmp_path)

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
    folder = write_dataset(toy_data, tmp_path, version="binary")
    records = np.fromfile(folder / "test_batch.bin", np.uint8).reshape(-1, 3073)
    assert np.array_equal(records[:, 0], toy_data.test.labels)
    planes = toy_data.test.images.transpose(0, 3, 1, 2).reshape(-1, 3072)
    assert np.array_equal(records[:, 1:], planes)
    names = (folder / "batches.meta.txt").read_text().split()
    assert names == list(toy_data.class_names)


def test_noisy_labels_are_written(tmp_path):
    data = load("toy", noise=LabelNoise("symmetric", 0.4), train_size=50, test_size=10)
    write_dataset(data, tmp_path)
    again = load("cifar10", tmp_path, unknown_files=True)
    assert np.array_equal(again.train.labels, data.train.labels)
    assert np.array_equal(again.test.labels, data.test.clean_labels)


def test_nothing_but_the_files_is_left(toy_data, tmp_path):
    folder = write_dataset(toy_data, tmp_path)
    expected = [f"data_batch_{i}" for i in range(1, 6)]
    assert sorted(p.name for p in folder.iterdir()) == ["batches.meta", *expected, "test_batch"]


def content(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


OTHER = load("toy", train_size=10, test_size=5, noise=LabelNoise("symmetric", 0.4))


@pytest.mark.fault("file-written", "data write")
@pytest.mark.parametrize("version", ["python", "binary"])
@pytest.mark.parametrize("way", ["itself", "linked folder", "linked files", "hard links", "part"])
def test_a_data_set_that_is_there_is_kept(way, version, toy_data, tmp_path):
    """Whether it was read or not, and by whatever path the folder is reached."""
    source, target = tmp_path / "source", tmp_path / "target"
    folder = write_dataset(toy_data, source, version=version)
    if way == "itself":
        target = source / ".." / "source"
    elif way == "linked folder":
        target.symlink_to(source, target_is_directory=True)
    elif way == "part":
        target = source
        for path in sorted(folder.iterdir())[1:]:
            path.unlink()
    else:
        (target / folder.name).mkdir(parents=True)
        for path in folder.iterdir():
            link = os.link if way == "hard links" else os.symlink
            link(path, target / folder.name / path.name)
    before = content(tmp_path)
    with pytest.raises(FileExistsError, match=r"batch.* is there already, .*force=True"):
        write_dataset(OTHER, target, version=version)
    assert content(tmp_path) == before
    write_dataset(OTHER, target, version=version, force=True)
    again = load("cifar10", target, version=version, unknown_files=True)
    assert np.array_equal(again.train.labels, OTHER.train.labels)
    if "links" in way or "files" in way:  # the source has no part in it
        assert {path: data for path, data in content(source).items()} == {
            path: data for path, data in before.items() if source in path.parents
        }


@pytest.mark.fault("file-written", "data write")
@pytest.mark.parametrize("there", ["files in the folder itself", "binary version", "archive"])
def test_what_is_written_is_not_read_instead_of_what_is_there(there, toy_data, tmp_path):
    """`load` looks into the layout's folder first, at pickles first, and at archives last."""
    folder = write_dataset(toy_data, tmp_path, version="binary" if "binary" in there else "python")
    if there == "archive":
        with tarfile.open(tmp_path / "cifar-10-python.tar.gz", "w:gz") as tar:
            tar.add(folder, folder.name)
        shutil.rmtree(folder)
    elif "itself" in there:
        for path in folder.iterdir():
            path.rename(tmp_path / path.name)
        folder.rmdir()
    before = content(tmp_path)
    with pytest.raises(FileExistsError, match=r"is there already, .* no longer found"):
        write_dataset(OTHER, tmp_path)
    assert content(tmp_path) == before
    write_dataset(OTHER, tmp_path, force=True)
    again = load("cifar10", tmp_path, unknown_files=True)
    assert np.array_equal(again.train.labels, OTHER.train.labels)


@pytest.mark.fault("file-written", "data write")
def test_a_folder_of_other_things_and_other_data_sets_is_written_to(
    toy_data, hundred_classes, tmp_path
):
    (tmp_path / "cifar-10-batches-py").mkdir()
    (tmp_path / "cifar-10-batches-py" / "mine.txt").write_text("mine")
    write_dataset(toy_data, tmp_path)
    write_dataset(toy_data, tmp_path, version="binary")  # the pickles are still found first
    write_dataset(hundred_classes, tmp_path, "cifar100")
    assert (tmp_path / "cifar-10-batches-py" / "mine.txt").read_text() == "mine"
    assert len(load("cifar10", tmp_path, unknown_files=True).train.labels) == 50


@pytest.mark.fault("file-written", "data write")
@pytest.mark.parametrize("version", ["python", "binary"])
@pytest.mark.parametrize("force", [False, True])
def test_a_full_disk_leaves_nothing_or_what_was_there(version, force, toy_data, tmp_path):
    """The test file, of ten images, is the first that is too large."""
    data = toy_data._replace(train=OTHER.train)
    if force:
        write_dataset(OTHER, tmp_path, version=version)
    before = content(tmp_path)
    with full_disk(20_000), pytest.raises(OSError, match="too large"):
        write_dataset(data, tmp_path, version=version, force=force)
    assert content(tmp_path) == before
    assert sorted(tmp_path.iterdir()) == sorted({path.parent for path in before})


@pytest.mark.fault("file-written", "data write")
@pytest.mark.fault("home-folder", "data write")
def test_the_folder_is_made_and_may_begin_with_a_tilde(toy_data, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    write_dataset(toy_data, "~/a/b")
    assert load("cifar10", tmp_path / "a" / "b", unknown_files=True).name == "cifar10"
    (tmp_path / "file").write_text("x")
    with pytest.raises(OSError, match="file"):
        write_dataset(toy_data, tmp_path / "file")


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
        write_dataset(toy_data, tmp_path / "new", like, version)
    assert not (tmp_path / "new").exists()


def test_too_few_images_are_refused(tmp_path):
    with pytest.raises(ValueError, match="5 files, which need an image each, toy has 4 im"):
        write_dataset(load("toy", train_size=4, test_size=1), tmp_path)


def test_other_types_are_not_pickled():
    with pytest.raises(TypeError, match="a CIFAR file holds no set"):
        pickle_2({"a": {1}})
