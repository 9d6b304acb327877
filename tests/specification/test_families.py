"""Problems reach the corners that they are meant to, and are what they say."""

import numpy as np
import pytest
from hypothesis import given, settings
from strategies import problems

from minisam.rounding import exact
from minisam.specification import PROPERTIES
from minisam.specification.linear_families import Logistic


@pytest.fixture(scope="module")
def drawn():
    """What hypothesis draws for a property on quadratics."""
    seen = []

    @settings(max_examples=300, derandomize=True, database=None)
    @given(problem=problems(PROPERTIES["quadratic-step"]))
    def collect(problem):
        seen.append(problem)

    collect()
    return seen


CORNERS = {
    "one dimension": lambda problem: problem.vector().size == 1,
    "fifty dimensions": lambda problem: problem.vector().size == 50,
    "float32": lambda problem: problem.dtype == np.float32,
    "float64": lambda problem: problem.dtype == np.float64,
    "a spectrum over ten orders of magnitude and more": lambda problem: (
        np.ptp(np.log10(np.abs(problem.facts.spectrum))) > 10
    ),
    "all curvatures equal": lambda problem: (
        problem.vector().size > 1 and np.ptp(problem.facts.spectrum) == 0
    ),
    "curvatures all but equal": lambda problem: (
        0 < np.ptp(np.abs(problem.facts.spectrum)) < 1e-8 * np.abs(problem.facts.spectrum).max()
    ),
    "indefinite": lambda problem: problem.facts.spectrum.min() < 0 < problem.facts.spectrum.max(),
    "rotated": lambda problem: problem.facts.rotation is not None,
    "four tensors": lambda problem: len(problem.start) == 4,
    "a matrix": lambda problem: any(array.ndim == 2 for array in problem.start),
    "a zero coordinate": lambda problem: not np.all(problem.vector()),
}


@pytest.mark.parametrize("corner", CORNERS)
def test_hypothesis_reaches_the_corner(drawn, corner):
    assert sum(map(CORNERS[corner], drawn)) >= 3


def test_a_logistic_problem_knows_its_curvature():
    inputs, w = np.random.default_rng(3).normal(size=(4, 3)), np.array([0.3, -0.2, 0.1])
    facts, h = Logistic(inputs, 0.1), 1e-5
    gradient = facts.landscape.slope
    for v in np.eye(3):
        slope = gradient(w + h * v) - gradient(w - h * v)
        ours = facts.hessian_product(exact(w), exact(v)).value
        np.testing.assert_allclose(ours, slope / (2 * h), atol=1e-9)
        assert 0.1 <= v @ ours <= facts.smoothness.value
