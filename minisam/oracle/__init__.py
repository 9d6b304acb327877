"""Judge any SAM, and name the mistake of a wrong one.

Who calls whom: `checking` puts an implementation through the `probes`, and `watch` writes down what
it does; `judge` holds that against the reference, a recipe with the declared conventions of
`minisam.variants`; `verdicts` concludes, with `faults` where the implementation stops and `bugs`
where a probe fails. Then `diagnosis` says which of the known mutants do the same, `naming` tells of
them, `explanation` says what is wrong first, and `looks` what it looks like. `skills` says which
parts of the step are right, from the `facts` of each, and `unknown` explains a mistake that has no
name. `shrinking` finds the smallest input that fails, and `reproduction` writes it as a script. The
`report` says all of it. `grading` (in notebooks), `parametrization` and `pytest_plugin` (pytest)
call `checking`.
"""

from __future__ import annotations

import importlib
from typing import Any

# Loaded when first used: importing the oracle costs nothing, and each framework only its own users.
_WHERE = {
    "check": "minisam.oracle.checking",
    "check_model": "minisam.vectors.networks",
    "grade": "minisam.oracle.grading",
    "keras": "minisam.adapters.keras",
    "load_model": "minisam.vectors.networks",
    "optax": "minisam.adapters.optax",
    "own": "minisam.adapters.library",
    "parametrize": "minisam.oracle.parametrization",
    "plain": "minisam.adapters.plain",
    "process": "minisam.adapters.process",
    "torch": "minisam.adapters.torch",
    "Report": "minisam.oracle.report",
    "Unsupported": "minisam.adapters.protocol",
}

__all__ = sorted(_WHERE)


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(_WHERE[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_WHERE])
