"""Random damage to small files of every kind: the parsers raise nothing but what they document."""

import contextlib
import gzip
import io
import os
import pickle
import tarfile
import zipfile

import numpy as np
import pytest
from fuzzing import SECONDS, answer, damage, search

from minisam.data import LabelNoise, load
from minisam.data.cifar.archive import unpack_archive
from minisam.data.cifar.find import BadFile
from minisam.data.cifar.formats import parse
from minisam.data.cifar.layouts import layouts
from minisam.data.cifar.write import pickle_2, write_dataset
from minisam.data.human_noise import human_labels
from minisam.data.matrix_files import read_matrix


def pickled_seeds():
    planes = np.random.default_rng(0).integers(0, 256, (2, 3072), np.uint8)
    content = {"data": planes, "labels": [1, 2], "fine_labels": [3, 4], "coarse_labels": [5, 6]}
    yield pickle_2(content)
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        yield pickle.dumps(content, protocol=protocol)


@pytest.mark.slow
@pytest.mark.parametrize("layout", [*layouts("cifar10"), *layouts("cifar100")], ids=str)
def test_parsers(layout):
    record = bytes([3] * len(layout.labels)) + bytes(range(256)) * 12
    seeds = list(pickled_seeds()) if layout.version == "python" else [record, 2 * record]

    def attempt(content):
        try:
            parse(content, layout)
        except ValueError as error:  # anything else fails the test
            return str(error)
        return "read"

    tried, said = search(seeds, attempt, SECONDS / 4)
    print(f"{layout.name} {layout.version}: {tried:,} inputs, {len(said)} kinds of answers")
    assert tried > 1000
    assert "read" in said
    assert len(said) >= 3


def archive_seeds():
    for form in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT):
        file = io.BytesIO()
        with tarfile.open(fileobj=file, mode="w", format=form) as tar:
            for name in ("set/a", "set/b", f"set/{'x' * 90}"):
                info = tarfile.TarInfo(name)
                info.size = 700
                tar.addfile(info, io.BytesIO(os.urandom(700)))
        yield file.getvalue()


@pytest.mark.slow
def test_archives(tmp_path):
    path, target = tmp_path / "x.tar.gz", tmp_path / "target"

    def attempt(content):
        path.write_bytes(gzip.compress(content, 1) if len(content) % 2 else content)
        try:
            unpack_archive(path, "set", ("a", "b"), target)
        except BadFile as error:
            assert os.listdir(target) in ([], ["set"])
            return str(error)
        assert sorted(os.listdir(target / "set")) == ["a", "b"]
        return "unpacked"

    tried, said = search(archive_seeds(), attempt, SECONDS / 2)
    print(f"archives: {tried:,} inputs, {len(said)} kinds of answers")
    assert sorted(os.listdir(tmp_path)) == ["target", "x.tar.gz"]
    assert tried > 100
    assert "unpacked" in said


def label_file_seeds(suffix):
    clean = np.arange(20) % 10
    good = {"clean_label": clean, "worse_label": (clean + 1) % 10, "names": np.array(["a", "b"])}
    file = io.BytesIO()
    if suffix == ".npz":
        np.savez(file, **good)
    elif suffix == ".npy":
        np.save(file, good, allow_pickle=True)
    else:
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("x/data.pkl", pickle.dumps(good, protocol=2))
    yield file.getvalue()
    if suffix == ".npz":
        file = io.BytesIO()
        np.savez_compressed(file, **good)
        yield file.getvalue()


@pytest.mark.slow
@pytest.mark.fault("file-read", "human labels")
@pytest.mark.parametrize("suffix", [".npz", ".npy", ".pt"])
def test_label_files(suffix, tmp_path):
    path = tmp_path / f"x{suffix}"
    noise = LabelNoise("human", labels="worse", path=path)

    def read():
        labels = human_labels(noise, "cifar10", tmp_path, np.arange(20) % 10)
        assert labels.shape == (20,)
        assert np.all((labels >= 0) & (labels < 10))

    def attempt(content):
        path.write_bytes(content)
        return answer(path, read)

    seeds = list(label_file_seeds(suffix))
    assert {attempt(seed) for seed in seeds} == {"read"}  # a changed byte fails a zip's checksum
    tried, said = search(seeds, attempt, SECONDS / 4)
    print(f"human labels {suffix}: {tried:,} inputs, {len(said)} kinds of answers")
    assert tried > 100
    assert len(said) >= 3


@pytest.mark.slow
@pytest.mark.fault("file-read", "matrix file")
@pytest.mark.parametrize("suffix", [".csv", ".npy"])
def test_matrix_files(suffix, tmp_path):
    path = tmp_path / f"T{suffix}"
    matrix = np.full((4, 4), 0.25)
    file = io.BytesIO()
    np.save(file, matrix)
    text = "# T\n" + "\n".join(",".join(map(str, row)) for row in matrix.tolist())
    texts = [text.encode(), text.replace(",", ";").replace(".", ",").encode("utf-8-sig")]

    def read():
        stored = read_matrix(path, 4)
        assert stored.shape == (4, 4)
        assert np.all(abs(stored.sum(axis=1) - 1) <= 1e-6)

    def attempt(content):
        path.write_bytes(content)
        return answer(path, read)

    tried, said = search(texts if suffix == ".csv" else [file.getvalue()], attempt, SECONDS / 4)
    print(f"matrices {suffix}: {tried:,} inputs, {len(said)} kinds of answers")
    assert tried > 100
    assert "read" in said
    assert len(said) >= 3


@pytest.mark.slow
@pytest.mark.fault("file-read", "CIFAR pickle", "CIFAR binary")
@pytest.mark.parametrize("version", ["python", "binary"])
def test_whole_folders(version, tmp_path, toy_data):
    """Any one file of a folder is damaged; what is read has a label of ten to every image."""
    folder = write_dataset(toy_data, tmp_path, version=version)
    paths = sorted(folder.iterdir())
    whole = {path: path.read_bytes() for path in paths}
    rng = np.random.default_rng(1)

    def read():
        data = load("cifar10", tmp_path, version=version, unknown_files=True)
        for split in (data.train, data.test):
            assert len(split.images) == len(split.labels) > 0
            assert np.all((split.labels >= 0) & (split.labels < 10))

    def attempt(content):
        path = paths[rng.integers(len(paths))]
        path.write_bytes(damage(rng, whole[path]))
        try:
            return answer(path, read)
        finally:
            path.write_bytes(whole[path])

    tried, said = search([b""], attempt, SECONDS / 4)
    print(f"folders, {version}: {tried:,} inputs, {len(said)} kinds of answers")
    assert tried > 100
    assert "read" in said


def test_the_search_finds_a_planted_fault():
    """A parser that fails on one byte in one place is found out within a second."""

    def attempt(content):
        with contextlib.suppress(IndexError):
            if content[3] == 0xFF:
                raise RuntimeError
        return "read"

    with pytest.raises(RuntimeError):
        search([b"0123456789"], attempt, seconds=5)
