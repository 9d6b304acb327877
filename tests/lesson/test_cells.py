import builtins
import sys
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pytest

from minisam.lesson import in_short, reveal, show


@pytest.mark.parametrize("guess", ["flat", 3, np.array([1.0, 2.0]), (1, 2), True, 0])
def test_a_guess_stands_beside_the_answer(guess, capsys):
    reveal("question?", guess, 16.04)
    said = capsys.readouterr().out
    assert f"your guess: {in_short(guess)} " in said
    assert said.endswith("answer: 16\n")


def test_nothing_bad_is_said_of_a_guess_that_was_not_made(capsys):
    reveal("question?", None, "flat")
    assert capsys.readouterr().out == "question?  your guess: –   answer: flat\n"


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
