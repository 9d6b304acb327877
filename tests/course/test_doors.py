"""What other systems read has the form that they ask for."""

import json
import sys
import types

import jsonschema
import pytest

from minisam.course.assignments import assignment
from minisam.course.doors import CLASSROOM, NOT_ENDED, classroom50, gradescope, to_nbgrader
from minisam.course.judging import Grade
from minisam.course.rubric import Credit

A4 = assignment("a4")
CREDITS = [
    Credit(one.name, one.points * (not one.by_staff), "for the staff" if one.by_staff else "right")
    for one in A4.criteria
]
CREDITS[0] = Credit(CREDITS[0].name, 0, "wrong", '<b>"seen"</b>', "Why?")
GRADE = Grade(10, "graded", CREDITS)
TEXT, NUMBER = {"type": "string"}, {"type": "number"}
SHOWN = {"enum": ["visible", "hidden", "after_due_date", "after_published"]}
FORMAT = {"enum": ["text", "html", "simple_format", "md", "ansi"]}
# As Gradescope's page on the output of an autograder has it.
GRADESCOPE = {
    "type": "object",
    "required": ["score", "tests"],
    "additionalProperties": False,
    "properties": {
        "score": NUMBER, "execution_time": NUMBER, "output": TEXT, "output_format": FORMAT,
        "test_output_format": FORMAT, "test_name_format": FORMAT, "visibility": SHOWN,
        "stdout_visibility": SHOWN, "extra_data": {"type": "object"}, "leaderboard": {},
        "tests": {"type": "array", "items": {
            "type": "object",
            "required": ["score", "max_score"],
            "additionalProperties": False,
            "properties": {
                "score": NUMBER, "max_score": NUMBER, "status": {"enum": ["passed", "failed"]},
                "name": TEXT, "name_format": FORMAT, "number": TEXT, "output": TEXT,
                "output_format": FORMAT, "tags": {"type": "array", "items": TEXT},
                "visibility": SHOWN, "extra_data": {"type": "object"},
            },
        }},
    },
}  # fmt: skip
# As Classroom 50's page on advanced autograding has it.
FILLED, WHOLE = {"type": "string", "minLength": 1}, {"type": "integer", "minimum": 0}
RESULT_V1 = {
    "type": "object",
    "required": ["schema", "classroom", "assignment", "submission", "commit", "release", "review",
                 "datetime", "score", "max-score", "tests"],
    "properties": {
        "schema": {"const": "classroom50/result/v1"}, "classroom": FILLED, "assignment": FILLED,
        "submission": FILLED, "commit": FILLED, "release": FILLED, "review": FILLED,
        "datetime": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"},
        "score": WHOLE, "max-score": WHOLE,
        "tests": {"type": "array", "items": {
            "type": "object",
            "required": ["test-name", "passed", "score", "max-score"],
            "properties": {"test-name": FILLED, "passed": {"type": "boolean"}, "score": WHOLE,
                           "max-score": WHOLE},
        }},
    },
}  # fmt: skip
RUNNER = {name: f"https://example.org/{name}" for name in CLASSROOM.values()}


def test_gradescope_reads_a_grade():
    found = json.loads(gradescope(A4, GRADE))
    jsonschema.validate(found, GRADESCOPE)
    assert found["score"] == 10 == sum(one["score"] for one in found["tests"])
    assert sum(one["max_score"] for one in found["tests"]) == 12  # the rest is for the staff
    assert {one["visibility"] for one in found["tests"]} == {"after_published"}
    assert found["tests"][0]["status"] == "failed"
    assert {one["output_format"] for one in found["tests"]} == {"text"}


def test_classroom_50_reads_a_grade():
    found = json.loads(classroom50(A4, GRADE, RUNNER))
    jsonschema.validate(found, RESULT_V1)
    assert (found["score"], found["max-score"]) == (10, 12)
    assert found["review"] == RUNNER["COMMIT_URL"]
    assert [one["passed"] for one in found["tests"]] == [False, True, True, True, True]


@pytest.mark.parametrize("grade", [
    Grade(None, "could not be graded", [], "there is no file"),
    Grade(None, "could not be graded", [], "secret 0.1875", ran=True),
    Grade(10, "timed out", CREDITS, "secret 0.1875", ran=True),
    Grade(0, "raises", CREDITS[:1], "secret 0.1875", ran=True),
    Grade(0, "nothing handed in", [], "there is no file"),
    NOT_ENDED,
])  # fmt: skip
def test_gradescope_tells_at_once_what_ended_early_and_no_secret(grade):
    found = json.loads(gradescope(A4, grade))
    jsonschema.validate(found, GRADESCOPE)
    assert found["score"] == (grade.total or 0)
    assert found["visibility"] == "visible"
    assert found["output"].startswith(grade.status)
    assert (grade.note in found["output"]) is not grade.ran
    assert ("This is no grade" in found["output"]) == (grade.total is None)
    assert not grade.ran or str(grade.total) not in found["output"]
    assert "0.1875" not in found["output"]


def test_what_was_graded_to_the_end_is_told_when_grades_are_published():
    found = json.loads(gradescope(A4, GRADE))
    assert found["visibility"] == "after_published"
    assert "10 of 12 points so far, graded" in found["output"]


def test_what_could_not_be_graded_is_no_zero_for_classroom_50():
    none = Grade(None, "could not be graded", [], "a full disk")
    with pytest.raises(ValueError, match="a full disk"):
        classroom50(A4, none, RUNNER)


@pytest.mark.parametrize("name", CLASSROOM.values())
def test_a_runner_that_does_not_say_what_it_must_is_none(name):
    with pytest.raises(ValueError, match=f"does not set {name}"):
        classroom50(A4, GRADE, {**RUNNER, name: ""})


class Book:
    """A gradebook, as far as it is asked."""

    def __init__(self, cells):
        self.cells, self.db, self.done = cells, self, False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def commit(self):
        self.done = True

    def find_grade(self, cell, notebook, name, student):
        assert (cell, notebook, name) == ("check", "hw4", "hw4")
        if student not in self.cells:
            raise KeyError(student)
        return self.cells[student]


def test_nbgrader_gets_the_points_and_hears_of_no_zero(tmp_path, monkeypatch):
    cells = {name: types.SimpleNamespace(manual_score=None) for name in ("ann", "bob")}
    book = Book(cells)
    api = types.SimpleNamespace(Gradebook=lambda url: book, MissingEntry=KeyError)
    monkeypatch.setitem(sys.modules, "nbgrader", types.SimpleNamespace(api=api))
    monkeypatch.setitem(sys.modules, "nbgrader.api", api)
    (tmp_path / "gradebook.db").touch()
    grades = {"ann": GRADE, "bob": Grade(None, "could not be graded", []), "cy": GRADE}
    assert to_nbgrader(A4, grades, tmp_path / "gradebook.db") == ["bob", "cy"]
    assert (cells["ann"].manual_score, cells["ann"].needs_manual_grade) == (10.0, False)
    assert cells["bob"].manual_score is None
    assert book.done


def test_without_a_gradebook_or_nbgrader_it_is_said(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="there is no gradebook"):
        to_nbgrader(A4, {}, tmp_path / "gradebook.db")
    (tmp_path / "gradebook.db").touch()
    monkeypatch.setitem(sys.modules, "nbgrader", None)
    monkeypatch.setitem(sys.modules, "nbgrader.api", None)
    with pytest.raises(ValueError, match="nbgrader is not installed"):
        to_nbgrader(A4, {}, tmp_path / "gradebook.db")
