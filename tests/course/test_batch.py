"""A class is graded once, whatever interrupts it, and always to the same table."""

import csv
import threading

import pytest
from course import submissions as known

from minisam.course import batch
from minisam.course.apart import Apart
from minisam.course.assignments import assignment
from minisam.course.batch import Settings, grade_class
from minisam.course.judging import Grade
from minisam.course.pupil import CannotGrade
from minisam.course.rubric import Task
from minisam.course.written import scores, write_table

A2 = assignment("a2")
CLASS = ("right", "stub", "exits hard", "downhill", "syntax error", "declines")


@pytest.fixture
def folder(tmp_path):
    for number, kind in enumerate(CLASS):
        (tmp_path / "in" / f"s{number}").mkdir(parents=True)
        text = known.text_of(known.KINDS[kind][0])
        (tmp_path / "in" / f"s{number}" / "hw2.py").write_text(text)
    (tmp_path / "in" / "=cmd()").mkdir()
    return tmp_path / "in"


def settings(guard, out, jobs=1, seed=5):
    return Settings(A2, Task(seed, {"p": 2, "steps": 0}), guard, out, jobs)


def table(folder, chosen):
    path = chosen.out / "scores.csv"
    write_table(path, scores(A2, grade_class(folder, chosen)))
    return path.read_bytes()


def test_the_table_is_the_same_to_the_byte_with_more_jobs_and_when_interrupted(
    folder, guard, tmp_path, monkeypatch
):
    once = table(folder, settings(guard, tmp_path / "one", 1))
    assert table(folder, settings(guard, tmp_path / "two", 2)) == once

    interrupted = settings(guard, tmp_path / "three", 2)

    def tell(done, of):
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        grade_class(folder, interrupted, tell)
    assert not list(Apart.open) or all(one.pupil is None for one in Apart.open)
    before = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "three/results").iterdir()}
    assert 3 <= len(before) < 7
    assert table(folder, interrupted) == once
    for path in (tmp_path / "three/results").iterdir():
        assert before.get(path.name, path.stat().st_mtime_ns) == path.stat().st_mtime_ns
    rows = list(csv.reader(once.decode().splitlines()))
    assert rows[0][:3] == ["id", "total", "status"]
    assert rows[1][:3] == ["'=cmd()", "0", "nothing handed in"]
    totals = [str(sum(known.KINDS[kind][2])) for kind in CLASS]
    assert [row[1] for row in rows[2:]] == totals


def test_only_what_has_changed_is_graded_again(folder, guard, tmp_path, monkeypatch):
    chosen = settings(guard, tmp_path / "out")
    grade_class(folder, chosen)
    graded = []
    monkeypatch.setattr(batch, "grade_found", lambda s, one: graded.append(one.id) or Grade(
        0, "graded", []))  # fmt: skip
    grade_class(folder, chosen)
    assert graded == []
    (folder / "s1" / "hw2.py").write_text("x = 2")
    grade_class(folder, chosen)
    assert graded == ["s1"]
    graded.clear()
    grade_class(folder, chosen._replace(task=chosen.task._replace(seed=6)))
    assert len(graded) == 7


def test_what_could_not_be_graded_is_tried_again_and_is_no_zero(folder, guard, tmp_path):
    (folder / "s0" / "hw2.py").unlink()
    (folder / "s0" / "a.py").touch()
    (folder / "s0" / "b.py").touch()
    chosen = settings(guard, tmp_path / "out")
    grades = grade_class(folder, chosen)
    assert scores(A2, grades)[2][:4] == ["s0", "", "could not be graded", ""]
    (folder / "s0" / "b.py").rename(folder / "s0" / "hw2.py")
    assert grade_class(folder, chosen)["s0"].total == 0


def test_a_grader_that_does_not_work_writes_no_table(folder, guard, tmp_path):
    broken = settings(guard._replace(python="/no/such/python"), tmp_path / "out")
    with pytest.raises(CannotGrade):
        grade_class(folder, broken)
    assert not (tmp_path / "out").exists()


def test_a_result_that_comes_after_the_end_is_not_kept(guard, tmp_path, folder):
    stop = threading.Event()
    stop.set()
    found = batch.found_in(folder, "hw2")[0]
    with pytest.raises(CannotGrade):
        batch.grade_and_keep(settings(guard, tmp_path / "out"), found, stop)


@pytest.mark.fault("file-read", "minisam course grade")
@pytest.mark.parametrize("broken", ["grade_found", "write_json"])
def test_no_fault_of_one_submission_ends_the_class(guard, tmp_path, folder, monkeypatch, broken):
    real = getattr(batch, broken)

    def sometimes(*args):
        if "s1" in str(args):
            raise AttributeError("'str' \ud800 object")
        return Grade(0, "graded", []) if broken == "grade_found" else real(*args)

    monkeypatch.setattr(batch, "check_itself", lambda *_: None)
    monkeypatch.setattr(batch, "graded", lambda *_: Grade(0, "graded", []))
    monkeypatch.setattr(batch, broken, sometimes)
    chosen = settings(guard, tmp_path / "out")
    grades = grade_class(folder, chosen)
    assert [name for name, one in grades.items() if one.total is None] == ["s1"]
    assert grades["s1"].note == "AttributeError: 'str' ? object"
    write_table(tmp_path / "scores.csv", scores(A2, grades))


def test_results_of_another_assignment_are_refused(guard, tmp_path, folder, monkeypatch):
    monkeypatch.setattr(batch, "check_itself", lambda *_: None)
    monkeypatch.setattr(batch, "graded", lambda *_: Grade(0, "graded", []))
    chosen = settings(guard, tmp_path / "out")
    grade_class(folder, chosen)
    with pytest.raises(ValueError, match="holds results of a2: a1 needs another folder"):
        grade_class(folder, chosen._replace(assignment=assignment("a1"), task=Task(5)))
    with pytest.raises(ValueError, match="--variant p=2 again, or another folder"):
        grade_class(folder, chosen._replace(task=Task(5, {"p": 3, "steps": 0})))


@pytest.mark.fault("said-of-the-data", "minisam course grade")
def test_a_submission_of_another_assignment_is_no_zero(guard, tmp_path, folder, monkeypatch):
    monkeypatch.setattr(batch, "check_itself", lambda *_: None)
    monkeypatch.setattr(batch, "graded", lambda *_: Grade(0, "graded", []))
    (folder / "s1" / "hw2.py").write_text("def flip(labels): return labels")
    grade = grade_class(folder, settings(guard, tmp_path / "out"))["s1"]
    assert (grade.total, grade.status) == (None, "could not be graded")
    assert "looks like a4" in grade.note
    for path in folder.glob("*/*"):
        path.write_text("def flip(labels): return labels")
    with pytest.raises(ValueError, match="--assignment must be a4, got a2"):
        grade_class(folder, settings(guard, tmp_path / "more"))
    assert not (tmp_path / "more").exists()
