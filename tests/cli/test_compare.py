import argparse
import json

import pytest

from minisam.cli import compare


def arguments(text):
    parser = argparse.ArgumentParser()
    compare.configure(parser)
    return parser.parse_args(text.split())


SMALL = "--methods sgd --epochs 1 --test-size 20 --seeds 1 --jobs 1"


@pytest.mark.fault("option-value", "compare")
@pytest.mark.parametrize("size", [1, 4])
def test_so_few_images_that_a_fifth_is_none_are_trained_on_where_no_radius_is_searched(
    size, tmp_path, capsys
):
    out = ["--train-size", str(size), "--out", str(tmp_path)]
    assert compare.run(arguments(f"{SMALL} {' '.join(out)}")) == 0
    settings = json.loads((tmp_path / "results.json").read_text())["settings"]
    assert (settings["train_size"], settings["validation_size"]) == (size, 0)
    sgd = capsys.readouterr().out.splitlines()[2].split()
    assert "±" not in sgd  # one seed has no interval
    assert sgd[:2] == ["SGD", "0"]


@pytest.mark.fault("option-value", "compare")
def test_lists_are_read_whatever_their_case_and_spaces(tmp_path):
    text = f"{SMALL} --train-size 10 --out {tmp_path}".replace("--methods sgd", "")
    parsed = arguments(text)
    parsed.methods, parsed.rho = " SGD,Sam , ", " SAM = 0.1 ,"
    assert compare.run(parsed) == 0
    settings = json.loads((tmp_path / "results.json").read_text())["settings"]
    assert (settings["methods"], settings["rho"]) == (["sgd", "sam"], {"sam": 0.1})


@pytest.mark.fault("home-folder", "compare")
def test_the_data_are_looked_for_in_the_home_folder_before_anything_is_run(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("MINISAM_DATA", "")  # put back what the command changes
    text = f"--data cifar10 --data-dir=~/nothing --out {tmp_path / 'out'}"
    with pytest.raises(FileNotFoundError, match=f"{tmp_path}/nothing"):
        compare.run(arguments(text))
    assert not (tmp_path / "out").exists()


@pytest.mark.fault("home-folder", "compare")
def test_the_results_go_to_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert compare.run(arguments(f"{SMALL} --train-size 10 --out=~/out")) == 0
    assert (tmp_path / "out" / "results.json").exists()
    assert not (tmp_path / "~").exists()


@pytest.mark.fault("option-value", "compare")
@pytest.mark.fault("option-alone", "compare")
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("--methods adam", "--methods must be some of sgd, sam, asam, .*, got 'adam'"),
        ("--methods sam,sam", "--methods must be"),
        ("--methods ,", "--methods must be some of sgd, sam, asam, .*, got ','"),
        ("--rho sam=-1", "--rho takes sam=ρ, asam=ρ with ρ ≥ 0, got 'sam=-1'"),
        ("--rho 0.1", "--rho takes"),
        ("--rho sam", "--rho takes"),
        ("--rho sam=nan", "--rho takes"),
        ("--rho sam=inf", "--rho takes"),
        ("--rho sgd=0.1", "--rho takes"),
        ("--rho sam=0.1,SAM=0.2", "--rho takes one ρ for each method, got 'sam=0.1,SAM=0.2'"),
        ("--rho asam=1 --methods sgd,sam", "--rho takes sam=ρ"),
        ("--noise 1.5", r"--noise must lie in \[0, 1\], got 1.5"),
        ("--noise nan", "--noise must lie in"),
        ("--noise -0.1", "--noise must lie in"),
        ("--seeds 0", "--seeds must be a whole number from 1 to 1,000, got 0"),
        ("--seeds 1001", "--seeds must be a whole number from 1 to 1,000, got 1001"),
        ("--jobs 0", "--jobs must be a whole number of at least 1, got 0"),
        ("--jobs -1", "--jobs must be"),
        ("--epochs 0", "--epochs must be a whole number of at least 1"),
        ("--train-size -5", "--train-size must be a whole number from 1 to"),
        ("--train-size 0", "--train-size must be a whole number from 1 to"),
        ("--train-size 1000000000000", "--train-size must be a whole number from 1 to"),
        ("--test-size 1000000000000", "--test-size must be a whole number from 1 to"),
        ("--train-size 4", "--train-size must be at least 5.* --rho sam=ρ,asam=ρ$"),
        ("--train-size 1 --rho sam=1", "--train-size must be at least 5.* got 1; .* --rho asam=ρ$"),
        ("--lr nan", "--lr must be positive"),
        ("--lr inf", "--lr must be positive"),
        ("--data-dir .", "--data-dir without effect: the toy set is made, not read from files"),
    ],
)
def test_bad_arguments_are_named_before_anything_is_written(text, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        compare.run(arguments(f"{text} --out {tmp_path / 'out'}"))
    assert not (tmp_path / "out").exists()
