"""Choose the steps that show a formula, find it, and say it beside the right one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from itertools import product
from typing import Any

import numpy as np

from minisam.anatomy.at_hand import climb_at_hand, descent_at_hand, first_at_hand
from minisam.anatomy.conditions import Earlier
from minisam.anatomy.facts import Facts, off_of, plain_to_see
from minisam.anatomy.formula import ACCURACY, UNNAMED, Sample, find_direction, find_formula
from minisam.anatomy.sums import sum_in_words
from minisam.trees import norm, subtract

RESOLVED = 1e-7  # what is shorter than this part of A is not known to the digits of a formula
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
    "‖g‖": "g the gradient as it was given, of all tensors",
    "/t": "t counts the steps from 1",
    "√t": "t counts the steps from 1",
    "d3": "d3 the gradient at the third point",
}
AT_HAND: dict[str, tuple[Callable[..., Sample], str, str, int]] = {
    "asks-at-A": (first_at_hand, "the first point", "A", 2),
    "direction": (climb_at_hand, "ε", "", 2),
    "length": (climb_at_hand, "ε", "", 2),
    "last-step": (descent_at_hand, "new w", "A", 4),
}


def formula_of(wrong: Sequence[Facts], before: Earlier, name: str) -> tuple[str, str]:
    """Say in which steps, and by which formula it is done and by which it should be, if any."""
    usable = [one for one in wrong if name in AT_HAND and tells(one, name)]
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
    known: dict[Any, Sample] = {}
    for accuracy, (where, several) in product((ACCURACY, ROUGH), tried):
        chosen = spread_out(several)
        off = {key for one in chosen for key in off_of(one, name)}
        for keys in ({key for one in chosen for key in one.start}, off):
            laid = [
                [
                    laid_once(known, at_hand, one, before, keys, wanted)
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


def laid_once(
    known: dict[Any, Sample],
    at_hand: Callable[..., Sample],
    facts: Facts,
    before: Earlier,
    keys: Collection[str],
    wanted: bool,
) -> Sample:
    """Return what is at hand in a step, some of whose tensors are asked for; the same one again."""
    place = (id(facts.trace), facts.step)
    key = (*place, frozenset({*keys} & facts.start.keys()), wanted)
    if key not in known:
        known[key] = at_hand(facts, before.get(place), keys, wanted)
    return known[key]


def formula_text(samples: Sequence[Sample], most: int, start: str, accuracy: float) -> str:
    """Write the formula of some samples; "" if there is none, or none with factors that say why."""
    if samples and not any(np.any(one.target) for one in samples):
        return start or "0"
    terms = find_formula(samples, most, accuracy) if samples else []
    known = terms and all(term.cost < UNNAMED for term in terms)
    return sum_in_words(terms, start) if known else ""


def tells(facts: Facts, name: str) -> bool:
    """Return whether a formula can be told from a step."""
    point = facts.asked[0][0] if name == "asks-at-A" and facts.asked else facts.second
    other = facts.hp.p != 2 or facts.hp.groups  # another formula, or several
    if point is None or other or facts.trace.dtype != "float64":
        return False
    moves = (subtract(facts.end, facts.start), subtract(point, facts.start))
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
