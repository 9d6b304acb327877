"""Judge a user's file for ``minisam check``, in a process of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from minisam.adapters.protocol import AdapterError, mark
from minisam.adapters.targets import imported, pairs
from minisam.isolation.limits import check_seconds
from minisam.optim.methods import METHODS
from minisam.oracle.checking import check, choose, choose_probes
from minisam.rounding import UNITS
from minisam.variants.conventions import check_declared


def judge_target(
    target: str,
    dtype: Sequence[str] | None,
    declare: Sequence[str],
    known: Sequence[str],
    method: Sequence[str] | None,
    probes: Sequence[str] | None,
    timeout: float,
) -> Iterator[dict[str, Any]]:
    """Check what a target names.

    Args:
        target: ``FILE_OR_MODULE:NAME``.
        dtype: as for `minisam.oracle.check`, like ``method``, ``probes`` and ``timeout``.
        declare: ``NAME=VALUE``, each a convention.
        known: ``PROBE=REASON``, each a failure that does not count.
        method: as for `minisam.oracle.check`.
        probes: as for `minisam.oracle.check`.
        timeout: as for `minisam.oracle.check`.

    Returns:
        ``{"report": ...}``, the fields of a `Report`; or ``{"refused": why}``, if an option is
        wrong; or ``{"fault": why}``, if there is nothing to check.
    """
    try:
        conventions = pairs(declare, "--declare")
        failures = {slug: str(reason) for slug, reason in pairs(known, "--known").items()}
        check_declared(conventions)
        choose_probes(probes, failures)
        choose("method", method, (), tuple(METHODS))
        choose("dtype", dtype, (), tuple(UNITS))
        check_seconds("--timeout", timeout)
    except ValueError as error:
        yield {"refused": str(error)}
        return
    try:
        adapter = imported(target, timeout)
        if hasattr(adapter, "arguments"):  # the target is the adapter, and not what makes it
            mark(adapter, kind="")
        name = target.rpartition(":")[2]
        report = check(adapter, dtype, conventions, failures, method, probes, timeout, name)
    except (AdapterError, ValueError) as fault:
        yield {"fault": str(fault)}
    else:
        yield {"report": report}
