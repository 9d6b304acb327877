import pytest
from oracle import implementations as known

from minisam.oracle import grading
from minisam.oracle.checking import check
from minisam.oracle.grading import PRACTICE, grade
from minisam.oracle.skills import SKILLS
from minisam.variants.mutants import MUTANTS


def test_a_right_step_gets_all_points(capsys):
    points = grade(known.right, points=4)
    assert type(points) is float
    assert points == 4.0
    captured = capsys.readouterr()
    assert captured.err == ""
    lines = captured.out.splitlines()
    assert lines[0] == "right"
    assert lines[-2:] == ["4 of 4 points", PRACTICE]
    assert len(lines) == len(SKILLS) + 3


@pytest.mark.parametrize("name", ["with_epsilon", "prints", "changes_its_inputs"])
def test_what_a_course_does_not_mind_costs_nothing(name):
    assert grade(getattr(known, name), points=2.5) == 2.5


def test_what_it_does_mind_can_be_said():
    assert grade(known.with_epsilon, points=2, accept=()) < 2


@pytest.mark.parametrize("name", ["echoes", "does_nothing", "raises", "returns_nothing", "skips"])
def test_a_wrong_step_never_gets_all_points_and_never_writes_to_stderr(name, capsys):
    points = grade(getattr(known, name), points=4)
    assert type(points) is float
    assert 0.0 <= points <= 3.0
    captured = capsys.readouterr()
    assert captured.err == ""
    assert name in captured.out


def test_a_mistake_costs_its_skill_and_no_other():
    for step, points in (
        (MUTANTS["M07-downhill"].adapter, 15),  # the direction
        (MUTANTS["R04-second-pass-at-A"].adapter, 1),  # all but the first gradient
        (known.three_mistakes, 1 + 2 + 3 + 1),  # the length, the last step, a gradient of zero
        (known.does_nothing, 0),
        (known.raises, 0),
    ):
        assert grade(step, points=18) == points


def test_what_is_found_again_though_it_was_declared_ends_the_search(monkeypatch):
    found = check(known.with_epsilon, "float64", method="sam")
    asked = []

    def always(step, dtype, declare, **options):
        assert len(asked) < 3  # rather than for ever
        asked.append({**declare})
        return found

    monkeypatch.setattr(grading, "check", always)
    assert grade(known.with_epsilon) < 1
    assert asked == [{}, found.found]


def test_a_student_reads_no_report_of_a_maintainer(capsys):
    for step in (known.three_mistakes, known.echoes, known.does_nothing):
        grade(step)
        out = capsys.readouterr().out
        assert len(out.splitlines()) <= len(SKILLS) + 4
        assert "declare" not in out
        assert "not run" not in out


def test_warnings_of_the_step_stay_inside(capsys, recwarn):
    def divides(w, grad_fn, *, rho, lr):
        import warnings

        warnings.warn("from the step", stacklevel=1)
        return known.right(w, grad_fn, rho=rho, lr=lr)

    assert grade(divides, points=1) == 1.0
    assert capsys.readouterr().err == ""
    assert len(recwarn) == 0


@pytest.mark.parametrize("points", [0, -1, float("nan"), float("inf"), "4"])
def test_bad_points_are_named(points):
    with pytest.raises(ValueError, match="points must be a finite number above 0"):
        grade(known.right, points=points)


@pytest.mark.fault("time-limit-value", "minisam.grade", "oracle.check")
@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf"), 1e30, "60"])
def test_a_limit_that_is_no_time_is_refused_by_name(value, capsys):
    for door in (grade, check):
        with pytest.raises(ValueError, match=r"timeout must be a number of seconds from 0\.001"):
            door(known.right, timeout=value)
    assert capsys.readouterr() == ("", "")
