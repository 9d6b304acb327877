"""Say what is always true of an expression, whatever the code under test does."""

from __future__ import annotations

import ast

DISPLAYS = (ast.List, ast.Tuple, ast.Set, ast.Dict)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp)
NEVER_FALSE = (ast.Lambda, ast.GeneratorExp, ast.JoinedStr)


def truth(node: ast.expr) -> bool | None:
    """Whether an expression is always true or always false; None if it depends."""
    if isinstance(node, ast.Constant):
        return bool(node.value)
    if isinstance(node, DISPLAYS):
        return None if has_stars(node) else not is_empty(node)
    if isinstance(node, NEVER_FALSE):
        return True
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        inner = truth(node.operand)
        return None if inner is None else not inner
    if isinstance(node, ast.BoolOp):
        decisive = isinstance(node.op, ast.Or)
        values = [truth(value) for value in node.values]
        if decisive in values:
            return decisive
        return None if None in values else not decisive
    return True if isinstance(node, ast.Compare) and is_count_not_negative(node) else None


def is_count_not_negative(node: ast.Compare) -> bool:
    """Whether a comparison says len(x) ≥ 0, or 0 ≤ len(x)."""
    if len(node.ops) != 1 or not isinstance(node.ops[0], ast.GtE | ast.LtE):
        return False
    sides = [node.left, node.comparators[0]]
    count, zero = sides if isinstance(node.ops[0], ast.GtE) else reversed(sides)
    is_count = isinstance(count, ast.Call) and called(count) == "len"
    return is_count and isinstance(zero, ast.Constant) and zero.value == 0


def is_filled(node: ast.expr) -> bool:
    """Whether an expression is a collection whose size the code under test has no say in."""
    if not isinstance(node, COMPREHENSIONS):
        return isinstance(node, DISPLAYS)
    first = node.generators[0].iter
    ours = truth(first) is True or (isinstance(first, ast.Call) and called(first) == "range")
    return ours and not any(part.ifs for part in node.generators)


def same(a: ast.expr, b: ast.expr) -> bool:
    """Whether two expressions are one, and no call in them may give another result each time."""
    has_call = any(isinstance(node, ast.Call) for node in ast.walk(a))
    return not has_call and ast.dump(a) == ast.dump(b)


def parts(display: ast.expr) -> list:
    """The entries of a display."""
    return display.keys if isinstance(display, ast.Dict) else display.elts


def is_empty(node: ast.expr) -> bool:
    """Whether an expression is a display with nothing in it."""
    return isinstance(node, DISPLAYS) and not parts(node)


def has_stars(display: ast.expr) -> bool:
    """Whether a display takes in another collection, which may be empty."""
    return any(part is None or isinstance(part, ast.Starred) for part in parts(display))


def called(node: ast.Call) -> str:
    """The last part of a called function's name."""
    function = node.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
