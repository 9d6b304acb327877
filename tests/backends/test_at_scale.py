"""The trial on one GPU, at its smallest and on the processor."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")
AT_SCALE = Path(__file__).parent.parent.parent / "tutorials" / "at_scale"
BROKEN = """
import sys
sys.path.insert(0, {folder!r})
import torch, torch_sam, cifar
right = torch_sam.SAM.climb
torch_sam.SAM.climb = lambda self, d1: [-e for e in right(self, d1)]
raise SystemExit(cifar.main(["table4", "--smoke", "--device", "cpu"]))
"""


def test_it_judges_its_step_and_then_trains(tmp_path):
    command = [sys.executable, AT_SCALE / "cifar.py", "all", "--smoke", "--device", "cpu"]
    done = subprocess.run([*command, "--out", tmp_path], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for name in ("table4", "table1", "width"):
        record = json.loads((tmp_path / f"{name}.json").read_text())
        assert record["oracle"]["verdict"] == "conforms"
        assert {run["method"] for run in record["results"]["runs"]} >= {"SGD", "SAM", "ASAM"}
        assert (tmp_path / f"{name}.png").stat().st_size > 1000
    command[2] = "table4"
    again = subprocess.run([*command, "--out", tmp_path], capture_output=True, text=True)
    assert again.returncode == 0, again.stderr
    assert "epoch" not in again.stderr  # no run is done twice


def test_a_step_that_does_not_conform_may_not_train(tmp_path):
    script = BROKEN.format(folder=str(AT_SCALE))
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 1, done.stderr
    assert "M07-downhill" in done.stdout
    assert not list(tmp_path.iterdir())


def test_what_does_not_fit_is_left_out_and_said(tmp_path):
    command = [sys.executable, AT_SCALE / "cifar.py", "table4", "--smoke", "--device", "cpu"]
    done = subprocess.run(
        [*command, "--minutes", "0", "--out", tmp_path], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "the time was over" in done.stdout
    assert not json.loads((tmp_path / "table4.json").read_text())["results"]["runs"]


@pytest.mark.parametrize(
    ("option", "value"), [("--minutes", "nan"), ("--minutes", "-1"), ("--seeds", "0")]
)
def test_a_wrong_value_is_one_line_and_nothing_is_written(option, value, tmp_path):
    command = [sys.executable, AT_SCALE / "cifar.py", "table4", "--smoke", option, value]
    done = subprocess.run([*command, "--out", tmp_path / "out"], capture_output=True, text=True)
    assert done.returncode == 2
    assert f"{option} must be" in done.stderr.splitlines()[-1]
    assert not (tmp_path / "out").exists()
