"""Find the file in which a result is kept: one per function, settings and code.

A result is found again by the name of its function and by the settings, so that a name must lead
to one function: a lambda, a closure or an object's method shares its name with others that do
something else. A function that was edited has its name still, and another code. The code of
minisam's own functions is not looked at, so that a sweep goes on after an upgrade; the versions
stand in every result.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import platform
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any, NamedTuple

from minisam.same_run import held_by


class Found(NamedTuple):
    """Where the results of a grid are or will be.

    Attributes:
        paths: one file per cell, in order.
        records: the results that are there already, by path.
        changed: number of cells whose results are of another code of the function.
        unknown: number of results that are taken though nobody knows of which code they are: an
            older minisam did not say, and another Python compiles the same source differently.
    """

    paths: list[Path]
    records: dict[Path, dict[str, Any]]
    changed: int
    unknown: int


def find_results(
    function: Callable[..., Any], cells: Sequence[dict[str, Any]], folder: Path
) -> Found:
    """Find the results of a function in a folder, and where those that lack are to go.

    Raises:
        ValueError: if results of the function or of the settings cannot be kept, or one is damaged.
    """
    full_name(function)
    keys = [cell_hash(function, settings) for settings in cells]
    code = code_hash(function)
    kept: dict[str, list[Path]] = {}
    for path in sorted(folder.glob("*.json")):
        kept.setdefault(path.stem.partition("-")[0], []).append(path)
    paths: dict[str, Path] = {}
    records: dict[Path, dict[str, Any]] = {}
    changed = unknown = 0
    for key in dict.fromkeys(keys):
        paths[key] = folder / (f"{key}-{code}.json" if code else f"{key}.json")
        if paths[key] in kept.get(key, []):
            records[paths[key]] = stored(paths[key])
        elif code and key in kept:
            others = {path: stored(path) for path in kept[key]}
            old = [path for path, record in others.items() if _of_unknown_code(path, record)]
            if old:
                paths[key] = old[0]
                records[old[0]] = others[old[0]]
            changed, unknown = changed + (not old), unknown + bool(old)
    return Found([paths[key] for key in keys], records, changed, unknown)


def stored(path: Path) -> dict[str, Any]:
    """Read one result, or raise ValueError naming its file if it is not whole."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(record, dict) or not {"settings", "result"} <= record.keys():
            raise ValueError("it lacks its settings or its result")
    except ValueError as error:
        raise ValueError(
            f"{path} is not a whole result; delete it and call again: {error}"
        ) from None
    return record


def _of_unknown_code(path: Path, record: dict[str, Any]) -> bool:
    """Return whether a result says nothing of the code, or is of another Python."""
    python = record.get("versions", {}).get("python", "")
    ours = platform.python_version_tuple()[:2]
    return "-" not in path.stem or tuple(python.split(".")[:2]) != ours


def cell_hash(function: Callable[..., Any], settings: dict[str, Any]) -> str:
    """Return the name of a cell: a hash of the function's name and the settings, in any order.

    Raises:
        ValueError: if the function's name does not lead to it, or JSON cannot hold the settings.

    Example:
        >>> import math
        >>> cell_hash(math.pow, {"a": 1, "b": 2}) == cell_hash(math.pow, {"b": 2, "a": 1})
        True
    """
    name = full_name(function)
    try:
        text = json.dumps([name, settings], sort_keys=True, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"settings must be what JSON can hold, got {settings!r}: {error}"
        ) from None
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def full_name(function: Callable[..., Any]) -> str:
    """Return the name that leads to a function and to no other.

    Raises:
        ValueError: if there is none, saying what to write instead.

    Example:
        >>> full_name(json.dumps)
        'json.dumps'
    """
    if not hasattr(function, "__qualname__"):
        raise ValueError(f"function must have a name to know its results by, got {function!r}")
    name = f"{function.__module__}.{function.__qualname__}"
    found: Any = sys.modules.get(function.__module__)
    for part in function.__qualname__.split("."):
        found = getattr(found, part, None)
    if found != function:  # a classmethod is another object, but equal, at each look
        raise ValueError(
            f"function must be one that its name leads to, as results are kept by name; {name} "
            f"does not lead to it: define it with def at the top of a module, and pass what it "
            f"holds or belongs to as settings"
        )
    return name


def code_hash(function: Callable[..., Any]) -> str | None:
    """Return a hash of what a function does, of the functions it wraps, and of its defaults.

    It is of the code that runs, which is not that of the file if the file was edited after it was
    imported. Comments and docstrings do not count, nor do the functions that it calls.

    Returns:
        Ten digits; None for what is minisam's own or not written in Python.

    Example:
        >>> code_hash(json.dumps) == code_hash(json.loads), code_hash(len)
        (False, None)
    """
    if function.__module__.partition(".")[0] == "minisam":
        return None
    if not isinstance(function, FunctionType):  # a classmethod, or what lru_cache made
        function = inspect.unwrap(getattr(function, "__func__", function))
    if not isinstance(function, FunctionType):
        return None
    return hashlib.sha256(repr(_told(function)).encode()).hexdigest()[:10]


def _told(part: Any, within: tuple[int, ...] = ()) -> Any:
    """Describe a function, or a value in it, as nested lists of text."""
    if isinstance(part, FunctionType):
        if id(part) in within:
            return "itself"
        code, within = part.__code__, (*within, id(part))
        if part.__doc__ and code.co_consts[:1] == (part.__doc__,):
            code = code.replace(co_consts=(None, *code.co_consts[1:]))
        held = [code, part.__defaults__, part.__kwdefaults__, held_by(part)]
        return [_told(value, within) for value in held]
    if isinstance(part, CodeType):
        constants = _told(part.co_consts, within)
        return [part.co_code.hex(), part.co_names, part.co_varnames, constants]
    if isinstance(part, dict):
        return [[str(key), _told(value, within)] for key, value in part.items()]
    if isinstance(part, tuple | list):
        return [_told(value, within) for value in part]
    if isinstance(part, frozenset):
        return sorted(map(repr, part))  # whose order changes from process to process
    if part is None or isinstance(part, bool | int | float | complex | str | bytes):
        return repr(part)
    return type(part).__qualname__
