"""Replay an exact vector: run it on an adapter, and say what first differs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from minisam.adapters.hyperparameters import HyperParameters
from minisam.adapters.protocol import FEATURES, Adapter, Arrays, Unsupported, copies
from minisam.adapters.reading import ReadingDict
from minisam.adapters.wire import as_arrays, flat_lists
from minisam.trees import flatten, unflatten


class Replayed(NamedTuple):
    """The outcome of one vector.

    Attributes:
        slug: the vector.
        dtype: the format that it was run in.
        passed: True, False, or None when it was not run.
        step: the step that first went wrong, from 0.
        quantity: what first went wrong: "gradient calls", "A", "B", "end"; or why it did not run.
        expected: the values that it should have had.
        actual: the values that it had.
    """

    slug: str
    dtype: str
    passed: bool | None
    step: int | None = None
    quantity: str = ""
    expected: Any = None
    actual: Any = None


def hyperparameters(vector: dict[str, Any], dtype: str) -> HyperParameters:
    """Return the hyper-parameters of a vector as the protocol wants them."""
    schedules = {key: [step[key] for step in vector["steps"]] for key in ("lr", "rho")}
    return HyperParameters.of(
        {
            **vector["hyperparameters"],
            **{key: each if len(set(each)) > 1 else each[0] for key, each in schedules.items()},
            "names": tuple(vector["names"]),
            "frozen": tuple(vector["frozen"]),
            "dtype": dtype,
            "missing": "missing-gradient" in vector["requires"],
            "shards": len(vector["steps"][0].get("shards", [None])),
        }
    )


class WrittenGradients:
    """A `GradFn` that hands out what was written down, and remembers where it was asked.

    Methods that need more than a gradient find it here: ``shards`` is one such function per shard
    of the batch, ``hessian_product`` the function ``(point, vector) -> H(A) · vector``.
    """

    def __init__(self, answers: list[Arrays], hessian: Any = None, shards: Iterable = ()) -> None:
        self.answers, self.hessian = answers, hessian
        self.asked: list[Arrays] = []
        self.shards = [WrittenGradients(one) for one in shards]

    def __call__(self, point: Arrays, shard: int | None = None) -> Arrays:
        """Note the point; return the next answer, and the last one from then on.

        With shards, ask one of them, or all for the mean of their gradients.
        """
        if shard is not None:
            return self.shards[shard](point)
        if self.shards:
            parts = zip(*(one(point) for one in self.shards), strict=True)
            return [sum(part[1:], part[0]) / len(self.shards) for part in parts]
        self.asked.append([np.array(one, np.float64) for one in point])
        answer = self.answers[min(len(self.asked), len(self.answers)) - 1]
        return [None if one is None else one.copy() for one in answer]

    def message(self) -> dict[str, Any]:
        """Return all that is written down, for a harness, which has to know it beforehand."""
        if self.shards:
            return {"shards": [[flat_lists(a) for a in one.answers] for one in self.shards]}
        known: dict[str, Any] = {"gradients": [flat_lists(a) for a in self.answers]}
        return known if self.hessian is None else {**known, "hessian": self.hessian}

    def was_asked(self, points: list[Arrays]) -> None:
        """Note the points that were asked at, by their own report."""
        self.asked = [[np.asarray(one, np.float64) for one in point] for point in points]

    def hessian_product(self, point: Arrays, vector: Arrays) -> Arrays:
        """Return the written-down Hessian times ``vector``."""
        named = {str(k): one for k, one in enumerate(vector)}
        return list(unflatten(np.array(self.hessian) @ flatten(named), named).values())


def script_of(
    vector: dict[str, Any], step: dict[str, Any], dtype: str, missing: bool
) -> WrittenGradients:
    """Return the scripted gradients of one step; with zeros for missing ones unless ``missing``."""

    def answer(gradient: list) -> Arrays:
        zeros = [[0] * int(np.prod(shape)) for shape in vector["shapes"]]
        if not missing:
            gradient = [z if g is None else g for z, g in zip(zeros, gradient, strict=True)]
        return as_arrays(gradient, vector["shapes"], dtype)

    if "shards" in step:
        return WrittenGradients([], shards=[[answer(g) for g in shard] for shard in step["shards"]])
    return WrittenGradients([answer(g) for g in step["gradients"]], step.get("hessian"))


def same_values(expected: list, actual: list[np.ndarray]) -> bool:
    """Return whether two points have the same values; 0 and −0 are the same."""
    return len(expected) == len(actual) and all(
        np.array_equal(np.array(e, np.float64).ravel(), np.asarray(a, np.float64).ravel())
        for e, a in zip(expected, actual, strict=True)
    )


def first_difference(step: dict[str, Any], asked: list, end: list) -> tuple[str, Any, Any] | None:
    """Return what first went wrong in a step, with its expected and actual values, or None.

    An implementation need not ask again at a point where it has just been (ε = 0).
    """
    points = step["points"]
    for k, point in enumerate(points):
        name = "AB"[k % 2]
        if k >= len(asked):
            if k and point == points[k - 1] and len(asked) == k:
                continue
            return "gradient calls", len(points), len(asked)
        if not same_values(point, asked[k]):
            return name, point, asked[k]
    if len(asked) > len(points):
        return "gradient calls", len(points), len(asked)
    if not same_values(step["end"], end):
        return "end", step["end"], [np.asarray(one, np.float64) for one in end]
    return None


def replay(adapter: Adapter, vector: dict[str, Any], dtype: str = "float64") -> Replayed:
    """Run one vector on an adapter, and say what first differs if anything does.

    Args:
        adapter: the implementation. Its attribute ``features``, a set of names, says which of
            "frozen", "missing-gradient", "shards" and "hessian-product" it can pass on; without it
            none.
        vector: one of `load_vectors`'s.
        dtype: "float64", "float32" or "bfloat16".

    Returns:
        A `Replayed`; ``passed`` is None for a vector that does not apply, with the reason.

    Raises:
        Exception: whatever the implementation raises, `Unsupported` excepted.

    Example:
        >>> from minisam.adapters.plain import plain
        >>> from minisam.vectors import load_vectors
        >>> def sgd(w, grad_fn, *, lr, rho):
        ...     return [x - lr * g for x, g in zip(w, grad_fn(w))]
        >>> vectors = {vector["slug"]: vector for vector in load_vectors()}
        >>> replay(plain(sgd), vectors["sgd-step"]).passed
        True
        >>> replay(plain(sgd), vectors["sam-norm-4"])[:5]
        ('sam-norm-4', 'float64', False, 0, 'gradient calls')
    """
    slug: str = vector["slug"]
    features: frozenset[str] = getattr(adapter, "features", frozenset())
    if dtype not in vector["dtypes"]:
        return Replayed(slug, dtype, None, quantity=f"not exact in {dtype}")
    lacking = [n for n in vector["requires"] if n in FEATURES and n not in features]
    if lacking:
        return Replayed(slug, dtype, None, quantity=f"the adapter has no way to say {lacking[0]}")
    try:
        start = as_arrays(vector["start"], vector["shapes"], dtype)
        hp = ReadingDict(hyperparameters(vector, dtype))
        run, outcome = adapter(start, hp), Replayed(slug, dtype, True)
        for k, step in enumerate(vector["steps"]):
            gradients = script_of(vector, step, dtype, "missing-gradient" in features)
            end = copies(run(gradients))
            asked = gradients.asked + [a for one in gradients.shards for a in one.asked]
            wrong = first_difference(step, asked, end)
            if wrong and outcome.passed:
                outcome = Replayed(slug, dtype, False, k, *wrong)
            if not outcome.passed and not hp.unread():  # else it may read it in a later step
                break
        hp.refuse_unread()
    except Unsupported as reason:
        return Replayed(slug, dtype, None, quantity=str(reason))
    return outcome
