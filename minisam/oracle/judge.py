"""Hold what was seen against a reference, step by step.

Teacher forcing: every step of the reference starts from the weights that the implementation had,
and gets the gradients that the implementation got, so an error in one step is not carried into the
next. What an optimizer remembers (a velocity, say) is the reference's own, fed with what was seen.
The reference is `minisam.optim`, or a changed recipe of it, run on numbers that carry error bounds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minisam.adapters.hyperparameters import HyperParameters
from minisam.adapters.protocol import Arrays, Observation
from minisam.oracle.comparing import Judgement, error, place
from minisam.oracle.watch import Trace
from minisam.rounding import UNITS, Rounded, exact
from minisam.variants.guards import is_finite
from minisam.variants.recipe import Change, optimizer


class Disagreement(Exception):
    """Carry a judgement out of the reference's step."""

    def __init__(self, judgement: Judgement):
        super().__init__(judgement.quantity)
        self.judgement = judgement


class Replay:
    """Answer the reference's questions with what was seen, if it asks at the same points."""

    def __init__(
        self,
        seen: Observation,
        names: list[str],
        trained: list[str],
        trace: Trace,
        lift: Callable[[np.ndarray], Any],
        spreads: bool = False,
        rough: bool = False,
    ):
        self.spreads, self.rough, self.lost = spreads, rough, False
        self.names, self.trained, self.trace, self.lift = names, trained, trace, lift
        self.fixed = {
            name: lift(value)
            for name, value in zip(names, seen.start, strict=True)
            if name not in trained
        }
        self.waiting: dict[int, list[tuple[Arrays, Arrays]]] = {}
        keys = set()
        shards = seen.shards or (0,) * len(seen.queries)
        for point, answer, shard in zip(seen.queries, seen.answers, shards, strict=True):
            key = (shard or 0, *(tensor.tobytes() for tensor in point))
            if key not in keys:  # asking again at the same point tells nothing new
                keys.add(key)
                self.waiting.setdefault(shard or 0, []).append((point, answer))
        self.done: dict[int, list[tuple[Arrays, Arrays]]] = {}
        self.count = 0
        self.worst = 0.0

    def __call__(self, point: dict[str, Rounded], shard: int = 0) -> tuple:
        """Return the (loss, gradient) that the implementation got at this point."""
        whole = {**self.fixed, **point}
        waiting = self.waiting.get(shard, [])
        done = self.done.setdefault(shard, [])
        if self.trace.probe.ends_only and not is_finite(whole):  # wherever that leads
            self.lost = True
            found = waiting.pop(0) if waiting else done[-1] if done else None
        else:
            found = self.match(whole, waiting, done)
        if found is None:
            raise Disagreement(self.missing(whole, waiting))
        if not done or found is not done[-1]:
            done.append(found)
        self.count += 1
        grads = dict(zip(self.names, found[1], strict=True))
        self.slopes = {name: self.lift(grads[name]) for name in self.fixed}
        lifted = {name: self.lift(grads[name]) for name in self.trained}
        if self.spreads:
            lifted = {name: g + 0.0 * point[name] for name, g in lifted.items()}
        return 0.0, lifted

    def match(self, whole: dict[str, Rounded], waiting: list, done: list) -> Any:
        """Return the next new point, else the nearest of those before, if it is this one.

        A short climb is within what a rough look tolerates, so that A, too, may be taken for B.
        """
        if waiting and (worst := self.distance(whole, waiting[0][0])) <= 1:
            self.worst = max(self.worst, worst)
            return waiting.pop(0)
        apart = [self.distance(whole, point) for point, _ in done]
        return done[int(np.argmin(apart))] if apart and min(apart) <= 1 else None

    def distance(self, whole: dict[str, Any], observed: Arrays) -> float:
        """Return the largest error of a point in units of the accepted one, or the first above."""
        largest = 0.0
        for name, array in zip(self.names, observed, strict=True):
            largest = max(largest, float(np.max(error(array, whole[name]), initial=0.0)))
            if largest > 1:
                break
        if largest > 1 and not is_finite(whole):  # a NaN may have been handed on
            return place("", whole, dict(zip(self.names, observed, strict=True))).ratio
        return largest

    def missing(self, whole: dict[str, Any], waiting: list) -> Judgement:
        """Judge a point that the implementation did not ask for."""
        if not waiting:
            wanted = self.asked() + 1
            return Judgement(False, np.inf, 0, "fewer gradients", expected=whole, gradients=wanted)
        if self.rough:  # nobody asks where it is off, and most are
            return Judgement(False, np.inf, 0, f"point {self.count}", point=self.count)
        observed = dict(zip(self.names, waiting[0][0], strict=True))
        return place(f"point {self.count}", whole, observed)._replace(point=self.count)

    def extra(self) -> Judgement | None:
        """Judge a point that only the implementation asked for."""
        for waiting in self.waiting.values():
            if waiting:
                observed = dict(zip(self.names, waiting[0][0], strict=True))
                more = Judgement(False, np.inf, 0, "more gradients", observed=observed)
                return more._replace(gradients=self.asked())
        return None

    def asked(self) -> int:
        """Count the points at which the reference asked."""
        return sum(len({id(one) for one in done}) for done in self.done.values())


def judge(
    trace: Trace,
    changes: Sequence[Change] = (),
    settings: dict[str, Any] | None = None,
    rough: bool = False,
) -> Judgement:
    """Compare a trace with the reference under some changes.

    Args:
        trace: what was seen.
        changes: the conventions or mutants that the reference is to follow.
        settings: hyper-parameters that it is to have instead of the trace's.
        rough: whether to compute in plain float64 and with a wide tolerance, several times as
            fast; only a disagreement then means something, and of a point it has no entry.

    Returns:
        A `Judgement`: the first disagreement, or the largest error when there is none.
    """
    hp = trace.hp.having(**(settings or {}))
    judgement = judge_as(hp, trace, changes, rough)
    if judgement.agrees or hp.decay != "in_loss" or hp.weight_decay or all_finite(trace):
        return judgement
    # 0 · NaN is NaN: a loss with a decay of zero may spread the NaN of a point, or may not.
    spread = judge_as(hp, trace, changes, rough, spreads=True)
    return spread if spread.agrees else judgement


def all_finite(trace: Trace) -> bool:
    """Return whether every point at which a gradient was asked for is finite."""
    return all(
        np.isfinite(leaf).all() for seen in trace.steps for point in seen.queries for leaf in point
    )


def judge_as(
    hp: HyperParameters, trace: Trace, changes: Sequence[Change], rough: bool, spreads: bool = False
) -> Judgement:
    """Compare a trace with the reference that has some hyper-parameters.

    ``spreads`` says whether 0 · w is added to each gradient at w.
    """
    names = hp.names
    trained = [name for name in names if name not in hp.frozen]
    worst = 0.0
    # Where no square leaves the range, the norm of a right step may be the plain formula's.
    unit = UNITS[trace.dtype]._replace(plain=not trace.probe.extreme)

    def lift(x: np.ndarray) -> Any:
        return np.asarray(x, np.float64) if rough else exact(x, unit)

    with np.errstate(all="ignore"):
        opt = optimizer(hp, changes)
        state = None
        for number, seen in enumerate(trace.steps):
            start = dict(zip(names, seen.start, strict=True))
            params = {name: lift(start[name]) for name in trained}
            state = opt.init(params) if state is None else state
            replay = Replay(seen, names, trained, trace, lift, spreads, rough)
            try:
                new, state, _ = opt.step(params, state, replay)
            except Disagreement as stop:
                return stop.judgement._replace(step=number)
            except (ZeroDivisionError, FloatingPointError):  # it raises, where it was not seen to
                return Judgement(False, np.inf, number, "end")
            found = None if replay.lost else replay.extra()
            if found is None:
                whole = {**replay.fixed, **new}
                found = place("end", whole, dict(zip(names, seen.end, strict=True)))
            if not found.agrees:
                return found._replace(step=number)
            worst = max(worst, found.ratio, replay.worst)
    return Judgement(True, worst)
