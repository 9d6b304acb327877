"""Find an adapter by what a person would write: ``file.py:name`` or ``package.module:name``."""

from __future__ import annotations

import ast
import importlib
import importlib.machinery
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def load(target: str) -> Any:
    """Import the object that ``FILE_OR_MODULE:NAME`` names.

    A file is imported with its own folder on the path, as Python does when it runs it.

    Raises:
        ValueError: saying what of it was not found.

    Example:
        >>> load("minisam.oracle.reference:reference").__name__
        'adapter'
    """
    where, colon, name = target.rpartition(":")
    if not colon or not where or not name:
        raise ValueError(f"target must be FILE_OR_MODULE:NAME, such as sam.py:step, got {target!r}")
    if where.endswith(".py") or Path(where).is_file():
        path = Path(where).resolve()
        if not path.is_file():
            raise ValueError(f"there is no file {where!r}")
        loader = importlib.machinery.SourceFileLoader(path.stem, str(path))  # whatever its suffix
        spec = importlib.util.spec_from_loader(path.stem, loader)
        assert spec is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules.setdefault(path.stem, module)
        sys.path.insert(0, str(path.parent))
        loader.exec_module(module)
    else:
        sys.path.insert(0, "")
        try:
            module = importlib.import_module(where)
        except ModuleNotFoundError as error:
            raise ValueError(f"there is no module {where!r}: {error}") from None
    found: Any = module
    for part in name.split("."):
        if not hasattr(found, part):
            raise ValueError(f"{where!r} has no {name!r}")
        found = getattr(found, part)
    return found


def pairs(arguments: Sequence[str], option: str) -> dict[str, Any]:
    """Read ``NAME=VALUE`` arguments; values are Python literals, or else text.

    Raises:
        ValueError: naming the argument without an equals sign.

    Example:
        >>> pairs(["norm_epsilon=1e-12", "restore=subtract"], "--declare")
        {'norm_epsilon': 1e-12, 'restore': 'subtract'}
    """
    found: dict[str, Any] = {}
    for argument in arguments:
        key, equals, value = argument.partition("=")
        if not equals:
            raise ValueError(f"{option} must be NAME=VALUE, got {argument!r}")
        try:
            found[key] = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            found[key] = value
    return found
