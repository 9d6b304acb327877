"""A submission in a child is started again where that may help, and what it tells is looked at."""

import os

import numpy as np
import pytest

from minisam.course.apart import Apart, told_about
from minisam.course.child import PeerError, error_report
from minisam.course.desk import NoAnswer, Submission, in_one_line, no_function
from minisam.course.pupil import CannotGrade, Pupil

WANTED = {"f": "f(x)"}


def test_one_that_ended_is_started_again_for_the_next_group(guard):
    desk = Apart(guard, Submission("hw.py", ("import os\ndef f(x): os._exit(x)\n",)), WANTED)
    for group in "ab":
        desk.begin(group)
        for code in (3, 4):
            with pytest.raises(NoAnswer, match="exit code 3"):
                desk.call("f", 3 if code == 3 else 4)
    desk.close()


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("raise NotImplementedError", "not written yet"),
        ("1 / 0", "not importable"),
        ("import os; os._exit(0)", "ended"),
    ],
)
def test_one_that_cannot_be_imported_says_why(guard, text, kind):
    desk = Apart(guard, Submission("hw.py", (text,)), WANTED)
    for group in "ab":
        desk.begin(group)
        with pytest.raises(NoAnswer) as caught:
            desk.call("f", 1)
        assert caught.value.kind == kind


def test_children_of_all_desks_can_be_ended_at_once(guard):
    desk = Apart(guard, Submission("hw.py", ("def f(x): return x",)), WANTED)
    desk.begin("")
    Apart.end_all()
    try:
        with pytest.raises(NoAnswer):
            desk.call("f", 1)
        with pytest.raises(CannotGrade, match="interrupted"):  # and no other one is started
            desk.begin("next")
        assert desk.pupil is None
    finally:
        Apart.over.clear()


def test_a_child_that_starts_while_all_are_ended_is_ended(guard, monkeypatch):
    class Slow(Pupil):
        def __init__(self, *args):
            super().__init__(*args)
            started.append(self)
            Apart.end_all()

    started = []
    monkeypatch.setattr("minisam.course.apart.Pupil", Slow)
    try:
        with pytest.raises(CannotGrade, match="interrupted"):
            Apart(guard, Submission("hw.py", ("x = 1",)), WANTED).begin("")
    finally:
        Apart.over.clear()
    assert started[0].process.poll() is not None
    assert not os.path.exists(started[0].folder)


@pytest.mark.fault("input-bomb", "minisam course grade")
@pytest.mark.parametrize("about", [
    None, 1.0, "x", [], np.array([1.0]), {}, {"functions": {}},
    {"functions": {1: "x"}, "failed": []},
    {"functions": {"f": 1}, "failed": []}, {"functions": {}, "failed": ["abc"]},
    {"functions": {}, "failed": [{"raised": "A" * 3_000_000}]},
    {"functions": {}, "failed": [{"raised": "E", "line": "1"}]},
])  # fmt: skip
def test_what_a_child_cannot_have_told_of_itself_is_seen(about):
    with pytest.raises(PeerError):
        told_about(about)


def test_an_honest_child_is_understood():
    report = error_report(ValueError("lone \ud800 surrogate" + "x" * 999), "hw.py")
    functions, failed = told_about({"functions": {"f\ud800": "f(x)"}, "failed": [report]})
    in_one_line(failed[0]).encode()
    assert "f?" in str(no_function("g", {}, list(functions)))
