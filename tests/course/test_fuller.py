"""Of a script and a notebook the one that was worked in is meant."""

import json

import pytest
from course.submissions import fill

from minisam.course.assignments import assignment
from minisam.course.handed_in import found_in
from minisam.course.texts import code_cells, notebook, source_of, stripped_cells, stub

STEP = "def step(w, grad_fn, *, rho, lr):\n    d1 = grad_fn(w)"
CHECK = 'from minisam.course import check\n\ncheck(globals(), "a2", {"p": 3})'


def released(variant):
    """The two files of A2 that students get, as texts: a script, and the cells of a notebook."""
    found = assignment("a2")
    cells = code_cells(notebook(stripped_cells(source_of(found, variant))))
    return stub(found, variant), cells


def script_and_notebook(folder, script, cells, loose=False):
    """Write both files of one student's."""
    places = [f"ann{end}" if loose else f"ann/hw2{end}" for end in (".py", ".ipynb")]
    fill(folder, *places)
    (folder / places[0]).write_text(script, encoding="utf-8")
    whole = {"cells": [{"cell_type": "code", "source": cell} for cell in cells]}
    (folder / places[1]).write_text(json.dumps(whole), encoding="utf-8")


@pytest.mark.fault("said-of-the-data", "minisam course grade", "minisam course release")
@pytest.mark.parametrize("variant", [{}, {"p": 3, "steps": 1}])
@pytest.mark.parametrize("loose", [False, True])
@pytest.mark.parametrize(("in_script", "in_notebook", "due"), [
    ("", "", ".py"), (STEP, "", ".py"), ("", STEP, ".ipynb"), (STEP, STEP, ".py"),
    (STEP, f"{STEP}\nx = 1", ".ipynb"), (f"{STEP}\nx = 1", STEP, ".py"),
    ("# a comment", STEP, ".ipynb"), ("", CHECK, ".py"), (STEP, "%matplotlib inline\n!ls", ".py"),
    ('MISTAKE_1 = "B"', STEP, None), ('MISTAKE_1 = "B"', 'MISTAKE_1 = "C"', None),
])  # fmt: skip
def test_of_a_script_and_a_notebook_the_one_that_was_worked_in_is_meant(
    in_script, in_notebook, due, loose, variant, tmp_path
):
    script, cells = released(variant)
    script_and_notebook(tmp_path, f"{script}\n{in_script}\n", [*cells, in_notebook], loose)
    (ann,) = found_in(tmp_path, "hw2")
    assert (ann.path and ann.path.suffix) == due
    assert ("differ, and both hold work" in ann.trouble) is (due is None)


def test_a_notebook_that_is_none_may_hold_work(tmp_path):
    script, cells = released({})
    script_and_notebook(tmp_path, script, cells)
    (tmp_path / "ann/hw2.ipynb").write_text("{")
    (ann,) = found_in(tmp_path, "hw2")
    assert ann.path == tmp_path / "ann/hw2.ipynb"  # and it is said that it is none
    (tmp_path / "ann/hw2.py").write_text(f"{script}\n{STEP}\n")
    (ann,) = found_in(tmp_path, "hw2")
    assert "both hold work" in ann.trouble


def test_endings_in_large_letters_are_those_of_a_script_and_a_notebook(tmp_path):
    fill(tmp_path, "ann/hw2.PY", "ann/HW2.ipynb")
    (tmp_path / "ann/hw2.PY").write_text("x = 2\n")
    (ann,) = found_in(tmp_path, "hw2")
    assert ann.trouble == "hw2.PY and HW2.ipynb differ, and both hold work"


MOODLE = "Ann Lee_12_assignsubmission_{}/{}"


@pytest.mark.parametrize(("text", "file", "due", "told"), [
    ("onlinetext.html", "hw2.py", "hw2.py", ""),
    ("onlinetext.html", ".keep", None, "there is no .py or .ipynb, only onlinetext.html"),
    (".keep", "hw2.py", "hw2.py", ""),
    (".keep", ".keep", None, ""),
    ("hw2.py", "hw2.py", None, "several files are there under this name"),
])  # fmt: skip
def test_of_moodles_two_folders_the_one_with_a_file_is_meant(text, file, due, told, tmp_path):
    fill(tmp_path, MOODLE.format("onlinetext", text), MOODLE.format("file", file))
    (ann,) = found_in(tmp_path, "hw2")
    assert (ann.id, ann.path and ann.path.name, ann.trouble) == ("Ann Lee_12", due, told)
