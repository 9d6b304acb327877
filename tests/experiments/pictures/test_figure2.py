"""Figure 2 is drawn from a step of the optimizer."""

import argparse
import json

import numpy as np

from minisam.experiments.pictures import figure2


def test_record_is_a_step_of_sam():
    record = figure2.compute()
    step, lr = record["step"], figure2.SETTINGS["lr"]
    climb = step["perturbed_params"]["w"] - record["start"]["w"]
    assert np.isclose(np.linalg.norm(climb), figure2.SETTINGS["rho"])
    np.testing.assert_allclose(
        record["end"]["w"], record["start"]["w"] - lr * step["descent_gradient"]["w"]
    )


def test_picture_is_drawn_from_its_json(tmp_path):
    arguments = argparse.ArgumentParser()
    figure2.configure(arguments)
    assert figure2.run(arguments.parse_args(["--out", str(tmp_path), "--smoke"])) == 0
    record = json.loads((tmp_path / "figure2.json").read_text())
    assert record["name"] == "figure2"
    assert set(record["versions"]) == {"python", "minisam", "numpy", "autograd"}
    assert (tmp_path / "figure2.png").read_bytes()[:4] == b"\x89PNG"
