import numpy as np
import pytest

from minisam.lesson import skill
from minisam.lesson.skills import QUESTIONS, is_blank, question

BLANK = None


@pytest.mark.parametrize(
    ("attempt", "told"),
    [
        (lambda: True, "✓ right    s\n"),
        (lambda: np.array([True, True]), "✓ right    s\n"),
        (lambda: np.array([True, False]), "✗ wrong    s\n"),
        (lambda: np.float64(0) / np.float64(0) == 0, "✗ wrong    s\n"),
        (lambda: np.isclose(BLANK, 3.0), "· not yet  s\n"),
        (lambda: BLANK(3.0), "· not yet  s\n"),
        (lambda: None, "· not yet  s\n"),
        (lambda: [1.0, None], "· not yet  s\n"),
        (lambda: [][1], "✗ wrong    s (it raises IndexError: list index out of range)\n"),
    ],
)
def test_a_skill_is_one_line(attempt, told, capsys):
    assert skill("s", attempt) is told.startswith("✓")
    assert capsys.readouterr().out == told


@pytest.mark.parametrize(
    ("yours", "right", "told"),
    [
        (0.333, 1 / 3, "✓ right    s\n"),
        ([[1], [2]], np.array([1.0, 2.0]), "✓ right    s\n"),
        (4, lambda yours: yours > 3, "✓ right    s\n"),
        (2, lambda yours: yours > 3, "✗ wrong    s: you have 2.\n"),
        (np.zeros(2), np.ones(2), "✗ wrong    s: you have (0, 0).\n"),
        ("two", lambda yours: yours > 3, "✗ wrong    s: you have two.\n"),
        ("two", 2.0, "✗ wrong    s: you have two.\n"),
        ([1, [2, 3]], 2.0, "✗ wrong    s\n   How many numbers are asked for?\n"),
        (-2, 2, "✗ wrong    s: you have -2.\n   The size is right: is the sign?\n"),
        (1, 1.0, "✓ right    s\n"),  # 1 is a number here, and no word for true
        (2, 1, "✗ wrong    s: you have 2.\n"),
    ],
)
def test_an_answer_is_compared_with_what_it_should_be(yours, right, told, capsys):
    assert skill("s", lambda: yours, right) is told.startswith("✓")
    assert capsys.readouterr().out == told


def test_the_caller_says_what_counts_as_equal(capsys):
    assert skill("s", lambda: 7, 7, np.array_equal)
    assert not skill("s", lambda: 7.01, 7, np.array_equal)
    assert "digits" in capsys.readouterr().out


def test_a_wrong_answer_is_asked_about_its_slip_and_else_about_the_whole(monkeypatch):
    monkeypatch.setitem(
        QUESTIONS, "s", QUESTIONS["one step"]._replace(slips={"Twice?": lambda y, r: y == 2 * r})
    )
    whole = f"\n   {QUESTIONS['s'].otherwise}"
    assert question("s", 6.0, 3.0) == ": you have 6.\n   Twice?"
    assert question("s", -3.0, 3.0) == ": you have -3.\n   The size is right: is the sign?"
    assert question("s", 5.0, 3.0) == f": you have 5.{whole}"
    assert question("s", 5.0, lambda yours: False) == f": you have 5.{whole}"
    assert question("s", abs, lambda yours: False) == whole
    assert question("s", np.zeros(4), np.ones(4)) == whole


def test_a_part_that_is_missing_makes_an_answer_blank():
    assert is_blank((1.0, [2.0, None]))
    assert not is_blank(np.array([0.0, np.nan]))


def test_an_interruption_goes_through():
    with pytest.raises(KeyboardInterrupt):
        skill("s", lambda: (_ for _ in ()).throw(KeyboardInterrupt))
