"""Judge a step skill by skill, whatever the other skills are.

A right step asks first at A, takes a second gradient elsewhere, climbs along +d1, climbs exactly ρ,
steps from A along d2, survives a gradient of zero, ρ = 0 and a learning rate of 0, and keeps dtype
and inputs. `facts` measures each of these by itself; here many probes are put together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from minisam.anatomy.evidence import edge, evidence_of, judged
from minisam.anatomy.facts import Facts, easiest, plain_to_see
from minisam.anatomy.facts_in_words import (
    told_direction,
    told_ending,
    told_first,
    told_length,
    told_second,
)
from minisam.anatomy.measuring import EPSILON, facts_of
from minisam.oracle.skill import Skill
from minisam.oracle.watch import Trace
from minisam.trees import norm, subtract
from minisam.variants.guards import is_finite

RIGHT, WRONG, UNSEEN = "right", "wrong", "not seen"
SKILLS = {
    "asks-at-A": "asks first at A",
    "second-elsewhere": "takes a second gradient elsewhere",
    "direction": "climbs along +d1",
    "length": "climbs exactly ρ, over all tensors",
    "last-step": "steps from A along d2",
    "edge-cases": "bears a gradient of zero, ρ = 0 and a learning rate of 0",
    "dtype-and-inputs": "keeps the dtype and the arrays that it is lent",
}
# How much each is worth: what is harder, and what costs more, is worth more.
WEIGHTS = dict(zip(SKILLS, (1, 2, 3, 4, 4, 3, 1), strict=True))
USUAL = 1e-3  # the length of a gradient below which an epsilon is seen rather than a mistake
NO_CLIMB = "No second gradient was seen, so there is nothing to show it."


def skills_of(
    traces: Iterable[Trace], declare: dict[str, Any] | None = None, epsilon: float = EPSILON
) -> list[Skill]:
    """Judge each skill by all that was seen.

    A skill is wrong if it is wrong in any step. What is due to an earlier mistake is not held
    against it. The last two are shown only by what climbs: to leave the weights as they are is no
    art at a gradient of zero.

    Args:
        traces: what `watch` saw; what it skipped, batches in parts, gradients that are no numbers
            and those whose squares overflow are left out, and so is every method but SAM and ASAM.
        declare: the conventions that are followed.
        epsilon: how much may be added to the norm, or to its square, without being declared; 0 for
            nothing.

    Returns:
        A `Skill` for each of `SKILLS`, in their order.

    Example:
        >>> from minisam.oracle.probes import PROBES
        >>> from minisam.oracle.watch import watch
        >>> from minisam.variants.mutants import MUTANTS
        >>> wrong = MUTANTS["M02-per-tensor-norm"].adapter
        >>> slugs = "sam-one-tensor", "sam-three-tensors"
        >>> found = skills_of(watch(wrong, PROBES[slug], "float64") for slug in slugs)
        >>> [one.name for one in found if one.status == "wrong"]
        ['length']
        >>> found[3].text
        '‖B − A‖ = 0.0866 with ρ = 0.05 and three tensors; with one tensor it is 0.05.'
    """
    kept = [trace for trace in traces if judged(trace)]
    return skills_by(
        kept, [one for trace in kept for one in facts_of(trace, declare, epsilon)], declare
    )


def skills_by(
    kept: Sequence[Trace], every: Sequence[Facts], declare: dict[str, Any] | None = None
) -> list[Skill]:
    """Judge each skill by the facts of traces that have been kept."""
    evidence = evidence_of(every)
    found = [put_together(name, *evidence[name]) for name in TOLD]
    if not any(one.due and one.second is not None for one in every):
        found[2:] = [Skill(skill.name, UNSEEN, NO_CLIMB) for skill in found[2:]]
        more = [Skill(name, UNSEEN, NO_CLIMB) for name in ("edge-cases", "dtype-and-inputs")]
        return found + more
    lost = {skill.name for skill in found if skill.status == WRONG}
    changed = (declare or {}).get("inputs") == "changed"
    return [*found, edges(kept, every, lost), dtype_and_inputs(kept, every, lost, changed)]


def at(name: str, status: str, text: str, facts: Facts) -> Skill:
    """Make a skill that is shown by a step."""
    return Skill(name, status, text, facts.trace.probe.slug, facts.trace.dtype, facts.step)


TOLD: dict[str, Callable[[Facts, Sequence[Facts]], str]] = {
    "asks-at-A": told_first,
    "second-elsewhere": told_second,
    "direction": told_direction,
    "length": told_length,
    "last-step": told_ending,
}


def put_together(name: str, right: Sequence[Facts], wrong: Sequence[Facts]) -> Skill:
    """Judge a skill by the steps that show it, and tell of a simple one."""
    if not (right or wrong):
        return Skill(name, UNSEEN, "No step shows it.")
    usual = [one for one in wrong if norm(one.d1) >= USUAL] or wrong
    shown = next(filter(plain_to_see, usual), (usual or right)[0])
    return at(name, WRONG if wrong else RIGHT, TOLD[name](shown, right), shown)


def edges(kept: Sequence[Trace], every: Sequence[Facts], lost: set[str]) -> Skill:
    """Judge what is done where something is zero; not by what is wrong elsewhere, too."""
    name = "edge-cases"
    ordered = sorted((one for one in every if edge(one)), key=easiest)
    for one in ordered:
        told = complaint(one, lost)
        if told:
            return at(name, WRONG, f"With {edge(one)} {told}.", one)
    for trace in kept:
        if trace.fault is not None and (what := zero_in(trace)):
            told = f"With {what} it stops: {trace.fault}"
            return Skill(name, WRONG, told, trace.probe.slug, trace.dtype, len(trace.steps))
    if not ordered:
        return Skill(name, UNSEEN, "No step shows it.")
    edges_seen = ", ".join(dict.fromkeys(map(edge, ordered)))
    return at(name, RIGHT, f"The weights are what they should be with {edges_seen}.", ordered[0])


def complaint(facts: Facts, lost: set[str]) -> str:
    """Say what is wrong where something is zero; "" if nothing is, or nothing new."""
    if is_finite(facts.expected) and not is_finite(facts.end):
        return "the new weights are not finite"
    points = {str(number): norm(point) for number, (point, _) in enumerate(facts.asked)}
    if is_finite(facts.wanted) and not is_finite(points):
        return "a gradient is asked for at a point that is not finite"
    still = not norm(facts.wanted)
    second = None if facts.climb.exact else facts.second
    if still and second is not None and not lost & {"direction", "length"}:
        return f"it climbs all the same, by {norm(subtract(second, facts.start)):.3g}"
    if not facts.ending.right and "last-step" not in lost:
        return "the new weights are not what they should be"
    return ""


def zero_in(trace: Trace) -> str:
    """Say what is zero throughout a trace that may have no step; "" if nothing is."""
    for what, is_it in (
        ("a gradient of zero", trace.probe.special == "zero"),
        ("ρ = 0", trace.hp.rho == 0),
        ("a learning rate of 0", trace.hp.lr == 0),
    ):
        if is_it:
            return what
    return ""


def dtype_and_inputs(
    kept: Sequence[Trace], every: Sequence[Facts], lost: set[str], may_change: bool
) -> Skill:
    """Judge whether digits are kept, and the arrays that were lent."""
    name = "dtype-and-inputs"
    for trace in kept:
        where = (trace.probe.slug, trace.dtype, max(len(trace.steps) - 1, 0))
        if trace.fault is not None and trace.fault.cause == "wrong dtype":
            return Skill(name, WRONG, f"{trace.fault}.", *where)
        if trace.changed_inputs and not may_change:
            told = "Arrays that were lent to the step are changed in place."
            return Skill(name, WRONG, told, *where)
    plain = sorted((one for one in every if not edge(one)), key=easiest)
    for one in plain:
        climbs = one.second is not None and not lost & {"direction", "length"}
        if (climbs and one.climb.coarse) or (one.ending.coarse and "last-step" not in lost):
            told = "The numbers are right to the digits of float32 only, where float64 went in."
            return at(name, WRONG, told, one)
    dtypes = " and ".join(dict.fromkeys(trace.dtype for trace in kept))
    return at(name, RIGHT, f"What goes in as {dtypes} comes out as that.", plain[0])
