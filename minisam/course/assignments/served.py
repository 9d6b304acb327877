"""Serve steps of SAM, wrong and right ones, to a judge that a student wrote."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from minisam.adapters.hyperparameters import HyperParameters
from minisam.adapters.protocol import Arrays, GradFn, copies
from minisam.variants.conventions import declared_changes
from minisam.variants.mutants import MUTANTS
from minisam.variants.recipe import Change, optimizer

MOST_STEPS = 100  # that one judge may take of one step
NAMED = {  # the code that a judge may return, and the mutant
    "not-restored": "M01-not-restored",
    "per-tensor-norm": "M02-per-tensor-norm",
    "not-normalized": "M03-not-normalized",
    "squared-norm": "M04-divided-twice",
    "l1-norm": "M05-l1-norm",
    "downhill": "M07-downhill",
    "both-gradients": "M08-gradients-added",
    "first-gradient": "M10-first-gradient",
    "twice-the-radius": "M12-twice-the-radius",
    "radius-times-lr": "M32-radius-times-lr",
    "second-at-A": "R04-second-pass-at-A",
    "nan-at-zero": "R12-nan-at-zero-gradient",
}
PLAIN = (  # what shows in single steps, or in several of one run, without momentum or decay
    "M01", "M02", "M03", "M04", "M05", "M06", "M07", "M08", "M09", "M10", "M11", "M12", "M13",
    "M21", "M23", "M26", "M32", "M33", "M34", "M36", "M37", "M38", "M39", "M40", "M41", "M42",
    "M43", "M44", "M45", "M46", "M47", "M48", "M49", "M50", "R01", "R04", "R05", "R06", "R12",
    "R13", "R14", "R15",
)  # fmt: skip
CONVENTIONS: tuple[dict[str, Any], ...] = (
    {}, {"norm_epsilon": 1e-12}, {"norm_epsilon": 1e-16}, {"norm_floor": 1e-12},
    {"restore": "subtract"},
)  # fmt: skip
Step = Callable[..., Arrays]


class Server:
    """A step ``step(w, grad_fn, *, rho, lr)`` of the reference with changes.

    It remembers what an optimizer remembers, as long as the tensors keep their shapes.
    """

    def __init__(self, changes: Sequence[Change]) -> None:
        self.changes = tuple(changes)
        self.state: Any = None
        self.shapes: list[tuple[int, ...]] = []

    def __call__(self, w: Any, grad_fn: GradFn, *, rho: Any, lr: Any) -> Arrays:
        """Take a step.

        Raises:
            ValueError: if the weights are none.
        """
        if not isinstance(w, list | tuple) or not all(isinstance(x, np.ndarray) for x in w):
            raise ValueError("w must be a list of arrays")
        weights = [np.asarray(x, np.float32 if x.dtype == np.float32 else np.float64) for x in w]
        names = [f"{k}.{'bias' if k and x.ndim == 1 else 'weight'}" for k, x in enumerate(weights)]
        shapes = [x.shape for x in weights]
        hp = HyperParameters.of({"rho": float(rho), "lr": float(lr), "names": names,
                                 "dtype": str(weights[0].dtype)})  # fmt: skip
        chosen = optimizer(hp, list(self.changes))
        params = dict(zip(names, weights, strict=True))
        if self.state is None or shapes != self.shapes:
            self.state, self.shapes = chosen.init(params), shapes

        def value_and_grad(point: dict[str, np.ndarray]) -> tuple[float, dict[str, np.ndarray]]:
            grads = grad_fn(list(point.values()))
            return 0.0, {k: np.asarray(g) for k, g in zip(names, grads, strict=True)}

        with np.errstate(all="ignore"):
            new, self.state, _ = chosen.step(params, self.state, value_and_grad)
        return list(new.values())


class Counted:
    """A step that may be taken `MOST_STEPS` times."""

    def __init__(self, step: Step) -> None:
        self.step, self.count = step, 0

    def __call__(self, w: Any, grad_fn: GradFn, *, rho: Any, lr: Any) -> Arrays:
        """Take a step.

        Raises:
            ValueError: if too many were taken.
        """
        self.count += 1
        if self.count > MOST_STEPS:
            raise ValueError(f"more than {MOST_STEPS} steps were asked for")
        return self.step(w, grad_fn, rho=rho, lr=lr)


class Served(NamedTuple):
    """One step that a judge is given: what it is called here, and how to make it."""

    name: str
    make: Callable[[], Step]

    def step(self) -> Step:
        """Return the step, at its beginning."""
        return Counted(self.make())


def mutant(*names: str) -> Served:
    """Return the case of one mistake, or of several."""
    changes = [MUTANTS[name].change for name in names]
    return Served(" and ".join(names), partial(Server, changes))


def slugs() -> list[str]:
    """Return the plain mutants' names."""
    return [name for name in MUTANTS if name.partition("-")[0] in PLAIN]


def wrong_cases(rng: np.random.Generator, singles: int, pairs: int) -> list[Served]:
    """Draw wrong steps: single mistakes, and pairs of a wrong climb and a wrong descent."""
    names = slugs()
    chosen = rng.permutation(len(names))[:singles]
    climbs = ["M02", "M03", "M04", "M05", "M07", "M12", "M13", "M32", "M36", "M41", "M43"]
    ends = ["M01", "M08", "M09", "M10", "M46", "M47", "M48"]
    of = {name.partition("-")[0]: name for name in names}
    every = [(of[a], of[b]) for a in climbs for b in ends]
    drawn = rng.permutation(len(every))[:pairs]
    return [mutant(names[k]) for k in chosen] + [mutant(*every[k]) for k in drawn]


def right_cases() -> list[Served]:
    """Return right steps in ten styles."""
    found = [
        Served(f"right, {one or 'plain'}", partial(Server, declared_changes(one)))
        for one in CONVENTIONS
    ]
    styles = (three_gradients, as_tuple, in_place, in_floats, in_one_vector)
    return found + [Served(f"right, {style.__name__}", partial(handed, style)) for style in styles]


def handed(step: Step) -> Step:
    """Return a step that has nothing to remember."""
    return step


def whole_norm(arrays: Arrays) -> float:
    """Return the norm over all tensors together."""
    return float(np.sqrt(sum(np.sum(g * g) for g in arrays)))


def right_step(
    w: Arrays,
    grad_fn: GradFn,
    *,
    rho: float,
    lr: float,
    norm: Callable[[Arrays], float] = whole_norm,
) -> Arrays:
    """Take a right step."""
    d1 = grad_fn(w)
    length = norm(d1)
    scale = rho / length if length > 0 else 0.0
    d2 = grad_fn([x + scale * g for x, g in zip(w, d1, strict=True)])
    return [x - lr * g for x, g in zip(w, d2, strict=True)]


def three_gradients(w: Arrays, grad_fn: GradFn, *, rho: float, lr: float) -> Arrays:
    """Take a right step that asks at A twice."""
    grad_fn(w)
    return right_step(w, grad_fn, rho=rho, lr=lr)


def as_tuple(w: Arrays, grad_fn: GradFn, *, rho: float, lr: float) -> Any:
    """Take a right step that returns a tuple."""
    return tuple(right_step(w, grad_fn, rho=rho, lr=lr))


def in_place(w: Arrays, grad_fn: GradFn, *, rho: float, lr: float) -> Arrays:
    """Take a right step that writes into the weights."""
    for x, y in zip(w, right_step(copies(w), grad_fn, rho=rho, lr=lr), strict=True):
        x[...] = y
    return w


def in_floats(w: Arrays, grad_fn: GradFn, *, rho: float, lr: float) -> Arrays:
    """Take a right step whose norm is summed number by number."""

    def norm(arrays: Arrays) -> float:
        return sum(float(x) ** 2 for g in arrays for x in g.ravel()) ** 0.5

    return right_step(w, grad_fn, rho=rho, lr=lr, norm=norm)


def in_one_vector(w: Arrays, grad_fn: GradFn, *, rho: float, lr: float) -> Arrays:
    """Take a right step whose norm is that of one long vector."""

    def norm(arrays: Arrays) -> float:
        return float(np.linalg.norm(np.concatenate([g.ravel() for g in arrays])))

    return right_step(w, grad_fn, rho=rho, lr=lr, norm=norm)
