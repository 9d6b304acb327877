"""Each room can be read alone.

Imports point downward, no room is too large, and no name means two things. What is named twice is
printed by ``python tests/test_architecture.py``.
"""

from __future__ import annotations

import ast
from collections import Counter
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import pytest

PACKAGE = Path(__file__).parent.parent / "minisam"
# From the ground up: a room may import from those before it, never from those behind it.
ROOMS = (
    "blas", "threads", "trees", "checks", "rounding", "files", "progress", "isolation",
    "optim", "landscapes", "nn", "sharpness", "data", "same_run", "checkpoint", "plots", "lesson",
    "pictures", "train", "sweeps", "adapters", "variants", "specification", "vectors", "anatomy",
    "oracle", "experiments", "course", "cli", "__main__",
)  # fmt: skip
# What judges implementations knows optimizers and landscapes, but no network and no data.
JUDGING = ("adapters", "variants", "specification", "vectors", "anatomy", "oracle")
NETWORKS = ("nn", "sharpness", "data", "checkpoint", "plots", "train")
OPTIM_KNOWS = ("trees", "checks")
LARGEST = 0.16  # of the package


class Import(NamedTuple):
    """One import: of what, in which line, in a function or not, for types only or not."""

    target: str
    line: int
    deferred: bool
    for_types: bool


def modules(package=PACKAGE):
    """Return {dotted name: path} of every module."""
    found = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(text, known):
    """Return every import of a module's text; ``known`` tells modules from what is in them."""
    found = []

    def visit(node, deferred, for_types):
        for child in ast.iter_child_nodes(node):
            inside = deferred or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            types = for_types or (
                isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
            )
            if isinstance(child, ast.Import):
                found.extend(Import(a.name, child.lineno, inside, types) for a in child.names)
            elif isinstance(child, ast.ImportFrom):
                for alias in child.names:
                    full = f"{child.module}.{alias.name}"
                    target = full if full in known else child.module or ""
                    found.append(Import(target, child.lineno, inside, types))
            visit(child, inside, types)

    visit(ast.parse(text), False, False)
    return found


def room(name):
    """Return the room that a module is in; "" for the package itself."""
    return name.split(".")[1] if "." in name else ""


def edges():
    """Yield (importer, imported, line) between the modules of the package, types left out."""
    known = modules()
    for name, path in known.items():
        for one in imports(path.read_text(encoding="utf-8"), known):
            if one.target.startswith("minisam.") and not one.for_types:
                yield name, one.target, one.line


def upward(found, rooms=ROOMS):
    """Return the imports that point to a room behind one's own."""
    return [
        f"{name}:{line} imports {target}"
        for name, target, line in found
        if room(name) and rooms.index(room(target)) > rooms.index(room(name))
    ]


def test_every_room_has_its_place():
    assert {room(name) for name in modules()} - {""} <= set(ROOMS)


def test_no_import_points_upward():
    assert upward(edges()) == []


def test_an_import_that_points_upward_would_be_seen():
    assert upward([("minisam.optim.sam", "minisam.nn.layers", 3)])


def test_judging_knows_no_network_and_no_data():
    found = [e for e in edges() if room(e[0]) in JUDGING and room(e[1]) in NETWORKS]
    assert found == []


def test_optimizers_know_dicts_of_arrays_and_nothing_else():
    found = {room(target) for name, target, _ in edges() if room(name) == "optim"}
    assert found <= {"optim", *OPTIM_KNOWS}


def circles(pairs):
    """Return the modules that import each other, by way of others or not, in groups."""
    after = {}
    for name, target in pairs:
        after.setdefault(name, set()).add(target)

    def reach(start):
        seen, todo = set(), [start]
        while todo:
            for target in after.get(todo.pop(), ()):
                if target not in seen:
                    seen.add(target)
                    todo.append(target)
        return seen

    reached = {name: reach(name) for name in after}
    return [
        (a, b) for a, b in combinations(sorted(after), 2) if b in reached[a] and a in reached[b]
    ]


def test_no_two_modules_import_each_other():
    packages = {name for name, path in modules().items() if path.name == "__init__.py"}
    pairs = [(a, b) for a, b, _ in edges() if a not in packages and b not in packages]
    assert circles(pairs) == []


def test_a_circle_would_be_seen():
    assert circles([("a", "b"), ("b", "c"), ("c", "a")]) == [("a", "b"), ("a", "c"), ("b", "c")]


def test_no_room_is_too_large():
    lines = Counter()
    for name, path in modules().items():
        lines[room(name)] += len(path.read_text(encoding="utf-8").splitlines())
    total = sum(lines.values())
    assert {name: count for name, count in lines.items() if count > LARGEST * total} == {}


def unexplained(text, known, name="module"):
    """Return the imports inside functions that no comment, beside or above them, explains."""
    lines = text.splitlines()
    found = []
    for one in imports(text, known):
        near = lines[max(0, one.line - 3) : one.line]
        if one.deferred and not any("#" in line for line in near):
            found.append(f"{name}:{one.line} {one.target}")
    return found


def test_every_import_inside_a_function_has_its_reason():
    known = modules()
    texts = {name: path.read_text(encoding="utf-8") for name, path in known.items()}
    assert [one for name, text in texts.items() for one in unexplained(text, known, name)] == []


@pytest.mark.parametrize(("text", "count"), [
    ("def f():\n    import json\n", 1),
    ("def f():\n    import json  # only where it is needed\n", 0),
    ("import json\n", 0),
])  # fmt: skip
def test_an_import_without_a_reason_would_be_seen(text, count):
    assert len(unexplained(text, {})) == count


# What is named twice all the same, because it is the same part of a form that several files have,
# or the same operation on other things.
FORMS = {
    "a subcommand": ({"configure", "run"}, "minisam.cli."),
    "a claim": ({"run", "table", "headline", "verdict", "forest", "draw"}, "minisam.experiments."),
    "a picture": ({"compute", "paint"}, "minisam.pictures."),
    "an assignment": ({"judge", "fill"}, "minisam.course.assignments."),
}
SAME_OPERATION = {
    "check": "of an implementation by all that is known, and of a student's by skill",
    "add": "of trees, and of numbers that carry their errors",
    "inner": "of trees, and of numbers that carry their errors",
    "multiply": "of trees, and of numbers that carry their errors",
    "norm": "of trees, and of numbers that carry their errors",
    "batch_norm": "the layer, with its parameters by name, and its kernel",
    "convolution": "the layer, with its parameters by name, and its kernel",
    "layer_norm": "the layer, with its parameters by name, and its kernel",
    "hessian_product": "of any loss, and of a quadratic, which has it in closed form",
}


def defined_twice(texts):
    """Return {name: modules} of the public functions and classes that several modules define."""
    homes = {}
    for module, text in texts.items():
        for node in ast.parse(text).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
                homes.setdefault(node.name, []).append(module)
    for names, room in FORMS.values():
        for name in names & homes.keys():
            homes[name] = [module for module in homes[name] if not module.startswith(room)]
    return {name: found for name, found in homes.items() if len(found) > 1}


def test_no_name_is_defined_twice():
    texts = {name: path.read_text(encoding="utf-8") for name, path in modules().items()}
    assert defined_twice(texts).keys() - SAME_OPERATION.keys() == set()
    assert SAME_OPERATION.keys() <= defined_twice(texts).keys()  # each excuse is needed


def test_a_name_that_is_defined_twice_would_be_seen():
    text = "def run():\n    pass\n"
    assert defined_twice({"a": text, "b": text}) == {"run": ["a", "b"]}
    assert defined_twice({"a": text, "minisam.cli.b": text, "minisam.cli.c": text}) == {}


if __name__ == "__main__":
    for name, found in sorted(
        defined_twice({n: p.read_text(encoding="utf-8") for n, p in modules().items()}).items()
    ):
        print(name, *found)
