"""Make small situations that keep some of what is special about a probe.

They come in order, the simplest first: one tensor of two numbers before two tensors, one step
before two, nothing set but ρ and η before momentum, w = (1, 2) and d1 = (3, 4).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np

from minisam.adapters.protocol import Arrays
from minisam.optim.methods import METHODS
from minisam.oracle.probes import Probe, Shapes
from minisam.oracle.script import Script, make_special
from minisam.oracle.watch import Trace
from minisam.rounding import UNITS, to_unit

GEOMETRIES: tuple[Shapes, ...] = (
    {"weight": (2,)},
    {"weight": (1,), "bias": (1,)},
    {"weight": (1, 1), "bias": (1,)},
    {"a.weight": (1,), "b.weight": (1,)},
    {"weight": (2, 2), "bias": (2,)},
)
# The first two entries of w, and of the four gradients that are told in each of four steps.
START = (1, 2)
TOLD = (
    ((3, 4), (2, 6), (5, 1), (7, 3)),
    ((8, 6), (4, 2), (1, 5), (3, 7)),
    ((5, 12), (6, 2), (4, 1), (2, 3)),
    ((15, 8), (2, 4), (1, 3), (5, 2)),
)
# Short numbers in place of a probe's own; a schedule halves from step to step.
SHORT = {"rho": 0.5, "lr": 0.25, "momentum": 0.5, "weight_decay": 0.5, "eta": 0.5}
USUAL = {"rho": (0.05, 0.5), "lr": (0.1,)}  # probes that have these values want none in particular
NEEDS = {"nesterov": {"momentum"}, "decay": {"weight_decay"}, "missing": {"special", "passes"}}
DRAWN = ("special", "scale", "passes", "beside")  # how a probe is drawn and run
NUMBERS = ("whole", "signed", "tenths")  # the simplest first


class Situation(NamedTuple):
    """A small situation.

    Attributes:
        probe: a probe with those features that it keeps of another.
        numbers: which numbers it has: "whole" ones above zero, "signed" ones, or "tenths", which
            no binary fraction is.
    """

    probe: Probe
    numbers: str = "whole"


def situations(trace: Trace) -> Iterator[Situation]:
    """Yield small situations that keep ever more of a probe's features, the simplest first."""
    probe = trace.probe
    features = specials_of(probe)
    few = [kept for size in (0, 1, 2) for kept in combinations(features, size)]
    chosen = [*few, tuple(features)] if len(features) > 2 else few
    chosen = [kept for kept in chosen if all(NEEDS.get(k, {k}) & {*kept} for k in kept)]
    order = []
    geometries = [*GEOMETRIES, *([probe.shapes] if probe.has_scalar else [])]
    for kept in chosen:
        for rank, shapes in enumerate(geometries):
            for steps in range(1, min(probe.steps, len(TOLD)) + 1):
                for extra, numbers in enumerate(NUMBERS):
                    cost = 2 * len(kept) + rank + 2 * (steps - 1) + extra
                    order.append((cost, Situation(small(trace, kept, shapes, steps), numbers)))
    order.sort(key=lambda pair: pair[0])
    yield from (situation for _, situation in order if fits(situation.probe))


def specials_of(probe: Probe) -> list[str]:
    """Return what is special about a probe: settings, and how its numbers are drawn.

    Example:
        >>> from minisam.oracle.probes import PROBES
        >>> specials_of(PROBES["sam-nesterov"]), specials_of(PROBES["sam-tensor-missing"])
        (['momentum', 'nesterov'], ['missing', 'special'])
    """
    needed = always(probe)
    settings = [
        key
        for key, value in probe.settings.items()
        if key not in needed and not (key in USUAL and value in USUAL[key])
    ]
    plain = Probe(probe.slug, probe.settings)
    return settings + [name for name in DRAWN if getattr(probe, name) != getattr(plain, name)]


def always(probe: Probe) -> set[str]:
    """Return the settings without which a method is not itself."""
    row = METHODS[probe.method]
    return {"method", *row.own, *({"shards"} if row.needs == "shards" else ())}


def small(trace: Trace, kept: tuple[str, ...], shapes: Shapes, steps: int) -> Probe:
    """Return a probe that keeps some features of a trace's, in short numbers."""
    probe = trace.probe
    needed = always(probe)
    settings = {key: value for key, value in probe.settings.items() if key in needed}
    settings.update(rho=SHORT["rho"], lr=SHORT["lr"])
    if probe.method == "asam" and "eta" in trace.read - {*trace.hp.declared}:
        settings["eta"] = SHORT["eta"]
    for key in kept:
        if key in probe.settings:
            settings[key] = shortened(key, probe.settings[key], steps)
    drawn = {name: getattr(probe, name) for name in DRAWN if name in kept}
    return Probe(probe.slug, settings, shapes, steps, ends_only=probe.ends_only, **drawn)


def shortened(key: str, value: Any, steps: int) -> Any:
    """Return a short value in place of a setting's own.

    Example:
        >>> shortened("momentum", 0.9, 1), shortened("lr", [0.25, 0.1, 0.03], 2)
        (0.5, [0.25, 0.125])
    """
    if isinstance(value, list) and key in SHORT:
        return [SHORT[key] / 2**step for step in range(steps)]
    if key == "frozen":
        return ["bias"]
    if key == "groups":
        return [{**group, "names": ["bias"]} for group in value[:1]]
    return SHORT[key] if key in ("momentum", "weight_decay") and value else value


def fits(probe: Probe) -> bool:
    """Return whether a situation makes sense: a schedule has steps, what is named is there."""
    settings = probe.settings
    named = [
        *settings.get("frozen", ()),
        *(n for g in settings.get("groups", ()) for n in g["names"]),
    ]
    lists = [value for key, value in settings.items() if key in SHORT and isinstance(value, list)]
    several = len(probe.shapes) > 1
    return (
        set(named) <= set(probe.shapes)
        and all(len(value) > 1 for value in lists)
        and (several or not (probe.passes or "one tensor" in probe.special))
    )


def material(situation: Situation, dtype: str) -> Script:
    """Return the numbers of a situation.

    Example:
        >>> probe = Probe("x", {"method": "sam"}, {"weight": (2,)}, steps=1)
        >>> drawn = material(Situation(probe, "signed"), "float64")
        >>> drawn.params, drawn.gradients[0][0]
        ([array([-1.,  2.])], [[array([ 3., -4.])]])
    """
    probe, numbers = situation
    unit = UNITS[dtype]
    scale = probe.scale[dtype] if isinstance(probe.scale, dict) else probe.scale
    part = 10 if numbers == "tenths" else 1
    params = filled(probe.shapes, START, -1 if numbers == "signed" else 1, 1)
    params = [to_unit(w / part, unit) for w in params]
    if probe.special == "zero weights":
        params[0].flat[0] = 0
    gradients = []
    for step in range(probe.steps):
        answers = []
        for number, pair in enumerate(TOLD[step]):
            sign = -1 if numbers == "signed" and number % 2 == 0 else 1
            shards = []
            for shard in range(probe.settings.get("shards", 1)):
                first, second = pair
                grads = filled(probe.shapes, (first + shard, second + shard), 1, sign)
                grads = [to_unit(g * scale / part, unit) for g in grads]
                make_special(grads, probe, step, number)
                shards.append(grads)
            answers.append(shards)
        gradients.append(answers)
    return Script(params, gradients)


def filled(shapes: Shapes, pair: tuple[int, int], odd: int, even: int) -> Arrays:
    """Return tensors filled with two numbers, then with those plus 2, then with those plus 4.

    Example:
        >>> filled({"weight": (3,), "bias": (1,)}, (3, 4), 1, -1)
        [array([ 3., -4.,  5.]), array([-6.])]
    """
    sizes = [int(np.prod(shape)) for shape in shapes.values()]
    index = np.arange(sum(sizes))
    values = (np.resize(pair, index.size) + 2.0 * (index // 2)) * np.where(index % 2, even, odd)
    parts = np.split(values, np.cumsum(sizes)[:-1])
    return [part.reshape(shape) for part, shape in zip(parts, shapes.values(), strict=True)]
