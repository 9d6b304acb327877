"""Tell an implementation the gradients of a step, and remember where it asked for them.

The answers are scripted: each new point of a step gets the next one, and a point that is asked for
again gets the same. Whatever is handed over is checked, and copied on the way in and out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minisam.adapters.protocol import MOST_GRADIENTS, Arrays, copies, kind, listed
from minisam.oracle.guarding import Fault
from minisam.oracle.script import ANSWERS
from minisam.rounding import UNITS, to_unit


def checked(arrays: Any, like: Arrays, what: str) -> Arrays:
    """Return copies of the arrays that were handed over, if they are what was agreed.

    Raises:
        WrongType: if they are no list of arrays.
        Fault: with cause "wrong shapes" or "wrong dtype".
    """
    got = listed(arrays, what)
    shapes, expected = [g.shape for g in got], [x.shape for x in like]
    if shapes != expected:
        lists = f"{what} must be a list of arrays of shapes {expected}"
        raise Fault("wrong shapes", f"{lists}, got {kind(arrays)}")
    for g, x in zip(got, like, strict=True):
        if g.dtype != x.dtype:
            raise Fault("wrong dtype", f"{what} must be {x.dtype}, got {g.dtype}")
    return copies(got)


class Teller:
    """The ``grad_fn`` of one step: it answers from the script, and remembers."""

    def __init__(
        self, gradients: list[list[Arrays]], start: Arrays, dtype: str, missing: bool = False
    ):
        self.gradients, self.start, self.dtype, self.missing = gradients, start, dtype, missing
        self.queries: list[Arrays] = []
        self.answers: list[Arrays] = []
        self.asked: list[int | None] = []
        self.known: dict[Any, int] = {}
        self.counts: dict[int, int] = {}
        number = len(gradients[0])
        self.shards = [self.one(shard) for shard in range(number)] if number > 1 else []

    def one(self, shard: int) -> Callable[[Arrays], Arrays]:
        """Return the gradient function of a shard."""
        return lambda point: copies(self.answer(point, shard))

    def answer(self, point: Any, shard: int) -> Arrays:
        """Return the scripted gradient of a shard at a point."""
        arrays = checked(point, self.start, "the point at which a gradient is asked for")
        if len(self.queries) >= MOST_GRADIENTS:
            raise Fault(
                "asks too often", f"one step asked for more than {MOST_GRADIENTS} gradients"
            )
        key = (shard, *(array.tobytes() for array in arrays))
        if key not in self.known:
            self.known[key] = self.counts.get(shard, 0)
            self.counts[shard] = self.known[key] + 1
        answer = self.gradients[self.known[key] % ANSWERS][shard]
        self.queries.append(arrays)
        self.answers.append(copies(answer))
        self.asked.append(shard)
        return answer

    def __call__(self, point: Arrays, shard: int | None = None) -> list[Any]:
        """Return the gradient at a point, of one shard or averaged over the batch."""
        number = len(self.gradients[0])
        if number == 1 or shard is not None:
            answer = copies(self.answer(point, shard or 0))
            return [g if g.any() or not self.missing else None for g in answer]
        parts = [self.answer(point, index) for index in range(number)]
        unit = UNITS[self.dtype]
        return [to_unit(sum(tensors) / number, unit) for tensors in zip(*parts, strict=True)]
