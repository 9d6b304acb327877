"""What students get: it works, and nothing of the solution or the secret is in it."""

import ast
import json
import re
import shlex
import subprocess
import sys

import pytest

from minisam.course import release as module
from minisam.course.assignments import NAMES, assignment
from minisam.course.for_staff import release_to_staff
from minisam.course.formative import credits_in
from minisam.course.handed_in import of_folder
from minisam.course.release import release
from minisam.course.texts import (
    cells_of,
    notebook,
    reference,
    solution_lines,
    source_of,
    with_solutions,
)

every = pytest.mark.parametrize("name", NAMES)


@every
def test_nothing_of_the_solution_is_released(name, tmp_path):
    found = assignment(name)
    files = release(found, {}, tmp_path / "out", "minisam")
    names = {str(path.relative_to(tmp_path / "out")) for path in files}
    file = found.file
    assert names == {f"{file}.py", f"{file}.ipynb", f"test_{file}.py", "README.md",
                     ".github/workflows/check.yml"}  # fmt: skip
    secret = solution_lines(source_of(found, {}))
    for path in files:
        text = path.read_text(encoding="utf-8")
        assert not any(line in text for line in secret)
        assert "secret" not in text


def test_a_solution_that_would_get_out_stops_everything(tmp_path, monkeypatch):
    found = assignment("a2")
    monkeypatch.setattr(module, "stripped_cells", cells_of)
    with pytest.raises(ValueError, match="would hold a line of the solution"):
        release(found, {}, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.fault("file-written", "minisam course release")
def test_a_folder_that_holds_something_is_left_alone(tmp_path):
    (tmp_path / "mine").touch()
    with pytest.raises(ValueError, match="must be an empty folder"):
        release(assignment("a2"), {}, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


@every
def test_a_notebook_is_one(name, tmp_path):
    found = assignment(name)
    release(found, {}, tmp_path)
    whole = json.loads((tmp_path / f"{found.file}.ipynb").read_text(encoding="utf-8"))
    assert (whole["nbformat"], whole["nbformat_minor"]) == (4, 5)
    assert len({cell["id"] for cell in whole["cells"]}) == len(whole["cells"])
    told = [cell["metadata"]["nbgrader"] for cell in whole["cells"] if cell["metadata"]]
    assert [one["points"] for one in told if one["grade"]] == [20]
    assert all(one["solution"] is not one["grade"] for one in told)
    assert len({one["grade_id"] for one in told}) == len(told)


def run_tests(folder, file):
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"test_{file}.py"]
    return subprocess.run(words, cwd=folder, capture_output=True, text=True)


def test_the_public_tests_fail_on_the_stub_and_pass_on_the_solution(tmp_path):
    found = assignment("a2")
    release(found, {"p": 3, "steps": 1}, tmp_path)
    before = run_tests(tmp_path, "hw2")
    assert before.returncode == 1
    assert "8 failed" in before.stdout
    (tmp_path / "hw2.py").write_text(reference(found, {"p": 3, "steps": 1}), encoding="utf-8")
    after = run_tests(tmp_path, "hw2")
    assert (after.returncode, "8 passed" in after.stdout) == (0, True), after.stdout


@every
def test_who_works_in_the_notebook_leaves_the_script_as_it_was(name, tmp_path):
    found = assignment(name)
    file = found.file
    release(found, {}, tmp_path, "minisam")
    solved = notebook(cells_of(with_solutions(source_of(found, {}))))
    (tmp_path / f"{file}.ipynb").write_text(solved, encoding="utf-8")
    assert of_folder("ann", tmp_path, file).path == tmp_path / f"{file}.ipynb"
    if name == "a2":
        assert {one.status for one in credits_in(tmp_path, name).values()} == {"right"}
        (tmp_path / "hw2.py").write_text("x = 1")
        with pytest.raises(ValueError, match=r"hw2\.py and hw2\.ipynb differ, and both hold work"):
            credits_in(tmp_path, name)


def test_of_a_notebook_the_cells_are_run(tmp_path):
    found = assignment("a1")
    cells = [{"cell_type": "code", "source": source} for source in
             ("1 / 0", reference(found, {}))]  # fmt: skip
    (tmp_path / "hw1.ipynb").write_text(json.dumps({"cells": cells}), encoding="utf-8")
    assert all(one.status == "right" for one in credits_in(tmp_path, "a1").values())


def test_a_file_that_raises_is_told_and_one_that_is_missing_too(tmp_path):
    with pytest.raises(ValueError, match=r"there is no hw1\.py"):
        credits_in(tmp_path, "a1")
    (tmp_path / "hw1.py").write_text("1 / 0")
    with pytest.raises(ZeroDivisionError):
        credits_in(tmp_path, "a1")


def installs(folder):
    """The words after ``pip install`` in every file of a release, options left out."""
    found = {}
    for path in sorted(folder.rglob("*")):
        text = path.read_text(encoding="utf-8") if path.suffix in (".yml", ".sh", ".md") else ""
        for line in re.findall("pip install (.*)", text):
            found[path.name] = [word for word in shlex.split(line) if word != "pytest"]
        if path.name == "autograder.py":
            (line,) = re.findall(r"install = \[\*python, (.*)\]", path.read_text(encoding="utf-8"))
            words = ast.literal_eval(f"[{line}]")
            found[path.name] = [one for one in words[2:] if not one.startswith("--")]
    return found


OTHER_PLACES = ["git+https://example.org/minisam", "minisam @ https://example.org/it's a.whl"]
INSTALLING = {"README.md", "check.yml", "setup.sh", "autograder.py"}


@pytest.mark.parametrize("place", OTHER_PLACES)
def test_what_is_installed_can_be_said(tmp_path, place):
    release(assignment("a2"), {}, tmp_path / "out", place)
    release_to_staff(assignment("a2"), {}, tmp_path / "out" / "staff", place)
    assert installs(tmp_path / "out") == {key: [place] for key in INSTALLING}
    assert not list(tmp_path.rglob("*.whl"))


def test_what_is_installed_lies_beside_what_installs_it(tmp_path):
    release(assignment("a2"), {}, tmp_path / "out")
    release_to_staff(assignment("a2"), {}, tmp_path / "staff")
    students, staff = installs(tmp_path / "out"), installs(tmp_path / "staff")
    assert {*students, *staff} == INSTALLING
    places = {"setup.sh": "staff/gradescope", "autograder.py": "staff/classroom50"}
    for file, (word,) in {**students, **staff}.items():
        assert word.startswith("./")  # else pip asks an index for it
        assert (tmp_path / places.get(file, "out") / word).is_file()


@pytest.mark.parametrize("place", ["", " ", "a\nb", "--index-url=x", "-r x"])
def test_what_pip_cannot_install_is_refused(tmp_path, place):
    for write in (release, release_to_staff):
        with pytest.raises(ValueError, match="--install must be what pip can install"):
            write(assignment("a2"), {}, tmp_path / "out", place)
    assert not (tmp_path / "out").exists()


def test_a_file_that_only_this_machine_has_is_refused(tmp_path):
    (tmp_path / "a.whl").touch()
    with pytest.raises(ValueError, match=r"a\.whl', a file of this machine"):
        release(assignment("a2"), {}, tmp_path / "out", str(tmp_path / "a.whl"))


@pytest.mark.parametrize("name", NAMES)
def test_students_begin_with_predictions_where_there_are_some(name, tmp_path):
    release(assignment(name), {}, tmp_path / "out")
    asked = "PREDICTION_1" in (tmp_path / "out" / f"hw{name[1:]}.py").read_text()
    assert ("Begin with the predictions" in (tmp_path / "out/README.md").read_text()) is asked
