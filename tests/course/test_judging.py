"""Every kind of submission gets what it deserves, and leaves the grader as it was."""

import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np
import pytest
from course import submissions as known

from minisam.course import judging
from minisam.course.assignments import NAMES, assignment
from minisam.course.assignments.a2 import named_mistakes
from minisam.course.desk import Submission
from minisam.course.guard import Guard
from minisam.course.judging import (
    UNGRADED,
    check_itself,
    graded,
    report_on_step,
    status_of,
    unread,
    variant_of,
)
from minisam.course.pupil import CannotGrade
from minisam.course.reading import constants
from minisam.course.rubric import Credit, Task
from minisam.course.texts import stub

A2 = assignment("a2")
TASK = Task(2**61 + 7, {"p": 2, "steps": 0})


def grade(body, guard, **changed):
    submission = Submission("hw2.py", (known.text_of(body),))
    return graded(A2, submission, guard._replace(**changed), TASK)


@pytest.fixture(scope="module")
def grades(guard, tmp_path_factory):
    """The grades of all kinds, two at a time, in a folder that holds nothing else."""
    home = tmp_path_factory.mktemp("beside")
    (home / "mine.py").write_text("untouched")
    old, tempfile.tempdir = tempfile.tempdir, str(home)
    os.chdir(home)
    try:
        with ThreadPoolExecutor(2) as pool:
            bodies = [body for body, _, _ in known.KINDS.values()]
            found = pool.map(lambda body: grade(body, guard), bodies)
            yield dict(zip(known.KINDS, found, strict=True))
    finally:
        tempfile.tempdir = old
    assert [path.name for path in home.iterdir()] == ["mine.py"]
    assert (home / "mine.py").read_text() == "untouched"


@pytest.mark.fault("ends-the-process", "minisam course grade")
@pytest.mark.fault("output-mixed", "minisam course grade")
@pytest.mark.parametrize("kind", known.KINDS)
def test_a_submission_gets_what_it_deserves(kind, grades):
    _, status, points = known.KINDS[kind]
    found = grades[kind]
    assert found.ran
    assert (found.status, tuple(one.points for one in found.credits[:7])) == (status, points)
    assert found.total == sum(points)
    assert len(found.printed.encode()) <= 1 << 16
    assert "minisam/" not in found.note  # no line of ours
    if not found.total:
        assert found.note


@pytest.mark.parametrize(("kind", "reason"), [
    ("takes 8 GB", "out of memory"),
    ("the library's own", "No module named 'minisam'"),
    ("missing name", "there is no function step(w, grad_fn, *, rho, lr); it defines right"),
    ("other names", "it is called as step(w, grad_fn, *, rho, lr), and yours is step(weights"),
    ("class", "and yours is class step(rho, lr)"),
    ("asks for input", "EOFError"),
    ("exits hard", "exit code 0"),
    ("crashes", "signal 11"),
    ("syntax error", "SyntaxError"),
])  # fmt: skip
def test_the_reason_is_said(kind, reason, grades):
    assert reason in grades[kind].note


@pytest.mark.parametrize("kind", ["downhill", "never restored", "not normalized"])
def test_the_mistake_is_named_for_the_staff(kind, grades):
    due = {"downhill": "M07-downhill", "never restored": "M01-not-restored",
           "not normalized": "M03-not-normalized"}  # fmt: skip
    assert grades[kind].mistakes == (due[kind],)
    assert not any(due[kind] in one.said + one.question for one in grades[kind].credits)


def test_nothing_is_wrong_with_a_right_one(grades):
    assert grades["right"].mistakes == ()


@pytest.mark.parametrize("how", known.HANGS)
def test_what_hangs_is_ended_and_gets_nothing(how, guard):
    found = grade(known.HANGS[how], guard, seconds=1)
    if "too busy" in found.note:  # as this machine may be, which is no zero
        assert (found.status, found.total) == ("could not be graded", None)
    else:
        assert (found.status, found.total) == ("timed out", 0)
        assert "longer than 1 s" in found.note


@pytest.mark.parametrize("name", NAMES)
def test_the_grader_passes_the_test_of_itself(name, guard):
    found = assignment(name)
    check_itself(found, guard, Task(2**60, variant_of(found, {})))


def test_a_grader_that_does_not_is_not_used(guard):
    def generous(desk, task):
        judged = A2.judge(desk, task)
        credits = [one._replace(points=1) for one in judged.credits]
        return judged._replace(credits=credits)

    with pytest.raises(CannotGrade, match="the reference of a2 gets 8 of 20 points, not 20"):
        check_itself(A2._replace(judge=generous), guard, TASK)


def test_what_the_grader_cannot_do_is_no_zero():
    found = graded(A2, Submission("hw2.py", ("",)), Guard(python="/no/such/python"), TASK)
    assert (found.status, found.total, found.ran) == (UNGRADED, None, True)
    assert "/no/such/python" in found.note


def test_a_fault_of_the_grader_ends_no_class(guard, monkeypatch):
    clock = iter([10.0, 13.0])
    monkeypatch.setattr(judging, "time", SimpleNamespace(monotonic=lambda: next(clock)))

    def broken(desk, task):
        raise KeyError("ours")

    found = graded(A2._replace(judge=broken), Submission("hw2.py", ("",)), guard, TASK)
    assert (found.status, found.total, found.seconds) == (UNGRADED, None, 3.0)
    assert found.note == "the grader itself raised KeyError: 'ours'"


def test_of_a_notebook_the_cells_that_raise_are_passed_over(guard):
    cells = ("%%", "1 / 0", known.text_of(known.RIGHT + "step = right"),
             "from minisam.course import check\ncheck(globals(), 'a2')",
             "MISTAKE_1 = 'per-tensor-norm'\nMISTAKE_2 = 'not-restored'",
             "MISTAKE_3 = 'squared-norm'")  # fmt: skip
    found = graded(A2, Submission("hw2.ipynb", cells, whole=False), guard, TASK)
    assert found.total == 20
    assert any("ZeroDivisionError" in note for note in found.notes)
    assert not any("minisam" in note for note in found.notes)  # each notebook calls our own check


def test_an_answer_that_cannot_be_read_is_not_called_wrong():
    texts = "MISTAKE_1 = 'per-tensor-norm'\n", "print 'hello'\n"
    due = {"".join(texts): ("not seen", "line 2 is no Python"), "x = 1\n": ("wrong", "None is")}
    for text, (status, said) in due.items():
        named = named_mistakes(TASK._replace(values=constants(text)))
        (got,) = unread(A2, [named], Submission("hw2.py", (text,)))
        assert (got.points, got.status) == (0, status)
        assert said in got.said
    one = unread(A2, [named_mistakes(TASK._replace(values=constants(texts[0])))],
                 Submission("hw2.ipynb", texts, whole=False))[0]  # fmt: skip
    assert one.said == "1 of 3 are right."


def test_what_is_partly_written_is_graded():
    some = [Credit("direction", 0, "not seen", "x", "", "not written yet"),
            Credit("names_mistakes", 2, "right")]  # fmt: skip
    assert status_of(A2, some) == ("graded", "")
    ended = Credit("length", 0, "not seen", "it ended", "", "ended")
    assert status_of(A2, [*some, ended]) == ("ended", "it ended")


@pytest.mark.parametrize(("seen", "due"), [(0, ("raises", "it raises")), (1, ("graded", ""))])
def test_what_is_only_written_down_makes_nothing_seen(seen, due):
    raised = Credit("length", 0, "not seen", "it raises", "", "raises")
    some = [Credit("asks_at_A", seen, "right"), raised, Credit("names_mistakes", 2, "right")]
    assert status_of(A2, some) == due


def test_a_variant_that_is_none_is_refused():
    assert variant_of(A2, {"p": 3}) == {"p": 3, "steps": 0}
    for given in ({"p": 7}, {"q": 2}, {"p": [2]}, {"p": np.array([2, 3])}, {"steps": True}):
        with pytest.raises(ValueError, match="--variant must be among"):
            variant_of(A2, given)
    for given in ("p=3", [("p", 3)], 5):
        with pytest.raises(ValueError, match="variant must be a dictionary"):
            variant_of(A2, given)


def test_a_variant_is_one_of_those_that_there_are_however_it_is_written():
    variant = variant_of(A2, {"steps": 1.0, "p": np.int64(3)})
    assert [type(one) for one in variant.values()] == [int, int]
    assert "MISTAKE_1" in stub(A2, variant)


def test_the_oracle_reports_on_no_step_for_another_norm():
    submission = Submission("hw2.py", ("",))
    told = report_on_step(A2, submission, Guard(), variant_of(A2, {"p": 1.5}))
    assert "p = 1.5" in told
