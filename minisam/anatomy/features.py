"""Name what is special about a probe, about a step, and about a tensor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from minisam.anatomy.facts import Facts
from minisam.trees import norm

if TYPE_CHECKING:
    from minisam.oracle.watch import Trace

Features = list[str]  # what is told first comes first
SIZES = (1e-3, 1e-6, 1e-10, 1e-15, 1e-18)  # of gradients
LATER = ("second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")


def features_of_probe(trace: Trace) -> Features:
    """Name what is special about a probe.

    Example:
        >>> from minisam.oracle.probes import PROBES
        >>> from minisam.oracle.watch import watch
        >>> from minisam.variants.mutants import MUTANTS
        >>> right = MUTANTS["M35-shadowed-gradient"].adapter
        >>> features_of_probe(watch(right, PROBES["sam-nesterov"], "float64"))
        ['with several tensors', 'with biases', 'with momentum', "with Nesterov's momentum"]
    """
    hp, probe = trace.hp, trace.probe
    told = {
        "with several tensors": len(hp.names) > 1,
        "with biases": any(name.endswith("bias") for name in hp.names),
        "with momentum": hp.momentum,
        "with Nesterov's momentum": hp.nesterov,
        "with weight decay": hp.weight_decay,
        "with decoupled weight decay": hp.weight_decay and hp.decay == "decoupled",
        "with weight decay in the loss": hp.weight_decay and hp.decay == "in_loss",
        "with a schedule of the learning rate": "lr" in hp.scheduled,
        "with a schedule of ρ": "rho" in hp.scheduled,
        "with ρ = 0": hp.at(0).rho == 0,
        "with a learning rate of 0": hp.at(0).lr == 0,
        "with frozen tensors": hp.frozen,
        "with a gradient that is missing": hp.missing,
        "with a batch in parts": hp.shards > 1,
        "with a p that is not 2": hp.p != 2,
        f"with p = {hp.p}": hp.p != 2,
        "with a gradient of NaN": probe.special.startswith("nan"),
        "with parameter groups": hp.groups,
        "with a state that is saved and loaded": hp.saved,
        "with a schedule that is set from outside": hp.scheduler,
        "for ASAM": hp.method == "asam",
        f"in {trace.dtype}": trace.dtype != "float64",
        "with two tensors of one shape": len({*probe.shapes.values()}) < len(hp.names),
        "with a tensor that has no axes": probe.has_scalar,
    }
    return [name for name, has in told.items() if has] + gradient_sizes(trace)


def gradient_sizes(trace: Trace) -> Features:
    """Name what is special about the size that a probe's gradients have."""
    scale = trace.probe.scale
    size = float(scale[trace.dtype] if isinstance(scale, dict) else scale)
    small = [f"with gradients of {most:g} or less" for most in SIZES if size <= most]
    return [f"with gradients of {size:g}"] if size > 1 else small


def features_of_step(facts: Facts, earlier: Sequence[Facts] = ()) -> Features:
    """Name what is special about a step, after those before it, and about its probe."""
    hp, first, size = facts.hp, facts.trace.hp.at(0), float(norm(facts.d1))
    there = [key for key, x in facts.d1.items() if np.any(x)]
    had = {key for one in earlier for key, x in one.d1.items() if np.any(x)}
    told = {
        "once the learning rate has changed": hp.lr != first.lr,
        "once ρ has changed": hp.rho != first.rho,
        **{f"from the {word} step on": facts.step > k for k, word in enumerate(LATER)},
        "in the first step": facts.step == 0,
        "in every second step": facts.step % 2 == 1,
        "where a tensor has a gradient at A and none at B": lost_at_b(facts),
        "where a tensor has no gradient, and had one before": had - {*there},
        "where a tensor has no gradient at A": len(there) < len(facts.d1),
        "where the gradient is shorter than ρ": size < hp.rho,
        "where the gradient is shorter than 0.01": size < 0.01,
        "where the gradient is shorter than 1": size < 1,
        "where the gradient is longer than 1": size > 1,
        "where the gradient at B is longer than 1": norm(facts.d2) > 1,
        "where an entry of the gradient is above 1": norm(facts.d1, np.inf) > 1,
        "where an entry of the gradient at B is above 1": norm(facts.d2, np.inf) > 1,
        "where some weights are zero": any((x == 0).any() for x in facts.start.values()),
    }
    several = {  # the tensors with a gradient; then all
        "with several tensors": len(there) > 1,
        "where there are several tensors": len(facts.start) > 1,
        "with biases": any(key.endswith("bias") for key in there),
    }
    size_of_all = gradient_sizes(facts.trace)  # the last: a step's own gradient says it better
    others = {*several, *size_of_all}
    probe = dict.fromkeys((x for x in features_of_probe(facts.trace) if x not in others), True)
    every = {**several, **probe, **told, **dict.fromkeys(size_of_all, True)}
    return [name for name, has in every.items() if has]


def lost_at_b(facts: Facts) -> list[str]:
    """Return the tensors that have a gradient at A and none at B."""
    d1, d2 = facts.d1, facts.d2
    return [key for key in d1 if np.any(d1[key]) and not np.any(d2[key])]


def moves_all(facts: Facts) -> bool:
    """Return whether every tensor has a gradient, at A and at B, so that each may be wrong."""
    return all(np.any(x) for gradient in (facts.d1, facts.d2) for x in gradient.values())


def without_gradient(facts: Facts) -> list[str]:
    """Return the tensors whose gradient is zero at A."""
    return [key for key, x in facts.d1.items() if not np.any(x)]


def frozen_ones(facts: Facts) -> list[str]:
    """Return the tensors that are frozen."""
    return [key for key in facts.start if key in facts.hp.frozen]
