"""Explain a mistake that has no name: in which part of the step, when, and by what formula.

The parts are judged by `skills`, the condition is found by `conditions`, the formula by `formula`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from minisam.anatomy.at_hand import climb_at_hand, descent_at_hand
from minisam.anatomy.conditions import (
    Features,
    condition,
    features_of_probe,
    features_of_step,
    kind_of,
    lost_at_b,
)
from minisam.anatomy.facts import Facts, facts_of
from minisam.anatomy.formula import (
    ACCURACY,
    UNNAMED,
    Sample,
    find_direction,
    find_formula,
    sum_in_words,
)
from minisam.oracle.skills import (
    RIGHT,
    SKILLS,
    USUAL,
    WRONG,
    Evidence,
    Skill,
    evidence_of,
    judged,
    plain_to_see,
    skills_by,
)
from minisam.oracle.watch import Trace
from minisam.trees import norm, subtract

RESOLVED = 1e-7  # what is shorter than this part of A is not known to the digits of a formula
LITTLE = 0.01  # of a climb or a step
ROUGH = 1e-4  # the error of a formula that an epsilon or a lower precision spoils
MOST = 10  # steps that a formula is tried on
SIGNS = {
    "c (": "c is a number",
    "′": "′ is the step before",
    "₁": "₁ the first step",
    "dᵢ": "dᵢ the gradient of a tensor",
    "√n": "n the number of entries",
    "√k": "k the number of tensors",
    "μ": "μ the momentum",
    "λ": "λ the weight decay",
    " v": "v the velocity",
    "d3": "d3 the gradient at the third point",
}


Before = dict[tuple[int, int], Facts]  # the step before, by the trace and the number of a step


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
    before: Before = {(id(one.trace), one.step + 1): one for one in every}
    lost = [skill for skill in skills if skill.status == WRONG]
    lost.sort(key=lambda one: -len(evidence[one.name].wrong) if one.name in evidence else 0)
    turned = next((skill for skill in lost if skill.name == "direction"), None)
    for skill in lost:
        if turned and skill.name == "length":  # it has been told
            continue
        text = f"It does not {verb(skill.name)}. {skill.text}"
        if skill is turned:
            text += "".join(f" {other.text}" for other in lost if other.name == "length")
        if skill.name in evidence:
            shown = worth_telling(evidence[skill.name])
            where, how = formula_of(shown.wrong, before, skill.name)
            text += sentence(condition_of(shown, before, skill.name), where, how)
            text += "" if how else slightly(shown.wrong, skill.name)
        told.append(text)
    return Unknown(skills, told)


def worth_telling(shown: Evidence) -> Evidence:
    """Return the steps in which something would be seen, if it is seen in any of them.

    Where a gradient is tiny, or there is another formula for another p, a wrong step may be right.
    """

    def tells_more(one: Facts) -> bool:
        return one.hp.p == 2 and float(norm(one.d1)) >= USUAL

    wrong = [one for one in shown.wrong if tells_more(one)]
    return Evidence([one for one in shown.right if tells_more(one)], wrong) if wrong else shown


def slightly(wrong: Sequence[Facts], name: str) -> str:
    """Say how little a part is off, if it is little: then it may be rounded."""
    largest = 0.0
    for one in wrong:
        climbs = name in ("direction", "length") and one.second is not None
        seen = subtract(one.second, one.origin) if climbs and one.second else one.end
        right = one.wanted if climbs else one.expected
        way = right if climbs else subtract(one.expected, one.start)
        largest = max(largest, float(norm(subtract(seen, right)) / norm(way)))
    return f" It is off by {largest:.1g} of itself at most." if 0 < largest < LITTLE else ""


def verb(name: str) -> str:
    """Return what a skill does, to follow "it does not"."""
    first, rest = SKILLS[name].split(" ", 1)
    return f"{first.removesuffix('s')} {rest}"


def sentence(when: str, where: str, how: str) -> str:
    """Put condition and formula together, with a space before them."""
    start = {"always": "In every step", "": "There"}.get(when, f"Only {when}")
    start += f", {where}" if where else ""
    if how:
        return f" {start}: {how}."
    return f" {start}." if when not in ("", "always") else ""


def condition_of(shown: Evidence, before: Before, name: str) -> str:
    """Say when a skill is lost, and in which tensors."""

    def features(some: Sequence[Facts]) -> list[Features]:
        return [
            features_of_step(one, [before[id(one.trace), step] for step in range(1, one.step + 1)])
            for one in some
        ]

    when = condition(features(shown.wrong), features(shown.right))
    several = [one for one in shown.wrong if len(one.start) > 1 and moves_all(one)] or shown.wrong
    which = kind_of(
        [(off_of(one, name), {k: x.ndim for k, x in one.start.items()}) for one in several]
    )
    for those in (lost_at_b, without_gradient, frozen_ones):
        if all([*off_of(one, name)] == those(one) for one in shown.wrong):
            which = "that tensor"
    if which and when in ("always", "with several tensors", "with biases"):
        return f"in {which}"
    return ", ".join(filter(None, [when, which and f"in {which}"]))


def moves_all(facts: Facts) -> bool:
    """Return whether every tensor has a gradient, at A and at B, so that each may be wrong."""
    return all(np.any(x) for gradient in (facts.d1, facts.d2) for x in gradient.values())


def without_gradient(facts: Facts) -> list[str]:
    """Return the tensors whose gradient is zero at A."""
    return [key for key, x in facts.d1.items() if not np.any(x)]


def frozen_ones(facts: Facts) -> list[str]:
    """Return the tensors that are frozen."""
    return [key for key in facts.start if key in facts.hp.frozen]


def off_of(facts: Facts, name: str) -> tuple[str, ...]:
    """Return the tensors in which a skill is lost."""
    return facts.ending.off if name == "last-step" else facts.climb.off


AT_HAND: dict[str, tuple[Callable[..., Sample], str, str, int]] = {
    "direction": (climb_at_hand, "ε", "", 2),
    "length": (climb_at_hand, "ε", "", 2),
    "last-step": (descent_at_hand, "new w", "A", 4),
}


def formula_of(wrong: Sequence[Facts], before: Before, name: str) -> tuple[str, str]:
    """Say in which steps, and by which formula it is done and by which it should be, if any."""
    usable = [one for one in wrong if name in AT_HAND and tells(one)]
    if not usable:
        return "", ""
    at_hand, what, start, most = AT_HAND[name]
    least = min(map(burden, usable))
    some = [one for one in usable if burden(one) == least]
    if some[0].hp.momentum:  # a velocity that is wrong is wrong for good
        some = [one for one in some if one.step == min(each.step for each in some)]
    first = [one for one in some if one.step == min(each.step for each in some)]
    unscheduled = [one for one in some if not one.trace.hp.scheduled]
    tried = (("", some), ("without a schedule", unscheduled), ("in the first such step", first))
    for accuracy, (where, several) in product((ACCURACY, ROUGH), tried):
        chosen = spread_out(several)
        off = {key for one in chosen for key in off_of(one, name)}
        for keys in ({key for one in chosen for key in one.start}, off):
            laid = [
                [
                    at_hand(one, before.get((id(one.trace), one.step)), keys, wanted)
                    for one in chosen
                    if keys & {*one.start}
                ]
                for wanted in (False, True)
            ]
            seen, should = (formula_text(samples, most, start, accuracy) for samples in laid)
            if name == "direction" and laid[0] and not seen and accuracy == ACCURACY:
                along = find_direction(laid[0])
                seen = f"c ({sum_in_words(along)})" if along else ""
            if seen and should and seen != should:
                about = " to four digits" if accuracy == ROUGH else ""
                signs = meanings(seen + should)
                return where, f"{what} = {seen}{about}, should be {should}{signs}"
    return "", ""


def formula_text(samples: Sequence[Sample], most: int, start: str, accuracy: float) -> str:
    """Write the formula of some samples; "" if there is none, or none with factors that say why."""
    if samples and not any(np.any(one.target) for one in samples):
        return start or "0"
    terms = find_formula(samples, most, accuracy) if samples else []
    known = terms and all(term.cost < UNNAMED for term in terms)
    return sum_in_words(terms, start) if known else ""


def tells(facts: Facts) -> bool:
    """Return whether a formula can be told from a step."""
    if facts.second is None or facts.trace.dtype != "float64" or facts.hp.p != 2:
        return False
    moves = (subtract(facts.end, facts.start), subtract(facts.second, facts.start))
    least = RESOLVED * float(norm(facts.start))
    return all(np.isfinite(norm(x)) and not 0 < norm(x) < least for x in moves)


def burden(facts: Facts) -> tuple[bool, ...]:
    """Return what makes a formula long."""
    hp = facts.hp
    return (hp.method == "asam", hp.nesterov, bool(hp.momentum), bool(hp.weight_decay))


def spread_out(several: Sequence[Facts]) -> list[Facts]:
    """Choose some steps: large ones, of as many probes and numbers as can be."""
    ordered = sorted(several, key=lambda one: -sum(x.size for x in one.start.values()))
    ordered.sort(key=lambda one: not plain_to_see(one))
    seen: Counter[Any] = Counter()
    ranked: list[tuple[int, int, Facts]] = []
    for one in ordered:
        seen[one.step] += 1
        seen[one.trace.probe.slug] += 1
        ranked.append((seen[one.step] + 2 * seen[one.trace.probe.slug], len(ranked), one))
    return [one for *_, one in sorted(ranked, key=lambda entry: entry[:2])[:MOST]]


def meanings(text: str) -> str:
    """Say what the signs in a formula stand for."""
    told = [meaning for sign, meaning in SIGNS.items() if sign in text]
    return f" ({', '.join(told)})" if told else ""


def rest_of(skills: Sequence[Skill]) -> str:
    """Say what is right."""
    return ", ".join(SKILLS[one.name] for one in skills if one.status == RIGHT)


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
