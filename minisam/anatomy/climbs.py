"""Measure a climb and a last step, each by itself, to within what rounding explains."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from minisam.rounding import UNITS, Rounded, Unit
from minisam.trees import Params, norm

OPERATIONS = 16  # of a climb or a step, each of which may round to a lower precision


def lower_precision(unit: Unit) -> float:
    """Return the unit roundoff of the lower precision that is looked for; 0 if there is none."""
    return UNITS["float32"].u if unit.name == "float64" else 0.0


class Ruler(NamedTuple):
    """How climbs are measured: in which norm, in whose coordinates, to which format's accuracy.

    Attributes:
        order: p, of the norm.
        scaling: ASAM's T; None for SAM.
        shortest: the share of the wanted length that is enough.
        unit: the format.
    """

    order: float
    scaling: Params | None
    shortest: float
    unit: Unit

    def of(self, tree: Params) -> float:
        """Return ‖T⁻¹ x‖ in the norm of that order."""
        T = self.scaling
        if T is not None:
            tree = {key: np.where(x == 0, 0.0, x / T.get(key, 1.0)) for key, x in tree.items()}
        return float(norm(tree, self.order))

    def fits(self, seen: Params, wanted: Params, slack: Params) -> bool:
        """Return whether a climb is as long as another one, to within ``slack``."""
        whole, over = self.of(wanted), self.of(slack)
        low, high = whole * (self.shortest - self.rough) - over, whole * (1 + self.rough) + over
        return low <= self.of(seen) <= high

    @property
    def rough(self) -> float:
        """Return the relative error of a climb in a lower precision; 0 if there is none."""
        return OPERATIONS * lower_precision(self.unit)

    def rounding(self, *points: np.ndarray) -> np.ndarray:
        """Return what a lower precision may do to points; 0 if there is none."""
        u = lower_precision(self.unit)
        return sum((u * np.abs(point) for point in points), np.zeros(()))


class Climb(NamedTuple):
    """How a climb compares with the one that belongs to its gradient.

    Attributes:
        along: whether every tensor moves along its part of it, and none is left out.
        exact: whether it is as long.
        cosine: of the two.
        ratio: of their lengths: ‖B − A‖/ρ for SAM, ‖T⁻¹(B − A)‖/ρ for ASAM.
        by_tensor: how far every tensor moves forward, in units of its part of it; None for one
            that is not to move.
        coarse: whether it is right to the digits of a lower precision only.
        off: the tensors whose part is not what it should be.
    """

    along: bool
    exact: bool
    cosine: float
    ratio: float
    by_tensor: dict[str, float | None]
    coarse: bool
    off: tuple[str, ...]


def quotient(x: float, y: float) -> float:
    """Return x / y, and 0 for 0/0."""
    return x / y if y else 0.0 if not x else np.inf


def compare_climb(origin: Params, point: Params, wanted: dict[str, Rounded], ruler: Ruler) -> Climb:
    """Compare the climb from ``origin`` to ``point`` with the one that is wanted.

    Args:
        origin: A.
        point: B.
        wanted: the ε that belongs to the gradient at A.
        ruler: how lengths are measured.

    Example:
        >>> from minisam.rounding import UNITS, exact
        >>> a, b = {"w": np.array([3.0, 4.0])}, {"w": np.array([3.0, 3.5])}
        >>> ruler = Ruler(2, None, 1.0, UNITS["float64"])
        >>> found = compare_climb(a, b, {"w": exact([0.0, 0.5])}, ruler)
        >>> found.along, found.exact, found.cosine
        (False, True, -1.0)
    """
    moved = {key: np.asarray(point[key] - origin[key]) for key in origin}
    right = {key: np.asarray(wanted[key].value, np.float64) for key in origin}
    slack = {key: 2 * (ruler.unit.u * np.abs(point[key]) + wanted[key].bound) for key in origin}
    wide = {key: slack[key] + ruler.rounding(origin[key], point[key]) for key in origin}
    ratio = quotient(ruler.of(moved), ruler.of(right))
    by_tensor: dict[str, float | None] = {}
    still, turned, off = [], [], []
    coarse = ruler.of(moved) > ruler.of(right) + ruler.of(slack)
    for key in origin:
        own, far, error, room = (float(norm({"": x[key]})) for x in (right, moved, slack, wide))
        unit_vector = right[key] / own if own else right[key]
        forward = float(np.sum(moved[key] * unit_vector))
        across = float(norm({"": moved[key] - forward * unit_vector}))
        by_tensor[key] = forward / own if own else None
        if far <= room < own * ruler.shortest * min(ratio, 1.0):
            still.append(key)
        if not (across <= room + ruler.rough * own and forward >= -room):
            turned.append(key)
        if key in (*still, *turned) or not ruler.fits(
            *({key: x[key]} for x in (moved, right, wide))
        ):
            off.append(key)
        coarse |= across > error or forward < own * ruler.shortest - error
    others = {key: right[key] for key in origin if key not in still}
    exact = ruler.fits(moved, right, wide) or ruler.fits(moved, others, wide)
    # A length that is right in all, and wrong in each, is a direction.
    along = not (off if exact else still + turned)
    lengths = float(norm(moved)) * float(norm(right))
    product = sum(float(np.sum(moved[key] * right[key])) for key in origin)
    cosine, coarse = quotient(product, lengths), along and exact and bool(coarse)
    return Climb(along, exact, cosine, ratio, by_tensor, coarse, tuple(off))


class Ending(NamedTuple):
    """How the new weights compare with the expected ones.

    Attributes:
        right: whether they are these.
        coarse: whether to the digits of a lower precision only.
        off: the tensors that are not.
    """

    right: bool
    coarse: bool
    off: tuple[str, ...] = ()


def compare_ending(
    start: Params, point: Params, expected: dict[str, Rounded], end: Params, unit: Unit
) -> Ending:
    """Compare the new weights with the expected ones.

    Args:
        start: A.
        point: B, from which weights may come back by subtraction, with its rounding.
        expected: the new weights that belong to the gradient at B.
        end: those that were returned.
        unit: the format.

    Example:
        >>> from minisam.rounding import UNITS, exact
        >>> a, b, new = ({"w": np.array([x])} for x in (3.0, 3.5, 2.5))
        >>> compare_ending(a, b, {"w": exact([2.5])}, new, UNITS["float64"])
        Ending(right=True, coarse=False, off=())
    """
    coarse, off = False, []
    rough = OPERATIONS * lower_precision(unit)
    for key, one in expected.items():
        value = np.asarray(one.value, np.float64)
        reach = np.abs(start[key]) + np.abs(point[key])
        slack = 2 * one.bound + 4 * unit.u * reach
        apart = np.abs(end[key] - value)
        within = (apart <= slack + rough * reach) | (end[key] == value)
        if not np.all(within):
            off.append(key)
        coarse |= bool(np.any(within & (apart > slack)))
    return Ending(not off, coarse and not off, tuple(off))
