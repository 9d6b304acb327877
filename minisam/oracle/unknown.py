"""Explain a mistake that has no name: in which part of the step, when, and by what formula.

The parts are judged by `skills`, the condition is found by `conditions`, the formula by `formula`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from minisam.anatomy.climbs import quotient
from minisam.anatomy.conditions import Earlier, condition, condition_of
from minisam.anatomy.evidence import Evidence, evidence_of, judged
from minisam.anatomy.facts import Facts
from minisam.anatomy.features import features_of_probe
from minisam.anatomy.measuring import facts_of
from minisam.anatomy.told_formula import formula_of
from minisam.oracle.skills import SKILLS, USUAL, WRONG, Skill, skills_by
from minisam.oracle.watch import Trace
from minisam.trees import norm, subtract

MOSTLY = "mostly"
LITTLE = 0.01  # of a climb or a step


class Unknown(NamedTuple):
    """What is known of a mistake without a name: the skills, and what is told of those lost."""

    skills: list[Skill]
    told: list[str]


def explain_unknown(traces: Sequence[Trace], declare: dict[str, Any]) -> Unknown:
    """Describe what is wrong in traces, right ones among them.

    Example:
        >>> from minisam.oracle.probes import PROBES
        >>> from minisam.oracle.watch import watch
        >>> from minisam.variants.mutants import MUTANTS
        >>> wrong = MUTANTS["M08-gradients-added"].adapter
        >>> slugs = "sam-three-tensors", "sam-lr-schedule"
        >>> found = explain_unknown([watch(wrong, PROBES[slug], "float64") for slug in slugs], {})
        >>> print(*found.told[0].split(". ")[2:])
        In every step: new w = A − lr (d2 + d1), should be A − lr d2.
    """
    kept = [trace for trace in traces if judged(trace)]
    every = [one for trace in kept for one in facts_of(trace, declare)]
    skills = skills_by(kept, every, declare)
    evidence, told = evidence_of(every), []
    before: Earlier = {(id(one.trace), one.step + 1): one for one in every}
    lost = [skill for skill in skills if skill.status == WRONG]
    lost.sort(key=lambda one: -len(evidence[one.name].wrong) if one.name in evidence else 0)
    turned = {id(one) for one in evidence["direction"].wrong}
    short = {id(one) for one in evidence["length"].wrong}
    as_one = len(turned & short) * 2 > len(short) > 0  # one formula tells both
    for skill in lost:
        if as_one and skill.name == "length":
            continue
        text = f"It does not {verb(skill.name)}. {skill.text}"
        if as_one and skill.name == "direction":
            text += "".join(f" {other.text}" for other in lost if other.name == "length")
        if skill.name in evidence:
            shown = worth_telling(evidence[skill.name])
            where, how = formula_of(shown.wrong, before, skill.name)
            when = condition_of(shown, before, skill.name)
            if not (when or where) and len(shown.wrong) > 4 * len(shown.right):
                when = MOSTLY
            text += sentence(when, where, how)
            text += "" if how else slightly(shown.wrong, skill.name)
        told.append(text)
    return Unknown(skills, told)


def worth_telling(shown: Evidence) -> Evidence:
    """Return the steps in which something would be seen, if it is seen in any of them.

    Where a gradient is tiny, or for another p or a parameter group of its own, a wrong step may be
    right, or wrong in another way.
    """

    def tells_more(one: Facts) -> bool:
        return one.hp.p == 2 and not one.hp.groups and float(norm(one.d1)) >= USUAL

    wrong = [one for one in shown.wrong if tells_more(one)]
    return Evidence([one for one in shown.right if tells_more(one)], wrong) if wrong else shown


def slightly(wrong: Sequence[Facts], name: str) -> str:
    """Say how little a part is off, if it is little: then it may be rounded."""
    shares = []
    for one in wrong:
        if name in ("direction", "length") and one.second is not None:
            way, apart = one.wanted, subtract(subtract(one.second, one.origin), one.wanted)
        else:
            way, apart = subtract(one.expected, one.start), subtract(one.end, one.expected)
        shares.append(quotient(float(norm(apart)), float(norm(way))))
    largest = float(np.max(shares, initial=0.0))  # NaN if one of them is: that is not little
    return f" It is off by {largest:.1g} of itself at most." if 0 < largest < LITTLE else ""


def verb(name: str) -> str:
    """Return what a skill does, to follow "it does not"."""
    first, rest = SKILLS[name].split(" ", 1)
    return f"{first.removesuffix('s')} {rest}"


def sentence(when: str, where: str, how: str) -> str:
    """Put condition and formula together, with a space before them."""
    start = {"always": "In every step", MOSTLY: "In most steps", "": "There"}.get(
        when, f"Only {when}"
    )
    if where:
        start = f"There, {where}" if when in ("always", MOSTLY) else f"{start}, {where}"
    if how:
        return f" {start}: {how}."
    return f" {start}." if when not in ("", "always", MOSTLY) else ""


def when_it_fails(failing: Sequence[Trace], passing: Sequence[Trace]) -> str:
    """Say in which probes something is wrong that is wrong in no skill; "" if nothing is found.

    Example:
        >>> from minisam.oracle.probes import PROBES
        >>> from minisam.oracle.watch import watch
        >>> from minisam.variants.mutants import MUTANTS
        >>> wrong = MUTANTS["R11-last-shard-climbs"].adapter
        >>> slugs = "sam-shards", "sam-momentum"
        >>> failing, passing = (watch(wrong, PROBES[slug], "float64") for slug in slugs)
        >>> when_it_fails([failing], [passing])
        'It goes wrong only with a batch in parts.'
    """
    when = condition(
        [features_of_probe(one) for one in failing], [features_of_probe(one) for one in passing]
    )
    if when == "always":
        return "It goes wrong in every probe."
    return f"It goes wrong only {when}." if when else ""
