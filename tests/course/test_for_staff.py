"""What only the staff get works where it is put."""

import ast
import json
import os
import re
import shlex
import shutil
import subprocess

import pytest

from minisam.cli.main import build_parser
from minisam.course.assignments import NAMES, assignment
from minisam.course.for_staff import release_to_staff
from minisam.course.texts import solution_lines, source_of


@pytest.mark.parametrize("name", NAMES)
def test_the_staff_get_the_solution(name, tmp_path):
    found = assignment(name)
    release_to_staff(found, {}, tmp_path / "staff")
    for path in (tmp_path / "staff").glob("hw*"):
        text = path.read_text(encoding="utf-8").replace('\\"', '"')
        assert all(line in text for line in solution_lines(source_of(found, {})))
    with pytest.raises(ValueError, match="must be an empty folder"):
        release_to_staff(found, {}, tmp_path / "staff")


@pytest.mark.parametrize("name", NAMES)
def test_otter_has_a_test_for_every_skill(name, tmp_path):
    found = assignment(name)
    release_to_staff(found, {}, tmp_path / "staff")
    names = {one.name for one in found.criteria if not one.by_staff}
    files = {path.stem: path.read_text(encoding="utf-8")
             for path in (tmp_path / "staff" / "tests").iterdir()}  # fmt: skip
    assert set(files) == names
    for skill, text in files.items():
        compile(text, skill, "exec")
        assert f'["{skill}"]' in text


def test_the_scripts_of_other_systems_call_the_grader(tmp_path):
    release_to_staff(assignment("a2"), {"p": 3, "steps": 0}, tmp_path / "staff")
    script = tmp_path / "staff/gradescope/run_autograder"
    assert os.access(script, os.X_OK)
    run = script.read_text()
    command = re.search(r" minisam (.*?[^\\])\n", run, re.DOTALL)[1].replace("\\\n", " ")
    parsed = build_parser(["course"]).parse_args(shlex.split(command))
    assert (parsed.assignment, parsed.variant) == ("a2", ["p=3"])
    assert parsed.gradescope == "/autograder/results/results.json"
    tree = ast.parse((tmp_path / "staff/classroom50/autograder.py").read_text())
    (words,) = [node.value.value for node in tree.body
                if isinstance(node, ast.Assign) and node.targets[0].id == "words"]  # fmt: skip
    parsed = build_parser(["course"]).parse_args(words.split())
    assert (parsed.classroom50, parsed.variant) == ("result.json", ["p=3"])


@pytest.mark.skipif(not shutil.which("timeout"), reason="there is no such command")
@pytest.mark.parametrize(
    ("secret", "fake", "output"),
    [
        ("x", 'printf \'{"output": "graded"}\' > "${@: -1}"; exit 1', "graded"),
        ("x", "exit 2", "grading did not come to its end"),
        ("x", "kill -9 $$", "grading did not come to its end"),
        ("x", "sleep 60", "grading did not come to its end"),
        ("", 'printf \'{"output": "graded"}\' > "${@: -1}"', "grading did not come to its end"),
    ],
)
def test_gradescope_finds_a_result_whatever_comes_between(tmp_path, secret, fake, output):
    place = tmp_path / "autograder"
    release_to_staff(assignment("a2"), {}, tmp_path / "staff")
    shutil.copytree(tmp_path / "staff" / "gradescope", place / "source")
    (place / "results").mkdir()
    (place / "source" / "secret").write_text(secret)
    command = tmp_path / "bin" / "minisam"
    command.parent.mkdir()
    command.write_text(f"#!/usr/bin/env bash\n{fake}\n")
    command.chmod(0o755)
    script = place / "source" / "run_autograder"
    text = script.read_text().replace("/autograder", str(place)).replace("timeout 540", "timeout 1")
    script.write_text(text)
    path = os.pathsep.join([str(command.parent), os.environ["PATH"]])
    done = subprocess.run(
        [script], env={**os.environ, "PATH": path}, capture_output=True, text=True
    )
    assert done.returncode == 0
    assert output in json.loads((place / "results" / "results.json").read_text())["output"]
    assert ("there must be a file secret" in done.stdout) == (not secret)
