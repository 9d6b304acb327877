"""Find what looks like a test and cannot fail, by reading the tests' syntax.

`findings` reads one file. It knows forms and not meanings: an assertion that holds whatever the
code under test does, a test that asserts nothing, a check that is never reached.
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from always import called, is_empty, is_filled, same, truth

Function = ast.FunctionDef | ast.AsyncFunctionDef
CHECKS = ("assert", "check", "raise_if", "raise_for", "raises", "warns", "fail")
ANY_ERROR = {"Exception", "BaseException", "Warning"}
METHODS = {"all", "any", "exists", "is_file", "is_dir", "startswith", "endswith", "issubset"}


class Finding(NamedTuple):
    """A line that cannot fail, and why."""

    line: int
    why: str


def findings(tree: ast.Module, checkers: frozenset[str] = frozenset()) -> list[Finding]:
    """Find what cannot fail in one file.

    Args:
        tree: the file, parsed.
        checkers: names of functions, of any file, that assert something; see `checkers_in`.
    """
    found = {*hidden(tree.body)}
    for node in ast.walk(tree):
        found |= {Finding(getattr(node, "lineno", 1), why) for why in reasons(node)}
        if isinstance(node, Function):
            found |= set(bare_collections(node))
            if is_test(node) and not checks(node, checkers):
                found.add(Finding(node.lineno, "asserts nothing"))
    return sorted(found)


def reasons(node: ast.AST) -> Iterator[str]:
    """Say why a node, looked at by itself, cannot fail."""
    if isinstance(node, ast.Assert) and truth(node.test):
        yield "asserts what is always true"
    if isinstance(node, ast.Assert) and getattr(node.test, "attr", "") in METHODS:
        yield "asserts a method that is not called"
    if isinstance(node, ast.If | ast.IfExp) and truth(node.test) is not None:
        yield "has a constant condition"
    sides = [node.left, *node.comparators] if isinstance(node, ast.Compare) else []
    if any(same(*pair) for pair in itertools.pairwise(sides)):
        yield "compares an expression with itself"
    if isinstance(node, ast.Try) and swallows(node):
        yield "catches the failure of its own assertion"
    if isinstance(node, ast.Call):
        yield from reasons_of_call(node)
    for body in (getattr(node, field, None) for field in ("body", "orelse", "finalbody")):
        if isinstance(body, list):
            yield from reasons_of_block(
                body, isinstance(node, Function | ast.ClassDef | ast.Module)
            )


def reasons_of_block(body: list[ast.stmt], may_have_docstring: bool) -> Iterator[str]:
    """Say why a part of a block is no check, or not reached."""
    values = [s.value for s in body[may_have_docstring:] if isinstance(s, ast.Expr)]
    if any(isinstance(v, ast.Constant) and isinstance(v.value, str) for v in values):
        yield "has a docstring in the middle"
    if any(isinstance(statement, ast.Return | ast.Raise) for statement in body[:-1]):
        yield "has code after a return"


def reasons_of_call(node: ast.Call) -> Iterator[str]:
    """Say why a call cannot fail."""
    name, given = called(node), {k.arg: k.value for k in node.keywords}
    if name.startswith("assert") and len(node.args) >= 2 and same(*node.args[:2]):
        yield "compares an expression with itself"
    kinds = names_in(node.args[0]) if name in ("raises", "warns") and node.args else set()
    if kinds & ANY_ERROR and not {"match", "check"} & set(given):
        yield "expects any error whatever"
    room = [given[key] for key in ("rtol", "rel") if key in given]
    if any(isinstance(value, ast.Constant) and value.value >= 1 for value in room):
        yield "has room for everything"
    if name == "parametrize" and len(node.args) > 1 and is_empty(node.args[1]):
        yield "is parametrized over nothing"
    if ast.unparse(node.func) == "pytest.mark.skip":
        yield "is never run"
    if ast.unparse(node.func) == "pytest.mark.xfail" and "strict" not in given:
        yield "may fail or not"


def swallows(node: ast.Try) -> bool:
    """Whether an assertion's own error is caught, and nothing said of it."""
    if not any(isinstance(inner, ast.Assert) for part in node.body for inner in ast.walk(part)):
        return False
    return any(
        (handler.type is None or names_in(handler.type) & {"AssertionError", *ANY_ERROR})
        and not any(isinstance(inner, ast.Raise | ast.Assert) for inner in ast.walk(handler))
        for handler in node.handlers
    )


def bare_collections(function: Function) -> Iterator[Finding]:
    """Find assertions on the name of a collection that was filled just above, whatever came in."""
    nodes = list(ast.walk(function))
    bound: dict[str, list[ast.expr]] = {}
    for node in nodes:
        for target in node.targets if isinstance(node, ast.Assign) else ():
            bound.setdefault(ast.unparse(target), []).append(node.value)
    added = [node.target for node in nodes if isinstance(node, ast.AugAssign)]
    stores = [n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
    for node in nodes:
        if isinstance(node, ast.Assert) and isinstance(node.test, ast.Name):
            name, values = node.test.id, bound.get(node.test.id, [])
            known = len(values) + sum(ast.unparse(target) == name for target in added)
            if values and stores.count(name) == known and all(map(is_filled, values)):
                yield Finding(node.lineno, "asserts that a collection built here is not empty")


def hidden(body: Iterable[ast.stmt]) -> Iterator[Finding]:
    """Find tests that a later definition of the same name hides."""
    seen: dict[str, int] = {}
    for statement in body:
        if isinstance(statement, ast.ClassDef):
            yield from hidden(statement.body)
        if isinstance(statement, Function | ast.ClassDef) and is_test(statement):
            if statement.name in seen:
                yield Finding(seen[statement.name], "is hidden by a later one of its name")
            seen[statement.name] = statement.lineno


def checkers_in(trees: Iterable[ast.Module]) -> frozenset[str]:
    """Return the names of the functions that assert something, themselves or through another."""
    functions = [node for tree in trees for node in ast.walk(tree) if isinstance(node, Function)]
    known: frozenset[str] = frozenset()
    while more := {f.name for f in functions if f.name not in known and checks(f, known)}:
        known |= more
    return known


def checks(function: Function, checkers: frozenset[str]) -> bool:
    """Whether a function asserts something; an argument that it only calls does so for it."""
    given = {argument.arg for argument in function.args.args}
    nodes = list(ast.walk(function))
    calls = [called(node) for node in nodes if isinstance(node, ast.Call)]
    statements = [node.value for node in nodes if isinstance(node, ast.Expr)]
    return (
        any(isinstance(node, ast.Assert) for node in nodes)
        or any(name.startswith(CHECKS) or name in checkers for name in calls)
        or any(isinstance(v, ast.Call) and called(v) in given for v in statements)
    )


def is_test(node: Function | ast.ClassDef) -> bool:
    """Whether pytest collects a function or a class of this name."""
    return node.name.startswith(("test_", "Test"))


def names_in(node: ast.expr) -> set[str]:
    """The plain names in an expression."""
    return {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}
