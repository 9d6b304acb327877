"""Measure by what a climb was divided, as what was seen says it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np

from minisam.anatomy.entries import entries_of
from minisam.anatomy.measuring import by_name
from minisam.oracle.comparing import NARROW
from minisam.oracle.parts import Part, Parts, active, pieces_of
from minisam.oracle.watch import Trace
from minisam.rounding import UNITS
from minisam.trees import add_scaled
from minisam.variants.recipe import recipe_of

ROUNDINGS = 4  # of ρ, the norm, their quotient, the product


class Factor(NamedTuple):
    """What one climb says: ε = ρ v/d, where the recipe has a norm of ``length`` and is along v.

    Attributes:
        length: the norm without what is added to it.
        low: the least that ``d`` can be, since B and ε are rounded.
        high: the most.
    """

    length: float
    low: float
    high: float


class Ascent(NamedTuple):
    """A climb of the tensors that have one norm, entry by entry: from A to B, if along ``along``.

    Attributes:
        A: where it starts.
        B: where it ends.
        along: the direction that the recipe has.
        rho: its radius.
        length: its norm.
        dtype: the dtype it was made in.
    """

    A: np.ndarray
    B: np.ndarray
    along: np.ndarray
    rho: float
    length: float
    dtype: str

    @property
    def tells(self) -> bool:
        """Return whether there is one, and numbers."""
        finite = all(np.isfinite(x).all() for x in (self.A, self.B, self.along))
        return bool(self.rho > 0 and np.any(self.along) and finite)


def factors_of(parts: Parts, trace: Trace, declared: Part) -> list[Factor]:
    """Return what every climb of a trace says, of each tensor where each has its own norm."""
    together = active([declared, *parts], trace)
    if any("length" in pieces_of(part, trace) for part in together):  # what is added is known
        return []
    narrow = any(part.declare.get("norm_dtype") for part in together)
    climbs, share = climbs_of(parts, trace, declared), NARROW if narrow else 0.0
    return [factor for one in climbs for factor in factor_of(one, share)]


def are_multiples(parts: Parts, traces: Iterable[Trace], declared: Part) -> bool:
    """Return whether every climb in float64 is some multiple of the direction that the recipe has.

    So it is where only the norm has fewer digits than the rest, whatever is added to it.
    """
    exact = [one for one in traces if one.dtype == "float64" and one.hp.p == 2]
    climbs = [climb for one in exact for climb in climbs_of(parts, one, declared)]
    return all(factor_of(climb) for climb in climbs if climb.tells)


def climbs_of(parts: Parts, trace: Trace, declared: Part) -> Iterator[Ascent]:
    """Yield the climbs of a trace, of each tensor where each has its own norm."""
    together = active([declared, *parts], trace)
    settings = {key: value for part in together for key, value in part.settings.items()}
    hp = trace.hp.having(**settings)
    recipe = recipe_of(hp, *(change for part in together for change in part.changes))
    if hp.shards > 1 or any("rho" in group for group in hp.groups):
        return
    trained = [name for name in hp.names if name not in hp.frozen]
    for count, seen in enumerate(trace.steps):
        if len(seen.queries) < 2:
            continue
        whole = [by_name(trace, x) for x in (seen.queries[0], seen.queries[1], seen.answers[0])]
        params, above, d1 = ({name: one[name] for name in trained} for one in whole)
        fixed, _, slopes = ({name: one[name] for name in hp.frozen} for one in whole)
        if hp.decay == "in_loss" and hp.weight_decay:
            d1 = add_scaled(d1, hp.weight_decay, params)
        now = SimpleNamespace(params=params, hp=hp.at(count), count=count, base=recipe.base, d1=d1)
        now.rho, now.lr, now.previous, now.velocity = now.hp.rho, now.hp.lr, None, None
        now.asked = SimpleNamespace(fixed=fixed, slopes=slopes)
        with np.errstate(all="ignore"):
            grads, rho, T = recipe.ascent(now), recipe.radius(now), recipe.operator(now)
            now.climbing = grads
            length = recipe.norm(now, recipe.measured(now, T, grads))
            along = recipe.adjust(now, recipe.numerator(now, T, grads))
            groups = [[key] for key in trained] if isinstance(length, dict) else [trained]
            for keys in groups:
                own = float(length[keys[0]] if isinstance(length, dict) else length)
                A, B, v = (entries_of(tree, keys) for tree in (params, above, along))
                yield Ascent(A, B, v, rho, own, trace.dtype)


def factor_of(ascent: Ascent, share: float = 0.0) -> list[Factor]:
    """Return what the climb of some tensors says, if it goes along its direction at all.

    Every entry bounds the factor c in ε = c v by what rounding may have done to it, and by the
    share of it that a lower precision may have taken, of the divisor or of ε itself.
    """
    A, B, v, rho, length, dtype = ascent
    eps, u = B - A, UNITS[dtype].u
    room = u * np.abs(B) + (ROUNDINGS * u + share) * np.abs(eps)
    told = v != 0
    if not ascent.tells or np.any(eps[~told] != 0):
        return []
    ends = np.stack([(eps - room)[told] / v[told], (eps + room)[told] / v[told]])
    low, high = float(np.max(np.min(ends, axis=0))), float(np.min(np.max(ends, axis=0)))
    if low > high or high <= 0:
        return []
    slack = (ROUNDINGS + len(v)) * u * length
    return [Factor(length, rho / high - slack, (rho / low if low > 0 else np.inf) + slack)]
