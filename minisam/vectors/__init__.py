"""Exact vectors: what a right implementation must give, to the last bit.

Each vector is a starting point, hyper-parameters, and the gradients that are handed out whatever
the point at which they are asked for. It says at which points a right implementation asks, and
where it ends. Every number on the way is a short binary fraction, so that all orders of operations
agree, in float64, in float32 and in bfloat16, and no tolerance is needed.

`load` reads them, `replay` runs one of them on an adapter.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from minisam.adapters.hyperparameters import HyperParameters
from minisam.adapters.protocol import Adapter, Arrays, Unsupported, copies

DIRECTORY = Path(__file__).parent
ADAPTERS_OWN = ("frozen", "missing-gradient", "shards", "hessian-product")


class Outcome(NamedTuple):
    """What came of one vector.

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


def manifest() -> dict[str, Any]:
    """Return the manifest: version, schema, the files with their hashes, every slug with its own.

    Example:
        >>> manifest()["name"]
        'minisam exact vectors'
    """
    return json.loads((DIRECTORY / "manifest.json").read_text(encoding="utf-8"))


def load(methods: Iterable[str] | None = None) -> list[dict[str, Any]]:
    """Return the vectors, all or those of some methods.

    Args:
        methods: such as ``["sgd", "sam"]``.

    Returns:
        The vectors as the files hold them.

    Example:
        >>> load(["sam"])[0]["slug"]
        'sam-norm-4'
    """
    wanted = None if methods is None else set(methods)
    vectors = []
    for entry in manifest()["files"]:
        text = (DIRECTORY / entry["file"]).read_text(encoding="utf-8")
        vectors += json.loads(text)["vectors"]
    return [v for v in vectors if wanted is None or v["hyperparameters"]["method"] in wanted]


def arrays(vector: dict[str, Any], point: list, dtype: str) -> list[Any]:
    """Return a point or gradient of a vector as arrays; a missing gradient stays None.

    bfloat16 has no NumPy type: its numbers travel in float32 arrays.
    """
    kind = np.float64 if dtype == "float64" else np.float32
    return [
        None if values is None else np.array(values, kind).reshape(shape)
        for values, shape in zip(point, vector["shapes"], strict=True)
    ]


def hyperparameters(vector: dict[str, Any], dtype: str) -> dict[str, Any]:
    """Return the hyper-parameters of a vector as the protocol wants them."""
    schedules = {key: [step[key] for step in vector["steps"]] for key in ("lr", "rho")}
    hp = HyperParameters.of(
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
    return dict(hp)


class Script:
    """A `GradFn` that hands out what was written down, and remembers where it was asked.

    Methods that need more than a gradient find it here: ``shards`` is one such function per shard
    of the batch, ``hessian_product`` the function ``(point, vector) -> H(A) · vector``.
    """

    def __init__(self, answers: list[Arrays], hessian: Any = None, shards: Iterable = ()) -> None:
        self.answers, self.hessian = answers, hessian
        self.asked: list[Arrays] = []
        self.shards = [Script(one) for one in shards]

    def __call__(self, point: Arrays, shard: int | None = None) -> Arrays:
        """Note the point; return the next answer, and the last one for ever after.

        With shards, ask one of them, or all for the mean of their gradients.
        """
        if shard is not None:
            return self.shards[shard](point)
        if self.shards:
            parts = zip(*(one(point) for one in self.shards), strict=True)
            return [sum(part[1:], part[0]) / len(self.shards) for part in parts]
        self.asked.append([np.asarray(one, np.float64) for one in copies(point)])
        answer = self.answers[min(len(self.asked), len(self.answers)) - 1]
        return [None if one is None else one.copy() for one in answer]

    def message(self) -> dict[str, Any]:
        """Return all that is written down, for those to whom it has to be told beforehand."""

        def lists(answers: list[Arrays]) -> list:
            return [[None if x is None else x.ravel().tolist() for x in a] for a in answers]

        if self.shards:
            return {"shards": [lists(one.answers) for one in self.shards]}
        told: dict[str, Any] = {"gradients": lists(self.answers)}
        return told if self.hessian is None else {**told, "hessian": self.hessian}

    def told(self, points: list[Arrays]) -> None:
        """Note the points that were asked at, by their own report."""
        self.asked = [[np.asarray(one, np.float64) for one in point] for point in points]

    def hessian_product(self, point: Arrays, vector: Arrays) -> Arrays:
        """Return the written-down Hessian times ``vector``."""
        flat = np.concatenate([np.ravel(one) for one in vector])
        product = np.array(self.hessian, flat.dtype) @ flat
        sizes = np.cumsum([np.size(one) for one in vector])[:-1]
        parts = np.split(product, sizes)
        return [part.reshape(np.shape(one)) for part, one in zip(parts, vector, strict=True)]


def script(vector: dict[str, Any], step: dict[str, Any], dtype: str, missing: bool) -> Script:
    """Return the scripted gradients of one step; with zeros for missing ones unless ``missing``."""

    def answer(gradient: list) -> Arrays:
        zeros = [[0] * int(np.prod(shape)) for shape in vector["shapes"]]
        if not missing:
            gradient = [z if g is None else g for z, g in zip(zeros, gradient, strict=True)]
        return arrays(vector, gradient, dtype)

    if "shards" in step:
        return Script([], shards=[[answer(g) for g in shard] for shard in step["shards"]])
    return Script([answer(g) for g in step["gradients"]], step.get("hessian"))


def same(expected: list, actual: list[np.ndarray]) -> bool:
    """Return whether two points have the same values; 0 and −0 are the same."""
    return len(expected) == len(actual) and all(
        np.array_equal(np.array(e, np.float64).ravel(), np.asarray(a, np.float64).ravel())
        for e, a in zip(expected, actual, strict=True)
    )


def compare(step: dict[str, Any], asked: list, end: list) -> tuple[str, Any, Any] | None:
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
        if not same(point, asked[k]):
            return name, point, asked[k]
    if len(asked) > len(points):
        return "gradient calls", len(points), len(asked)
    if not same(step["end"], end):
        return "end", step["end"], [np.asarray(one, np.float64) for one in end]
    return None


def replay(adapter: Adapter, vector: dict[str, Any], dtype: str = "float64") -> Outcome:
    """Run one vector on an adapter, and say what first differs if anything does.

    Args:
        adapter: the implementation. Its attribute ``features``, a set of names, says which of
            "frozen", "missing-gradient", "shards" and "hessian-product" it can pass on; without it
            none.
        vector: one of `load`'s.
        dtype: "float64", "float32" or "bfloat16".

    Returns:
        An `Outcome`; ``passed`` is None for a vector that does not apply, with the reason.

    Raises:
        Exception: whatever the implementation raises, `Unsupported` excepted.

    Example:
        >>> from minisam.adapters.plain import plain
        >>> def sgd(w, grad_fn, *, lr, rho):
        ...     return [x - lr * g for x, g in zip(w, grad_fn(w))]
        >>> vectors = {vector["slug"]: vector for vector in load()}
        >>> replay(plain(sgd), vectors["sgd-step"]).passed
        True
        >>> replay(plain(sgd), vectors["sam-norm-4"])[:5]
        ('sam-norm-4', 'float64', False, 0, 'gradient calls')
    """
    slug: str = vector["slug"]
    features: frozenset[str] = getattr(adapter, "features", frozenset())
    if dtype not in vector["dtypes"]:
        return Outcome(slug, dtype, None, quantity=f"not exact in {dtype}")
    lacking = [n for n in vector["requires"] if n in ADAPTERS_OWN and n not in features]
    if lacking:
        return Outcome(slug, dtype, None, quantity=f"the adapter has no way to say {lacking[0]}")
    try:
        run = adapter(arrays(vector, vector["start"], dtype), hyperparameters(vector, dtype))
        for k, step in enumerate(vector["steps"]):
            gradients = script(vector, step, dtype, "missing-gradient" in features)
            end = copies(run(gradients))
            asked = gradients.asked + [a for one in gradients.shards for a in one.asked]
            wrong = compare(step, asked, end)
            if wrong:
                return Outcome(slug, dtype, False, k, *wrong)
    except Unsupported as reason:
        return Outcome(slug, dtype, None, quantity=str(reason))
    return Outcome(slug, dtype, True)
