"""The points that people gave come from a table, or it is said what is wrong with it."""

import csv
import os
import threading

import pytest

from minisam.course.assignments import assignment
from minisam.course.judging import Grade
from minisam.course.marks import read_marks, with_marks
from minisam.course.rubric import Credit, Criterion
from minisam.course.written import scores

A2 = assignment("a2")
WITH_REPORT = A2._replace(criteria=(Criterion("auto", 12, "x"), Criterion("report", 8, "y", True)))
CREDITS = [Credit("auto", 12, "right"), Credit("report", 0, "for the staff")]
GRADES = {"ann": Grade(12, "graded", CREDITS)}


def marked(assignment, grades, path):
    return with_marks(assignment, grades, read_marks(assignment, path, grades))


def test_points_that_people_gave_are_added(tmp_path):
    path = tmp_path / "marks.csv"
    path.write_text("id,report\nann,7\n")
    assert scores(WITH_REPORT, GRADES)[1] == ["ann", "12", "graded", "12", ""]
    grades = marked(WITH_REPORT, GRADES, path)
    assert scores(WITH_REPORT, grades)[1] == ["ann", "19", "graded", "12", "7"]


@pytest.mark.parametrize(("cell", "total", "status"), [
    ("8", 20, "right"), ("1", 13, "partly"), ("0", 12, "wrong"), ("", 12, "for the staff"),
])  # fmt: skip
def test_points_may_be_all_some_none_or_not_given_yet(tmp_path, cell, total, status):
    (tmp_path / "marks.csv").write_text(f"id,report\n'ann,{cell}\n")  # as in scores.csv
    (ann,) = marked(WITH_REPORT, GRADES, tmp_path / "marks.csv").values()
    assert (ann.total, ann.credits[1].status) == (total, status)


def test_points_do_not_grade_what_could_not_be_graded(tmp_path):
    (tmp_path / "marks.csv").write_text("id,report\nann,7\n")
    grades = {"ann": GRADES["ann"]._replace(total=None)}
    assert marked(WITH_REPORT, grades, tmp_path / "marks.csv")["ann"].total is None


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with a name")
def test_a_table_may_come_through_a_pipe(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    text = "id,report\nann,7\n"
    writer = threading.Thread(target=(tmp_path / "pipe").write_text, args=[text], daemon=True)
    writer.start()
    assert marked(WITH_REPORT, GRADES, tmp_path / "pipe")["ann"].total == 19
    writer.join()


@pytest.mark.parametrize("text", ["id;report\r\nann;7\r\n", "\ufeffID, Report \nann,7\n",
                                  "id,report,why; by whom\nann,7,\n", "id,report\n ann , 7 \n",
                                  "id,report\nann,7\n,\n\n , \n", "id,report\nann,7\nann,7\n",
                                  "id,report\nann\nann,7\n"])  # fmt: skip
def test_a_table_of_points_may_be_as_a_spreadsheet_writes_it(tmp_path, text):
    path = tmp_path / "marks.csv"
    path.write_text(text, encoding="utf-8", newline="")
    assert marked(WITH_REPORT, GRADES, path)["ann"].total == 19


@pytest.mark.parametrize("text", [
    b"id,rapport\nann,7\n", b"name,report\nann,7\n", b"", "id,report\nJürgen,7\n".encode("latin-1"),
])  # fmt: skip
def test_a_table_without_points_is_refused(tmp_path, text):
    path = tmp_path / "marks.csv"
    path.write_bytes(text)
    with pytest.raises(
        ValueError, match=r"marks\.csv (must have the columns id, report|is not UTF-8)"
    ):
        marked(WITH_REPORT, GRADES, path)


@pytest.mark.parametrize("name", [".", "none.csv"])
def test_what_is_no_file_is_no_table_of_points(tmp_path, name):
    with pytest.raises(ValueError, match="--marks must be a file, got"):
        marked(WITH_REPORT, GRADES, tmp_path / name)


def test_points_that_nobody_is_to_give_are_refused(tmp_path):
    (tmp_path / "marks.csv").write_text("id,report\nann,7\n")
    with pytest.raises(ValueError, match=r"^--marks .*marks\.csv is not wanted"):
        marked(A2, {}, tmp_path / "marks.csv")


@pytest.mark.parametrize("text", [
    "id,report\nbob,7\n", "id,report\nann,9\n", "id,report\nann,x\n", "id,report\n,7\n",
    "id,report\nann,7\n'ann,6\n", f"id,report\nann,{'9' * 5000}\n",
    f"id,report\nann,{'9' * (csv.field_size_limit() + 1)}\n",
])  # fmt: skip
def test_points_that_cannot_be_are_refused(tmp_path, text):
    (tmp_path / "marks.csv").write_text(text)
    with pytest.raises(ValueError, match=r"marks\.csv"):
        marked(WITH_REPORT, GRADES, tmp_path / "marks.csv")
