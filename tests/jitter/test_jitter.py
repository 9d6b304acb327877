"""The jitter run finds what depends on a machine's bits, and nothing else."""

import os
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
OUTCOMES = ("PASSED", "FAILED")
NORM = """
import numpy as np
from minisam.trees import norm
print(norm({"w": np.random.default_rng(0).normal(size=50)}, p=3))
"""


def run(*arguments, jitter=True):
    """What Python prints in the jitter run, or out of it."""
    paths = [path for path in sys.path if path and path != str(HERE)]
    path = os.pathsep.join([str(HERE), *paths] if jitter else paths)
    command = [sys.executable, *arguments]
    environment = os.environ | {"PYTHONPATH": path}
    return subprocess.run(command, env=environment, capture_output=True, text=True).stdout


def outcomes(jitter):
    """The kinds of the examples that passed and of those that failed."""
    told = run("-m", "pytest", "-rA", str(HERE / "examples.py"), jitter=jitter)
    return [set(re.findall(rf"^{word} .*::test_([a-z]+)", told, re.M)) for word in OUTCOMES]


def test_what_depends_on_bits_fails_and_what_is_right_passes():
    assert outcomes(jitter=True) == [{"right"}, {"lucky"}]
    assert "right" not in outcomes(jitter=False)[1]


def test_the_same_input_gives_the_same_result_in_every_process():
    plain, *jittered = (run("-c", NORM, jitter=jitter) for jitter in (False, True, True))
    assert jittered[0] == jittered[1] != plain
    assert abs(float(jittered[0]) / float(plain) - 1) < 1e-14
