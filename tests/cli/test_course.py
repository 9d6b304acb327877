"""From the command line: a class is graded, one result is shown, the grader is tried."""

import json
import re

import pytest
from course.submissions import course

from minisam.cli.course import ASSIGNMENTS
from minisam.course.assignments import NAMES, assignment

A2 = assignment("a2")


def test_the_assignments_are_known_without_loading_them():
    assert ASSIGNMENTS == NAMES


@pytest.mark.parametrize("action", ["release", "grade", "show"])
def test_what_must_be_given_comes_first_in_the_help(action, capsys):
    with pytest.raises(SystemExit):
        course(action, "--help")
    usage = capsys.readouterr().out.partition("\n\n")[0]
    optional = re.search(r"\[--(?!assignment)", usage).start()
    assert 0 < usage.find(" --out DIR") < optional


def test_a_class_is_graded_and_one_of_it_is_shown(folder, tmp_path, capsys):
    out = tmp_path / "out"
    assert course("grade", folder, "--assignment", "a2", "--out", out, "--jobs", 2) == 0
    told = capsys.readouterr()
    assert "2 graded" in told.out
    assert "2 of 2" in told.err
    rows = (out / "scores.csv").read_text().splitlines()
    assert rows[0].startswith("id,total,status,asks_at_A")
    assert [row.split(",")[:3] for row in rows[1:]] == [
        ["ann", "18", "graded"], ["bob", "15", "graded"]
    ]  # fmt: skip
    secret = (out / "secret").read_text().strip()
    for page in (out / "feedback/ann.html", out / "feedback/bob.html", out / "class.html"):
        assert secret not in page.read_text()
    assert "M07-downhill" in (out / "class.html").read_text()
    assert course("show", "bob", "--assignment", "a2", "--out", out) == 0
    shown = capsys.readouterr().out
    assert "15 of 20 points, graded" in shown
    assert "M07-downhill" in shown
    assert "step: bug: M07-downhill" in shown
    assert course("show", "bob", "--out", out, "--variant", "p=2") == 0
    assert capsys.readouterr().out == shown
    assert course("show", "bob", "--out", out, "--variant", "p=3") == 2
    assert "--variant must be p=2, which was graded, got p=3" in capsys.readouterr().err
    assert course("show", "bob", "--assignment", "a1", "--out", out) == 2
    assert "--assignment must be a2" in capsys.readouterr().err
    assert course("show", "cy", "--assignment", "a2", "--out", out) == 2
    assert "there is no result for 'cy'" in capsys.readouterr().err


def test_a_variant_is_shown_as_it_was_graded(folder, tmp_path, capsys, monkeypatch):
    from minisam.course import batch, judging

    monkeypatch.setattr(batch, "check_itself", lambda *_: None)
    monkeypatch.setattr(batch, "graded", lambda *_: judging.Grade(None, "graded", []))
    words = ["grade", folder, "--assignment", "a2", "--out", tmp_path / "out"]
    assert course(*words, "--variant", "p=3") == 1
    assert course("show", "ann", "--out", tmp_path / "out") == 0
    shown = capsys.readouterr().out
    assert "ann, a2, p=3, steps=0, " in shown
    assert "this step is for p = 3" in shown
    assert course(*words) == 2
    assert "give --variant p=3 again, or another folder" in capsys.readouterr().err


def test_nothing_runs_as_root_and_unprotected_unless_that_is_said(
    folder, tmp_path, capsys, monkeypatch
):
    from minisam.course import batch, guard, judging, pupil

    exposed = guard.Guard(why_not=("bubblewrap: it is not installed",))
    monkeypatch.setattr(guard, "is_root", lambda: True)
    monkeypatch.setattr(pupil, "chosen_guard", lambda wanted: exposed)
    monkeypatch.setattr(batch, "check_itself", lambda *_: None)
    monkeypatch.setattr(batch, "graded", lambda *_: judging.Grade(0, "graded", []))
    monkeypatch.setattr(judging, "report_on_step", lambda *_: "a report")
    told = "minisam course: submissions would run as root: each can read"
    words = ["--assignment", "a2", "--out", tmp_path / "out"]
    assert course("grade", folder, *words, said=()) == 2
    assert told in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert course("grade", folder, *words, said=("--as-root",)) == 0
    assert "SUBMISSIONS RUN AS ROOT" in capsys.readouterr().err
    place = tmp_path / "out" / "results" / "ann.json"
    kept = json.loads(place.read_text())
    kept["grade"]["credits"] = [{"name": one.name, "points": 0, "status": "wrong"}
                                for one in A2.criteria]  # fmt: skip
    place.write_text(json.dumps(kept))
    assert course("show", "ann", "--out", tmp_path / "out", said=()) == 2
    shown = capsys.readouterr()
    assert told in shown.err
    assert "0 of 20 points, graded" in shown.out  # what is known without running it
    assert course("show", "ann", "--out", tmp_path / "out", said=("--as-root",)) == 0
    assert "a report" in capsys.readouterr().out
    monkeypatch.setattr(pupil, "chosen_guard", lambda wanted: exposed._replace(other_user=True))
    assert course("show", "ann", "--out", tmp_path / "out", said=()) == 0


def test_the_grader_is_tried(capsys, monkeypatch):
    assert course("doctor", "--assignment", "a1") == 0
    out = capsys.readouterr().out
    assert "a1: the reference gets all points, the stub none" in out
    assert "on: own process" in out
    from minisam.course import guard

    monkeypatch.setattr(guard.Guard, "command", lambda *_: ["/no/such/python"])
    assert course("doctor") == 1
    assert "could not be graded" in capsys.readouterr().err


@pytest.mark.parametrize("words", [("p=7",), ("q=3",), ("p=3", "--assignment", "a1"), ("p",)])
def test_a_variant_that_is_none_is_refused_before_anything_is_tried(words, capsys):
    assert course("doctor", "--variant", *words) == 2
    told = capsys.readouterr()
    assert "--variant" in told.err
    assert not told.out


def test_what_a_submission_says_steers_no_terminal(folder, tmp_path, capsys, monkeypatch):
    from minisam.course import batch, judging

    steer = "\x1b]0;owned\x07\x1b[2J"
    said = judging.Grade(0, "raises", [], steer, (steer,), f"{steer}\n{steer}")
    monkeypatch.setattr(batch, "check_itself", lambda *_: None)
    monkeypatch.setattr(batch, "graded", lambda *_: said)
    (folder / "bob").rename(folder / "=cmd()")
    out = tmp_path / "out"
    assert course("grade", folder, "--assignment", "a2", "--out", out) == 0
    kept = json.loads((out / "results" / "ann.json").read_text())
    assert kept["grade"]["printed"].count("owned") == 2
    kept["grade"].update(credits=[{"name": one.name, "points": 0, "status": "wrong", "said": steer}
                                  for one in A2.criteria])  # fmt: skip
    (out / "results" / "%3Dcmd%28%29.json").write_text(json.dumps(kept))
    assert course("show", "'=cmd()", "--assignment", "a2", "--out", out) == 0  # as in scores.csv
    shown = capsys.readouterr().out
    assert "owned" in shown
    assert not set(shown) & {"\x1b", "\x07"}
    assert not {"\x1b", "\x07"} & set((out / "feedback" / "ann.html").read_text())
