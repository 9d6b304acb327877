"""Stop at the first number that is not finite, and say where it was."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from minisam.trees import Params


class NonFiniteError(ArithmeticError):
    """A loss or a gradient was NaN or infinite; the message names the step and the tensor."""


def check_finite(loss: Any, grads: Params, where: str) -> None:
    """Raise `NonFiniteError` unless the loss and every gradient are finite.

    Example:
        >>> check_finite(0.5, {"fc.weight": np.array([np.nan])}, "step 3")
        Traceback (most recent call last):
        ...
        minisam.finite.NonFiniteError: step 3: the gradient of 'fc.weight' is not finite
    """
    for name, leaf in grads.items():
        # One pass without a temporary; only when it overflows is every entry looked at.
        if not np.isfinite(np.vdot(leaf, leaf)) and not np.isfinite(leaf).all():
            raise NonFiniteError(f"{where}: the gradient of {name!r} is not finite")
    if not np.isfinite(loss):
        raise NonFiniteError(f"{where}: the loss is {loss}")


def checker(epoch: int, step: int) -> Callable[[Callable], Callable]:
    """Return a wrapper of objectives that checks every result, and says which pass was bad.

    What an objective carries for its optimizer goes along; each of its shards is checked as well.
    """

    def check(objective: Callable) -> Callable:
        passes = iter(("at A", "at B"))

        @wraps(objective)
        def checked(params: Params) -> tuple:
            result = objective(params)
            loss, grads = result[:2]
            where = next(passes, "in a further pass")
            check_finite(loss, grads, f"step {step} (epoch {epoch + 1}), {where}")
            return result

        if hasattr(objective, "shards"):
            vars(checked)["shards"] = [check(shard) for shard in objective.shards]
        return checked

    return check
