"""Textual mutants of `minisam.optim`, held against the oracle that is made of it.

Tools such as mutmut change a library in place. Here that would prove nothing: the oracle's
reference is the library's own optimizers, and a mutant would be judged by itself. So the optimizers
are copied to a package of another name, one term of the copy is deleted, swapped or negated, and
the copy is checked as any stranger's implementation would be: by the exact vectors, the probes and
the properties.

    python tests/oracle/textual_mutants.py [FILE ...]    prints every mutant and what killed it
"""

from __future__ import annotations

import ast
import contextlib
import copy
import importlib
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

import minisam
from minisam.adapters.protocol import Unsupported
from minisam.isolation.limits import Late, within
from minisam.oracle.judge import judge
from minisam.oracle.probes import PROBES
from minisam.oracle.watch import watch
from minisam.specification import PROPERTIES
from minisam.vectors import load_vectors, replay

HOME = Path(minisam.__file__).parent
FILES = (
    "trees.py",
    *(
        f"optim/{name}.py"
        for name in (
            "sgd", "sam", "perturbation", "asam", "l2", "exact_sam", "gsam", "wsam",
            "looksam", "friendly_sam", "m_sam",
        )
    ),
)  # fmt: skip
SWAPS = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.Pow: ast.Mult,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.GtE,
    ast.LtE: ast.Gt,
    ast.Gt: ast.LtE,
    ast.GtE: ast.Lt,
    ast.And: ast.Or,
    ast.Or: ast.And,
}
# A vector operation with a term left out: add_scaled(x, c, y) becomes x, scale(c, x) becomes x.
DELETED = {"add": 0, "subtract": 0, "add_scaled": 0, "multiply": 1, "scale": 1}
# Refusing bad arguments, reporting and typing are the unit tests' business, not the oracle's.
IGNORED = ("check_", "as_schedule", "Step", "partial", "Literal", "NamedTuple", "evaluate")


class Mutation(NamedTuple):
    """One changed text."""

    file: str
    line: int
    change: str
    source: str


def variants(node: ast.AST) -> Iterator[tuple[ast.AST, str]]:
    """The nodes that may take a node's place."""
    if isinstance(node, ast.BinOp):
        if type(node.op) in SWAPS:
            yield ast.BinOp(node.left, SWAPS[type(node.op)](), node.right), "swap the operator"
        yield node.left, "delete the right term"
        yield node.right, "delete the left term"
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.Not):
        yield node.operand, "delete the negation"
    elif isinstance(node, ast.Compare) and type(node.ops[0]) in SWAPS:
        ops = [SWAPS[type(node.ops[0])](), *node.ops[1:]]
        yield ast.Compare(node.left, ops, node.comparators), "swap the comparison"
    elif isinstance(node, ast.BoolOp):
        yield ast.BoolOp(SWAPS[type(node.op)](), node.values), "swap and/or"
        for index in range(len(node.values)):
            yield node.values[index], f"keep condition {index + 1} only"
    elif isinstance(node, ast.IfExp):
        yield node.body, "always the first branch"
        yield node.orelse, "always the second branch"
    elif isinstance(node, ast.Constant) and type(node.value) in (int, float):
        yield ast.Constant(node.value + 1), f"{node.value} becomes {node.value + 1}"
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        if node.func.id in DELETED and len(node.args) > DELETED[node.func.id]:
            yield node.args[DELETED[node.func.id]], f"delete {node.func.id}"
        if node.func.id in ("add", "add_scaled"):
            negated = ast.UnaryOp(ast.USub(), ast.Constant(1))
            yield (
                ast.Call(
                    ast.Name("add_scaled", ast.Load()),
                    [node.args[0], negated, node.args[-1]],
                    [],
                ),
                f"negate in {node.func.id}",
            )


class Replace(ast.NodeTransformer):
    """Put another node in the place of one."""

    def __init__(self, target: ast.AST, other: ast.AST):
        self.target, self.other = target, other

    def visit(self, node: ast.AST) -> ast.AST:
        return self.other if node is self.target else self.generic_visit(node)


def nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """The nodes worth changing: what computes, not what refuses, documents or types."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.arg | ast.AnnAssign | ast.Import | ast.ImportFrom | ast.Raise):
            continue
        if isinstance(node, ast.FunctionDef) and node.name.startswith("check_"):
            continue
        if isinstance(node, ast.If) and any(isinstance(child, ast.Raise) for child in node.body):
            continue
        if isinstance(node, ast.Call) and getattr(node.func, "id", "").startswith(IGNORED):
            continue
        if isinstance(node, ast.arguments) or (
            isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        ):
            continue
        yield node
        yield from nodes(node)


def mutations(file: str) -> Iterator[Mutation]:
    """Every textual mutant of a file."""
    text = (HOME / file).read_text(encoding="utf-8")
    tree = ast.parse(text)
    for index, node in enumerate(nodes(tree)):
        for number, (_, change) in enumerate(variants(node)):
            changed = copy.deepcopy(tree)
            target = next(n for i, n in enumerate(nodes(changed)) if i == index)
            other = list(variants(target))[number][0]
            Replace(target, other).visit(changed)
            line = getattr(node, "lineno", 0)
            source = ast.unparse(ast.fix_missing_locations(changed))
            shown = f"{change}: {ast.unparse(node)}"
            yield Mutation(file, line, shown, source)


@contextlib.contextmanager
def stranger(mutation: Mutation | None) -> Iterator[object]:
    """The adapter of a copy of the optimizers, with a mutation."""
    folder = Path(tempfile.mkdtemp())
    home = folder / "stranger"
    try:
        (home / "optim").mkdir(parents=True)
        (home / "__init__.py").write_text("")
        sources = ["trees.py", *(f"optim/{path.name}" for path in (HOME / "optim").glob("*.py"))]
        for source in sources:
            text = (HOME / source).read_text(encoding="utf-8")
            if mutation is not None and source == mutation.file:
                text = mutation.source
            (home / source).write_text(renamed(text), encoding="utf-8")
        adapter = renamed((HOME / "adapters/library.py").read_text(encoding="utf-8"))
        (home / "library.py").write_text(adapter, encoding="utf-8")
        sys.path.insert(0, str(folder))
        importlib.invalidate_caches()
        yield importlib.import_module("stranger.library").library
    finally:
        sys.path[:] = [path for path in sys.path if path != str(folder)]
        for name in [name for name in sys.modules if name.split(".")[0] == "stranger"]:
            del sys.modules[name]
        shutil.rmtree(folder)


def renamed(text: str) -> str:
    """The text of a module that lives in another package."""
    return text.replace("minisam.optim", "stranger.optim").replace(
        "minisam.trees", "stranger.trees"
    )


def killer(mutation: Mutation | None, trials: int = 3) -> str:
    """What kills a mutant: "crash", a vector, a probe or a property; "" if it survives."""

    def hold() -> str:
        with np.errstate(all="ignore"), stranger(mutation) as adapter:
            return rejected(adapter, trials)

    try:
        return within(60, hold, "the mutant")
    except Late:
        return "hangs"
    except Exception as error:
        return f"crash {type(error).__name__}"


def rejected(adapter: object, trials: int) -> str:
    """The first vector, probe or property that an adapter fails."""
    for vector in load_vectors():
        for dtype in ("float64", "float32"):
            if replay(adapter, vector, dtype).passed is False:
                return f"vector {vector['slug']}"
    for dtype in ("float64", "float32"):
        for probe in PROBES.values():
            trace = watch(adapter, probe, dtype)
            if trace.fault is not None or (not trace.skipped and not judge(trace).agrees):
                return f"probe {probe.slug}"
    for slug, statement in PROPERTIES.items():
        try:
            if not statement.try_on(adapter, trials).holds:
                return f"property {slug}"
        except Unsupported:
            continue
    return ""


def main(files: list[str]) -> int:
    """Print every mutant and its killer, and the score."""
    killed = total = 0
    for file in files or FILES:
        for mutation in mutations(file):
            by = killer(mutation)
            total += 1
            killed += bool(by)
            where = f"{mutation.file}:{mutation.line}"
            print(
                f"{'killed' if by else 'SURVIVES':8} {where} {mutation.change} [{by}]", flush=True
            )
    print(f"{killed} of {total} killed")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
