"""Set assignments on SAM, check them with the student, and grade them apart from everything.

`check` tells a student, in the own process, what is right skill by skill, and counts for nothing.
``minisam course grade`` runs each submission in a `child` of its own, which has NumPy only and says
numbers, never a score. Both use the same rubric: `assignments` has one module for each of A1 to A5.
"""

from __future__ import annotations

import importlib
from typing import Any

__all__ = ["check"]


def __getattr__(name: str) -> Any:
    if name != "check":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return importlib.import_module("minisam.course.formative").check
