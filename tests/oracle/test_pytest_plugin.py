import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from minisam.oracle.parametrization import cases, parametrize
from minisam.oracle.pytest_plugin import chosen

from oracle import implementations as known  # isort: skip

HERE = Path(__file__).with_name("implementations.py")


def pytest_from_anywhere(folder, *arguments):
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", *arguments]
    if not any(one.name == "minisam" for one in entry_points(group="pytest11")):
        command += ["-p", "minisam.oracle.pytest_plugin"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)


def test_the_plugin_runs_the_probes_as_tests(tmp_path):
    done = pytest_from_anywhere(
        tmp_path,
        "--pyargs", "minisam.oracle", "--adapter", f"{HERE}:right", "--adapter-dtype", "float64",
        "-k", "one-tensor or three-tensors",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout


def test_a_wrong_adapter_fails_with_what_is_wrong(tmp_path):
    done = pytest_from_anywhere(
        tmp_path,
        "--pyargs", "minisam.oracle", "--adapter", f"{HERE}:half_climb",
        "--adapter-dtype", "float64", "-k", "one-tensor",
    )  # fmt: skip
    assert done.returncode == 1, done.stdout + done.stderr
    assert "the point of the second gradient" in done.stdout


def test_without_an_adapter_there_is_nothing_to_run(tmp_path):
    done = pytest_from_anywhere(tmp_path, "--pyargs", "minisam.oracle")
    assert done.returncode == pytest.ExitCode.NO_TESTS_COLLECTED, done.stdout + done.stderr


def test_a_target_that_is_not_there_stops_the_run(tmp_path):
    done = pytest_from_anywhere(tmp_path, "--pyargs", "minisam.oracle", "--adapter", "no.py:step")
    assert done.returncode in (pytest.ExitCode.INTERRUPTED, pytest.ExitCode.USAGE_ERROR)
    assert "there is no file 'no.py'" in done.stdout + done.stderr


@parametrize(known.right, dtype="float64")
def test_parametrize_makes_a_test_of_every_probe(adapter, probe):
    probe(adapter)


def test_a_failing_case_says_what_is_wrong():
    (case,) = [c for c in cases(known.half_climb, "float64") if c.probe.slug == "sam-one-tensor"]
    assert repr(case) == "sam-one-tensor-float64"
    with pytest.raises(AssertionError, match="B = A"):
        case(known.half_climb)
    with pytest.raises(AssertionError, match="adapter error"):
        case(known.raises)


@pytest.mark.fault("time-limit-value", "oracle.parametrize", "pytest --adapter")
@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf"), 1e30])
def test_a_limit_that_is_no_time_is_refused_by_name(value):
    with pytest.raises(ValueError, match=r"timeout must be a number of seconds from 0\.001"):
        parametrize(known.right, timeout=value)
    case = cases(known.right, "float64")[0]
    with pytest.raises(ValueError, match=r"timeout must be a number of seconds from 0\.001"):
        case(known.right, timeout=value)
    with pytest.raises(pytest.UsageError, match="--adapter-timeout must be a number of seconds"):
        chosen(Options({"--adapter": f"{HERE}:right", "--adapter-timeout": value}))


class Options(dict):
    """A configuration with an adapter's options, as pytest has it."""

    def getoption(self, name):
        return self.get(name, [] if name == "--adapter-declare" else None)


def test_a_case_has_the_limit_of_its_adapter():
    (case,) = [
        one
        for one in cases(known.hangs, "float64", timeout=0.1)
        if one.probe.slug == "sam-one-tensor"
    ]
    with pytest.raises(AssertionError, match=r"a step did not return within 0\.1 s"):
        case(known.hangs)
