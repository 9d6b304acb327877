"""Find the parts that explain a stratum beside those that are known to be at work.

A step is two things: a climb, seen at B, and a descent from what was seen at B. Each is explained
by itself, the other being taken as it was, and then both together: so four mistakes and
conventions at once cost little more than one. Whatever is proposed is replayed in full, and to
the last bit, before it counts.

The search is bounded by how much there is to try, not by a clock: the same traces give the same
answer on any machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, combinations, product
from typing import Any, NamedTuple

import numpy as np

from minisam.adapters.protocol import Observation
from minisam.anatomy.measuring import first_asked
from minisam.oracle.candidates import fewest, union
from minisam.oracle.epsilons import epsilon_parts
from minisam.oracle.parts import Part, Parts, clash, conventions_of, pieces_of
from minisam.oracle.replays import Replays
from minisam.oracle.watch import Trace

# Conventions that only rounding shows: they are asked for once all else is explained roughly.
ROUNDING: tuple[dict[str, Any], ...] = ({"restore": "subtract"}, {"norm_dtype": "float32"})
FEW = 3  # climbs beside which a descent is looked for
ASKING = frozenset({"first", "second", "ask"})  # the pieces that decide how often is asked


class Question(NamedTuple):
    """What is to be explained, and what with.

    Attributes:
        traces: all of which must be explained, from the one that is tried first.
        found: the parts that are known to be at work.
        parts: those that may be, beside them.
        climbs: traces that tell what is added to a norm.
        thorough: whether two unknown parts of one half of a step are worth the trouble.
        before: traces that were explained, and have to stay so.
    """

    traces: Sequence[Trace]
    found: Parts
    parts: Sequence[Part]
    climbs: Sequence[Trace]
    thorough: bool
    before: Sequence[Trace] = ()


def extensions(replays: Replays, question: Question) -> list[Parts]:
    """Return the smallest explanations that contain what is known; none if nothing does it.

    Args:
        replays: the memory of replays.
        question: what is to be explained.
    """
    traces, found = question.traces, question.found
    if replays.explain(found, traces, "rough") and (more := refine(replays, question, ())):
        return [more]
    proposed: list[Parts] = [(part,) for part in explaining_alone(replays, question, "rough")]
    proposed += with_number(replays, question, [()], "rough")
    refined = [more for one in proposed if (more := refine(replays, question, one)) is not None]
    if refined:
        return fewest(refined)
    climbs, descents = (half(replays, question, how) for how in ("climb", "descent"))
    together = [union(a, b) for a, b in product(climbs, descents)]
    if not descents:  # it may climb again on the way
        known = [(one, question._replace(found=(*found, *one))) for one in climbs[:FEW] if one]
        together = [(*a, *b) for a, more in known for b in half(replays, more, "descent")]
    if any(len(first_asked(seen)) != 2 for seen in traces[0].steps):
        together += asking(replays, question)
    for number in sorted({len(one) for one in together}):
        refined = [
            more
            for one in together
            if len(one) == number
            and replays.explain((*found, *one), traces, "rough")
            and (more := refine(replays, question, one)) is not None
        ]
        if refined:
            return fewest(refined)
    return []


def explaining_alone(
    replays: Replays, question: Question, how: str, beside: Parts = ()
) -> list[Part]:
    """Return the parts that explain the traces by themselves, beside what is known."""
    taken = conventions_of((*question.found, *beside))
    present = {part.key for part in (*question.found, *beside)}
    return [
        part
        for part in question.parts
        if part.key not in present
        and not taken.keys() & part.declare.keys()
        and replays.explain((*question.found, *beside, part), question.traces, how)
    ]


def half(replays: Replays, question: Question, how: str) -> list[Parts]:
    """Return what explains the climb or the descent alone: nothing, one part, or two."""
    found, traces = question.found, question.traces
    climbs, sgd = how == "climb", traces[0].probe.method == "sgd"
    if climbs and (sgd or not all(map(has_two_points, traces[0].steps))):
        return [()] if sgd else [(), *with_number(replays, question, [()])]  # there is no B
    if replays.explain(found, traces, how):
        return [()]
    ones: list[Parts] = [(part,) for part in explaining_alone(replays, question, how)]
    if climbs:
        ones += with_number(replays, question, [()])
    if ones or not question.thorough:
        return ones
    alone = [part for part in question.parts if moves(replays, question, part, how)]
    twos = with_number(replays, question, [(part,) for part in alone]) if climbs else []
    pieces = {part.key: pieces_of(part, traces[0]) for part in alone}
    for a, b in combinations(alone, 2):
        if a.name == b.name or a.declare.keys() & b.declare.keys():
            continue  # one mistake with two numbers
        for pair in ((a, b), (b, a)) if clash(a, b, pieces) else ((a, b),):
            if replays.explain((*found, *pair), traces, how):
                twos.append(pair)
    return twos


def has_two_points(seen: Observation) -> bool:
    """Return whether B is another point than A; from a NaN it may be the same one."""
    return len(first_asked(seen)) > 1 or not all(np.isfinite(leaf).all() for leaf in seen.start)


def moves(replays: Replays, question: Question, part: Part, how: str) -> bool:
    """Return whether a part says something about this half of a step in these traces."""
    if part.key in {one.key for one in question.found}:
        return False
    descent = frozenset({"second", "direction", "origin", "update", "base"})
    pieces = pieces_of(part, question.traces[0])
    if part.settings or "hp" in pieces:
        return True
    return bool(pieces & descent if how == "descent" else pieces - descent)


def with_number(
    replays: Replays, question: Question, several: Sequence[Parts], how: str = "climb"
) -> list[Parts]:
    """Return explanations with a number that is added to the norm."""
    taken = conventions_of(question.found)
    return [
        (*parts, one)
        for parts in several
        for one in epsilon_parts(
            (*question.found, *parts), question.climbs, replays.declared, taken
        )
        if replays.explain((*question.found, *parts, one), question.traces, how)
    ]


def asking(replays: Replays, question: Question) -> list[Parts]:
    """Return pairs with a part that decides how many gradients are asked for."""
    askers = [p for p in question.parts if ASKING & pieces_of(p, question.traces[0])]
    return [
        (one, other)
        for one in askers
        for other in explaining_alone(replays, question, "rough", beside=(one,))
    ]


def refine(replays: Replays, question: Question, proposed: Parts) -> Parts | None:
    """Return what explains to the last bit, with as few conventions of rounding as will do."""
    parts = (*question.found, *proposed)
    if not replays.explain(parts, question.before, "rough"):
        return None
    taken = {*conventions_of(parts), *replays.declared.declare}
    details = [p for p in question.parts if p.declare in ROUNDING and p.name not in taken]
    if exactly(replays, question, parts):
        return parts
    several: list[Parts] = []
    for some in chain.from_iterable(combinations(details, count) for count in range(3)):
        numbers = epsilon_parts((*parts, *some), question.climbs, replays.declared, taken)
        several += [some, *((*some, number) for number in numbers)]
    for more in sorted(several, key=len):
        if more and exactly(replays, question, (*parts, *more)):
            return (*parts, *more)
    return None


def exactly(replays: Replays, question: Question, parts: Parts) -> bool:
    """Return whether parts explain the traces, and those that were explained before."""
    return replays.explain(parts, question.traces) and replays.explain(parts, question.before)
