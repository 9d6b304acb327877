"""`minisam data`: what is printed, drawn and saved."""

import json
import os

import numpy as np
import pytest
from broken_files import IN_ITS_PLACE, lock
from disks import full_disk

from minisam.cli.main import main
from minisam.data import label_hash, load
from minisam.data.cifar.write import write_dataset
from minisam.data.noise_report import as_json


def run(capsys, *arguments):
    code = main(["data", *map(str, arguments)])
    printed = capsys.readouterr()
    return code, printed.out, printed.err


SMALL = ("--train-size", 100, "--test-size", 10)


def contents(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_info(capsys, tmp_path):
    picture = tmp_path / "images.png"
    code, out, _ = run(capsys, "info", "toy", *SMALL, "--picture", picture)
    assert code == 0
    assert "disc, square, diamond" in out
    assert "mean" in out
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_info_of_official_cifar_10(capsys, real_data):
    _, out, _ = run(capsys, "info", "cifar10", "--data-dir", real_data)
    assert "50,000" in out
    assert "6 9 9 4 1 1 2 7 8 3" in out
    assert "0.491399678" in out


def test_noise_prints_draws_and_saves(capsys, tmp_path):
    out_folder = tmp_path / "out"
    code, out, _ = run(capsys, "noise", "--rate", 0.3, "--seed", 5, *SMALL, "--out", out_folder)
    assert code == 0
    assert sorted(os.listdir(out_folder)) == ["labels.json", "labels.npy", "transition.png"]
    labels = np.load(out_folder / "labels.npy", allow_pickle=False)
    content = json.loads((out_folder / "labels.json").read_text())
    assert content["labels"] == labels.tolist()
    assert content["noise"]["labels_hash"] == label_hash(labels)
    assert content["noise"]["rate_realized"] == 0.3
    assert content["versions"].keys() == {"minisam", "numpy"}
    assert label_hash(labels) in out
    assert "30.00 % (30 of 100)" in out


def test_the_recipe_that_is_saved_makes_the_labels_again(capsys, tmp_path):
    from minisam.data import LabelNoise

    run(capsys, "noise", "--kind", "instance", *SMALL, "--out", tmp_path)
    content = json.loads((tmp_path / "labels.json").read_text())
    noise = LabelNoise(**content["noise"]["recipe"])
    again = load(content["data_set"], noise=noise, train_size=content["train_size"], test_size=10)
    assert as_json(again.noise)["labels_hash"] == content["noise"]["labels_hash"]


@pytest.mark.parametrize("form", ["csv", "txt", "npy"])
def test_a_matrix_is_read_from_a_file(capsys, tmp_path, form):
    matrix = np.roll(np.eye(10), 3, axis=1)
    path = tmp_path / f"matrix.{form}"
    if form == "npy":
        np.save(path, matrix)
    else:
        np.savetxt(path, matrix, delimiter="," if form == "csv" else " ")
    options = ("--kind", "matrix", "--matrix", path, "--out", tmp_path / "out")
    code, out, _ = run(capsys, "noise", *options, *SMALL)
    assert code == 0
    assert "100.00 % (100 of 100)" in out


def test_write_and_read_back(capsys, tmp_path):
    for version in ("python", "binary"):
        code, out, _ = run(capsys, "write", *SMALL, "--as", version, "--out", tmp_path)
        assert code == 0
        assert str(tmp_path) in out
    options = ("--data-dir", tmp_path, "--unknown-files")
    for version in ("python", "binary"):
        code, out, _ = run(capsys, "info", "cifar10", *options, "--version", version)
        assert code == 0
        assert "disc" in out


def test_fetch_says_where_the_data_set_is(capsys, tmp_path, toy_data):
    write_dataset(toy_data, tmp_path)
    code, out, _ = run(capsys, "fetch", "cifar10", "--data-dir", tmp_path)
    assert (code, out) == (0, f"cifar10 is in {tmp_path}\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("info", "cifar10", "--data-dir", "/nowhere"), "put cifar-10-python.tar.gz there"),
        (("noise", "--rate", 2), "rate must be a number in [0, 1], got 2.0"),
        (("noise", "--rate", "nan"), "rate must be a number in [0, 1], got nan"),
        (("noise", "--seed", -1), "seed must be a whole number of at least 0, got -1"),
        (("noise", "--kind", "human"), "--kind human needs --labels"),
        (("noise", "--kind", "matrix"), "--kind matrix needs --matrix"),
        (("noise", "--kind", "pair", "--inclusive"), "--inclusive goes with --kind symmetric"),
        (("noise", "--kind", "matrix", "--matrix", "a"), "a matrix must be a file ending in .npy"),
        (("info", "--train-size", 10**12), "train_size must be a whole number from 1 to 1,000,000"),
        (("info", "--test-size", 10**12), "test_size must be a whole number from 1 to 1,000,000"),
        (("info", "--train-size", 0), "train_size must be a whole number from 1"),
        (("write", "--test-size", -1, "--out", "a"), "test_size must be a whole number from 1"),
        (("write", "--train-size", 4, "--out", "a"), "5 files, which need an image each"),
        (("write", "--rate", 0.4, "--out", "a"), "--rate without --kind"),
        (("info", "--picture", "a.xyz"), "'xyz' is not supported"),
        (("noise", "--kind", "matrix", "--matrix", "/nowhere.npy"), "nowhere.npy"),
        (("write", "--like", "cifar100", "--out", "/nowhere"), "cifar100 has 100 and 20 classes"),
    ],
)
@pytest.mark.fault("option-value", "data info", "data noise", "data write")
def test_errors_are_one_line_and_exit_with_2(capsys, arguments, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, err = run(capsys, *arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1
    assert os.listdir(tmp_path) == []


@pytest.mark.fault("file-written", "data write")
def test_the_source_is_not_written_over_without_being_told(capsys, tmp_path, toy_data):
    """Fifty clean images must not become ten noisy ones."""
    write_dataset(toy_data, tmp_path)
    before = contents(tmp_path)
    words = ("write", "cifar10", "--unknown-files", "--data-dir", tmp_path, "--train-size", 10)
    words += ("--kind", "symmetric", "--rate", 0.4, "--out", tmp_path)
    code, out, err = run(capsys, *words)
    assert (code, out) == (2, "")
    assert str(tmp_path / "cifar-10-batches-py" / "data_batch_1") in err
    assert "--force" in err
    assert contents(tmp_path) == before
    code, out, _ = run(capsys, *words, "--force")
    assert (code, out) == (0, f"wrote cifar10 to {tmp_path / 'cifar-10-batches-py'}\n")
    assert len(load("cifar10", tmp_path, unknown_files=True).train.labels) == 10


@pytest.mark.fault("file-written", "data noise")
@pytest.mark.parametrize("way", ["itself", "link", "other path"])
def test_noise_does_not_write_over_what_it_reads(way, capsys, tmp_path):
    source, out = tmp_path / "labels.npy", tmp_path
    np.save(source, np.roll(np.eye(10), 1, axis=1))
    if way == "link":
        out = tmp_path / "out"
        out.mkdir()
        (out / "labels.npy").symlink_to(source)
    elif way == "other path":
        out = tmp_path / ".." / tmp_path.name
    before = contents(tmp_path)
    options = ("--kind", "matrix", "--matrix", source, "--out", out)
    code, printed, err = run(capsys, "noise", *options, *SMALL)
    assert (code, printed) == (2, "")
    assert f"{source} is read, and would be written over as {out / 'labels.npy'}" in err
    assert contents(tmp_path) == before


@pytest.mark.fault("file-written", "data noise")
def test_a_full_disk_leaves_the_noise_that_was_there(capsys, tmp_path):
    """The labels would fit, the picture does not: both must be of one noise."""
    run(capsys, "noise", *SMALL, "--out", tmp_path)
    before = contents(tmp_path)
    with full_disk(10_000):
        code, out, err = run(capsys, "noise", "--seed", 1, *SMALL, "--out", tmp_path)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert contents(tmp_path) == before
    with full_disk(10_000):
        code, _, _ = run(capsys, "noise", *SMALL, "--out", tmp_path / "new")
    assert code == 2
    assert contents(tmp_path) == before


@pytest.mark.fault("file-written", "data info")
def test_a_picture_is_whole_and_in_a_folder_that_is_made(capsys, tmp_path):
    path = tmp_path / "a" / "b.png"
    with full_disk(1000):
        code, _, err = run(capsys, "info", *SMALL, "--picture", path)
    assert (code, err.count("\n"), contents(tmp_path)) == (2, 1, {})
    code, out, _ = run(capsys, "info", *SMALL, "--picture", path.with_suffix(""))
    assert (code, path.read_bytes()[:4]) == (0, b"\x89PNG")
    assert str(path) in out
    run(capsys, "info", *SMALL, "--picture", tmp_path / "b.svg")
    assert b"<svg" in (tmp_path / "b.svg").read_bytes()


@pytest.mark.fault("home-folder", "data info", "data noise", "data write")
def test_every_path_may_begin_with_a_tilde(capsys, tmp_path, monkeypatch):
    """The shell leaves the tilde of ``--out=~/x`` to the program."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    np.save(tmp_path / "T.npy", np.roll(np.eye(10), 1, axis=1))
    data = ("cifar10", "--data-dir=~/set", "--unknown-files")
    for words in (
        ("write", *SMALL, "--out=~/set"),
        ("info", *data, "--picture=~/images.png"),
        ("noise", *data, "--kind=matrix", "--matrix=~/T.npy", "--out=~/noise"),
    ):
        assert run(capsys, *words)[0] == 0
    assert sorted(os.listdir(tmp_path)) == ["T.npy", "here", "images.png", "noise", "set"]
    assert os.listdir(tmp_path / "here") == []


@pytest.mark.fault("file-read", "data noise")
@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("--matrix", ("--kind", "matrix")),
        ("--human-file", ("--kind", "human", "--labels", "worse")),
    ],
)
@pytest.mark.parametrize("kind", [*IN_ITS_PLACE, "locked", "missing"])
def test_a_file_that_cannot_be_read_is_one_line_with_its_name(
    option, words, kind, capsys, tmp_path, monkeypatch
):
    path = tmp_path / "x.npy"
    if kind != "missing":
        path.write_bytes(IN_ITS_PLACE.get(kind, (b"x", ""))[0])
    if kind == "locked":
        lock(path, monkeypatch)
    code, out, err = run(capsys, "noise", *words, option, path, *SMALL, "--out", tmp_path / "o")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert str(path) in err
    assert not (tmp_path / "o").exists()


def test_a_download_without_the_extra_says_what_to_install(capsys, monkeypatch, tmp_path):
    import sys

    monkeypatch.setitem(sys.modules, "requests", None)
    code, _, err = run(capsys, "fetch", "cifar10", "--data-dir", tmp_path)
    assert code == 2
    assert "pip install 'minisam[data]'" in err
