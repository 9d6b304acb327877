"""The oracle's question: does this implementation do what it says?"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minisam.adapters.plain import as_adapter
from minisam.adapters.protocol import HYPERPARAMETERS, Unsupported
from minisam.isolation.limits import check_seconds
from minisam.optim.methods import METHODS
from minisam.oracle.conventions import check_declared, is_default
from minisam.oracle.diagnosis import convention_part, decayed, judge_parts
from minisam.oracle.judge import Judgement
from minisam.oracle.probes import Probe, probes_of
from minisam.oracle.recipe import TAKEN_APART
from minisam.oracle.report import Report, Result
from minisam.oracle.verdicts import conclude
from minisam.oracle.watch import Trace, watch
from minisam.rounding import UNITS


def check(
    adapter: Callable[..., Any],
    dtype: str | Sequence[str] | None = None,
    declare: dict[str, Any] | None = None,
    known: dict[str, str] | None = None,
    method: str | Sequence[str] | None = None,
    probes: Sequence[str] | None = None,
    timeout: float = 60.0,
    name: str = "",
) -> Report:
    """Hold an implementation of SAM against the reference, and say what is wrong with it.

    Args:
        adapter: the implementation, as `minisam.oracle.plain`, `torch`, `optax`, `keras` or
            `process` make it. A function ``f(w, grad_fn, **hyperparameters)`` is taken as it is.
        dtype: "float64", "float32", "bfloat16" or several; all that the adapter has by default.
        declare: conventions that the implementation follows, see `minisam.oracle.conventions`.
        known: failures that are known, ``{probe slug: reason}``; they do not count.
        method: "sam", "asam", "sgd", another name in `minisam.optim.METHODS`, or several; by
            default what the adapter says (``adapter.methods``), else "sam". A mistake in a
            follow-up is shown, but has no name.
        probes: slugs of the probes to run; all by default.
        timeout: seconds that one step may take, from 0.001 to a day. In the main thread of a Unix
            process a step that takes longer is interrupted, in another thread or system it is left
            running, and where there are neither timers nor threads, as in a browser, there is no
            limit. Only a process can stop what catches every exception: ``minisam check`` runs
            the implementation in one.
        name: what to call the implementation in the report.

    Returns:
        A `Report`. ``report.verdict`` begins with ``conforms`` only when the implementation does.

    Raises:
        ValueError: naming the argument that is not one.

    Example:
        >>> def step(w, grad_fn, *, rho, lr):
        ...     d1 = grad_fn(w)
        ...     length = np.sqrt(sum(np.sum(g * g) for g in d1))
        ...     b = [x + rho * g / length if length else x for x, g in zip(w, d1)]
        ...     return [x - lr * g for x, g in zip(w, grad_fn(b))]
        >>> check(step, dtype="float64").verdict
        'conforms'
        >>> def sgd(w, grad_fn, *, rho, lr):
        ...     return [x - lr * g for x, g in zip(w, grad_fn(w))]
        >>> check(sgd, dtype="float64").verdict
        'bug: R04-second-pass-at-A'
    """
    started = time.perf_counter()
    adapter = as_adapter(adapter)
    declare, known = dict(declare or {}), dict(known or {})
    check_declared(declare)
    check_seconds("timeout", timeout)
    declare = {key: value for key, value in declare.items() if not is_default(key, value)}
    claimed = getattr(adapter, "methods", ("sam",))
    methods = choose("method", method, claimed, tuple(METHODS))
    chosen = choose_probes(probes, known, methods)
    everything = getattr(adapter, "dtypes", ("float64", "float32"))
    dtypes = choose("dtype", dtype, everything, tuple(UNITS))
    base = convention_part(declare)
    entries: list[tuple[Result, Trace, Judgement | None]] = []
    hung = False
    for one in [*dtypes, *(d for d in UNITS if d not in dtypes)]:
        for probe in chosen:
            if one not in dtypes or probe.method not in methods:
                what, all_of_it = (
                    (one, everything) if one not in dtypes else (probe.method, claimed)
                )
                why = f"it was not asked for {what}" if what in all_of_it else f"it has no {what}"
                skipped = Trace(probe, one, HYPERPARAMETERS, [], skipped=why)
                entries.append((Result(probe.slug, one, "not run", skipped.skipped), skipped, None))
                continue
            if hung:
                trace = Trace(probe, one, HYPERPARAMETERS, [], skipped="an earlier probe hangs")
            else:
                trace = watch(adapter, probe, one, base.settings, timeout)
            hung = hung or (trace.fault is not None and trace.fault.cause == "hangs")
            entries.append(examine(trace, base, known))
    return conclude(
        adapter=adapter,
        name=name or getattr(adapter, "name", "") or getattr(adapter, "__name__", "adapter"),
        entries=entries,
        declare=declare,
        known=known,
        timeout=timeout,
        started=started,
    )


def choose(name: str, asked: Any, default: Sequence[str], allowed: Sequence[str]) -> list[str]:
    """One, several or all of some choices.

    Example:
        >>> choose("dtype", "float32", ["float64"], ["float64", "float32"])
        ['float32']
    """
    chosen = list(default) if asked is None else [asked] if isinstance(asked, str) else list(asked)
    for one in chosen:
        if one not in allowed:
            raise ValueError(f"{name} must be among {', '.join(allowed)}, got {one!r}")
    return [one for one in allowed if one in chosen]


def choose_probes(
    probes: Sequence[str] | None, known: dict[str, str], methods: Sequence[str] = ()
) -> list[Probe]:
    """The probes of these slugs; or all of SGD, SAM and ASAM, and those of the methods."""
    every = {probe.slug: probe for method in METHODS for probe in probes_of(method)}
    for argument, slugs in (("probes", probes or ()), ("known", known)):
        for slug in slugs:
            if slug not in every:
                raise ValueError(f"{argument} names no probe: {slug!r}")
    if probes is not None:
        return [every[slug] for slug in probes]
    return [probe for probe in every.values() if probe.method in (*TAKEN_APART, *methods)]


def examine(
    trace: Trace, base: Any, known: dict[str, str]
) -> tuple[Result, Trace, Judgement | None]:
    """The result of one probe."""
    probe, dtype = trace.probe, trace.dtype
    if trace.skipped:
        return Result(probe.slug, dtype, "not run", trace.skipped), trace, None
    if trace.fault is not None:
        if probe.special == "nan at A" and trace.fault.cause.startswith("raises"):
            return Result(probe.slug, dtype, "not run", "it refuses NaN gradients"), trace, None
        status = "known" if probe.slug in known else "error"
        return Result(probe.slug, dtype, status, str(trace.fault)), trace, None
    try:
        judgement = judge_parts([], trace, base)
    except Unsupported as refusal:  # of a follow-up, under what is declared
        return Result(probe.slug, dtype, "not run", str(refusal)), trace, None
    if not judgement.agrees and trace.hp.decay == "in_loss":
        judgement = judge_parts([], decayed(trace), base)
    error = float(np.nan_to_num(judgement.ratio, posinf=np.inf))
    if judgement.agrees:
        note = "known to fail, but passes" if probe.slug in known else ""
        return Result(probe.slug, dtype, "pass", note, error), trace, judgement
    status = "known" if probe.slug in known else "out of range" if probe.extreme else "fail"
    where = probe.note if probe.extreme else f"step {judgement.step + 1}: {judgement.quantity}"
    reason = known.get(probe.slug, where)
    result = Result(probe.slug, dtype, status, reason, error, judgement.step, judgement.quantity)
    return result, trace, judgement
