"""Fifty more wrong steps, and ten right ones, by a hand that had seen neither `slips` nor mutants.

They stand in ``slipped``, in the modules whose names begin with ``fresh``.

    python tests/oracle/fresh_slips.py [NAME ...]    the verdict on each, and how many are named
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from oracle.slipped import fresh_adaptive, fresh_bases, fresh_climbs, fresh_right, fresh_steps
from oracle.slips import describe, told

from minisam.adapters.plain import plain
from minisam.adapters.protocol import Adapter, mark
from minisam.adapters.torch import torch
from minisam.oracle import check
from minisam.oracle.report import Report

WRONG = (fresh_climbs, fresh_steps, fresh_bases, fresh_adaptive)
FRESH = {name: step for module in WRONG for name, step in told(module).items()}
FRESH_RIGHT = told(fresh_right)
BY_TORCH: dict[str, Callable[..., Any]] = {}
if find_spec("torch"):
    BY_TORCH = told(import_module("oracle.slipped.fresh_torch"))


EVERY = {**FRESH, **BY_TORCH, **FRESH_RIGHT}
DECLARE = {name: {"norm_epsilon": 1e-12} for name in BY_TORCH}


def adapter_of(name: str) -> Adapter:
    """Return the adapter of a step, or of a maker of PyTorch's optimizers."""
    if name in BY_TORCH:
        return mark(torch(BY_TORCH[name]), name=name)
    adapter = mark(plain(EVERY[name]), name=name)
    both = getattr(adapter, "methods", None)
    return mark(adapter, methods=both or (("asam",) if "asam" in name else ("sam",)))


def verdict_on(name: str) -> Report:
    """Check a step, with what is to be declared of it."""
    return check(adapter_of(name), dtype="float64", declare=DECLARE.get(name))


if __name__ == "__main__":
    describe(sys.argv[1:], EVERY, FRESH_RIGHT, verdict_on)
