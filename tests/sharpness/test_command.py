import argparse
import json

import autograd.numpy as anp
import numpy as np
import pytest

from minisam.checkpoint import Checkpoint, save_checkpoint
from minisam.experiments.trial import fit
from minisam.sharpness import dense_hessian
from minisam.sharpness.command import configure, measure, run


def main(*words):
    parser = argparse.ArgumentParser()
    configure(parser)
    return run(parser.parse_args([str(word) for word in words]))


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    path = str(tmp_path_factory.mktemp("run") / "run.npz")
    fit(train_size=60, test_size=20, epochs=1, model_options={"hidden": [4]}, checkpoint=path)
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


def test_bad_input_is_named(checkpoint, tmp_path):
    with pytest.raises(FileNotFoundError, match="none"):
        main(tmp_path / "none.npz")
    with pytest.raises(ValueError, match="--probes must be at least 2, got 1"):
        main(checkpoint, "--probes", 1)
    foreign = save_checkpoint(tmp_path / "foreign.npz", Checkpoint({}, None, {}, [], {}))
    with pytest.raises(ValueError, match="does not say which network and data it is of"):
        main(foreign)
