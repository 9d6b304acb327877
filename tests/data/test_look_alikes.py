"""Asymmetric maps: the published one, and superclasses read from the labels."""

import numpy as np

from minisam.data import toy
from minisam.data.look_alikes import look_alikes

CIFAR_10 = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)


def test_cifar_10_has_the_published_map():
    mistaken = look_alikes(CIFAR_10, np.arange(10))
    changed = {CIFAR_10[i]: CIFAR_10[j] for i, j in enumerate(mistaken.tolist()) if i != j}
    assert changed == {
        "truck": "automobile",
        "bird": "airplane",
        "deer": "horse",
        "cat": "dog",
        "dog": "cat",
    }


def test_names_are_looked_up_not_numbers():
    order = np.random.default_rng(0).permutation(10)
    names = tuple(CIFAR_10[i] for i in order)
    mistaken = look_alikes(names, np.arange(10))
    assert names[mistaken[names.index("truck")]] == "automobile"


def test_a_superclass_is_a_circle_of_its_own_classes():
    """CIFAR-100's first superclass: aquatic mammals have the fine labels 4, 30, 55, 72, 95."""
    fine = np.arange(100)
    coarse = np.where(np.isin(fine, [4, 30, 55, 72, 95]), 0, 1 + fine % 19)
    mistaken = look_alikes(tuple(map(str, fine)), fine, coarse)
    assert mistaken[[4, 30, 55, 72, 95]].tolist() == [30, 55, 72, 95, 4]
    assert np.array_equal(coarse[mistaken], coarse)
    assert np.array_equal(np.sort(mistaken), fine)


def test_the_toy_set_has_a_map():
    mistaken = look_alikes(toy.CLASS_NAMES, np.arange(10))
    assert np.count_nonzero(mistaken != np.arange(10)) == 5


def test_other_sets_have_none():
    assert look_alikes(tuple("abc"), np.arange(3)) is None
