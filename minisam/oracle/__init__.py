"""The oracle: any SAM gets a verdict, and a wrong one is told its mistake."""

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

__all__ = [
    "Report",
    "Unsupported",
    "check",
    "check_model",
    "grade",
    "keras",
    "load_model",
    "optax",
    "own",
    "parametrize",
    "plain",
    "process",
    "torch",
]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(_WHERE[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_WHERE])
