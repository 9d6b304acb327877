"""Import what a person names on the command line: ``file.py:name`` or ``package.module:name``."""

from __future__ import annotations

import ast
import importlib
import importlib.machinery
import importlib.util
import sys
from collections.abc import Sequence
from functools import partial
from typing import Any

from minisam.adapters.protocol import AdapterError
from minisam.files import expanded
from minisam.isolation.child import in_words
from minisam.isolation.limits import Late, within
from minisam.isolation.lines import line_of

IMPORT = 10  # so many times as long as a step may an import take


class NotFound(ValueError):
    """What a target names is not there."""


def load_target(target: str) -> Any:
    """Import the object that ``FILE_OR_MODULE:NAME`` names.

    A file is imported with its own folder on the path, as Python does when it runs it.

    Raises:
        NotFound: saying what of it was not found.

    Example:
        >>> load_target("minisam.adapters.library:library").__name__
        'adapter'
    """
    where, colon, name = target.rpartition(":")
    if not colon or not where or not name:
        raise NotFound(f"target must be FILE_OR_MODULE:NAME, such as sam.py:step, got {target!r}")
    if where.endswith(".py") or expanded(where).is_file():
        path = expanded(where).resolve()
        if not path.is_file():
            raise NotFound(f"there is no file {where!r}")
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
            if error.name is None or not f"{where}.".startswith(f"{error.name}."):
                raise  # it is there, and imports what is not
            raise NotFound(f"there is no module {where!r}: {error}") from None
    found: Any = module
    for part in name.split("."):
        if not hasattr(found, part):
            raise NotFound(f"{where!r} has no {name!r}")
        found = getattr(found, part)
    return found


def imported(target: str, timeout: float) -> Any:
    """Load what a target names, which may do anything while it is imported.

    Args:
        target: ``FILE_OR_MODULE:NAME``.
        timeout: seconds that one step may take; an import may take `IMPORT` times as long.

    Raises:
        AdapterError: if there is no such thing, or its file raises, exits or hangs.
    """
    try:
        return within(IMPORT * timeout, partial(load_target, target), "the import")
    except (NotFound, Late) as error:
        text = str(error)
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
        text = f"the import ended the process with exit code {code}"
    except BaseException as error:
        text = in_words(error) + line_of(error)
    raise AdapterError(text)


def pairs(arguments: Sequence[str], option: str) -> dict[str, Any]:
    """Read ``NAME=VALUE`` arguments; values are Python literals, or else text.

    Raises:
        ValueError: naming the argument that has no equals sign, or whose name was given before.

    Example:
        >>> pairs(["norm_epsilon=1e-12", "restore=subtract"], "--declare")
        {'norm_epsilon': 1e-12, 'restore': 'subtract'}
    """
    found: dict[str, Any] = {}
    for argument in arguments:
        key, equals, value = argument.partition("=")
        if not equals:
            raise ValueError(f"{option} must be NAME=VALUE, got {argument!r}")
        if key in found:
            raise ValueError(f"{option} gives {key!r} twice")
        try:
            found[key] = ast.literal_eval(value)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            found[key] = value
    return found
