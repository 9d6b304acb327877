"""Choose, move and ask: what NumPy does with numbers without rounding them.

A chosen number keeps its bound, a moved one takes it along, and a question about size or range is
answered by the values alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minisam.rounding.arithmetic import operands
from minisam.rounding.rounded import (
    FUNCTIONS,
    Rounded,
    bound_array,
    does,
    exact,
    is_exact,
    value_of,
)


@does(np.sign)
def sign(x: Rounded) -> Rounded:
    """Return the sign, exact unless x may be on either side of zero."""
    unsure = (np.abs(x.value) <= x.bound) & (np.asarray(x.bound) > 0)
    return Rounded(np.sign(x.value), np.where(unsure, 2.0, 0.0) if np.any(unsure) else 0.0, x.unit)


@does(np.where)
def where(condition: Any, x: Any, y: Any) -> Rounded:
    """Return entries of x or of y."""
    unit, a, ea, b, eb = operands(x, y)
    condition = value_of(condition)
    return Rounded(np.where(condition, a, b), np.where(condition, ea, eb), unit)


def extreme(choose: Any) -> Any:
    """Return np.maximum or np.minimum: as uncertain as the less certain operand."""

    def function(x: Any, y: Any) -> Rounded:
        unit, a, ea, b, eb = operands(x, y)
        bound = 0.0 if is_exact(ea) and is_exact(eb) else np.maximum(ea, eb)
        return Rounded(choose(a, b), bound, unit)

    return function


def alike(function: Any) -> Any:
    """Return a function that does with bounds as with values: moves, or scales exactly, or max."""

    def both(x: Rounded, *args: Any, **options: Any) -> Rounded:
        bound = x.bound if is_exact(x.bound) else function(bound_array(x), *args, **options)
        return Rounded(function(x.value, *args, **options), bound, x.unit)

    return both


def on_values(function: Any) -> Any:
    """Return a function that answers about the values alone."""
    return lambda *inputs: function(*map(value_of, inputs))


QUESTIONS = (np.frexp, np.isfinite, np.isnan, np.any, np.all, np.shape, np.size, np.ndim)
COMPARISONS = (np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal)
FUNCTIONS.update({
    np.maximum: extreme(np.maximum),
    np.minimum: extreme(np.minimum),
    np.min: lambda x: -np.max(-x),
    np.zeros_like: lambda x: exact(np.zeros(x.shape), x.unit),
    np.ones_like: lambda x: exact(np.ones(x.shape), x.unit),
})  # fmt: skip
FUNCTIONS.update({f: alike(f) for f in (np.ldexp, np.broadcast_to, np.roll, np.max)})
FUNCTIONS.update({f: on_values(f) for f in (*QUESTIONS, *COMPARISONS)})
