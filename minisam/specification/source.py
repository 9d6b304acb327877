"""Draw the numbers of a problem, from a seeded generator or from hypothesis.

Each distribution is written once, on a `NumberSource` of integers, reals and choices. Behind it
stands either NumPy, so that the oracle needs nothing else, or hypothesis, which looks for corners
and shrinks what it finds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

DTYPES = ("float64", "float32")


class NumberSource(Protocol):
    """A source of the numbers of a problem."""

    def integer(self, low: int, high: int) -> int:
        """Return an integer in [low, high]."""

    def reals(self, low: float, high: float, n: int) -> np.ndarray:
        """Return n numbers in [low, high]."""

    def choice(self, options: Sequence[Any]) -> Any:
        """Return one of the options; the first is the simplest."""


class RandomSource:
    """A `NumberSource` that draws from a NumPy generator.

    Example:
        >>> source = RandomSource(np.random.default_rng(0))
        >>> 1 <= source.integer(1, 6) <= 6
        True
    """

    def __init__(self, rng: np.random.Generator):
        self.rng = rng

    def integer(self, low: int, high: int) -> int:
        """Return an integer in [low, high]."""
        return int(self.rng.integers(low, high + 1))

    def reals(self, low: float, high: float, n: int) -> np.ndarray:
        """Return n numbers in [low, high]."""
        return self.rng.uniform(low, high, size=n)

    def choice(self, options: Sequence[Any]) -> Any:
        """Return one of the options."""
        return options[int(self.rng.integers(len(options)))]


def real(source: NumberSource, low: float, high: float) -> float:
    """Return a number in [low, high]."""
    return float(source.reals(low, high, 1)[0])


def power_of_ten(source: NumberSource, low: float, high: float) -> float:
    """Return 10ˣ with x in [low, high]."""
    return 10.0 ** real(source, low, high)


def generator(source: NumberSource) -> np.random.Generator:
    """Return a NumPy generator with a drawn seed, for numbers that need no shrinking."""
    return np.random.default_rng(source.integer(0, 2**32 - 1))


def draw_size(source: NumberSource, largest: int = 50) -> int:
    """Return a number of dimensions: 1, 2, a few, up to the largest, or the largest itself."""
    kind = source.choice(("one", "two", "few", "many", "largest"))
    if kind == "few":
        return source.integer(3, max(3, min(6, largest)))
    if kind == "many":
        return source.integer(1, largest)
    return {"one": 1, "two": 2, "largest": largest}[kind]


def draw_order(source: NumberSource) -> float:
    """Return an order p of a norm, from 1 to infinity."""
    kind = source.choice((2, 1, np.inf, 1.5, 3, "any"))
    return 1 + 10.0 ** real(source, -1, 1) if kind == "any" else kind


def draw_signs(source: NumberSource, n: int) -> np.ndarray:
    """Return n signs ±1."""
    return np.where(source.reals(-1, 1, n) < 0, -1.0, 1.0)


def draw_point(source: NumberSource, n: int, low: float = -3, high: float = 3) -> np.ndarray:
    """Return coordinates of either sign, of size 10^low to 10^high, not all of them zero."""
    size = 10.0 ** source.reals(low, high, n)
    point = size * np.sign(source.reals(-1, 1, n))
    if not np.any(point):
        point[0] = size[0]
    return point


def draw_unit_vector(source: NumberSource, n: int) -> np.ndarray:
    """Return a vector of length 1 in n dimensions."""
    vector = source.reals(-1, 1, n)
    length = np.linalg.norm(vector)
    return vector / length if length > 1e-3 else np.eye(n)[0]


def draw_gradient(source: NumberSource, n: int, dtype: str, widest: float = 3) -> np.ndarray:
    """Return a gradient with zeros, ties and sizes over many orders of magnitude, never zero."""
    kind = source.choice(("sizes", "ties", "one"))
    if kind == "one":
        g = np.zeros(n)
        g[source.integer(0, n - 1)] = source.choice((1.0, -1.0))
    elif kind == "ties":
        g = np.array([source.choice((1.0, -1.0, 0.5, 0.0)) for _ in range(n)])
    else:
        g = draw_point(source, n, -widest, widest)
    if not np.any(g):
        g[0] = 1.0
    return rounded(g, dtype)


def rounded(x: Any, dtype: Any) -> Any:
    """Return float64 numbers that are exact in the dtype."""
    y = np.asarray(x, dtype=dtype).astype(np.float64)
    return float(y) if y.ndim == 0 else y
