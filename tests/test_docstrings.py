"""Docstrings have one form: an imperative sentence, and sections of the same few names."""

import ast
import importlib
import inspect
import re
from pathlib import Path

import pytest

import minisam

HOME = Path(minisam.__file__).parent
SECTIONS = {"Args", "Returns", "Raises", "Attributes", "Example", "Source"}
VERBS = """
add answer append apply ask average begin bring build call carry catch change check choose climb
close collect compare compute convert copy count crop cut declare define descend describe diagnose
do download draw end enter estimate evaluate export fetch find fit fold follow generate give go
grade grow guess hand hold import judge keep lay leave let list load look lower make map maximize
measure minimize mix move multiply name normalize note observe open paint parametrize parse pass
pickle pre-train print prune put raise reach read record refuse register replace report require
reset resume return rise round run save say scale search send set share show solve sort split stand
start stay step stop store take tell train try tune turn undo unpack update use view wait walk weigh
write yield
"""


def functions(tree):
    """Yield every public function and method that is not read like an attribute."""
    public = [node for node in tree.body if not getattr(node, "name", "_").startswith("_")]
    for node in public:
        for one in node.body if isinstance(node, ast.ClassDef) else [node]:
            named = isinstance(one, ast.FunctionDef) and not one.name.startswith("_")
            if named and not any("property" in ast.unparse(d) for d in one.decorator_list):
                yield one


def findings(source):
    """Return what is wrong with the docstrings of a module, each with its function's name."""
    tree, found = ast.parse(source), []
    for node in functions(tree):
        first = re.match(r"[\w’'-]*", ast.get_docstring(node) or "")[0]
        if first.lower() not in VERBS.split() or not first[:1].isupper():
            found.append(f"{node.name} begins with {first!r}, which is no verb of the list")
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Module):
            names = re.findall(
                r"^([A-Z]\w*(?: [A-Z]\w*)?):$", ast.get_docstring(node) or "", flags=re.M
            )
            odd = sorted(set(names) - SECTIONS)
            found += [f"{getattr(node, 'name', 'the module')} has a section {name}" for name in odd]
    return found


@pytest.mark.parametrize(
    "path", sorted(HOME.rglob("*.py")), ids=lambda path: path.relative_to(HOME).as_posix()
)
def test_docstrings_have_the_form(path):
    assert findings(path.read_text(encoding="utf-8")) == []


PUBLIC = [
    (room, name)
    for room in minisam._ROOMS
    for name in getattr(importlib.import_module(f"minisam.{room}"), "__all__", ())
]


@pytest.mark.parametrize(("room", "name"), PUBLIC)
def test_a_public_function_shows_an_example(room, name):
    value = getattr(importlib.import_module(f"minisam.{room}"), name)
    documentation = inspect.getdoc(value) or ""
    if inspect.isfunction(value):
        assert re.search(r"^Example:\n +(>>> |.*::$)", documentation, flags=re.M)
    if inspect.isclass(value):
        assert documentation


@pytest.mark.fault("cannot-fail", "tests")
@pytest.mark.parametrize(
    ("docstring", "found"),
    [
        ("Return x.", None),
        ("Crop, then flip: twice.", None),
        ("Return x.\n\n    Args:\n        x: a number.\n\n    Source:\n        A book.", None),
        ("The sum.", "f begins with 'The', which is no verb of the list"),
        ("Returns x.", "f begins with 'Returns', which is no verb of the list"),
        ("return x.", "f begins with 'return', which is no verb of the list"),
        ("What x is.", "f begins with 'What', which is no verb of the list"),
        ("‖x‖².", "f begins with '', which is no verb of the list"),
        ("", "f begins with '', which is no verb of the list"),
        ("Return x.\n\n    Reference:\n        A book.", "f has a section Reference"),
    ],
)
def test_another_form_is_found(docstring, found):
    source = f'def f(x):\n    """{docstring}"""\n'
    assert findings(source) == ([] if found is None else [found])
    method = f"class C:\n    def f(self):\n        '''{docstring}'''\n"
    assert findings(method) == findings(source)
    assert findings(f"class C:\n    @property\n    def x(self):\n        '''{docstring}'''\n") == (
        [] if found is None or "begins" in found else ["x has a section Reference"]
    )
