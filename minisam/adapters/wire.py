"""The messages that a harness, a program in any language, exchanges with the oracle.

A harness reads one message a line and answers with one line. Gradients are scripted, so that it
never has to call back: a ``run`` message carries the answers to the first, the second, … question
(the last one goes for all later questions too), and the reply tells at which points they were put.

    {"type": "start", "method": "sam", "dtype": "float64", "names": [...], "shapes": [...],
     "frozen": [], "params": [[1, 2], [3]], "hyperparameters": {"rho": 0.5, ...}}
    -> {"params": [[1, 2], [3]]}                 a new optimizer; the weights as it has them
    {"type": "run", "lr": 0.1, "rho": 0.5, "gradients": [[[3, 4], [0]], [[1, 1], [2]]]}
    -> {"points": [[[1, 2], [3]], [[1.3, 2.4], [3]]], "params": [[0.9, 1.9], [2.8]]}
    {"type": "stop"}                             no answer; the harness ends

The reply to ``run`` may have ``"unread": ["momentum"]``, hyper-parameters that the implementation
has not looked at until now: what needs them is not held against it. All others count as read.

Instead of these a reply may be ``{"unsupported": "reason"}`` or ``{"error": "text"}``. A tensor is
a flat list in row-major order, a number that is not finite is null, and standard error is free
text. `SCHEMA` has every message.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from minisam.adapters.hyperparameters import HyperParameters
from minisam.adapters.protocol import AdapterError, Arrays, Unsupported, array_type

SCHEMA = Path(__file__).with_name("messages.schema.json")

# Numbers that a harness with a poor JSON library, or single precision, does not hand back.
AWKWARD = {"names": ["weight", "bias"], "shapes": [[3, 1], [1]], "frozen": [], "dtype": "float64",
           "params": [[0.1, -1 / 3, 2.5e-300], [9007199254740991.0]]}  # fmt: skip
AWKWARD_STEP = {"type": "run", "lr": 0.5, "rho": 0.5, "gradients": 2 * [[[1.0, 2.0, 3.0], [4.0]]]}


def flat_lists(arrays: Sequence[Any]) -> list:
    """Return arrays as flat lists; None stays None, and so becomes what is not finite.

    Example:
        >>> flat_lists([np.array([[1.0, np.nan]]), None])
        [[1.0, None], None]
    """
    return [
        None
        if one is None
        else [float(x) if math.isfinite(x) else None for x in np.ravel(np.asarray(one, float))]
        for one in arrays
    ]


def as_arrays(point: list, shapes: Sequence[Any], dtype: str) -> list[Any]:
    """Return flat lists as arrays of these shapes; null in a list is NaN, in its place None.

    Example:
        >>> as_arrays([[1.0, None], None], [(1, 2), (3,)], "bfloat16")
        [array([[ 1., nan]], dtype=float32), None]
    """
    return [
        None if one is None else np.array(one, array_type(dtype)).reshape(shape)
        for one, shape in zip(point, shapes, strict=True)
    ]


def start_message(params: Arrays, hp: HyperParameters) -> dict[str, Any]:
    """Return the message that asks for a new optimizer."""
    aside = {"method", "names", "frozen", "dtype"}
    shown = {key: value for key, value in hp.at(0).items() if key not in aside}
    return {
        "type": "start",
        "method": hp.method,
        "dtype": hp.dtype,
        "names": list(hp.named(params)),
        "shapes": [list(np.shape(one)) for one in params],
        "frozen": list(hp.frozen),
        "params": flat_lists(params),
        "hyperparameters": {key: "inf" if v == math.inf else v for key, v in shown.items()},
    }


def checked_reply(reply: dict[str, Any], start: dict[str, Any], *keys: str) -> dict[str, Any]:
    """Return a reply that has the promised keys and shapes.

    Args:
        reply: what the harness answered.
        start: the message that its optimizer was made from.
        *keys: "params", and "points" after a step.

    Raises:
        Unsupported: if the harness says that it cannot do it.
        AdapterError: for any other reply, and for weights of a new optimizer that have changed.
    """
    if "unsupported" in reply:
        raise Unsupported(str(reply["unsupported"]))
    if "error" in reply:
        raise AdapterError(f"the harness reported an error: {reply['error']}")
    sizes = [math.prod(shape) for shape in start["shapes"]]
    for key in keys:
        if key not in reply:
            raise AdapterError(f"a reply has no {key!r}, only {sorted(reply)}")
        points = reply[key] if key == "points" else [reply[key]]
        if not isinstance(points, list) or not all(_fits(point, sizes) for point in points):
            raise AdapterError(
                f"{key} must hold flat lists of {sizes} numbers or nulls, got {points!r:.200}"
            )
    unread = reply.get("unread", [])
    if not isinstance(unread, list) or not set(map(str, unread)) <= {*start["hyperparameters"]}:
        known = sorted(start["hyperparameters"])
        raise AdapterError(f"unread must be a list of some of {known}, got {unread!r:.200}")
    if keys == ("params",) and reply["params"] != start["params"]:
        raise AdapterError(
            f"the harness does not hand back the numbers that it was given: sent "
            f"{start['params']}, got {reply['params']}"
        )
    return reply


def _fits(point: Any, sizes: list[int]) -> bool:
    """Return whether a value is one flat list of numbers or nulls for each tensor."""
    return (
        isinstance(point, list)
        and all(isinstance(one, list) for one in point)
        and [len(one) for one in point] == sizes
        and all(x is None or type(x) in (int, float) for one in point for x in one)
    )
