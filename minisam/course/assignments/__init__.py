"""The five assignments: what each asks, and how each answer is judged."""

from __future__ import annotations

import importlib

from minisam.course.rubric import Assignment

NAMES = ("a1", "a2", "a3", "a4", "a5")


def assignment(name: str) -> Assignment:
    """Return an assignment by its name.

    Raises:
        ValueError: if there is none.

    Example:
        >>> assignment("a2").title
        'One step of SAM'
    """
    if not isinstance(name, str) or name not in NAMES:
        raise ValueError(f"assignment must be among {', '.join(NAMES)}, got {name!r}")
    return importlib.import_module(f"minisam.course.assignments.{name}").ASSIGNMENT
