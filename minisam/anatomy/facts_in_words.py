"""Say what a step did, in a sentence of numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from minisam.anatomy.facts import Facts, same_point
from minisam.trees import Params, add, norm, scale, subtract

COUNTS = ("no tensors", "one tensor", "two tensors", "three tensors", "four tensors")


def of_tensors(count: int) -> str:
    """Say how many tensors.

    Example:
        >>> of_tensors(1), of_tensors(6)
        ('one tensor', '6 tensors')
    """
    return COUNTS[count] if count < len(COUNTS) else f"{count} tensors"


def set_apart(x: float, other: float) -> str:
    """Write a number with three digits, or as many as set it apart from another one.

    Example:
        >>> set_apart(0.5, 0.25), set_apart(0.50001, 0.5)
        ('0.5', '0.50001')
    """
    for digits in (3, 6, 9, 12):
        if f"{x:.{digits}g}" != f"{other:.{digits}g}":
            return f"{x:.{digits}g}"
    return f"{x:.3g}"


def signed(cosine: float) -> str:
    """Write a cosine that is not 1, with a sign that reads well."""
    return set_apart(cosine, 1.0).replace("-", "−")


def uphill(facts: Facts) -> str:
    """Name the direction that the climb is to follow."""
    if facts.trace.hp.p != 2:
        return f"the climb for p = {facts.trace.hp.p}"
    return "T²d1" if facts.trace.hp.method == "asam" else "d1"


def told_first(facts: Facts, right: Sequence[Facts]) -> str:
    """Say where the first gradient is asked for."""
    if not facts.asked:
        return "No gradient is asked for."
    if facts.at_start:
        return "The first gradient is asked for at A, the weights that are given."
    apart = norm(subtract(facts.asked[0][0], facts.start))
    return f"The first gradient is asked for at a distance of {apart:.3g} from A."


def told_second(facts: Facts, right: Sequence[Facts]) -> str:
    """Say whether there is a second point, and how far away."""
    if facts.second is not None:
        apart = norm(subtract(facts.second, facts.start))
        return f"The second gradient is asked for elsewhere, at a distance of {apart:.3g} from A."
    if facts.again:
        return "All gradients of a step are asked for at the same point."
    return f"{'One gradient is' if facts.asked else 'No gradient is'} asked for in a step."


def told_direction(facts: Facts, right: Sequence[Facts]) -> str:
    """Say how the climb lies to the gradient."""
    climb, up = facts.climb, uphill(facts)
    if climb.along:
        return f"B − A is along {up}: the cosine is {climb.cosine:.2f}."
    if not np.isfinite(climb.cosine):
        return "B is not finite."
    if climb.cosine <= -0.99999:
        return f"B − A points against {up}: the cosine is −1.00."
    still = [key for key, share in climb.by_tensor.items() if share == 0]
    stays = (
        f"; {' and '.join(still)} {'does' if len(still) == 1 else 'do'} not move" if still else ""
    )
    return f"B − A is not along {up}: the cosine is {signed(climb.cosine)}{stays}."


def told_length(facts: Facts, right: Sequence[Facts]) -> str:
    """Say how long the climb is, and how long it is where there are fewer tensors."""
    hp, count = facts.hp, len(facts.start)
    rho = float(hp.rho)
    what = "‖T⁻¹(B − A)‖" if hp.method == "asam" else "‖B − A‖"
    norm_of = "" if hp.p == 2 else f", p = {hp.p}"
    text = f"{what} = {set_apart(facts.climb.ratio * rho, rho)} with ρ = {rho:g}{norm_of} and "
    text += of_tensors(count)
    if facts.climb.exact:
        return f"{text}."
    asked = rho, hp.method, hp.p
    there = [len(one.start) for one in right if (one.hp.rho, one.hp.method, one.hp.p) == asked]
    if there and max(there) < count:  # else it is not their number that matters
        return f"{text}; with {of_tensors(there[0])} it is {rho:g}."
    return f"{text}."


def told_ending(facts: Facts, right: Sequence[Facts]) -> str:
    """Say from where the last step starts and along what it goes."""
    if facts.ending.right:
        return "The new weights are a step from A along the gradient at the second point."
    if not np.isfinite(norm(facts.end)):
        return "The new weights are not finite."
    if same_point(facts.end, facts.start):
        return "The weights do not change."
    if facts.second is not None and same_point(facts.end, facts.second):
        return "The new weights are B."
    wanted, seen = subtract(facts.expected, facts.start), subtract(facts.end, facts.start)
    if facts.second is not None:
        climbed = subtract(facts.second, facts.start)
        if close(facts.end, add(facts.expected, climbed)):
            return "The last step starts from B, not from A."
        lr = facts.hp.lr
        if close(facts.end, add(facts.expected, scale(lr, subtract(facts.d2, facts.d1)))):
            return "The last step goes along d1, not along d2."
    return (
        f"The new weights are {norm(subtract(seen, wanted)):.3g} from where they should be; "
        f"the step itself has a length of {norm(wanted):.3g}."
    )


def close(one: Params, other: Params) -> bool:
    """Return whether two points are so close that a reader would call them one."""
    return norm(subtract(one, other)) <= 1e-6 * norm(subtract(other, scale(0.5, one)))
