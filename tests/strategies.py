"""Hypothesis strategies that more than one test uses."""

from __future__ import annotations

import functools

import numpy as np
from hypothesis import reject
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from minisam.specification import UnsuitableProblem


@st.composite
def label_arrays(draw, min_size=0, max_size=80, max_classes=12):
    """Labels and their number of classes: an int64 array of shape (n,), and K ≥ 2."""
    classes = draw(st.integers(2, max_classes))
    labels = draw(st.lists(st.integers(0, classes - 1), min_size=min_size, max_size=max_size))
    return np.array(labels, np.int64), classes


@st.composite
def stochastic_matrices(draw, classes):
    """Transition matrices: no negative entry, rows that sum to 1, some entries 0."""
    weights = st.lists(st.integers(0, 5), min_size=classes, max_size=classes).filter(any)
    rows = np.array([draw(weights) for _ in range(classes)], np.float64)
    return rows / rows.sum(axis=1, keepdims=True)


@functools.cache  # hypothesis examines a strategy once, and that takes longer than to draw from it
def reals(low, high, n):
    return arrays(np.float64, n, elements=st.floats(low, high), fill=st.nothing())


class DrawnSource:
    """A `minisam.specification.NumberSource` behind which hypothesis stands: it seeks corners."""

    def __init__(self, draw):
        self.draw = draw

    def integer(self, low, high):
        return self.draw(st.integers(low, high))

    def reals(self, low, high, n):
        return self.draw(reals(low, high, n))

    def choice(self, options):
        return self.draw(st.sampled_from(options))


@st.composite
def problems(draw, statement):
    """Problems that a property of the specification speaks of."""
    try:
        return statement.draw(DrawnSource(draw))
    except UnsuitableProblem:
        reject()
