"""A problem: weights to start from, a gradient function, hyper-parameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from minisam.adapters.hyperparameters import HyperParameters
from minisam.adapters.protocol import Arrays
from minisam.rounding import Rounded, exact, unit_roundoff
from minisam.specification.source import NumberSource, rounded
from minisam.trees import flatten, unflatten

Field = Callable[[Rounded], Rounded]


class UnsuitableProblem(ValueError):
    """A drawn problem does not meet a property's preconditions, and another one is to be drawn."""


class Problem(NamedTuple):
    """One question to an optimizer.

    Attributes:
        start: the tensors that the step begins from.
        field: the gradient of the loss, as a function of all the numbers in one vector.
        hp: hyper-parameters as the protocol has them, names of the tensors included.
        facts: what is known of the loss, such as its spectrum; each family has its own record.
        norm_epsilon: what the implementation says it adds to ‖g‖, which is then allowed for.
    """

    start: Arrays
    field: Field
    hp: HyperParameters
    facts: Any
    norm_epsilon: float = 0.0

    @property
    def dtype(self) -> np.dtype:
        """The dtype in which the optimizer computes."""
        return self.start[0].dtype

    @property
    def u(self) -> float:
        """Unit roundoff of the dtype."""
        return unit_roundoff(self.dtype)

    def vector(self, arrays: Arrays | None = None) -> np.ndarray:
        """Return tensors as one float64 vector, the start's by default."""
        arrays = self.start if arrays is None else arrays
        return flatten({str(i): np.asarray(x, np.float64) for i, x in enumerate(arrays)})

    def tensors(self, vector: np.ndarray) -> Arrays:
        """Return a vector as tensors of the problem's shapes and dtype."""
        like = {str(i): x for i, x in enumerate(self.start)}
        with np.errstate(over="ignore", under="ignore"):
            return list(unflatten(vector, like).values())

    def gradient(self, arrays: Arrays) -> Arrays:
        """Return the gradient as the optimizer gets it: evaluated in float64, rounded once."""
        return self.tensors(self.field(exact(self.vector(arrays))).value)

    def at(self, vector: np.ndarray) -> Problem:
        """Return the same problem from another start."""
        return self._replace(start=self.tensors(vector))

    def having(self, **changes: Any) -> Problem:
        """Return the same problem with other hyper-parameters."""
        return self._replace(hp=self.hp.having(**changes))


def make_problem(
    source: NumberSource,
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
