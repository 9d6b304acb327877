from html import escape
from html.parser import HTMLParser

import pytest

from minisam.course.assignments import assignment
from minisam.course.class_page import class_page
from minisam.course.judging import Grade
from minisam.course.pages import feedback, in_lines
from minisam.course.picture import Path2, svg
from minisam.course.rubric import Credit
from minisam.variants.conventions import CONVENTIONS
from minisam.variants.mutants import MUTANTS

A2 = assignment("a2")
EVIL = '<script>alert(1)</script>"><img src=x onerror=alert(1)>'


def grade(total=3, status="graded", note=""):
    credits = [Credit(one.name, 0, "wrong", EVIL, EVIL + "?") for one in A2.criteria]
    path = path_of(((0.0, 0.0), (1.0, 1.0), (2.0, -1.0)))
    picture = svg(path, path)
    return Grade(total, status, credits, note, (EVIL,), EVIL, 1.0, (EVIL,), picture)


def path_of(points):
    return Path2(*points)


class Tags(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.seen, self.outside = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.seen.append(tag)
        self.outside += [value for name, value in attributes
                         if name in ("src", "href") or name.startswith("on")]  # fmt: skip


def test_a_page_is_whole_needs_nothing_and_runs_nothing():
    grades = {EVIL: grade(), "b": grade(None, "could not be graded", EVIL)}
    for text in (feedback(A2, EVIL, grade(note=EVIL)), class_page(A2, grades, [EVIL])):
        tags = Tags(text)
        assert "script" not in tags.seen
        assert "img" not in tags.seen
        assert tags.outside == []
        assert "default-src 'none'" in text


def test_a_student_is_not_told_the_mistakes_name():
    text = feedback(A2, "ann", grade()._replace(mistakes=("M07-downhill",)))
    assert "M07" not in text
    both = ("M07-downhill", "norm_scope")
    staffs = class_page(A2, {"a": grade()._replace(mistakes=both)}, [])
    for name, said in zip(
        both, (MUTANTS[both[0]].title, CONVENTIONS[both[1]].meaning), strict=True
    ):
        assert name in staffs
        assert escape(said) in staffs


def test_a_name_is_one_line_on_a_page():
    name = "a\nb\x1b[2J"
    grades = {name: grade(None, "could not be graded")}
    for text in (feedback(A2, name, grade()), class_page(A2, grades, [])):
        assert "a b\\x1b[2J: " in text


def test_a_grade_in_lines_has_one_for_each_skill():
    lines = in_lines(A2, grade()).splitlines()
    assert lines[0] == "3 of 20 points, graded"
    assert sum(one.what in line for one in A2.criteria for line in lines) == len(A2.criteria)


def test_a_path_that_is_not_finite_is_not_drawn():
    nan = float("nan")
    assert svg(path_of(((0.0, 0.0), (nan, 1.0), (1.0, 1.0))), path_of([(0.0, 0.0)] * 3)) == ""


@pytest.mark.parametrize("status", ["ended", "graded"])  # as where another skill was seen
def test_what_stopped_everything_is_said_and_asked_once(status):
    why = "it ended the process"
    credits = [Credit(one.name, 0, "not seen", why, "Why?", "ended") for one in A2.criteria]
    stopped = Grade(0, status, credits, why if status == "ended" else "")
    for text in (feedback(A2, "ann", stopped), in_lines(A2, stopped)):
        assert text.count(why) == 1
        assert text.count("Why?") == 1


def test_points_that_a_person_has_to_give_are_not_lost_yet():
    a4 = assignment("a4")
    staff = {one.name: one.points for one in a4.criteria if one.by_staff}
    credits = [Credit(one.name, 0, "for the staff") if one.by_staff
               else Credit(one.name, one.points, "right") for one in a4.criteria]  # fmt: skip
    total = 20 - sum(staff.values())
    due = f"{total} of {total} points so far"
    grade = Grade(total, "graded", credits)
    assert due in feedback(a4, "ann", grade)
    assert in_lines(a4, grade).startswith(due)
