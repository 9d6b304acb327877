import argparse
import json
from pathlib import Path

import autograd.numpy as anp
import numpy as np
import pytest

from minisam.checkpoint import Checkpoint, save_checkpoint
from minisam.cli.sharpness import check_eigenvalues, configure, measure, run
from minisam.experiments.subset import Data
from minisam.experiments.training import Training
from minisam.experiments.trial import fit
from minisam.sharpness import dense_hessian


def main(*words):
    parser = argparse.ArgumentParser()
    configure(parser)
    return run(parser.parse_args([str(word) for word in words]))


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    path = str(tmp_path_factory.mktemp("run") / "run.npz")
    training = Training(epochs=1, model_options={"hidden": [4]})
    fit(Data(train_size=60, test_size=20), training, checkpoint=path)
    return path


def test_a_checkpoint_is_measured_printed_and_drawn(checkpoint, tmp_path, capsys):
    out = tmp_path / "sharpness"
    assert main(checkpoint, "--examples", 30, "--probes", 4, "--out", out) == 0
    text = capsys.readouterr().out
    for name in ("Hessian eigenvalue 3", "Hessian trace", "worst rise, ρ = 0.05", "30 examples"):
        assert name in text
    record = json.loads((out / "sharpness.json").read_text())
    assert record["parameters"] == 3072 * 4 + 4 + 4 * 10 + 10
    assert record["settings"]["train_size"] == 60
    assert (out / "sharpness.png").stat().st_size > 10_000


def test_the_measures_are_those_of_the_dense_hessian():
    a = np.random.default_rng(0).standard_normal((6, 5))
    loss = lambda p: 0.5 * anp.sum(anp.dot(a, p["w"]) ** 2)  # noqa: E731
    params = {"w": np.ones((5, 1))}
    arguments = argparse.Namespace(eigenvalues=2, probes=40, seed=0, rho=0.1, adaptive_rho=0.1)
    found = measure(loss, params, arguments)
    spectrum = np.linalg.eigvalsh(dense_hessian(loss, params))
    np.testing.assert_allclose(found["eigenvalues"], spectrum[::-1][:2], rtol=1e-6)
    assert abs(found["trace"] - spectrum.sum()) < 5 * found["trace_error"]
    assert found["rise"] == pytest.approx(found["adaptive_rise"])  # all weights are 1
    assert found["loss"] == pytest.approx(float(loss(params)))


@pytest.mark.fault("said-of-the-data", "minisam sharpness")
@pytest.mark.parametrize(
    ("words", "used"), [((), 60), (("--examples", 1000), 60), (("--examples", 30), 30)]
)
def test_the_table_says_how_many_examples_there_were(checkpoint, tmp_path, capsys, words, used):
    out = tmp_path / "sharpness"
    assert main(checkpoint, "--probes", 2, "--eigenvalues", 1, "--out", out, *words) == 0
    assert f" on {used} examples" in capsys.readouterr().out.splitlines()[0]
    record = json.loads((out / "sharpness.json").read_text())
    assert record["examples"] == used


@pytest.mark.fault("option-value", "minisam sharpness")
def test_more_eigenvalues_than_there_are_or_than_fit_are_refused(checkpoint, monkeypatch):
    """12,342 parameters; 100 eigenvalues take 2,040 vectors of a basis, and 300 of their own."""
    with pytest.raises(ValueError, match=r"--eigenvalues must be at most 12,342, the number of"):
        main(checkpoint, "--eigenvalues", 100000)
    needed = 8 * (2040 * (12342 + 3 * 2040) + 300 * 12342)
    monkeypatch.setattr("minisam.cli.sharpness.usable_memory", lambda: needed - 1)
    with pytest.raises(ValueError, match=r"may take 2,040 Hessian products and 0.3 GB of memory"):
        main(checkpoint, "--eigenvalues", 100)
    monkeypatch.setattr("minisam.cli.sharpness.usable_memory", lambda: needed)
    check_eigenvalues(100, 12342)


def test_bad_input_is_named(checkpoint, tmp_path):
    with pytest.raises(FileNotFoundError, match="none"):
        main(tmp_path / "none.npz")
    for settings in ({}, {"trial": 3}, {"trial": {}}, {"trial": {"model": "mine"}}):
        saved = Checkpoint({}, None, {}, [], settings)
        foreign = save_checkpoint(tmp_path / "foreign.npz", saved)
        with pytest.raises(ValueError, match="does not say which network and data it is of"):
            main(foreign)


@pytest.mark.fault("file-read", "sharpness")
def test_what_is_no_checkpoint_is_named(tmp_path):
    np.save(tmp_path / "array.npy", np.ones(3))
    with pytest.raises(ValueError, match=r"array\.npy is not a minisam checkpoint"):
        main(tmp_path / "array.npy")


def test_where_no_file_can_be_is_said_before_anything_is_measured(
    checkpoint, tmp_path, monkeypatch
):
    (tmp_path / "afile").touch()
    monkeypatch.setattr("minisam.cli.sharpness.measure", lambda *_: pytest.fail("it is measured"))
    with pytest.raises(
        ValueError, match=r"sharpness\.json in --out must be a file that can be written"
    ):
        main(checkpoint, "--out", str(tmp_path / "afile" / "x"))


@pytest.mark.fault("option-value", "sharpness")
@pytest.mark.fault("option-alone", "sharpness")
@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--probes 1", "--probes must be a whole number of at least 2, got 1"),
        ("--examples 0", "--examples must be a whole number of at least 1, got 0"),
        ("--eigenvalues -1", "--eigenvalues must be a whole number of at least 1, got -1"),
        ("--seed -1", "--seed must be a whole number of at least 0, got -1"),
        ("--rho nan", r"--rho must be a number in \[0, inf\), got nan"),
        ("--rho -0.1", "--rho must be a number"),
        ("--adaptive-rho inf", "--adaptive-rho must be a number"),
        ("--data-dir .", "--data-dir without effect: the toy set is made"),
    ],
)
def test_options_without_effect_or_out_of_range_are_named(words, message, checkpoint):
    with pytest.raises(ValueError, match=message):
        main(checkpoint, *words.split())


@pytest.mark.fault("home-folder", "sharpness")
def test_checkpoint_and_results_lie_in_the_home_folder(checkpoint, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run.npz").write_bytes(Path(checkpoint).read_bytes())
    few = ("--examples", 5, "--probes", 2, "--eigenvalues", 1)
    assert main("~/run.npz", *few, "--out=~/out") == 0
    assert (tmp_path / "out" / "sharpness.json").exists()
    assert not (tmp_path / "~").exists()
