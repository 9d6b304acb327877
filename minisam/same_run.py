"""Tell whether a checkpoint is of this run: describe a run in JSON, and compare two."""

from __future__ import annotations

import zlib
from contextlib import suppress
from functools import partial
from types import FunctionType
from typing import Any

import numpy as np

import minisam
from minisam.files import jsonable
from minisam.optim import Optimizer
from minisam.trees import Params

MADE = "made"  # the setting that says what a run was made of
NOT_SET = "not set"


def fingerprint(arrays: Params) -> str:
    """Return a short checksum of arrays, by which a run knows its data and its start again.

    Example:
        >>> fingerprint({"w": np.zeros(2)}) == fingerprint({"w": np.array([0.0, 1.0])})
        False
    """
    checksum = 0
    for name, leaf in arrays.items():
        leaf = np.ascontiguousarray(leaf)
        checksum = zlib.crc32(f"{name}{leaf.dtype}{leaf.shape}".encode(), checksum)
        checksum = zlib.crc32(leaf.reshape(-1).view(np.uint8).data, checksum)
    return f"{checksum:08x}"


def run_settings(
    settings: dict[str, Any],
    numbers: dict[str, int],
    images: np.ndarray,
    labels: np.ndarray,
    params: Params,
    **parts: Any,
) -> dict[str, Any]:
    """Return all that makes a training run the run that it is, as JSON gives it back.

    Args:
        settings: the caller's own.
        numbers: ``epochs``, ``batch_size``, ``seed``.
        images: that it is trained on.
        labels: theirs.
        params: where it starts.
        **parts: the functions and options that it is made of.

    Raises:
        ValueError: if JSON cannot hold the settings.
    """
    try:
        settings = jsonable(dict(settings), "settings", finite=False)
    except TypeError as error:
        raise ValueError(str(error)) from None
    shapes = {name: f"{leaf.dtype} {leaf.shape}" for name, leaf in params.items()}
    made = {name: describe(part) for name, part in parts.items()}
    return {
        **settings,
        **jsonable(numbers),
        "data": fingerprint({"images": images, "labels": labels}),
        "start": fingerprint(params),
        MADE: {"minisam": minisam.__version__, "parameters": shapes, **made},
    }


def describe(part: Any, within: tuple[int, ...] = ()) -> Any:
    """Say in JSON what a function was made with: its name, and the values that it holds.

    An optimizer, a schedule or a loss with options is a function that holds numbers and further
    functions. What is neither (an array, an object) is told by its type alone.

    Args:
        part: a function, a `functools.partial`, an `Optimizer`, or a value that one of them holds.
        within: ids of the functions that hold it, for one may hold itself.

    Returns:
        A number, a text or None as it is; else {"function": name, what it holds by name}.

    Example:
        >>> from minisam.optim import cosine, sgd
        >>> made = describe(sgd(cosine(0.1, steps=300), momentum=0.9))
        >>> made["function"], made["update"]["momentum"]
        ('optim.sgd.sgd.step', 0.9)
        >>> made["update"]["learning_rate"]["value"]["steps"]
        300
    """
    if part is None or isinstance(part, bool | int | float | str | np.generic):
        return jsonable(part, "a hyper-parameter", finite=False)
    if isinstance(part, Optimizer):
        return describe(part.step, within)
    if isinstance(part, tuple):
        return [describe(item, within) for item in part]
    if isinstance(part, partial):
        made, held = describe(part.func, within), dict(part.keywords)
        if part.args:
            held["arguments"] = part.args
    else:
        named = part if hasattr(part, "__qualname__") else type(part)
        name = f"{named.__module__}.{named.__qualname__}".replace(".<locals>", "")
        made, held = {"function": name.removeprefix("minisam.")}, {}
        if isinstance(part, FunctionType) and id(part) not in within:
            within, held = (*within, id(part)), held_by(part)
    return {**made, **{key: describe(value, within) for key, value in held.items()}}


def held_by(function: FunctionType) -> dict[str, Any]:
    """Return the values that a function took along from the function in which it was defined.

    Example:
        >>> from minisam.optim import cosine
        >>> held_by(cosine(0.1, steps=300))
        {'floor': 0.0, 'span': 0.1, 'steps': 300}
    """
    held = {}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        with suppress(ValueError):  # the name has no value yet
            held[name] = cell.cell_contents
    return held


def differences(was: Any, now: Any, place: str = "") -> list[tuple[str, Any, Any]]:
    """Return (place, what it was, what it is) for everything in which two JSON values differ.

    NaN is NaN here, for a setting that is NaN is the same one the next time.

    Example:
        >>> differences({"lr": 0.1, "model": {"hidden": [8]}}, {"lr": 0.1, "model": {}})
        [('model.hidden', [8], 'not set')]
    """
    if isinstance(was, dict) and isinstance(now, dict) and _named(was) == _named(now):
        return [
            difference
            for key in {**was, **now}
            for difference in differences(
                was.get(key, NOT_SET), now.get(key, NOT_SET), f"{place}.{key}".lstrip(".")
            )
        ]
    if isinstance(was, list) and isinstance(now, list) and len(was) == len(now):
        same = not any(differences(a, b) for a, b in zip(was, now, strict=True))
    else:
        same = was == now or (was != was and now != now)
    return [] if same else [(place, _named(was) or was, _named(now) or now)]


def _named(value: Any) -> str | None:
    """Return the name in a description of a function; two functions differ in all they hold."""
    return value.get("function") if isinstance(value, dict) else None


def check_same_run(stored: dict[str, Any], asked: dict[str, Any], path: Any) -> None:
    """Raise ValueError naming every setting in which a run differs from a checkpoint's.

    The number of epochs may differ: a longer run may go on from a shorter one. What the run was
    made of is compared only where the same version of minisam made both, for another version may
    hold the same values under other names.

    Example:
        >>> check_same_run({"seed": 0}, {"seed": 1}, "run.npz")
        Traceback (most recent call last):
        ...
        ValueError: checkpoint run.npz is of another run: seed was 0, now 1
    """
    if stored.get(MADE, {}).get("minisam") != asked.get(MADE, {}).get("minisam"):
        stored, asked = ({k: v for k, v in one.items() if k != MADE} for one in (stored, asked))
    listed = [
        f"{place.removeprefix(f'{MADE}.')} was {was!r}, now {now!r}"
        for place, was, now in differences(stored, asked)
        if place != "epochs"
    ]
    if listed:
        more = [f"and {len(listed) - 5} more"] if len(listed) > 5 else []
        told = "; ".join([*listed[:5], *more])
        raise ValueError(f"checkpoint {path} is of another run: {told}")
