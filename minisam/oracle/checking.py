"""Check an implementation: run the probes, judge each, and conclude."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

from minisam.adapters.plain import as_adapter
from minisam.adapters.protocol import HYPERPARAMETERS, Unsupported
from minisam.adapters.reason import Reason
from minisam.isolation.limits import check_seconds
from minisam.optim.methods import METHODS
from minisam.oracle.entries import Entry
from minisam.oracle.guarding import Raised
from minisam.oracle.parts import Part, convention_part, judge_parts
from minisam.oracle.probes import Probe, probes_of
from minisam.oracle.report import Report, Result
from minisam.oracle.verdicts import conclude
from minisam.oracle.watch import Trace, watch
from minisam.rounding import UNITS
from minisam.variants.conventions import CONVENTIONS, check_declared, is_default
from minisam.variants.recipe import TAKEN_APART


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
        declare: conventions that the implementation follows, see `minisam.variants.conventions`.
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
        A `Report`. ``report.conforms`` and ``report.verdict`` say what it found.

    Raises:
        ValueError: naming the argument that is not one.

    Example:
        >>> import numpy as np
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
    entries: list[Entry] = []
    hung = False
    for one in dtypes:
        for probe in (probe for probe in chosen if probe.method in methods):
            if not probe.runs_in(one, dtypes):
                continue
            if hung:
                skipped = Reason("an earlier probe hangs")
                trace = Trace(probe, one, HYPERPARAMETERS, [], skipped=skipped)
            else:
                trace = watch(adapter, probe, one, base.settings, timeout)
            hung = hung or (trace.fault is not None and trace.fault.cause == "hangs")
            entries.append(examine(trace, base, known))
    asked = {(entry.result.dtype, entry.result.probe) for entry in entries}
    not_asked = []
    for one, probe in product(UNITS, chosen):
        if (one, probe.slug) not in asked:
            what, has = (probe.method, claimed) if one in dtypes else (one, everything)
            why = Reason("it was not asked for" if what in has else "it has no", what)
            if (dtypes[0], probe.slug) in asked and one in dtypes:
                why = Reason("one dtype is enough")
            not_asked.append(Result(probe.slug, one, "not run", why))
    report = conclude(adapter, name or name_of(adapter), entries, declare, timeout)
    seconds = time.perf_counter() - started
    return report._replace(results=report.results + not_asked, seconds=seconds)


def name_of(adapter: Any) -> str:
    """Say what to call an implementation."""
    return getattr(adapter, "name", "") or getattr(adapter, "__name__", "adapter")


def choose(name: str, asked: Any, default: Sequence[str], allowed: Sequence[str]) -> list[str]:
    """Choose one, several or all of some choices.

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
    """Return the probes of these slugs; or all of SGD, SAM and ASAM, and those of the methods."""
    every = {probe.slug: probe for method in METHODS for probe in probes_of(method)}
    for argument, slugs in (("probes", probes or ()), ("known", known)):
        for slug in slugs:
            if slug not in every:
                raise ValueError(f"{argument} names no probe: {slug!r}")
    if probes is not None:
        return [every[slug] for slug in probes]
    return [probe for probe in every.values() if probe.method in (*TAKEN_APART, *methods)]


def examine(trace: Trace, base: Part, known: dict[str, str]) -> Entry:
    """Judge what one probe saw."""
    probe = trace.probe
    result = Result(probe.slug, trace.dtype, "not run")
    if trace.skipped:
        return Entry(result._replace(why=trace.skipped), trace)
    if trace.fault is not None:
        if probe.has_nan and isinstance(trace.fault, Raised):
            return Entry(result._replace(why=Reason("it refuses NaN gradients")), trace)
        if probe.has_scalar and isinstance(trace.fault, Raised):
            why = Reason("it does not take", "tensors without axes")
            return Entry(result._replace(why=why), trace)
        if probe.extreme and isinstance(trace.fault, Raised):
            return Entry(result._replace(status="out of range", why=Reason(probe.note)), trace)
        status = "known" if probe.slug in known else "error"
        return Entry(result._replace(status=status, why=Reason(str(trace.fault))), trace)
    try:
        judgement = judge_parts([], trace, base)
    except Unsupported as refusal:  # of a follow-up, under what is declared
        return Entry(result._replace(why=refusal.reason), trace)
    result = result._replace(error=judgement.ratio)
    if judgement.agrees:
        note = "known to fail, but passes" if probe.slug in known else ""
        return Entry(result._replace(status="pass", why=Reason(note)), trace, judgement)
    status = "known" if probe.slug in known else "out of range" if probe.extreme else "fail"
    where = probe.note if probe.extreme else f"step {judgement.step + 1}: {judgement.quantity}"
    why = Reason(known.get(probe.slug, where))
    result = result._replace(
        status=status, why=why, step=judgement.step, quantity=judgement.quantity
    )
    return Entry(result, trace, judgement)


def catalogue(methods: Sequence[str] | None = None) -> str:
    """List the conventions, and the probes of some methods; by default of SGD, SAM and ASAM.

    Raises:
        ValueError: if there is no such method.

    Example:
        >>> print(catalogue(["gsam"]).splitlines()[-1].strip())
        gsam-own-alpha               its own are not ignored
    """
    chosen = choose("method", methods, TAKEN_APART, tuple(METHODS))
    lines = ["conventions that can be declared:"]
    for convention in CONVENTIONS.values():
        some = convention.values if convention.accepts is None else convention.values[:3]
        values = ", ".join(map(repr, (convention.default, *some)))
        lines.append(f"  {convention.name:15} {convention.meaning} ({values})")
    lines.append("probes:")
    for probe in (probe for method in chosen for probe in probes_of(method)):
        lines.append(f"  {probe.slug:28} {probe.note}".rstrip())
    return "\n".join(lines)
