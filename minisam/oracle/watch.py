"""Put an implementation through a probe, and write down what it did.

An implementation may do anything: raise, hang, print, return nonsense. Whatever goes wrong on the
way is kept in the `Trace`.
"""

from __future__ import annotations

import io
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from minisam.adapters.hyperparameters import HyperParameters
from minisam.adapters.protocol import (
    Adapter,
    AdapterError,
    Arrays,
    Observation,
    Run,
    Unsupported,
    copies,
)
from minisam.adapters.reading import ReadingDict
from minisam.adapters.reason import Reason
from minisam.optim.methods import METHODS
from minisam.oracle.guarding import Fault, Raised, guarded, quiet
from minisam.oracle.probes import Probe
from minisam.oracle.script import Script, script
from minisam.oracle.teller import Teller, checked


class Trace(NamedTuple):
    """Record what a probe saw.

    Attributes:
        probe: the probe.
        dtype: the dtype it ran in.
        hp: the hyper-parameters that the adapter was given.
        steps: one `Observation` per step.
        fault: what stopped it, if anything.
        skipped: why it was not run, if it was not.
        printed: what was written to standard output.
        changed_inputs: whether arrays that were lent were changed.
        read: the hyper-parameters that the implementation has looked at.
    """

    probe: Probe
    dtype: str
    hp: HyperParameters
    steps: list[Observation]
    fault: Fault | None = None
    skipped: Reason | None = None
    printed: str = ""
    changed_inputs: bool = False
    read: frozenset[str] = frozenset()


FEATURE_OF = {  # the hyper-parameters that not all adapters take, and the feature that says it
    "frozen": "frozen",
    "shards": "shards",
    "missing": "missing-gradient",
    "groups": "groups",
    "saved": "saved",
    "scheduler": "scheduler",
}


def why_not(adapter: Adapter, probe: Probe, dtype: str, settings: dict[str, Any]) -> Reason | None:
    """Say why a probe is not run; None if it is."""
    if dtype not in getattr(adapter, "dtypes", ("float64", "float32")):
        return Reason("it has no", dtype)
    if METHODS[probe.method].needs == "hessian_product":
        return Reason("probes have no Hessian products; the exact vectors have")
    for setting, feature in FEATURE_OF.items():
        if probe.settings.get(setting) and feature not in getattr(adapter, "features", ()):
            return Reason("it has no", feature)
    for key, value in settings.items():
        if probe.settings.get(key, value) != value:
            return Reason(f"{key} is declared to be {value!r}")
    return None


def watch(
    adapter: Adapter,
    probe: Probe,
    dtype: str,
    settings: dict[str, Any] | None = None,
    timeout: float = 60.0,
    seed: int = 0,
    drawn: Script | None = None,
) -> Trace:
    """Run one probe.

    Args:
        adapter: the implementation.
        probe: the situation.
        dtype: "float64", "float32" or "bfloat16".
        settings: hyper-parameters that declared conventions fix.
        timeout: seconds that one step may take.
        seed: which of the probe's scripts; 0 is the one with a name.
        drawn: another script, in place of the probe's own.
    """
    drawn = drawn or script(probe, dtype, seed)
    given = {**probe.settings, "names": list(probe.shapes), "dtype": dtype}
    hp = HyperParameters.of(given)
    skipped = why_not(adapter, probe, dtype, settings or {})
    if skipped:
        return Trace(probe, dtype, hp, [], skipped=skipped)
    hp = hp.having(**(settings or {}), declared=tuple(settings or ()))
    steps: list[Observation] = []
    given = ReadingDict(hp)
    fault, output, changed = None, io.StringIO(), False
    try:
        with quiet(output):
            beside = script(probe, dtype, seed + 1) if probe.beside else None
            changed = take_steps(adapter, drawn, given, steps, timeout, beside)
    except Unsupported as error:
        skipped = error.reason
    except Fault as error:
        fault = error
    except AdapterError as error:
        fault = Fault(error.cause, str(error)) if error.cause else Raised(error)
    read = frozenset(given.read)
    return Trace(probe, dtype, hp, steps, fault, skipped, output.getvalue(), changed, read)


def take_step(run: Run, teller: Teller) -> Arrays:
    """Take one step, and copy what it returns."""
    return checked(run(teller), teller.start, "the new weights")


def begin(adapter: Adapter, lent: Arrays, given: ReadingDict, timeout: float) -> Run:
    """Return what does the steps of a new run."""
    run = guarded(timeout, lambda: adapter(lent, given))
    if not callable(run):
        raise Fault("wrong type", f"the adapter must return a function, got {type(run).__name__}")
    return run


def take_steps(
    adapter: Adapter,
    drawn: Script,
    given: ReadingDict,
    steps: list[Observation],
    timeout: float,
    beside: Script | None = None,
) -> bool:
    """Take a probe's steps, add what is seen to ``steps``; return whether inputs were changed.

    Raises:
        Unsupported: also if by the end a hyper-parameter that matters was not read.
    """
    lent, hp = copies(drawn.params), given.asked
    run = begin(adapter, lent, given, timeout)
    start = drawn.params
    other = begin(adapter, copies(beside.params), ReadingDict(hp), timeout) if beside else None
    for number, gradients in enumerate(drawn.gradients):
        if beside and other:  # nobody judges this one
            teller = Teller(beside.gradients[number], start, hp.dtype, hp.missing)
            guarded(timeout, partial(take_step, other, teller))
        teller = Teller(gradients, start, hp.dtype, hp.missing)
        end = guarded(timeout, partial(take_step, run, teller))
        steps.append(
            Observation(copies(start), teller.queries, teller.answers, end, tuple(teller.asked))
        )
        start = end
    given.refuse_unread()
    kept = all(np.array_equal(a, b) for a, b in zip(lent, drawn.params, strict=True))
    return bool(getattr(run, "changed_inputs", False)) or not kept
