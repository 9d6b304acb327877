"""Find the condition under which something goes wrong, from where it does and where it does not.

Probes differ in one feature at a time. So the feature, or the two together, that all the wrong ones
have and none of the right ones is the condition.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from minisam.anatomy.facts import Facts
from minisam.trees import norm

if TYPE_CHECKING:
    from minisam.oracle.watch import Trace

Features = list[str]  # what is told first comes first


def condition(wrong: Sequence[Features], right: Sequence[Features]) -> str:
    """Say what the wrong ones have in common and the right ones have not; "" if nothing is found.

    Args:
        wrong: the features of each thing that goes wrong, the plainest first.
        right: those of each that does not.

    Example:
        >>> condition([["with momentum", "later"]], [["with momentum"], ["later"], []])
        'with momentum, later'
        >>> condition([["with momentum"]], [])
        'always'
    """
    if not wrong:
        return ""
    if not right:
        return "always"
    common = [one for one in wrong[0] if all(one in features for features in wrong)]
    for count in (1, 2):
        for several in combinations(common, count):
            if not any(set(several) <= {*features} for features in right):
                return ", ".join(several)
    return ""


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
    }
    return [name for name, has in told.items() if has]


def features_of_step(facts: Facts, earlier: Sequence[Facts] = ()) -> Features:
    """Name what is special about a step, after those before it, and about its probe."""
    hp, first, size = facts.hp, facts.trace.hp.at(0), float(norm(facts.d1))
    there = [key for key, x in facts.d1.items() if np.any(x)]
    had = {key for one in earlier for key, x in one.d1.items() if np.any(x)}
    told = {
        "once the learning rate has changed": hp.lr != first.lr,
        "once ρ has changed": hp.rho != first.rho,
        "from the second step on": facts.step > 0,
        "from the third step on": facts.step > 1,
        "in the first step": facts.step == 0,
        "in every second step": facts.step % 2 == 1,
        "where a tensor has a gradient at A and none at B": lost_at_b(facts),
        "where a tensor has no gradient, and had one before": had - {*there},
        "where a tensor has no gradient at A": len(there) < len(facts.d1),
        "where the gradient is shorter than ρ": size < hp.rho,
        "where the gradient is shorter than 0.01": size < 0.01,
        "where the gradient is shorter than 1": size < 1,
        "where the gradient is longer than 1": size > 1,
        "where some weights are zero": any((x == 0).any() for x in facts.start.values()),
    }
    quiet = {
        "with several tensors": len(there) < 2,
        "with biases": not any(key.endswith("bias") for key in there),
    }
    probe = [name for name in features_of_probe(facts.trace) if not quiet.get(name)]
    return probe + [name for name, has in told.items() if has]


def lost_at_b(facts: Facts) -> list[str]:
    """Return the tensors that have a gradient at A and none at B."""
    d1, d2 = facts.d1, facts.d2
    return [key for key in d1 if np.any(d1[key]) and not np.any(d2[key])]


def kind_of(off: Sequence[tuple[Sequence[str], Mapping[str, int]]]) -> str:
    """Say which tensors are wrong; "" if it is all of them, or no kind.

    Args:
        off: the names of those that are, and the number of axes of each tensor, by its name.

    Example:
        >>> axes = {"fc1.weight": 2, "fc1.bias": 1, "fc2.weight": 2}
        >>> kind_of([(["fc1.bias"], axes)]), kind_of([(["fc2.weight"], axes)])
        ('the biases', 'the last tensor')
    """
    for told, chosen in KINDS.items():
        if all([*some] == [x for x in axes if chosen(x, axes)] for some, axes in off):
            return told
    return ""


KINDS: dict[str, Callable[[str, Mapping[str, int]], bool]] = {
    "": lambda name, axes: True,
    "the biases": lambda name, axes: name.endswith("bias"),
    "all tensors but the biases": lambda name, axes: not name.endswith("bias"),
    "the tensors whose name ends in weight": lambda name, axes: name.endswith("weight"),
    "the tensors whose name does not end in weight": lambda name, axes: not name.endswith("weight"),
    "the last tensor": lambda name, axes: name == [*axes][-1],
    "the first tensor": lambda name, axes: name == next(iter(axes)),
    "all tensors but the last": lambda name, axes: name != [*axes][-1],
    "all tensors but the first": lambda name, axes: name != next(iter(axes)),
    "the tensors of one axis": lambda name, axes: axes[name] == 1,
    "the tensors of several axes": lambda name, axes: axes[name] > 1,
}
