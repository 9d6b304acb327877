"""Sort what was seen from the ordinary to the rare.

A name has to hold where nothing is special before it is asked whether it holds at gradients of
1e-18, where a tensor has no gradient, or in bfloat16. So the traces are put into strata: those of
one method that share what is special about them. What fails is explained in the plainest stratum
first, and carried on to the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from minisam.adapters.hyperparameters import SCHEDULED
from minisam.adapters.protocol import HYPERPARAMETERS
from minisam.oracle.probes import Probe
from minisam.oracle.watch import Trace
from minisam.variants.recipe import TAKEN_APART

DTYPES = ("float64", "float32", "bfloat16")  # from the one that shows most
# What any training run may ask for; whatever else a probe has is rare.
ORDINARY = frozenset(("momentum", "nesterov", "weight_decay", "decay", "eta", "scope", "lr", "rho"))
SAYS_NOTHING = ("slug", "settings", "shapes", "steps", "note", "once")
PLAIN = Probe("", {})


class Stratum(NamedTuple):
    """Traces that are alike.

    Attributes:
        dtype: of all of them.
        method: of all of them.
        features: what is special about them, see `features`.
        traces: from the shortest.
    """

    dtype: str
    method: str
    features: frozenset[str]
    traces: tuple[Trace, ...]

    @property
    def ordinary(self) -> bool:
        """Return whether a usual training run may be like this."""
        return self.features <= ORDINARY


def features(trace: Trace) -> frozenset[str]:
    """Return what is special about a trace: settings by name, and all else by name and value.

    Example:
        >>> from minisam.adapters.library import library
        >>> from minisam.oracle.probes import PROBES
        >>> from minisam.oracle.watch import watch
        >>> sorted(features(watch(library, PROBES["sam-weight-decay-momentum"], "float64")))
        ['momentum', 'weight_decay']
        >>> sorted(features(watch(library, PROBES["sam-gradient-1e-18"], "float64")))
        ['scale=1e-18']
    """
    probe = trace.probe
    special = {
        f"{field}={getattr(probe, field)}"
        for field in Probe._fields
        if field not in SAYS_NOTHING and getattr(probe, field) != getattr(PLAIN, field)
    }
    for name, value in probe.settings.items():
        if name in SCHEDULED and isinstance(value, float):  # any radius and any rate is plain
            special |= set() if value else {f"{name}=0"}
        elif name != "method" and value != HYPERPARAMETERS.get(name):
            special.add(name)
    return frozenset(special)


def strata(traces: Sequence[Trace]) -> list[Stratum]:
    """Return the traces' strata: the most telling dtype first, the ordinary before the rare."""
    found: dict[tuple[str, str, frozenset[str]], list[Trace]] = {}
    for trace in traces:
        found.setdefault((trace.dtype, trace.probe.method, features(trace)), []).append(trace)
    sorted_ones = [
        Stratum(dtype, method, special, tuple(sorted(alike, key=lambda one: len(one.steps))))
        for (dtype, method, special), alike in found.items()
    ]

    def order(one: Stratum) -> tuple:
        method, dtype = TAKEN_APART.index(one.method), DTYPES.index(one.dtype)
        return dtype, not one.ordinary, method, len(one.features), sorted(one.features)

    return sorted(sorted_ones, key=order)
