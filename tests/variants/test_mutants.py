import numpy as np
import pytest

from minisam.adapters.protocol import HYPERPARAMETERS, observe
from minisam.variants.mutants import MUTANTS

# Every one of the list of known mistakes, and only in the place where it is one.
LISTED = [f"M{n:02d}" for n in range(1, 117)] + [f"A{n:02d}" for n in range(1, 29)]


def test_every_listed_mistake_is_in_the_catalogue():
    entered = {name.split("-")[0] for name in MUTANTS}
    assert set(LISTED) <= entered


def test_every_mutant_says_what_it_does_and_how_to_put_it_right():
    for mutant in MUTANTS.values():
        assert len(mutant.title) > 5, mutant.name
        assert len(mutant.description) > 20, mutant.name
        for title in (mutant.title, *(title for title, _ in mutant.others)):
            assert title[0].islower() or title[0] in "ε", mutant.name


def test_no_title_stands_for_two_changes():
    titles = [title for one in MUTANTS.values() for title, _ in one.others]
    assert len({*titles}) == len(titles)
    assert not {*titles} & {mutant.title for mutant in MUTANTS.values()}


@pytest.mark.parametrize("name", MUTANTS)
def test_every_mutant_runs_and_keeps_the_dtype(name):
    w = [np.array([[3, -4], [1, 2]], np.float32), np.array([12], np.float32)]
    hp = {**HYPERPARAMETERS, "method": "asam", "momentum": 0.5, "names": ["a.weight", "a.bias"]}
    run = MUTANTS[name].adapter(w, hp)
    for _ in range(2):
        w = observe(run, w, lambda point: [p * np.float32(0.5) for p in point]).end
    assert all(leaf.dtype == np.float32 for leaf in w)
