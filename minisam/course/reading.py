"""Read what the text of a submission says, without running it."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any


def no_python(text: str) -> str:
    """Say why a text is no Python; "" if it is.

    Example:
        >>> no_python("x = 1"), no_python("x = (")
        ('', 'line 1 is no Python')
    """
    try:
        ast.parse(text)
    except SyntaxError as error:
        return f"line {error.lineno} is no Python"
    except (ValueError, RecursionError, MemoryError):
        return "it is no Python"
    return ""


def statements(text: str) -> list[ast.stmt]:
    """Return the statements of a text; none if it is no Python."""
    return [] if no_python(text) else ast.parse(text).body


def constants(*texts: str) -> dict[str, Any]:
    r"""Return the constants that texts write down, one after the other.

    What is no literal counts as the text that it is.

    Example:
        >>> constants("GUESS: float = 0.5\nNAMES = ('a', 'b')\nTHIRD = 1 / 3\n")
        {'GUESS': 0.5, 'NAMES': ('a', 'b'), 'THIRD': '1 / 3'}
        >>> constants("A, B = 1, 2\nC = {'x': None, 'y': 3}\n", "C['x'] = True\n")
        {'A': 1, 'B': 2, 'C': {'x': True, 'y': 3}}
    """
    found: dict[str, Any] = {}
    for node in (node for text in texts for node in statements(text)):
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                found |= assigned(target, node.value, found)
    return found


def assigned(target: ast.expr, value: ast.expr, known: Mapping[str, Any]) -> dict[str, Any]:
    """Return the names that an assignment changes, with what they are then."""
    if isinstance(target, ast.Name):
        return {target.id: written_value(value)}
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        pairs = zip(target.elts, value.elts, strict=False)
        return {name: one for pair in pairs for name, one in assigned(*pair, known).items()}
    if isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name):
        name, key = target.value.id, written_value(target.slice)
        before = known.get(name)
        items = before if isinstance(before, dict) else {}
        return {name: {**items, key: written_value(value)}} if isinstance(key, str) else {}
    return {}


def written_value(node: ast.expr) -> Any:
    """Return the value of a literal, or else its text."""
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        pass
    try:
        return ast.unparse(node)
    except RecursionError:
        return "…"


def defined(text: str) -> set[str]:
    r"""Return the names that a text gives to something, outside of every function and class.

    Example:
        >>> sorted(defined("import math as m\ndef f(x):\n    y = 1\nif m:\n    g = h = f\n"))
        ['f', 'g', 'h', 'm']
    """
    found: set[str] = set()
    waiting: list[ast.AST] = list(statements(text))
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.alias):
            found.add((node.asname or node.name).partition(".")[0])
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif not isinstance(node, ast.Lambda):
            waiting += ast.iter_child_nodes(node)
    return found
