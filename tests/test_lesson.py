import builtins
import sys
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minisam.lesson import agrees, in_short, reveal, show, skill


@pytest.mark.parametrize("guess", ["flat", 3, np.array([1.0, 2.0]), (1, 2), True, 0])
def test_a_guess_stands_beside_the_answer(guess, capsys):
    reveal("question?", guess, 16.04)
    said = capsys.readouterr().out
    assert f"your guess: {in_short(guess)} " in said
    assert said.endswith("answer: 16\n")


def test_nothing_bad_is_said_of_a_guess_that_was_not_made(capsys):
    reveal("question?", None, "flat")
    assert capsys.readouterr().out == "question?  your guess: –   answer: flat\n"


BLANK = None


@pytest.mark.parametrize(
    ("attempt", "right", "told"),
    [
        (lambda: True, True, "✓ right    s\n"),
        (lambda: np.array([True, True]), True, "✓ right    s\n"),
        (lambda: np.array([True, False]), False, "· not yet  s\n"),
        (lambda: np.isclose(BLANK, 3.0), False, "· not yet  s\n"),
        (lambda: BLANK(3.0), False, "· not yet  s\n"),
        (lambda: None, False, "· not yet  s\n"),
        (lambda: np.float64(0) / np.float64(0) == 0, False, "· not yet  s\n"),
        (lambda: [][1], False, "· not yet  s  (it raises IndexError: list index out of range)\n"),
    ],
)
def test_a_skill_is_one_line(attempt, right, told, capsys):
    assert skill("s", attempt) is right
    assert capsys.readouterr().out == told


@given(st.floats(1e-9, 1e9), st.sampled_from([-1, 1]))
def test_three_digits_are_enough_and_two_are_not_always(size, sign):
    right = sign * size
    assert agrees(float(f"{right:.3g}"), right)
    assert agrees([right, float(f"{right:.3g}")], [right, right])
    assert not agrees(1.01 * right, right)
    assert not agrees(-right, right)
    assert not agrees(0.0, right)
    assert not agrees([], right)
    assert not agrees([right, right], right)


def test_an_interruption_goes_through():
    with pytest.raises(KeyboardInterrupt):
        skill("s", lambda: (_ for _ in ()).throw(KeyboardInterrupt))


def test_a_notebook_shows_the_picture_with_its_words(monkeypatch):
    shown, figure = [], plt.figure()  # before pyplot could take the stand-in for a notebook
    display = SimpleNamespace(display=lambda figure, metadata: shown.append((figure, metadata)))
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: object()))
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    show(figure, alt="An empty page.")
    assert shown == [(figure, {"image/png": {"alt": "An empty page."}})]
    assert plt.get_fignums() == []


def test_elsewhere_it_asks_for_no_notebook(monkeypatch):
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    kept = builtins.__import__

    def refuse(name, *rest):
        assert not name.startswith("IPython")
        return kept(name, *rest)

    monkeypatch.setattr(builtins, "__import__", refuse)
    show(plt.figure(), alt="An empty page.")
    assert plt.get_fignums() == []
