"""The matrix reads the versions that it tries, and says which Pythons it lacks."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("matrix.sh")
PROJECT = SCRIPT.parents[1] / "pyproject.toml"

pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="no bash on this system")


def answer(option, **environment):
    command = ["bash", str(SCRIPT), option]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def test_the_lowest_versions_are_those_of_the_project():
    constraints = answer("--lowest", PATH="/usr/bin:/bin")
    text = PROJECT.read_text(encoding="utf-8")
    listed = text[text.index("[project]") : text.index("[project.scripts]")]
    for name in ("numpy", "autograd", "matplotlib", "pytest", "pytest-xdist", "hypothesis"):
        (version,) = re.findall(rf'"{name}>=([\d.]+)"', listed)
        assert f"{name}=={version}" in constraints
    assert len(constraints) == len(set(re.findall(r'"([\w.-]+)[^">]*>=', text)))
    assert not [line for line in constraints if re.search(r"[\[\]>\"']", line)]


@pytest.fixture
def pythons(tmp_path):
    """Three of them, which tell their version and do nothing else."""
    for folder, version in [("a", "10 3"), ("b", "10 13"), ("c", "12 1")]:
        path = tmp_path / "versions" / folder / "bin" / "python"
        path.parent.mkdir(parents=True)
        path.write_text(f"#!/bin/sh\necho {version} {path}\n")
        path.chmod(0o755)
    programs = tmp_path / "programs"
    programs.mkdir()
    used = ["awk", "bash", "cut", "dirname", "grep", "ls", "mkdir", "rm", "sed", "seq", "sort"]
    for name in [*used, "tail"]:
        (programs / name).symlink_to(shutil.which(name))
    return {"PATH": str(programs), "PYENV_ROOT": str(tmp_path)}


@pytest.mark.fault("missing-from-the-platform", "tests/matrix.sh")
def test_a_python_that_is_not_there_is_said(pythons, tmp_path):
    found = answer("--list", **pythons)
    kept = f"{tmp_path}/versions/{{}}/bin/python"
    assert found == [f"3.10: {kept.format('b')}", "3.11: not found", f"3.12: {kept.format('c')}"]


@pytest.mark.fault("cannot-fail", "tests/matrix.sh")
@pytest.mark.parametrize(("options", "named"), [(["--quick"], "3.10 lowest"), ([], "3.12 newest")])
def test_where_nothing_can_be_installed_it_fails(options, named, pythons, tmp_path):
    copy = tmp_path / "project" / "tests" / SCRIPT.name  # what is installed there is not ours
    copy.parent.mkdir(parents=True)
    shutil.copy(SCRIPT, copy)
    shutil.copy(PROJECT, copy.parents[1])
    done = subprocess.run(
        ["bash", str(copy), *options], env=pythons, capture_output=True, text=True
    )
    assert done.returncode == 1, done.stderr
    assert f"{named}: could not be installed" in done.stdout
    assert done.stdout.splitlines()[-2:] == ["nothing could be run", "1 failed"]
