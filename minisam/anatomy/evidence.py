"""Sort what was seen by what it shows: which part of a step, and whether it is right there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from minisam.anatomy.facts import Facts, easiest
from minisam.trees import norm

if TYPE_CHECKING:
    from minisam.oracle.watch import Trace


class Evidence(NamedTuple):
    """The steps that show a skill right, and wrong; the easiest first."""

    right: list[Facts]
    wrong: list[Facts]


def evidence_of(every: Sequence[Facts]) -> dict[str, Evidence]:
    """Sort the steps by what they show of the skills that every step shows."""
    plain = [one for one in every if not edge(one)]
    due = [one for one in plain if one.due]
    climbing = [one for one in due if one.second is not None]

    def elsewhere(one: Facts) -> bool:
        """Return whether there is a second point, if only so close that it is A."""
        return one.second is not None or (bool(climbing) and one.again)

    # A climb by nothing is too short, unless it went along something else, which was nothing.
    straight = all(one.climb.along for one in climbing)
    lengths = [one for one in due if elsewhere(one)] if straight else climbing
    endings = [one for one in plain if one.second is not None or not one.due]
    shown: dict[str, tuple[Sequence[Facts], Callable[[Facts], bool]]] = {
        "asks-at-A": (every, lambda one: one.at_start),
        "second-elsewhere": (due, elsewhere),
        "direction": (climbing, lambda one: one.climb.along),
        "length": (lengths, lambda one: one.climb.exact),
        "last-step": (endings, lambda one: one.ending.right),
    }
    found = {}
    for name, (some, is_right) in shown.items():
        ordered = sorted(some, key=easiest)
        right = [one for one in ordered if is_right(one)]
        found[name] = Evidence(right, [one for one in ordered if not is_right(one)])
    return found


def judged(trace: Trace) -> bool:
    """Return whether a trace is one of those by which skills are judged."""
    probe = trace.probe
    simple = trace.hp.shards == 1 and not (probe.extreme or probe.ends_only)
    return trace.skipped is None and simple and probe.method in ("sam", "asam")


def edge(facts: Facts) -> str:
    """Say at which edge a step is: what is zero there; "" at none."""
    hp, there = facts.hp, [bool(np.any(x)) for x in facts.d1.values()]
    lost = facts.second is not None and not np.isfinite(norm(facts.second))
    for what, is_it in (
        ("a gradient of zero", not any(there)),
        ("a tensor's gradient of zero", lost and not all(there)),
        ("a gradient of zero at B", not any(map(np.any, facts.d2.values()))),
        ("ρ = 0", hp.rho == 0),
        ("a learning rate of 0", hp.lr == 0),
    ):
        if is_it:
            return what
    return ""
