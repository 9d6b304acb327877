"""The ways to write ASAM's climb, and which of them explains what a step does."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from minisam.adapters.protocol import Arrays
from minisam.course.answers import near
from minisam.course.steps import Seen

ROUNDINGS = 4096  # units in the last place that a climb may be off


class Form(NamedTuple):
    """One way to write the climb: which tensors T scales, how T comes in, over what and where."""

    scope: str = "weights"
    power: int = 2
    norm: int = 1
    eta: bool = True
    together: bool = True
    sign: int = 1

    def points(self) -> dict[str, bool]:
        """Return which criteria it meets."""
        return {"scope": self.scope == "weights", "square": self.power == 2 and self.sign == 1,
                "norm": self.norm == 1 and self.together, "eta": self.eta}  # fmt: skip


FORMS = [
    Form(scope, power, norm, eta, together, sign)
    for scope in ("weights", "all")
    for power in (2, 1)
    for norm in (1, 0, 2)
    for eta in (True, False)
    for together in (True, False)
    for sign in (1, -1)
]


def scaled_climb(
    form: Form, w: Arrays, names: Sequence[str], g: Arrays, rho: float, eta: float
) -> Arrays:
    """Return ε = ρ T^power g / ‖T^norm g‖, as a form has it."""
    scaled = [form.scope == "all" or name.endswith("weight") for name in names]
    T = [np.abs(x) + (eta if form.eta else 0.0) if own else np.ones_like(x)
         for x, own in zip(w, scaled, strict=True)]  # fmt: skip
    parts = [t**form.norm * x for t, x in zip(T, g, strict=True)]
    lengths = [float(np.linalg.norm(x)) for x in parts]
    if form.together:
        lengths = [math.hypot(*lengths)] * len(parts)
    return [form.sign * rho / length * t**form.power * x
            for length, t, x in zip(lengths, T, g, strict=True)]  # fmt: skip


def two_points(seen: Seen) -> tuple[Arrays, Arrays, Arrays, Arrays] | None:
    """Return A, d1, B and d2; None if there are no two points."""
    step = seen.trace.steps[0]
    apart = [(q, d) for q, d in zip(step.queries, step.answers, strict=True)
             if any((x != y).any() for x, y in zip(q, step.start, strict=True))]  # fmt: skip
    if not apart or len(step.queries) < 2:
        return None
    return step.start, step.answers[0], *apart[-1]


def explains_climb(form: Form, seen: Seen) -> bool:
    """Return whether a form explains where B is."""
    points = two_points(seen)
    if points is None:
        return False
    a, d1, b, _ = points
    hp = seen.trace.hp
    climb = scaled_climb(form, a, hp.names, d1, float(hp.rho), float(hp.eta))
    return all(near(q, x + e, ROUNDINGS) for q, x, e in zip(b, a, climb, strict=True))


def ends_right(seen: Seen) -> bool:
    """Return whether the step ends at A − η d2."""
    points, lr = two_points(seen), float(seen.trace.hp.lr)
    if points is None:
        return False
    a, _, _, d2 = points
    end = seen.trace.steps[0].end
    return all(near(z, x - lr * g, ROUNDINGS) for z, x, g in zip(end, a, d2, strict=True))


def climb_in_words(seen: Seen) -> str:
    """Say how long the climb is in each kind of tensor."""
    points = two_points(seen)
    if points is None:
        return "One gradient is asked for in a step"
    a, d1, b, _ = points
    moved: dict[str, float] = {}
    for name, x, y in zip(seen.trace.hp.names, a, b, strict=True):
        kind = "weights" if name.endswith("weight") else "biases"
        moved[kind] = moved.get(kind, 0.0) + float(np.sum((y - x) ** 2))
    lengths = ", ".join(f"{value**0.5:.3g} in the {kind}" for kind, value in moved.items())
    rises = sum(float(np.sum((y - x) * g)) for x, y, g in zip(a, b, d1, strict=True))
    down = "" if rises > 0 else ", against the gradient"
    return f"With ρ = {float(seen.trace.hp.rho):g} the climb is {lengths}{down}"
