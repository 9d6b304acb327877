"""Steps that are wrong as a tired person or a language model writes them, and right ones beside.

They stand in ``slipped``, each with one line on what is wrong. Whoever changes what the oracle says
sees here what it says of mistakes that were written without looking into its catalogue.

    python tests/oracle/slips.py [NAME ...]    the verdict on each, and how many are named
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Collection
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from oracle.slipped import adaptive, bases, climbs, right, steps

from minisam.adapters.plain import plain
from minisam.adapters.protocol import Adapter, mark
from minisam.oracle import check
from minisam.oracle.checking import choose_probes, examine
from minisam.oracle.parts import convention_part
from minisam.oracle.report import Report, Verdict
from minisam.oracle.watch import watch


def told(module: ModuleType) -> dict[str, Callable[..., Any]]:
    """Return a module's own steps, which are those that have a line to say what they are."""
    own = {name: f for name, f in vars(module).items() if isinstance(f, FunctionType)}
    return {n: f for n, f in own.items() if f.__module__ == module.__name__ and f.__doc__}


SLIPS = {name: f for module in (climbs, steps, bases) for name, f in told(module).items()}
ASAM_SLIPS = {f"asam_{name}": f for name, f in told(adaptive).items()}
RIGHT = told(right)
DECLARE: dict[str, dict[str, Any]] = {
    "restores_by_subtraction": {"restore": "subtract"},
    "stale_climb": {"restore": "subtract"},
    "epsilon_added": {"norm_epsilon": 1e-12},
    "rate_inside": {"momentum_form": "lr_inside"},
    "asam_of_all": {"scope": "all"},
}
EVERY = {**SLIPS, **ASAM_SLIPS, **RIGHT}


def adapter_of(name: str) -> Adapter:
    """Return the adapter of a step."""
    return mark(plain(EVERY[name]), name=name, methods=("asam",) if "asam" in name else ("sam",))


def verdict_on(name: str, dtype: str = "float64") -> Report:
    """Check a step, with what is to be declared of it."""
    return check(adapter_of(name), dtype=dtype, declare=DECLARE.get(name))


def is_rejected(adapter: Adapter, declare: dict[str, Any] | None = None) -> bool:
    """Return whether some probe fails in float64, without asking why."""
    base = convention_part(declare or {})
    methods = getattr(adapter, "methods", ("sam",))
    probes = choose_probes(None, {}, methods)
    traces = (watch(adapter, probe, "float64", base.settings) for probe in probes
              if probe.method in methods)  # fmt: skip
    return any(examine(trace, base, {}).result.status in ("fail", "error") for trace in traces)


def kind(report: Report, right: bool) -> str:
    """Say how good a verdict is on a step that is right, or is not."""
    if right:
        return "right" if report.conforms else "false alarm"
    if report.conforms:
        return "passed"
    if report.outcome is not Verdict.BUG:
        return report.outcome.value
    if report.explanations:
        return "named"
    explained = any(not line.startswith("First wrong") for line in report.advice)
    return "explained" if explained else "unidentified"


def describe(
    names: list[str],
    every: dict[str, Callable[..., Any]],
    right: Collection[str],
    verdict: Callable[[str], Report],
) -> None:
    """Print what is said of each of some steps, or of every one, and count."""
    counts: Counter[str] = Counter()
    for name in names or every:
        began = time.process_time()
        report = verdict(name)
        seconds = time.process_time() - began
        how = kind(report, name in right)
        counts[how] += 1
        found = f"  {report.found}" if report.found else ""
        print(f"{name:32} {how}: {report.verdict}{found}  {seconds:.1f} s", flush=True)
        if names:
            print(f"\n{every[name].__doc__}\n\n{report}\n")
    print("\n" + "  ".join(f"{count} {what}" for what, count in counts.most_common()))


if __name__ == "__main__":
    describe(sys.argv[1:], EVERY, RIGHT, verdict_on)
