"""What a class earned is written whole, and steers no spreadsheet."""

import csv

import pytest

from minisam.course import pages
from minisam.course.assignments import assignment
from minisam.course.judging import Grade
from minisam.course.written import harmless, scores, write_class, write_table

A2 = assignment("a2")


@pytest.mark.parametrize("name", ["=cmd()", "+1", "-1", "@x", "\tx", "\rx"])
def test_no_cell_is_a_formula(name):
    assert harmless(name) == "'" + name


def test_a_table_says_what_it_was_given(tmp_path):
    write_table(tmp_path / "a" / "b.csv", [["id", "x"], ['Jürgen, "J"', "=1"]])
    with open(tmp_path / "a" / "b.csv", encoding="utf-8", newline="") as file:
        assert list(csv.reader(file)) == [["id", "x"], ['Jürgen, "J"', "'=1"]]


def test_rows_are_in_the_order_of_the_names():
    grades = {name: Grade(0, "graded", []) for name in ("cy", "ann", "bob")}
    assert [row[0] for row in scores(A2, grades)] == ["id", "ann", "bob", "cy"]


def test_a_page_that_cannot_be_written_is_told_and_costs_no_other(tmp_path, monkeypatch):
    real, fault = pages.feedback, ValueError("no page")

    def sometimes(found, name, grade):
        if name == "ann":
            raise fault
        return real(found, name, grade)

    monkeypatch.setattr(pages, "feedback", sometimes)
    grades = {name: Grade(0, "graded", []) for name in ("ann", "bob/..")}
    assert write_class(A2, grades, ["on: nothing"], tmp_path) == {"ann": fault}
    (page,) = (tmp_path / "feedback").iterdir()
    assert page.name == "bob%2F%2E%2E.html"
    assert len((tmp_path / "scores.csv").read_text().splitlines()) == 3
    assert "on: nothing" in (tmp_path / "class.html").read_text()
