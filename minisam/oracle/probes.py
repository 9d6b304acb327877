"""Put an optimizer into situations, the probes, each of a few steps.

The gradients are scripted. They do not come from a loss, so they can be anything: a zero at B
only, entries of 1e-15, a NaN in one step. What is asked again at the same point within a step gets
the same answer, as from a real function; each new point gets the next gradient of the script.

A probe's slug never changes its meaning: a changed probe gets a new slug.
"""

from __future__ import annotations

import zlib
from decimal import Context, Decimal
from typing import Any, NamedTuple

import numpy as np

from minisam.adapters.protocol import Arrays
from minisam.optim.methods import METHODS
from minisam.rounding import UNITS, to_unit
from minisam.variants.recipe import TAKEN_APART

DECIMALS = Context(prec=40)
ANSWERS = 4  # scripted gradients per step and shard; after them the script starts again

Shapes = dict[str, tuple[int, ...]]
ONE: Shapes = {"weight": (2,)}
THREE: Shapes = {"fc1.weight": (3, 4), "fc1.bias": (3,), "fc2.weight": (2, 3)}
SIX: Shapes = {
    "conv.weight": (2, 1, 2, 2),
    "conv.bias": (2,),
    "norm.scale": (2,),
    "fc.weight": (3, 2),
    "fc.bias": (3,),
    "out.weight": (1, 3),
}
WIDE: Shapes = {"a.weight": (8, 8), "b.bias": (8,)}


class Probe(NamedTuple):
    """One situation.

    Attributes:
        slug: its immutable name.
        settings: the hyper-parameters that differ from the defaults; ``"missing": True`` hands
            over None for the gradient of a tensor that is zero throughout, ``"shards": k`` splits
            the batch.
        shapes: the tensors.
        steps: how many steps are taken.
        scale: the gradients' size.
        special: what is special about the gradients, see `script`.
        extreme: whether squares of the gradients over- or underflow, so that only a norm that is
            computed with care passes; a difference there is "out of range", not a mistake.
        ends_only: whether only the new weights are compared, not the points.
        note: what it is there to see.
    """

    slug: str
    settings: dict[str, Any]
    shapes: Shapes = THREE
    steps: int = 2
    scale: float | dict[str, float] = 1.0
    special: str = ""
    extreme: bool = False
    ends_only: bool = False
    note: str = ""

    @property
    def method(self) -> str:
        """Return the method that the implementation is asked for."""
        return self.settings["method"]


class Script(NamedTuple):
    """A probe's material in one dtype.

    Attributes:
        params: the weights at the start.
        gradients: ``gradients[step][answer][shard]``, lists of arrays.
    """

    params: Arrays
    gradients: list[list[list[Arrays]]]


def script(probe: Probe, dtype: str, seed: int = 0) -> Script:
    """Draw a probe's weights and gradients, the same ones every time.

    Specials: ``"zero"``: every gradient is zero; ``"zero at B"``: all but the first; ``"one tensor
    zero"``, ``"one tensor zero at B"``: of the first tensor; ``"nan at A"``: in the first step;
    ``"zero weights"``: every third weight; ``"ties"``: gradients of equal entries.

    Example:
        >>> drawn = script(PROBES["sam-one-tensor"], "float32")
        >>> drawn.params[0].dtype, len(drawn.gradients)
        (dtype('float32'), 3)
    """
    rng = np.random.default_rng([zlib.crc32(probe.slug.encode()), seed])
    unit = UNITS[dtype]
    scale = probe.scale[dtype] if isinstance(probe.scale, dict) else probe.scale
    names = list(probe.shapes)
    # tensors differ in size; pow() would be a last place off on some machines
    sizes = [float(DECIMALS.power(10, Decimal(x))) for x in rng.uniform(-0.7, 0.7, len(names))]

    def draw(size: float) -> Arrays:
        return [
            to_unit(rng.normal(size=probe.shapes[name]) * size * own, unit)
            for name, own in zip(names, sizes, strict=True)
        ]

    params = draw(1.0)
    if probe.special == "zero weights":
        for w in params:
            w.flat[::3] = 0
    gradients = []
    for step in range(probe.steps):
        answers = [
            [draw(scale) for _ in range(probe.settings.get("shards", 1))] for _ in range(ANSWERS)
        ]
        for k, shards in enumerate(answers):
            for grads in shards:
                make_special(grads, probe.special, step, k)
        gradients.append(answers)
    return Script(params, gradients)


def make_special(grads: Arrays, special: str, step: int, answer: int) -> None:
    """Change freshly drawn gradients in place, see `script`."""
    if special == "zero" or (special == "zero at B" and answer > 0):
        for g in grads:
            g[...] = 0
    elif special == "one tensor zero" or (special == "one tensor zero at B" and answer > 0):
        grads[0][...] = 0
    elif special == "nan at A" and step == 0 and answer == 0:
        grads[0].flat[0] = np.nan
    elif special == "ties":
        for g in grads:
            g[...] = np.where(g < 0, -0.5, 0.5)


def both(slug: str, settings: dict[str, Any], **rest: Any) -> list[Probe]:
    """Return the probe for SAM and, with a tenfold radius, for ASAM."""
    rho = settings.get("rho", 0.05)
    tenfold = [10 * r for r in rho] if isinstance(rho, list) else 10 * rho
    return [
        Probe(f"sam-{slug}", {"method": "sam", **settings}, **rest),
        Probe(f"asam-{slug}", {"method": "asam", **settings, "rho": tenfold}, **rest),
    ]


HEAVY = {"momentum": 0.9}
NESTEROV = {"momentum": 0.9, "nesterov": True}
SCHEDULE = {"lr": [0.25, 0.1, 0.03125, 0.01]}
TINY = {"float64": 1e-200, "float32": 1e-26, "bfloat16": 1e-26}
HUGE = {"float64": 1e200, "float32": 1e25, "bfloat16": 1e25}
PROBES: dict[str, Probe] = {probe.slug: probe for probe in [
    *both("one-tensor", {}, shapes=ONE, steps=3, note="the plain step, in two numbers"),
    *both("three-tensors", {}, steps=3, note="one norm over all tensors"),
    *both("six-tensors", {}, shapes=SIX, note="every tensor is perturbed and restored"),
    *both("momentum", HEAVY, steps=4, note="the velocity sees d2 only"),
    *both("nesterov", NESTEROV, steps=3),
    *both("weight-decay", {"weight_decay": 0.125}, note="decay at A, not in the climb"),
    *both("weight-decay-momentum", {**HEAVY, "weight_decay": 0.01}, steps=3),
    *both("decay-decoupled", {**HEAVY, "weight_decay": 0.01, "decay": "decoupled"}),
    *both("decay-in-loss", {**HEAVY, "weight_decay": 0.1, "decay": "in_loss"}),
    *both("lr-schedule", SCHEDULE, steps=4),
    *both("lr-schedule-momentum", {**SCHEDULE, **HEAVY}, steps=4),
    *both("rho-schedule", {"rho": [0.1, 0.05, 0.02]}, steps=3),
    *both("rho-zero", {"rho": 0.0, **HEAVY}, note="the base optimizer, bit for bit"),
    *both("rho-large", {"rho": 8.0}),
    *both("rho-small", {"rho": 2.0**-10}),
    *both("lr-zero", {"lr": 0.0}, shapes=WIDE, note="w comes back to the bit"),
    *both("gradient-1e-3", {}, scale=1e-3),
    *both("gradient-1e-6", {}, scale=1e-6),
    *both("gradient-1e-10", {}, scale=1e-10),
    *both("gradient-1e-15", {}, scale=1e-15),
    *both("gradient-1e-18", {}, scale=1e-18),
    *both("gradient-1e6", {"lr": 1e-6}, scale=1e6),
    *both("gradient-tiny", {}, scale=TINY, extreme=True,
          note="squares of the gradient underflow"),
    *both("gradient-huge", {"lr": 0.0}, scale=HUGE, extreme=True,
          note="squares of the gradient overflow"),
    *both("gradient-zero", {}, special="zero", note="no climb, never NaN"),
    *both("gradient-zero-momentum", {**HEAVY, "weight_decay": 0.5}, special="zero"),
    *both("gradient-zero-at-B", HEAVY, special="zero at B", steps=3),
    *both("tensor-zero", {}, special="one tensor zero"),
    *both("tensor-zero-at-B", {}, special="one tensor zero at B"),
    *both("tensor-missing", {"missing": True}, special="one tensor zero"),
    *both("tensor-missing-at-B", {"missing": True}, special="one tensor zero at B",
          note="what was perturbed is restored, gradient or not"),
    *both("gradient-ties", {}, special="ties"),
    *both("frozen", {**HEAVY, "frozen": ["fc1.bias"]}),
    *both("nan-then-sound", {}, special="nan at A", steps=3, ends_only=True,
          note="a bad pass must not stay in the weights"),
    *both("p-inf", {"p": np.inf}),
    *both("p-1", {"p": 1}),
    *both("p-3", {"p": 3}),
    *both("p-3-tensor-zero", {"p": 3}, special="one tensor zero"),
    *both("shards", {"shards": 2, **HEAVY}, note="a split batch is averaged"),
    *both("everything", {**SCHEDULE, **NESTEROV, "weight_decay": 0.01, "rho": [0.1, 0.05]},
          shapes=SIX, steps=4),
    Probe("asam-eta", {"method": "asam", "rho": 0.5, "eta": 0.5}),
    Probe("asam-eta-zero", {"method": "asam", "rho": 0.5, "eta": 0.0}, special="zero weights"),
    Probe("asam-scope-all", {"method": "asam", "rho": 0.5, "scope": "all"}),
    Probe("asam-zero-weights", {"method": "asam", "rho": 0.5}, special="zero weights"),
    Probe("sgd-plain", {"method": "sgd"}, steps=3),
    Probe("sgd-momentum", {"method": "sgd", **HEAVY}, steps=4),
    Probe("sgd-nesterov", {"method": "sgd", **NESTEROV, **SCHEDULE}, steps=3),
    Probe("sgd-weight-decay", {"method": "sgd", **HEAVY, "weight_decay": 0.125}, steps=3),
    Probe("sgd-decoupled", {"method": "sgd", "weight_decay": 0.125, "decay": "decoupled"}),
    Probe("sgd-gradient-zero", {"method": "sgd", **HEAVY}, special="zero"),
]}  # fmt: skip


def probes_of(method: str) -> list[Probe]:
    """Return the probes of a method.

    A follow-up's are SAM's, under its own name and with its own hyper-parameters, and with a split
    batch in each for a method that needs one. More of them have its own at other values, so that
    a step that ignores one of them is seen.

    Example:
        >>> probe = probes_of("gsam")[0]
        >>> probe.slug, probe.settings
        ('gsam-one-tensor', {'method': 'gsam', 'alpha': 0.2, 'p': 2})
        >>> [probe.slug for probe in probes_of("gsam")[-2:]]
        ['gsam-own-at-sam', 'gsam-own-alpha']
    """
    if method in TAKEN_APART:
        return [probe for probe in PROBES.values() if probe.method == method]
    row = METHODS[method]
    name = method.replace("_", "-")
    needed = {"method": method, **({"shards": 2} if row.needs == "shards" else {})}
    as_sam = [
        probe._replace(
            slug=f"{name}-{probe.slug.removeprefix('sam-')}",
            settings={**needed, **row.own, **probe.settings, "method": method},
        )
        for probe in PROBES.values()
        if probe.method == "sam" and ("p" in row.own or "p" not in probe.settings)
    ]
    return as_sam + [
        Probe(f"{name}-own-{key}", {**needed, **own}, steps=4, note="its own are not ignored")
        for key, own in row.elsewhere().items()
    ]
