"""Numbers are drawn from where they should be."""

import numpy as np

from minisam.specification import RandomSource
from minisam.specification.source import draw_gradient


def test_a_gradient_is_never_zero():
    source = RandomSource(np.random.default_rng(4))
    assert all(np.any(draw_gradient(source, 3, "float32")) for _ in range(300))
