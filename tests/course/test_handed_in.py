import os
from pathlib import Path

import pytest
from course.submissions import fill

from minisam.course.handed_in import found_in, passed_over


def ids(folder):
    return {one.id: one.path and one.path.name for one in found_in(folder, "hw2")}


def test_a_folder_for_each_student(tmp_path):
    fill(tmp_path, "ann/hw2.py", "ann/other.py", "bob/hw2.ipynb", "cy/deep/hw2.py", "di/mine.py",
         "__MACOSX/hw2.py", ".git/hw2.py", "di/notes.txt")  # fmt: skip
    (tmp_path / "ed").mkdir()
    assert ids(tmp_path) == {"ann": "hw2.py", "bob": "hw2.ipynb", "cy": "hw2.py", "di": "mine.py",
                             "ed": None}  # fmt: skip


def test_the_exports_of_learning_platforms(tmp_path):
    fill(tmp_path, "doejane_123_4567_hw2.py", "roejohn_LATE_124_4568_hw2-2.ipynb",
         "hw2_mlee_attempt_2026-11-27-10-00-00_hw2.py",
         "Ann Lee_99_assignsubmission_file_/hw2.py")  # fmt: skip
    assert set(ids(tmp_path)) == {"doejane_123", "roejohn_LATE_124", "mlee", "Ann Lee_99"}


def test_which_of_several_files_is_meant_a_person_must_say(tmp_path):
    fill(tmp_path, "ann/a.py", "ann/b.py", "bob/hw2.py", "bob.py",
         "cy/hw2.py", "cy.py", "cy.ipynb")  # fmt: skip
    found = {one.id: one for one in found_in(tmp_path, "hw2")}
    assert "a.py, b.py" in found["ann"].trouble
    assert "several files" in found["bob"].trouble
    assert "several files" in found["cy"].trouble
    assert found["ann"].path is None


def test_the_folder_of_another_assignment_is_not_looked_into(tmp_path):
    """As nbgrader lays them out, and a repository of a whole course."""
    fill(tmp_path, "ann/hw1/hw1.py", "ann/hw2/hw2.py", "bob/hw1/hw1.ipynb", "cy/HW1/a.py",
         "cy/hw2/mine.py", "di/hw1/hw2.py", "ed/hw1.py")  # fmt: skip
    assert ids(tmp_path) == {"ann": "hw2.py", "bob": None, "cy": "mine.py", "di": "hw2.py",
                             "ed": "hw1.py"}  # fmt: skip
    assert not any(one.trouble for one in found_in(tmp_path, "hw2"))


def test_the_nearest_of_one_name_is_meant(tmp_path):
    fill(tmp_path, "ann/hw2.py", "ann/a/hw2.py", "bob/old/hw2.py", "bob/hw2.ipynb")
    fill(tmp_path, "class/cy/hw2.py", "class/di/hw2.py")  # a whole class in a folder too many
    ann, bob, everybody = found_in(tmp_path, "hw2")
    assert (ann.path, bob.path) == (tmp_path / "ann/hw2.py", tmp_path / "bob/hw2.ipynb")
    assert (everybody.path, everybody.trouble[:13]) == (None, "several files")


def test_a_folder_that_cannot_be_read_is_one_students(tmp_path, monkeypatch):
    fill(tmp_path, "ann/hw2.py", "bob/hw2.py")
    real = Path.rglob

    def sometimes(path, pattern):
        if path.name == "ann":
            raise PermissionError("no entry")
        return real(path, pattern)

    monkeypatch.setattr(Path, "rglob", sometimes)
    ann, bob = found_in(tmp_path, "hw2")
    assert (ann.path, ann.trouble) == (None, "the folder cannot be read: no entry")
    assert (bob.path, bob.trouble) == (tmp_path / "bob/hw2.py", "")


@pytest.mark.parametrize("name", ["hw2.zip", "hw2.docx", "deep/notes.txt", "hw1"])
def test_a_file_of_another_kind_a_person_must_look_at(tmp_path, name):
    fill(tmp_path, f"ann/{name}", "ann/.DS_Store", "bob/.DS_Store")
    ann, bob = found_in(tmp_path, "hw2")
    assert ann.trouble == f"there is no .py or .ipynb, only {name.rpartition('/')[2]}"
    assert (bob.path, bob.trouble) == (None, "")  # nothing at all is nothing handed in


def test_a_link_to_what_was_not_handed_in_is_not_read(tmp_path):
    for name in ("ann", "bob", "cy"):
        (tmp_path / "in" / name / "more").mkdir(parents=True)
    (tmp_path / "in" / "ann" / "hw2.py").write_text("x = 1")
    (tmp_path / "in" / "bob" / "hw2.py").symlink_to(tmp_path / "in" / "ann" / "hw2.py")
    own = tmp_path / "in" / "cy" / "more" / "step.py"
    own.write_text("x = 2")
    (tmp_path / "in" / "cy" / "hw2.py").symlink_to(own)
    ann, bob, cy = found_in(tmp_path / "in", "hw2")
    assert ann.path is not None
    assert (bob.path, bob.trouble) == (None, "hw2.py is a link to what was not handed in")
    assert cy.path is not None
    assert cy.path.read_text() == "x = 2"
    (tmp_path / "in" / "bob" / "mine.py").write_text("x = 3")
    _, bob, _ = found_in(tmp_path / "in", "hw2")
    assert bob.path is not None
    assert bob.path.name == "mine.py"
    (tmp_path / "link").symlink_to(tmp_path / "in", target_is_directory=True)  # the staff's own
    assert len([one for one in found_in(tmp_path / "link", "hw2") if one.path]) == 3


def test_an_exported_file_of_another_kind_is_somebodys(tmp_path):
    fill(tmp_path, "doejane_123_4567_hw2.zip", "roejohn_124_4568_hw2.py", "roejohn_124_4569_a.txt",
         "index.html")  # fmt: skip
    found = {one.id: one.trouble for one in found_in(tmp_path, "hw2")}
    assert found == {"doejane_123": "there is no .py or .ipynb, only doejane_123_4567_hw2.zip",
                     "roejohn_124": ""}  # fmt: skip


@pytest.mark.skipif(os.name != "posix", reason="names are text here")
def test_a_name_that_is_no_text_is_a_student_all_the_same(tmp_path):
    try:
        fill(tmp_path, "M\udcfcller_12_assignsubmission_file/hw2.py")
    except OSError:
        pytest.skip("this file system has none")
    assert ids(tmp_path) == {"M\\xfcller_12": "hw2.py"}


@pytest.mark.parametrize(("name", "told"), [
    ("there", "there is no submission in .*there'$"), ("nowhere", "there is no folder"),
    ("all", "there is no submission in .*, only all.zip: unpack it first"),
    ("all/all.zip", "all.zip' must be a folder: unpack the file first"),
])  # fmt: skip
def test_nothing_to_grade_is_said(tmp_path, name, told):
    (tmp_path / "there").mkdir()
    fill(tmp_path, "all/all.zip")
    with pytest.raises(ValueError, match=told):
        found_in(tmp_path / name, "hw2")


def test_a_name_in_large_letters_is_the_same_file(tmp_path):
    fill(tmp_path, "ann/HW2.PY", "ann/helper.py", "bob/hw2.IPYNB", "CY.PY", "dan/Hw2.py",
         "dan/helper.py")  # fmt: skip
    assert {one.id: one.path and one.path.name for one in found_in(tmp_path, "hw2")} == {
        "ann": "HW2.PY", "bob": "hw2.IPYNB", "CY": "CY.PY", "dan": "Hw2.py"
    }  # fmt: skip


def test_what_nobody_is_known_by_is_passed_over_and_can_be_told(tmp_path):
    fill(tmp_path, "ann.zip", "bob/hw2.py", "cy.py", "doejane_1_2_hw2.zip", ".x", "notes.txt")
    assert passed_over(tmp_path) == ["ann.zip", "notes.txt"]
    assert [one.id for one in found_in(tmp_path, "hw2")] == ["bob", "cy", "doejane_1"]
