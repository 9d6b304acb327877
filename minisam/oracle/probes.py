"""Put an optimizer into situations, the probes, each of a few steps.

The gradients of a situation are scripted, see `minisam.oracle.script`. A probe's slug never changes
its meaning: a changed probe gets a new slug.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from minisam.optim.methods import METHODS
from minisam.variants.recipe import TAKEN_APART

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
PAIR: Shapes = {"weight": (2,), "bias": (2,)}
SCALAR: Shapes = {"weight": (2,), "scale": ()}
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
        passes: the passes of each step, ``"AB"``, ``"A"``, ``"B"`` or ``""``, in which the first
            tensor has a gradient; all of them where nothing is said.
        beside: whether another run of the same implementation goes on meanwhile, a step of it
            before each of this one.
        once: whether one dtype is enough, since rounding plays no part.
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
    passes: tuple[str, ...] = ()
    beside: bool = False
    once: bool = False

    def runs_in(self, dtype: str, dtypes: Sequence[str]) -> bool:
        """Return whether it runs in one of some dtypes: if one is enough, in the first of them."""
        return not self.once or dtype == dtypes[0]

    @property
    def has_nan(self) -> bool:
        """Return whether some gradient is not finite."""
        return self.special.startswith("nan")

    @property
    def has_scalar(self) -> bool:
        """Return whether some tensor has no axes."""
        return () in self.shapes.values()

    @property
    def method(self) -> str:
        """Return the method that the implementation is asked for."""
        return self.settings["method"]


def both(slug: str, settings: dict[str, Any], **rest: Any) -> list[Probe]:
    """Return the probe for SAM and, with a tenfold radius, for ASAM."""
    return [
        Probe(f"sam-{slug}", {"method": "sam", **settings}, **rest),
        Probe(f"asam-{slug}", {"method": "asam", **tenfold({"rho": 0.05, **settings})}, **rest),
    ]


def tenfold(settings: dict[str, Any]) -> dict[str, Any]:
    """Return the settings with ten times the radius, that of parameter groups too."""
    groups = [tenfold(group) for group in settings.get("groups", ())]
    rho = settings.get("rho")
    larger = [10 * r for r in rho] if isinstance(rho, list) else 10 * rho if rho else rho
    return {
        **settings,
        **({"rho": larger} if rho is not None else {}),
        **({"groups": groups} if groups else {}),
    }


def logic(slug: str, settings: dict[str, Any], **rest: Any) -> list[Probe]:
    """Return the probe for both, of two small tensors and in one dtype: rounding plays no part."""
    return both(slug, settings, **{"shapes": PAIR, "once": True, **rest})


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
    *logic("tensor-comes-and-goes", {"missing": True}, passes=("AB", "", "AB"), steps=3,
           note="no gradient in the second step: the tensor stays where it is"),
    *logic("tensor-at-one-pass", {"missing": True}, passes=("AB", "B", "A"), steps=3,
           note="a gradient at B only, then at A only"),
    *logic("tensor-late", {"missing": True}, passes=("", "AB"),
           note="the first gradient in the second step"),
    *logic("tensor-zero-at-times", {}, passes=("AB", "", "B", "A", "AB"), steps=5,
           note="a climb belongs to its own step"),
    *logic("frozen-plain", {"frozen": ["bias"]}, note="frozen: not in the norm, no climb, no step"),
    *logic("frozen-decay", {"weight_decay": 0.125, "frozen": ["bias"]}, note="nor decayed"),
    *logic("frozen-momentum-decay", {**HEAVY, "weight_decay": 0.125, "frozen": ["bias"]}, steps=3),
    *logic("groups", {"groups": [{"names": ["bias"], "lr": 0.5, "weight_decay": 0.25}]},
           note="a learning rate and a decay of their own, one norm over all"),
    *logic("groups-rho", {"groups": [{"names": ["bias"], "rho": 0.1}]},
           note="a radius of their own, one norm over all"),
    *logic("saved", {**HEAVY, "saved": True}, steps=3, note="the state is saved and loaded"),
    *logic("saved-schedule", {**HEAVY, **SCHEDULE, "saved": True, "scheduler": True}, steps=4,
           note="what was loaded still follows a scheduler"),
    *logic("scheduler", {**SCHEDULE, "scheduler": True}, steps=3,
           note="the learning rate is set from outside"),
    *logic("two-runs", {}, steps=3, beside=True, note="two models do not mix"),
    *logic("two-runs-momentum", HEAVY, steps=3, beside=True, note="nor do their velocities"),
    *logic("nan-at-B", {}, special="nan at B", ends_only=True, note="a guard shows, if any"),
    *logic("nan-momentum", HEAVY, special="nan at A, then at B", steps=4, ends_only=True,
           note="and what it does to the velocity"),
    *logic("shards-plain", {"shards": 2}, note="split, whether there is a velocity or not"),
    *logic("scalar", {}, shapes=SCALAR, note="a tensor without axes is one like the others"),
    *logic("twelve-steps", {}, steps=12, note="no step is another one for its number"),
    Probe("asam-eta", {"method": "asam", "rho": 0.5, "eta": 0.5}),
    Probe("asam-eta-zero", {"method": "asam", "rho": 0.5, "eta": 0.0}, special="zero weights"),
    Probe("asam-scope-all", {"method": "asam", "rho": 0.5, "scope": "all"}),
    Probe("asam-zero-weights", {"method": "asam", "rho": 0.5}, special="zero weights"),
    Probe("sgd-plain", {"method": "sgd"}, steps=3),
    Probe("sgd-lr-schedule", {"method": "sgd", **SCHEDULE}, PAIR, steps=3, once=True),
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
