"""`minisam data`: what is printed, drawn and saved."""

import json
import os

import numpy as np
import pytest

from minisam.cli import main
from minisam.data import label_hash, load
from minisam.data.report import as_json


@pytest.fixture(autouse=True)
def only_this_command(monkeypatch):
    """Other subcommands have tests of their own."""
    monkeypatch.setattr("minisam.cli.COMMANDS", {"data": "minisam.data.command"})


def run(capsys, *arguments):
    code = main(["data", *map(str, arguments)])
    printed = capsys.readouterr()
    return code, printed.out, printed.err


SMALL = ("--train-size", 100, "--test-size", 10)


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
    from minisam.data.write import write

    write(toy_data, tmp_path)
    code, out, _ = run(capsys, "fetch", "cifar10", "--data-dir", tmp_path)
    assert (code, out) == (0, f"cifar10 is in {tmp_path}\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("info", "cifar10", "--data-dir", "/nowhere"), "put cifar-10-python.tar.gz there"),
        (("noise", "--rate", 2), "noise rate must be a number from 0 to 1, got 2.0"),
        (("noise", "--kind", "human"), "labels go with noise 'human'"),
        (("noise", "--kind", "matrix"), "a matrix goes with noise 'matrix'"),
        (("noise", "--kind", "pair", "--inclusive"), "only symmetric noise can be inclusive"),
        (("noise", "--kind", "matrix", "--matrix", "/nowhere.npy"), "nowhere.npy"),
        (("write", "--like", "cifar100", "--out", "/nowhere"), "cifar100 has 100 and 20 classes"),
    ],
)
def test_errors_are_one_line_and_exit_with_2(capsys, arguments, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, err = run(capsys, *arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1
    assert os.listdir(tmp_path) == []


def test_a_download_without_the_extra_says_what_to_install(capsys, monkeypatch, tmp_path):
    import sys

    monkeypatch.setitem(sys.modules, "pooch", None)
    code, _, err = run(capsys, "fetch", "cifar10", "--data-dir", tmp_path)
    assert code == 2
    assert "pip install 'minisam[data]'" in err
