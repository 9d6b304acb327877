"""Labels by people: every format read alike, every mismatch refused."""

import io
import json
import os
import pickle
import zipfile

import numpy as np
import pytest
from broken_files import IN_ITS_PLACE, lock

from minisam.data import LabelNoise
from minisam.data.cifar.find import BadFile
from minisam.data.human_noise import human_labels
from minisam.data.noise import check_noise

CLEAN = np.arange(40) % 10
LABELS = {
    "clean_label": CLEAN,
    "worse_label": (CLEAN + (np.arange(40) < 16)) % 10,
    "random_label1": (CLEAN + (np.arange(40) < 7)) % 10,
}
PUBLISHED = {  # per cent of 50,000
    "aggre": 9.01,
    "random1": 17.23,
    "random2": 18.12,
    "random3": 17.64,
    "worse": 40.21,
}


def torch_file(content):
    """What `torch.save` makes of a dictionary of NumPy arrays."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("CIFAR-10_human/data.pkl", pickle.dumps(content, protocol=2))
        archive.writestr("CIFAR-10_human/version", "3\n")
    return file.getvalue()


def save(path, content):
    if path.suffix == ".npz":
        np.savez(path, **content)
    elif path.suffix == ".npy":
        np.save(path, content, allow_pickle=True)
    else:
        path.write_bytes(torch_file(content))
    return path


def read(path, labels="worse", clean=CLEAN):
    noise = LabelNoise("human", labels=labels, path=str(path))
    return human_labels(noise, "cifar10", path.parent, clean)


@pytest.mark.parametrize("suffix", [".npz", ".npy", ".pt"])
@pytest.mark.parametrize("name", ["worse", "worse_label", "random1", "random_label1"])
def test_every_format_gives_the_labels(suffix, name, tmp_path):
    path = save(tmp_path / f"labels{suffix}", LABELS)
    key = "worse_label" if "worse" in name else "random_label1"
    labels = read(path, name)
    assert labels.dtype == np.int64
    assert np.array_equal(labels, LABELS[key])


@pytest.mark.parametrize("file", ["cifar10n_labels.npz", "CIFAR-10_human.npy", "CIFAR-10_human.pt"])
@pytest.mark.parametrize("below", [".", "cifar-10-batches-py"])
def test_the_file_is_found_in_or_beside_the_folder(file, below, tmp_path):
    (tmp_path / "cifar-10-batches-py").mkdir()
    save(tmp_path / file, LABELS)
    noise = LabelNoise("human", labels="worse")
    assert np.array_equal(
        human_labels(noise, "cifar10", tmp_path / below, CLEAN), LABELS["worse_label"]
    )


@pytest.mark.parametrize("suffix", [".npz", ".npy", ".pt"])
def test_labels_in_another_order_are_refused(suffix, tmp_path):
    order = np.random.default_rng(0).permutation(40)
    path = save(tmp_path / f"x{suffix}", {key: value[order] for key, value in LABELS.items()})
    with pytest.raises(ValueError, match=r"is in another order: its clean labels differ .* of 40"):
        read(path)


def test_one_differing_clean_label_is_enough(tmp_path):
    clean = CLEAN.copy()
    clean[7] = 0
    with pytest.raises(ValueError, match="at 1 of 40 images"):
        read(save(tmp_path / "x.npz", LABELS), clean=clean)


@pytest.mark.parametrize(
    ("content", "labels", "message"),
    [
        (LABELS, "best", "labels must be one of worse, random1, got 'best'"),
        (LABELS, "clean", r"labels must be one of worse, random1, got 'clean' \(of .*x.npz\)$"),
        ({**LABELS, "worse": CLEAN}, "worse", "two columns of one name, of clean_label, worse_"),
        ({"worse_label": CLEAN}, "worse", "has no clean labels to compare"),
        ({**LABELS, "clean_label": CLEAN[:-1]}, "worse", "has 39 clean labels, cifar10 has 40"),
        ({**LABELS, "worse_label": CLEAN[:-1]}, "worse", "has 39 worse labels, cifar10 has 40"),
        ({**LABELS, "worse_label": CLEAN + 1}, "worse", "that are no class of cifar10"),
        ({**LABELS, "worse_label": CLEAN - 1}, "worse", "that are no class of cifar10"),
        (
            {**LABELS, "worse_label": CLEAN * 1.0},
            "worse",
            r"one of random1, got 'worse' .*x\.npz, where they are no whole numbers",
        ),
        ({**LABELS, "clean_label": CLEAN * 1.0}, "worse", "has no clean labels to compare"),
        ({"class_names": np.array(["cat"])}, "worse", "labels must be one of .it has none., got"),
        ({}, "worse", "labels must be one of .it has none., got 'worse'"),
        ({**LABELS, "worse_label": np.uint8(3)}, "worse", "has 1 worse labels, cifar10 has 40"),
    ],
)
@pytest.mark.fault("file-read", "human labels")
def test_unfit_labels_are_refused(content, labels, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        read(save(tmp_path / "x.npz", content), labels)


class Trap:
    def __reduce__(self):
        return os.system, ("echo no",)


@pytest.mark.parametrize("suffix", [".npy", ".pt"])
def test_malicious_files_are_refused(suffix, tmp_path, capfd):
    path = save(tmp_path / f"x{suffix}", {"clean_label": Trap()})
    with pytest.raises(BadFile, match=r"asks for \w+\.system"):
        read(path)
    assert capfd.readouterr().out == ""


@pytest.mark.fault("file-read", "human labels")
@pytest.mark.parametrize("suffix", [".npz", ".npy", ".pt", ".NPZ"])
@pytest.mark.parametrize("content", [b"\0", b"PK\x03\x04", b"\x93NUMPY\x01\x00", b"PK\5\6" * 9])
def test_damaged_files_are_refused(suffix, content, tmp_path):
    path = tmp_path / f"x{suffix}"
    path.write_bytes(content)
    with pytest.raises(BadFile, match="is no file of human labels"):
        read(path)


@pytest.mark.fault("file-read", "human labels")
@pytest.mark.parametrize("suffix", [".npz", ".npy", ".pt"])
@pytest.mark.parametrize("kind", IN_ITS_PLACE)
def test_what_lies_in_the_place_of_a_file_is_said(suffix, kind, tmp_path):
    content, said = IN_ITS_PLACE[kind]
    path = tmp_path / f"x{suffix}"
    path.write_bytes(content)
    with pytest.raises(BadFile, match=rf"x\{suffix} {said}"):
        read(path)


@pytest.mark.fault("file-read", "human labels")
@pytest.mark.parametrize("suffix", [".npz", ".npy", ".pt"])
@pytest.mark.parametrize(
    "extra",
    [
        {"class_names": np.array(["cat", "dog"])},
        {"noise_rate": np.float64(0.2)},
        {"work_time": np.linspace(1, 9, 40)},
        {"author": np.array(b"x")},
        {"checked": np.ones(40, bool)},
    ],
    ids=repr,
)
def test_columns_beside_the_labels_are_passed_over(suffix, extra, tmp_path):
    """What is no array of whole numbers cannot be labels, so nobody can have meant it."""
    path = save(tmp_path / f"x{suffix}", {**LABELS, **extra})
    assert np.array_equal(read(path), LABELS["worse_label"])
    with pytest.raises(ValueError, match="labels must be one of worse, random1, got 'best'"):
        read(path, "best")


@pytest.mark.fault("dtype", "human labels")
@pytest.mark.fault("shape", "human labels")
@pytest.mark.parametrize("kind", [np.uint8, ">i4", "<i2", np.uint64])
@pytest.mark.parametrize("shape", [(40,), (40, 1), (1, 40)])
def test_labels_of_any_whole_type_and_as_a_row_or_column_are_read(kind, shape, tmp_path):
    changed = {key: value.astype(kind).reshape(shape) for key, value in LABELS.items()}
    assert np.array_equal(read(save(tmp_path / "x.npz", changed)), LABELS["worse_label"])


@pytest.mark.fault("dtype", "human labels")
@pytest.mark.parametrize("suffix", [".npy", ".pt"])
def test_lists_are_labels_too(suffix, tmp_path):
    lists = {key: value.tolist() for key, value in LABELS.items()}
    path = save(tmp_path / f"x{suffix}", {**lists, "names": ["a", "b"], "flags": [True] * 40})
    assert np.array_equal(read(path), LABELS["worse_label"])
    with pytest.raises(ValueError, match=r"random1, got 'flags' .*where they are no"):
        read(path, "flags")


@pytest.mark.fault("file-read", "human labels")
@pytest.mark.parametrize("labels", [CLEAN, CLEAN * 1.0, CLEAN.reshape(4, 10), CLEAN.astype(str)])
def test_a_plain_array_is_told_what_it_lacks(labels, tmp_path):
    """Such as the labels.npy of `minisam data noise`: nothing tells which order it is in."""
    np.save(tmp_path / "labels.npy", labels)
    with pytest.raises(BadFile, match=r"labels\.npy .* is a plain array .* lacks the clean labels"):
        read(tmp_path / "labels.npy")


@pytest.mark.fault("file-read", "human labels")
@pytest.mark.parametrize("suffix", [".npz", ".npy", ".pt"])
def test_a_locked_file_or_a_folder_is_named(suffix, tmp_path, monkeypatch):
    (tmp_path / f"folder{suffix}").mkdir()
    with pytest.raises(OSError, match=rf"folder\{suffix}'"):
        read(tmp_path / f"folder{suffix}")
    path = save(tmp_path / f"x{suffix}", LABELS)
    lock(path, monkeypatch)
    with pytest.raises(PermissionError, match=rf"x\{suffix}'"):
        read(path)


@pytest.mark.fault("home-folder", "LabelNoise", "human labels")
def test_the_file_and_its_folder_may_begin_with_a_tilde(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    save(tmp_path / "cifar10n_labels.npz", LABELS)
    for path, folder in (("~/cifar10n_labels.npz", "."), (None, "~")):
        noise = LabelNoise("human", labels="worse", path=path)
        assert np.array_equal(human_labels(noise, "cifar10", folder, CLEAN), LABELS["worse_label"])


@pytest.mark.fault("round-trip", "LabelNoise")
def test_a_path_comes_back_as_text(tmp_path):
    noise = check_noise(LabelNoise("human", labels="worse", path=tmp_path / "x.npz"))
    assert json.loads(json.dumps(noise._asdict()))["path"] == str(tmp_path / "x.npz")


def test_a_pickled_array_inside_an_npz_is_refused(tmp_path):
    np.savez(tmp_path / "x.npz", clean_label=np.array([Trap()], object))
    with pytest.raises(BadFile, match="is no file of human labels"):
        read(tmp_path / "x.npz")


def test_a_zip_bomb_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("minisam.data.human_noise.SMALL", 1 << 20)
    np.savez_compressed(tmp_path / "x.npz", clean_label=np.zeros(1 << 20, np.int64))
    with pytest.raises(BadFile, match="unpacks to"):
        read(tmp_path / "x.npz")


def test_unknown_kinds_of_files_are_refused(tmp_path):
    (tmp_path / "x.csv").write_text("1,2")
    with pytest.raises(ValueError, match=r"must be a \.npz, \.npy or \.pt file"):
        read(tmp_path / "x.csv")


def test_a_missing_file_says_what_to_put_where(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"put cifar10n_labels\.npz or CIFAR-10_human"):
        human_labels(LabelNoise("human", labels="worse"), "cifar10", tmp_path, CLEAN)


@pytest.mark.parametrize("labels", PUBLISHED)
def test_published_rates(labels, real_data):
    with np.load(real_data / "cifar10n_labels.npz") as file:
        clean = file["clean_label"].astype(np.int64)
    noise = LabelNoise("human", labels=labels)
    noisy = human_labels(noise, "cifar10", real_data, clean)
    assert round(100 * np.mean(noisy != clean), 2) == PUBLISHED[labels]


def test_human_labels_of_a_hundred_classes(real_data):
    with np.load(real_data / "cifar100n_labels.npz") as file:
        clean = file["clean_label"].astype(np.int64)
    noisy = human_labels(LabelNoise("human", labels="noisy"), "cifar100", real_data, clean)
    assert round(100 * np.mean(noisy != clean), 1) == 40.2
