"""A class is graded from the command line, or nothing at all is written."""

import json
import os

import pytest
from course.submissions import course

from minisam.cli import grading
from minisam.course import batch, judging, pages, pupil
from minisam.course.doors import CLASSROOM
from minisam.course.rubric import STAFF, Credit


def test_of_one_submission_other_systems_are_told(folder, tmp_path, monkeypatch):
    (folder / "bob" / "notes.py").write_text("x = 1")  # the folder is one student's all the same
    path, other = tmp_path / "results.json", tmp_path / "result.json"
    for name in CLASSROOM.values():
        monkeypatch.setenv(name, "x")
    assert course("grade", folder / "bob", "--assignment", "a2", "--out", tmp_path / "out",
                  "--gradescope", path, "--classroom50", other) == 0  # fmt: skip
    found = json.loads(path.read_text())
    assert found["score"] == sum(one["score"] for one in found["tests"]) == 15
    assert json.loads(other.read_text())["score"] == 15


@pytest.fixture
def quick(monkeypatch):
    """Let nothing be run: everybody gets a 0."""
    monkeypatch.setattr(batch, "check_itself", lambda *_: None)
    monkeypatch.setattr(batch, "graded", lambda *_: judging.Grade(0, "graded", [], ran=True))
    return monkeypatch


RIGHT_A3 = "def asam_step(w, names, grad_fn, *, rho, lr, eta):\n    return w\n"
EARLY = {  # what is handed in, and what its student reads at once
    "another's": ({"hw2.py": RIGHT_A3},
                  "could not be graded: it looks like a3, and has nothing of a2: it defines "
                  "asam_step. Hand in hw2.py or hw2.ipynb. This is no grade"),
    "nothing": ({}, "nothing handed in: There is no file. Hand in hw2.py or hw2.ipynb."),
    "another kind": ({"hw2.zip": ""}, "there is no .py or .ipynb, only hw2.zip. Hand in hw2.py"),
    "two": ({"a.py": "x = 1", "b.py": "x = 2"}, "none of the files is hw2.py: a.py, b.py."),
    "both": ({"hw2.py": "def step(w): pass", "hw2.ipynb": "{}"},
             "hw2.py and hw2.ipynb differ, and both hold work"),
    "no notebook": ({"hw2.ipynb": "{"}, "not importable: it is no notebook (JSONDecodeError)."),
    "no text": ({"hw2.py": "x\0"}, "not importable: it is not UTF-8: save it as UTF-8."),
}  # fmt: skip


@pytest.mark.fault("file-read", "minisam course grade --gradescope")
@pytest.mark.parametrize("kind", EARLY)
def test_gradescope_tells_at_once_why_grading_ended_early(kind, tmp_path, quick):
    files, told = EARLY[kind]
    (tmp_path / "in").mkdir()
    for name, text in files.items():
        (tmp_path / "in" / name).write_text(text)
    path = tmp_path / "results.json"
    code = course("grade", tmp_path / "in", "--assignment", "a2", "--out", tmp_path / "out",
                  "--gradescope", path)  # fmt: skip
    found = json.loads(path.read_text())
    assert (found["score"], found["visibility"]) == (0, "visible")
    assert told in found["output"]
    assert ("This is no grade" in found["output"]) == (code == 1)
    assert {one["visibility"] for one in found["tests"]} <= {"after_published"}


def ends(*_):
    raise SystemExit("killed")


def fails(*_):
    raise pupil.CannotGrade("the reference gets 1 of 20 points")


def breaks(*_):
    raise ZeroDivisionError("(0.1875, 0.25)")


@pytest.mark.parametrize(("place", "how", "told"), [
    ("check_itself", ends, "grading did not come to its end. This is no grade"),
    ("check_itself", fails, "grading did not come to its end. This is no grade"),
    ("graded", breaks, "could not be graded. This is no grade"),
    ("write_class", breaks, "grading did not come to its end. This is no grade"),
])  # fmt: skip
def test_gradescope_has_a_result_whatever_ends_us(
    place, how, told, folder, tmp_path, quick, capsys
):
    quick.setattr(batch if hasattr(batch, place) else grading, place, how)
    path = tmp_path / "results.json"
    path.write_text('{"score": 20}')  # of an earlier run
    words = ["grade", folder / "bob", "--assignment", "a2", "--out", tmp_path / "out"]
    try:
        code = course(*words, "--gradescope", path)
    except (SystemExit, ZeroDivisionError):
        code = 1
    found = json.loads(path.read_text())
    assert (code, found["score"], found["visibility"]) == (1, 0, "visible")
    assert told in found["output"]
    assert "0.1875" not in found["output"]  # a secret number


@pytest.mark.fault("file-written", "minisam course grade")
def test_a_result_that_a_student_has_made_is_none(folder, tmp_path, quick, monkeypatch):
    for name in CLASSROOM.values():
        monkeypatch.setenv(name, "x")
    theirs, ours = folder / "bob" / "result.json", tmp_path / "autograder.py"
    words = ["grade", folder / "bob", "--assignment", "a2", "--out", tmp_path / "out"]
    ours.write_text("x = 1")
    theirs.symlink_to(ours)
    assert course(*words, "--classroom50", theirs) == 0
    assert ours.read_text() == "x = 1"
    assert json.loads(theirs.read_text())["score"] == 0
    theirs.unlink()
    theirs.symlink_to(tmp_path / "new")
    assert course(*words, "--classroom50", theirs) == 0
    assert not (tmp_path / "new").exists()
    assert json.loads(theirs.read_text())["score"] == 0
    theirs.write_text('{"score": 20}')
    (folder / "bob" / "hw2.py").write_text(RIGHT_A3)
    assert course(*words, "--classroom50", theirs) == 1
    assert not theirs.exists()


def test_a_device_is_no_old_result(monkeypatch):
    monkeypatch.setattr(grading.Path, "unlink", lambda path: pytest.fail(f"{path} is gone"))
    place = {"classroom50": grading.Path("/dev/stdout")}
    grading.let_go_of_old_results(grading.Asked(*[None] * 8, results=place))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with a name")
def test_to_a_pipe_one_result_is_written(folder, tmp_path, quick):
    pipe, written = tmp_path / "pipe", []
    os.mkfifo(pipe)
    quick.setattr(grading, "write_text", lambda path, text: written.append((path, text)))
    words = ["grade", folder / "bob", "--assignment", "a2", "--out", tmp_path / "out"]
    assert course(*words, "--gradescope", pipe) == 0
    ((path, text),) = written
    assert (path, json.loads(text)["extra_data"]["status"]) == (pipe, "graded")


def test_files_of_another_assignment_are_refused_before_anything_is_written(
    folder, tmp_path, capsys
):
    assert course("grade", folder, "--assignment", "a3", "--out", tmp_path / "out") == 2
    assert "--assignment must be a2, got a3" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_what_could_not_be_graded_is_an_error_and_no_zero(folder, tmp_path, capsys):
    (folder / "ann" / "hw2.py").rename(folder / "ann" / "a.py")
    (folder / "ann" / "b.py").touch()
    (folder / "cy.zip").touch()
    assert course("grade", folder, "--assignment", "a2", "--out", tmp_path / "out") == 1
    said, told = capsys.readouterr()
    assert "\n1 graded: " in said
    assert "ann could not be graded: none of the files is hw2.py" in told
    assert "passed over, for it is neither a folder nor code: cy.zip" in told
    assert "ann,,could not be graded" in (tmp_path / "out" / "scores.csv").read_text()


@pytest.mark.skipif(os.name != "posix", reason="other permissions")
def test_a_seed_file_that_others_may_read_is_said(folder, tmp_path, capsys, quick):
    words = ["grade", folder, "--assignment", "a2", "--out", tmp_path / "out", "--seed-file"]
    (tmp_path / "mine").write_text("x")
    for mode, said in ((0o644, True), (0o640, True), (0o604, True), (0o600, False)):
        (tmp_path / "mine").chmod(mode)
        assert course(*words, tmp_path / "mine") == 0
        assert ("others may read the seed file" in capsys.readouterr().err) is said
    assert (tmp_path / "out").stat().st_mode & 0o077 == 0


def test_a_class_is_not_graded_again_with_a_seed_that_nobody_chose(folder, tmp_path, capsys, quick):
    out, mine = tmp_path / "out", tmp_path / "mine"
    words = ["grade", folder, "--assignment", "a2", "--out", out]
    assert course(*words, "--seed-file", mine) == 0
    capsys.readouterr()
    for more, name in (((), "secret"), (("--seed-file", tmp_path / "typo"), "typo")):
        before = sorted(tmp_path.rglob("*"))
        assert course(*words, *more) == 2
        told = capsys.readouterr().err
        assert "--seed-file must be the one that the results in" in told
        assert f"{name}', which is not there" in told
        assert sorted(tmp_path.rglob("*")) == before
    assert course(*words, "--seed-file", mine) == 0


def test_results_among_the_submissions_are_refused(folder, capsys):
    for out in (folder, folder / "marks"):
        assert course("grade", folder, "--assignment", "a2", "--out", out) == 2
        assert "--out must not be inside" in capsys.readouterr().err
    assert sorted(path.name for path in folder.iterdir()) == ["ann", "bob"]


@pytest.mark.fault("option-value", "minisam course grade")
@pytest.mark.parametrize(("words", "told"), [
    (("--jobs", 0), "--jobs must be"),
    (("--variant", "p=7"), "--variant must be among"),
    (("--seed-file", "empty"), "is empty"),
    (("--marks", "none.csv"), "none.csv"),
    (("--seed-file", "empty/x"), "--seed-file must be a file that can be written"),
    (("--gradescope", "empty/x"), "--gradescope must be a file that can be written"),
    (("--classroom50", "empty/x"), "--classroom50 must be a file that can be written"),
    (("--classroom50", "new"), "this is no runner of Classroom 50"),
    (("--nbgrader", "none.db"), "there is no gradebook"),
    (("--out", "empty/x"), "scores.csv in --out must be a file that can be written"),
    (("--assignment", "a4", "--marks", "typo.csv"), "typo.csv has points for 'anne'"),
    (("--assignment", "a4", "--marks", "none.csv"), "none.csv"),
    (("--assignment", "a4", "--marks", "."), "--marks must be a file"),
    (("--out", "empty"), "--out must be a folder"),
    (("--seed-file", "."), "--seed-file must be a file that can be written, got '.', a folder"),
    (("--gradescope", "."), "--gradescope must be a file that can be written, got '.', a folder"),
    (("--classroom50", "."), "--classroom50 must be a file that can be written, got '.', a folder"),
    (("--nbgrader", "."), "--nbgrader must be a file that can be written, got '.', a folder"),
])  # fmt: skip
def test_an_option_that_is_none_is_refused(words, told, folder, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").touch()
    (tmp_path / "typo.csv").write_text("id,report\nanne,7\n")
    for name in ("ann", "bob") if "a4" in words else ():
        (folder / name / "hw2.py").write_text("def flip(): pass")
    before = sorted(tmp_path.rglob("*"))
    assert course("grade", folder, "--assignment", "a2", "--out", "out", *words) == 2
    assert told in capsys.readouterr().err
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(("count", "told"), [
    (4, "0.zip, 1.zip, 2.zip, 3.zip\n"), (5, "0.zip, 1.zip, 2.zip, 3.zip, …\n"),
])  # fmt: skip
def test_what_is_passed_over_is_told_of_a_class_only(count, told, folder, tmp_path, quick, capsys):
    for place in (folder, folder / "bob"):
        for number in range(count):
            (place / f"{number}.zip").touch()
    assert course("grade", folder, "--assignment", "a2", "--out", tmp_path / "out") == 0
    assert f"passed over, for it is neither a folder nor code: {told}" in capsys.readouterr().err
    assert course("grade", folder / "bob", "--assignment", "a2", "--out", tmp_path / "one",
                  "--gradescope", tmp_path / "results.json") == 0  # fmt: skip
    assert "passed over" not in capsys.readouterr().err


def test_points_of_people_are_added_and_who_waits_for_them_is_counted(
    folder, tmp_path, quick, capsys
):
    def graded(found, *_):
        lines = [Credit(one.name, 0, STAFF if one.by_staff else "wrong") for one in found.criteria]
        return judging.Grade(0, "graded", lines)

    quick.setattr(batch, "graded", graded)
    for name in ("ann", "bob"):
        (folder / name / "hw2.py").rename(folder / name / "hw4.py").write_text("def flip(): pass")
    (tmp_path / "report.csv").write_text("id,report\nann,7\n")
    words = ["grade", folder, "--assignment", "a4", "--out", tmp_path / "out"]
    for more, waiting, total in (((), 2, 0), (("--marks", tmp_path / "report.csv"), 1, 7)):
        assert course(*words, *more) == 0
        assert f"\n{waiting} without the points that people give" in capsys.readouterr().out
        assert f"\nann,{total},graded" in (tmp_path / "out" / "scores.csv").read_text()


@pytest.mark.parametrize(("left", "told"), [
    ([], ["2 written into"]),
    (["bob"], ["1 written into",
               "not there, for nbgrader has not graded them or we could not: bob"]),
])  # fmt: skip
def test_whom_the_gradebook_does_not_have_is_told(left, told, folder, tmp_path, quick, capsys):
    quick.setattr(grading.doors, "check_gradebook", lambda path: None)
    quick.setattr(grading.doors, "to_nbgrader", lambda *_: left)
    book = tmp_path / "gradebook.db"
    words = ["grade", folder, "--assignment", "a2", "--out", tmp_path / "out", "--nbgrader", book]
    assert course(*words) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.removesuffix(f" {book}") for line in lines[-1 - len(told) : -1]] == told


def test_what_was_done_before_does_not_tell_how_long_the_rest_takes(monkeypatch, capsys):
    times = iter([100.0, 102.0, 104.0])
    tell = grading.Progress()
    monkeypatch.setattr(grading.time, "monotonic", lambda: next(times))
    for done in (3, 4, 6):
        tell(done, 6)
    assert capsys.readouterr().err.splitlines() == ["3 of 6", "4 of 6, 4 s left", "6 of 6"]


def test_as_many_children_as_asked_for_run_at_once(folder, tmp_path, quick):
    asked, real = [], batch.ThreadPoolExecutor
    quick.setattr(batch, "ThreadPoolExecutor", lambda jobs: asked.append(jobs) or real(jobs))
    words = ["grade", folder, "--assignment", "a2", "--out", tmp_path / "out"]
    assert [course(*words), course(*words, "--jobs", 3)] == [0, 0]
    assert asked == [1, 3]


def test_results_of_another_class_are_refused_before_anything_is_written(
    folder, tmp_path, quick, capsys
):
    words = ["grade", folder / "bob", "--assignment", "a2", "--out", tmp_path / "out"]
    assert course(*words) == 0
    before = sorted(tmp_path.rglob("*"))
    assert course(*words, "--variant", "p=3", "--gradescope", tmp_path / "results.json") == 2
    assert "holds results of another variant" in capsys.readouterr().err
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(("asked", "whole"), [(0.001, 1), (2.6, 3), (86400, 86400)])
def test_seconds_are_whole_and_no_fewer_than_one(asked, whole):
    assert grading.guard_of(asked).seconds == whole


def test_a_folder_that_is_not_there_is_said(tmp_path, capsys):
    assert course("grade", tmp_path / "x", "--assignment", "a2", "--out", tmp_path / "o") == 2
    assert "there is no folder" in capsys.readouterr().err
    assert not (tmp_path / "o").exists()  # no secret either


def test_a_page_that_cannot_be_written_costs_nobody_else_anything(folder, tmp_path, capsys, quick):
    real = pages.feedback

    def sometimes(found, name, grade):
        if name == "ann":
            raise ValueError("no \x1b page")
        return real(found, name, grade)

    quick.setattr(pages, "feedback", sometimes)
    out = tmp_path / "out"
    assert course("grade", folder, "--assignment", "a2", "--out", out) == 1
    assert "ann has no page: no \\x1b page" in capsys.readouterr().err
    assert [path.name for path in (out / "feedback").iterdir()] == ["bob.html"]
    assert len((out / "scores.csv").read_text().splitlines()) == 3
