"""Say which quantity is wrong first, where, and by how much."""

from __future__ import annotations

import numpy as np

from minisam.oracle.comparing import Judgement
from minisam.oracle.watch import Trace

QUANTITIES = {
    "point 0": "the point of the first gradient (A)",
    "point 1": "the point of the second gradient (B = A + ε)",
    "fewer gradients": "the number of gradients",
    "more gradients": "the number of gradients",
    "end": "the new weights",
}


def quantity_in_words(judgement: Judgement) -> str:
    """Name the quantity that is wrong first."""
    if judgement.point is None or judgement.quantity in QUANTITIES:
        return QUANTITIES[judgement.quantity]
    return f"the point of gradient {judgement.point + 1}"


def first_wrong(trace: Trace, judgement: Judgement) -> str:
    """Say which quantity is wrong first, where, and by how much."""
    place = f"probe {trace.probe.slug}, {trace.dtype}, step {judgement.step + 1}"
    text = f"{quantity_in_words(judgement)} ({place})"
    if judgement.gradients is not None:
        text += f": {numbers_of_gradients(trace, judgement)}"
    if judgement.tensor and judgement.expected is not None and judgement.observed is not None:
        entry = judgement.entry
        right = np.asarray(judgement.expected[judgement.tensor].value)[entry]
        bound = np.broadcast_to(
            judgement.expected[judgement.tensor].bound, judgement.observed[judgement.tensor].shape
        )[entry]
        seen = float(judgement.observed[judgement.tensor][entry])
        digits = 9 if f"{seen:.9g}" != f"{right:.9g}" else 17
        where = "".join(f"[{i}]" for i in entry)
        text += f": {judgement.tensor}{where} is {seen:.{digits}g}, should be {right:.{digits}g}"
        if np.isfinite(seen - right):
            text += f"; off by {abs(seen - right):.1e}, where rounding explains {2 * bound:.1e}"
    return text


def numbers_of_gradients(trace: Trace, judgement: Judgement) -> str:
    """Say how many gradients were asked for and how many should be, and whether a point is NaN.

    Asking again at the same point does not count.
    """
    seen = trace.steps[judgement.step]
    shards = seen.shards or (0,) * len(seen.queries)
    pairs = zip(shards, seen.queries, strict=True)
    points = {(shard, *(x.tobytes() for x in point)): point for shard, point in pairs}
    gradients = "gradient" if len(points) == 1 else "gradients"
    text = f"asked for {len(points)} {gradients}, should be {number_wanted(judgement)}"
    for number, point in enumerate(points.values()):
        if any(np.isnan(x).any() for x in point):
            is_b = number == 1 and trace.hp.shards == 1
            return f"{text}; {'B' if is_b else f'the point of gradient {number + 1}'} is NaN"
    return text


def number_wanted(judgement: Judgement) -> str:
    """Say how many gradients there should be."""
    least = "at least " if judgement.quantity == "fewer gradients" else ""
    return f"{least}{judgement.gradients}"
