"""Say whether what was seen of an implementation shows enough.

What an implementation cannot do is not held against it. So one that takes no radius, and agrees
wherever it runs, is neither wrong nor shown to be right.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minisam.adapters.hyperparameters import HyperParameters
from minisam.oracle.probes import Probe
from minisam.oracle.watch import Trace
from minisam.variants.conventions import CONVENTIONS


def unshown(agreeing: Sequence[Trace], asked: Sequence[Probe]) -> str:
    """Say what speaks against taking what agrees for a sign that all is right; "" if nothing does.

    Args:
        agreeing: the traces that agree with the reference, or are known not to.
        asked: the probes that were chosen, whether they ran or not.
    """
    for method in dict.fromkeys(trace.probe.method for trace in agreeing):
        seen = [trace for trace in agreeing if trace.probe.method == method]
        probes = [probe for probe in asked if probe.method == method]
        if method != "sgd" and not any(map(climbs, seen)):
            return f"no step of {method} that ran has a second gradient elsewhere"
        for name in ("rho", "lr") if method != "sgd" else ("lr",):
            here = {set_to(trace.probe, name) for trace in seen} - {0.0}
            others = {set_to(probe, name) for probe in asking_only(probes)} - {0.0}
            if len(here) == 1 and others - here:
                return f"{method} ran with no {name} but {here.pop()}"
    return ""


def asking_only(probes: Sequence[Probe]) -> list[Probe]:
    """Return those of a method's probes that ask for nothing but a radius and a learning rate."""
    needed = set.intersection(*({*probe.settings} for probe in probes))
    return [probe for probe in probes if {*probe.settings} <= needed | {"rho", "lr"}]


def climbs(trace: Trace) -> bool:
    """Return whether a gradient was asked for elsewhere than where a step began."""
    return any(
        any(not np.array_equal(x, w) for x, w in zip(point, seen.start, strict=True))
        for seen in trace.steps
        for point in seen.queries
    )


def set_to(probe: Probe, name: str) -> Any:
    """Return the radius or the learning rate that a probe asks for, a schedule as a tuple."""
    value = HyperParameters.of(probe.settings)[name]
    return tuple(value) if isinstance(value, list) else value


def depended_on(declare: dict[str, Any], passing: Sequence[Trace]) -> dict[str, Any]:
    """Return the declared conventions that some trace depends on."""
    return {
        name: value
        for name, value in declare.items()
        if any(CONVENTIONS[name].shows(trace.hp) for trace in passing)
    }
