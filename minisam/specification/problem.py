"""What a property is tried on: a point, a loss, hyper-parameters, and where they are drawn from.

A problem is drawn from a `Source` of integers, reals and choices. Behind it stands either a seeded
NumPy generator, so that the oracle needs nothing else, or hypothesis, which looks for corners and
shrinks what it finds. The distribution is written once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from minisam.adapters.hyperparameters import HyperParameters
from minisam.adapters.protocol import Arrays
from minisam.rounding import Rounded, exact

Field = Callable[[Rounded], Rounded]
DTYPES = ("float64", "float32")


def unit_vector(source: Source, n: int) -> np.ndarray:
    """Return a vector of length 1 in n dimensions."""
    vector = source.reals(-1, 1, n)
    length = np.linalg.norm(vector)
    return vector / length if length > 1e-3 else np.eye(n)[0]


class Unsuitable(ValueError):
    """A drawn problem does not meet a property's preconditions, and another one is to be drawn."""


class Source(Protocol):
    """Where the numbers of a problem come from."""

    def integer(self, low: int, high: int) -> int:
        """Return an integer in [low, high]."""

    def reals(self, low: float, high: float, n: int) -> np.ndarray:
        """Return n numbers in [low, high]."""

    def choice(self, options: Sequence[Any]) -> Any:
        """Return one of the options; the first is the simplest."""


class RandomSource:
    """A `Source` that draws from a NumPy generator.

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


def real(source: Source, low: float, high: float) -> float:
    """Return a number in [low, high]."""
    return float(source.reals(low, high, 1)[0])


def power_of_ten(source: Source, low: float, high: float) -> float:
    """Return 10ˣ with x in [low, high]."""
    return 10.0 ** real(source, low, high)


def draw_size(source: Source, largest: int = 50) -> int:
    """Return a number of dimensions: 1, 2, a few, up to the largest, or the largest itself."""
    kind = source.choice(("one", "two", "few", "many", "largest"))
    if kind == "few":
        return source.integer(3, max(3, min(6, largest)))
    if kind == "many":
        return source.integer(1, largest)
    return {"one": 1, "two": 2, "largest": largest}[kind]


def draw_order(source: Source) -> float:
    """Return an order p of a norm, from 1 to infinity."""
    kind = source.choice((2, 1, np.inf, 1.5, 3, "any"))
    return 1 + 10.0 ** real(source, -1, 1) if kind == "any" else kind


class Problem(NamedTuple):
    """One question to an optimizer.

    Attributes:
        start: the tensors that the step begins from.
        field: the gradient of the loss, as a function of all the numbers in one vector.
        hyperparameters: as the protocol wants them, names of the tensors included.
        facts: what is known of the loss, a tuple of the family's own.
        norm_epsilon: what the implementation says it adds to ‖g‖, which is then allowed for.
    """

    start: Arrays
    field: Field
    hyperparameters: HyperParameters
    facts: Any
    norm_epsilon: float = 0.0

    @property
    def dtype(self) -> np.dtype:
        """The dtype in which the optimizer computes."""
        return self.start[0].dtype

    def vector(self, arrays: Arrays | None = None) -> np.ndarray:
        """Return tensors as one float64 vector, the start's by default."""
        return pack(self.start if arrays is None else arrays)

    def tensors(self, vector: np.ndarray) -> Arrays:
        """Return a vector as tensors of the problem's shapes and dtype."""
        return unpack(vector, self.start)

    def gradient(self, arrays: Arrays) -> Arrays:
        """Return the gradient as the optimizer gets it: evaluated in float64, rounded once."""
        return self.tensors(self.field(exact(pack(arrays))).value)

    def at(self, vector: np.ndarray) -> Problem:
        """Return the same problem from another start."""
        return self._replace(start=self.tensors(vector))

    def having(self, **hyperparameters: Any) -> Problem:
        """Return the same problem with other hyper-parameters."""
        return self._replace(hyperparameters=self.hyperparameters.having(**hyperparameters))


def pack(arrays: Arrays) -> np.ndarray:
    """Return tensors as one float64 vector.

    Example:
        >>> pack([np.array([[1.0], [2.0]]), np.array([3.0])])
        array([1., 2., 3.])
    """
    return np.concatenate([np.asarray(array, dtype=np.float64).ravel() for array in arrays])


def unpack(vector: np.ndarray, like: Arrays) -> Arrays:
    """Return a vector as tensors with the shapes and dtypes of ``like``.

    Example:
        >>> unpack(np.array([1.0, 2.0, 3.0]), [np.zeros((2, 1)), np.zeros(1)])
        [array([[1.],
               [2.]]), array([3.])]
    """
    arrays, end = [], 0
    with np.errstate(over="ignore", under="ignore"):
        for array in like:
            begin, end = end, end + array.size
            arrays.append(vector[begin:end].astype(array.dtype).reshape(array.shape))
    return arrays


def rounded(x: Any, dtype: Any) -> Any:
    """Return float64 numbers that are exact in the dtype."""
    y = np.asarray(x, dtype=dtype).astype(np.float64)
    return float(y) if y.ndim == 0 else y


def make_problem(
    source: Source,
    point: np.ndarray,
    field: Field,
    facts: Any,
    dtype: str,
    **hyperparameters: Any,
) -> Problem:
    """Cut a point into tensors with names, and round it and the hyper-parameters to the dtype.

    The cut is drawn: one tensor, or up to four, each a vector or a matrix, named in turn as weights
    and biases, so that a norm per tensor or a forgotten bias cannot hide.
    """
    n = len(point)
    pieces = min(n, source.choice((1, 2, 3, 4)))
    cuts = sorted({source.integer(1, n - 1) for _ in range(pieces - 1)}) if n > 1 else []
    start = []
    for part in np.split(np.asarray(point, dtype=dtype), cuts):
        rows = 2 if part.size % 2 == 0 and source.choice((False, True)) else 1
        start.append(part.reshape(rows, -1) if rows > 1 else part)
    names = [f"layer{i // 2}.{('weight', 'bias')[i % 2]}" for i in range(len(start))]
    numbers = {
        key: rounded(value, dtype) if isinstance(value, float) and np.isfinite(value) else value
        for key, value in hyperparameters.items()
    }
    hp = HyperParameters.of({"names": names, "dtype": dtype, **numbers})
    return Problem(start, field, hp, facts)
