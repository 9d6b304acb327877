"""From the command line: a class is graded, one result is shown, the grader is tried."""

import json
import os

import pytest
from course import submissions as known

from minisam.cli.course import ASSIGNMENTS
from minisam.cli.main import main
from minisam.course.assignments import NAMES, assignment
from minisam.course.doors import CLASSROOM

A2 = assignment("a2")


@pytest.fixture
def folder(tmp_path):
    for name, kind in (("ann", "right"), ("bob", "downhill")):
        (tmp_path / "in" / name).mkdir(parents=True)
        (tmp_path / "in" / name / "hw2.py").write_text(known.text_of(known.KINDS[kind][0]))
    return tmp_path / "in"


def course(*words, said=("--as-root",)):
    """Run a command; what runs as root here is the tests' own."""
    return main(["course", *map(str, words), *(said if words[0] in ("grade", "show") else ())])


def test_the_assignments_are_known_without_loading_them():
    assert ASSIGNMENTS == NAMES


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


def test_files_of_another_assignment_are_refused_before_anything_is_written(
    folder, tmp_path, capsys
):
    assert course("grade", folder, "--assignment", "a3", "--out", tmp_path / "out") == 2
    assert "--assignment must be a2, got a3" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


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


def test_what_could_not_be_graded_is_an_error_and_no_zero(folder, tmp_path, capsys):
    (folder / "ann" / "hw2.py").rename(folder / "ann" / "a.py")
    (folder / "ann" / "b.py").touch()
    assert course("grade", folder, "--assignment", "a2", "--out", tmp_path / "out") == 1
    assert "ann could not be graded: none of the files is hw2.py" in capsys.readouterr().err
    assert "ann,,could not be graded" in (tmp_path / "out" / "scores.csv").read_text()


def test_the_grader_is_tried(capsys, monkeypatch):
    assert course("doctor", "--assignment", "a1") == 0
    out = capsys.readouterr().out
    assert "a1: the reference gets all points, the stub none" in out
    assert "on: own process" in out
    from minisam.course import guard

    monkeypatch.setattr(guard.Guard, "command", lambda *_: ["/no/such/python"])
    assert course("doctor") == 1
    assert "could not be graded" in capsys.readouterr().err


@pytest.mark.skipif(os.name != "posix", reason="other permissions")
def test_a_seed_file_that_others_may_read_is_said(folder, tmp_path, capsys, monkeypatch):
    from minisam.course import batch, judging

    monkeypatch.setattr(batch, "check_itself", lambda *_: None)
    monkeypatch.setattr(batch, "graded", lambda *_: judging.Grade(0, "graded", []))
    words = ["grade", folder, "--assignment", "a2", "--out", tmp_path / "out", "--seed-file"]
    (tmp_path / "mine").write_text("x")
    for mode, said in ((0o644, True), (0o600, False)):
        (tmp_path / "mine").chmod(mode)
        assert course(*words, tmp_path / "mine") == 0
        assert ("others may read the seed file" in capsys.readouterr().err) is said
    assert (tmp_path / "out").stat().st_mode & 0o077 == 0


def test_a_class_is_not_graded_again_with_a_seed_that_nobody_chose(
    folder, tmp_path, capsys, monkeypatch
):
    from minisam.course import batch, judging

    monkeypatch.setattr(batch, "check_itself", lambda *_: None)
    monkeypatch.setattr(batch, "graded", lambda *_: judging.Grade(0, "graded", []))
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


@pytest.mark.parametrize(("words", "told"), [
    (("--jobs", 0), "--jobs must be"),
    (("--variant", "p=7"), "--variant must be among"),
    (("--seed-file", "empty"), "is empty"),
    (("--marks", "none.csv"), "none.csv"),
    (("--assignment", "a4", "--marks", "none.csv"), "none.csv"),
    (("--assignment", "a4", "--marks", "."), "--marks must be a file"),
    (("--out", "empty"), "--out must be a folder"),
    (("--seed-file", "."), "--seed-file must be a file, got '.', a folder"),
    (("--gradescope", "."), "--gradescope must be a file, got '.', a folder"),
    (("--classroom50", "."), "--classroom50 must be a file, got '.', a folder"),
    (("--nbgrader", "."), "--nbgrader must be a file, got '.', a folder"),
])  # fmt: skip
def test_an_option_that_is_none_is_refused(words, told, folder, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").touch()
    assert course("grade", folder, "--assignment", "a2", "--out", "out", *words) == 2
    assert told in capsys.readouterr().err
    assert not list(tmp_path.glob("out/*"))


@pytest.mark.parametrize("words", [("p=7",), ("q=3",), ("p=3", "--assignment", "a1"), ("p",)])
def test_a_variant_that_is_none_is_refused_before_anything_is_tried(words, capsys):
    assert course("doctor", "--variant", *words) == 2
    told = capsys.readouterr()
    assert "--variant" in told.err
    assert not told.out


def test_a_folder_that_is_not_there_is_said(tmp_path, capsys):
    assert course("grade", tmp_path / "x", "--assignment", "a2", "--out", tmp_path / "o") == 2
    assert "there is no folder" in capsys.readouterr().err
    assert not (tmp_path / "o").exists()  # no secret either


def test_a_page_that_cannot_be_written_costs_nobody_else_anything(
    folder, tmp_path, capsys, monkeypatch
):
    from minisam.course import batch, judging, pages

    real = pages.feedback

    def sometimes(found, name, grade):
        if name == "ann":
            raise ValueError("no \x1b page")
        return real(found, name, grade)

    monkeypatch.setattr(pages, "feedback", sometimes)
    monkeypatch.setattr(batch, "check_itself", lambda *_: None)
    monkeypatch.setattr(batch, "graded", lambda *_: judging.Grade(0, "graded", []))
    out = tmp_path / "out"
    assert course("grade", folder, "--assignment", "a2", "--out", out) == 1
    assert "ann has no page: no \\x1b page" in capsys.readouterr().err
    assert [path.name for path in (out / "feedback").iterdir()] == ["bob.html"]
    assert len((out / "scores.csv").read_text().splitlines()) == 3


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
