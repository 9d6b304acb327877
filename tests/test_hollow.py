"""No test of the tree is one that cannot fail, and what cannot fail is found."""

import ast
from pathlib import Path

import pytest
from hollow import checkers_in, findings

HERE = Path(__file__).parent


@pytest.mark.fault("cannot-fail", "tests")
def test_no_test_of_the_tree_is_hollow():
    trees = {
        path.relative_to(HERE).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted(HERE.rglob("*.py"))
    }
    checkers = checkers_in(trees.values())
    found = [f"{p}:{f.line} {f.why}" for p, tree in trees.items() for f in findings(tree, checkers)]
    assert found == []


TRUE = "asserts what is always true"
CONSTANT = "has a constant condition"
FILLED = "asserts that a collection built here is not empty"
SELF = "compares an expression with itself"
ANY = "expects any error whatever"
METHOD = "asserts a method that is not called"
TEXT = "has a docstring in the middle"
CAUGHT = "catches the failure of its own assertion"
HOLLOW = [
    ("assert True", TRUE),
    ("assert 'nothing failed'", TRUE),
    ("assert f'{x}'", TRUE),
    ("assert (x == 1, 'a tuple')", TRUE),
    ("assert [x]", TRUE),
    ("assert {'a': x}", TRUE),
    ("assert not []", TRUE),
    ("assert x or True", TRUE),
    ("assert 1 and 2", TRUE),
    ("assert (y > 0 for y in x)", TRUE),
    ("assert lambda: x", TRUE),
    ("assert len(x) >= 0", TRUE),
    ("assert 0 <= len(x)", TRUE),
    ("assert x.exists", METHOD),
    ("assert (x == 1).all", METHOD),
    ("if False: assert x", CONSTANT),
    ("y = x if False else 1; assert y", CONSTANT),
    ("y = [1]; assert y", FILLED),
    ("y = []\n    for z in x: y += [z]\n    assert y", FILLED),
    ("y = [f(z) for z in range(3)]; assert y", FILLED),
    ("y = {z: f(z) for z in (1, 2)}; assert y", FILLED),
    ("assert x == x", SELF),
    ("assert x.size <= x.size", SELF),
    ("assert 0 < x < x", SELF),
    ("np.testing.assert_allclose(x, x)", SELF),
    ("with pytest.raises(Exception): f(x)", ANY),
    ("with pytest.raises((ValueError, BaseException)): f(x)", ANY),
    ("with pytest.warns(Warning): f(x)", ANY),
    ("assert x == pytest.approx(2, rel=1.0)", "has room for everything"),
    ("np.testing.assert_allclose(f(x), 2, rtol=10)", "has room for everything"),
    ("assert x\n    'Another test begins.'", TEXT),
    ("for y in x:\n        'text'\n        assert y", TEXT),
    ("return\n    assert x", "has code after a return"),
    ("try: assert x\n    except Exception: pass", CAUGHT),
    ("try: assert x\n    except: pass", CAUGHT),
    ("f(x)", "asserts nothing"),
    ("x.shape", "asserts nothing"),
]
HIDDEN = "is hidden by a later one of its name"
NOT_RUN = [
    ("def test_a(): assert x\ndef test_a(): assert y", HIDDEN),
    ("class TestA:\n  def test_a(self): assert x\n  def test_a(self): assert y", HIDDEN),
    ("@pytest.mark.parametrize('a', [])\ndef test_a(a): assert a", "is parametrized over nothing"),
    ("@pytest.mark.skip(reason='slow')\ndef test_a(): assert x", "is never run"),
    ("@pytest.mark.xfail(reason='odd')\ndef test_a(): assert x", "may fail or not"),
]
SOUND = [
    "assert x",
    "assert x == [1]",
    "assert [*x]",
    "assert f(x) == f(x)",
    "assert len(x) >= 1",
    "assert x.all()",
    "y = [z for z in x if z]; assert y",
    "y = [z for z in x]; assert y",
    "y = [1]; y = f(y); assert y",
    "y = [1]; y, z = f(y); assert y",
    "y = []\n    for y in x: f(y)\n    assert y",
    "with pytest.raises(ValueError): f(x)",
    "with pytest.raises(Exception, match='just so'): f(x)",
    "np.testing.assert_allclose(x, f(x), rtol=1e-6)",
    "if x: return\n    assert f(x)",
    "try: f(x)\n    except Exception: assert x",
    "helper(x)",
    "x()",
    "def inner():\n        'A docstring.'\n        assert x\n    inner()",
    "while True: assert f(x)",
]
HELPERS = ast.parse("def helper(x):\n    deeper(x)\ndef deeper(x):\n    assert x")


def whys(source):
    return {finding.why for finding in findings(ast.parse(source), checkers_in([HELPERS]))}


@pytest.mark.parametrize(("body", "why"), HOLLOW)
def test_a_test_that_cannot_fail_is_found(body, why):
    assert why in whys(f"def test_one(x):\n    '''A docstring.'''\n    {body}")


@pytest.mark.parametrize(("source", "why"), NOT_RUN)
def test_a_test_that_is_not_run_is_found(source, why):
    assert whys(source) == {why}


@pytest.mark.parametrize("body", SOUND)
def test_a_test_that_can_fail_is_left_alone(body):
    assert whys(f"def test_one(x):\n    {body}") == set()


def test_a_line_is_named():
    (finding,) = findings(ast.parse("def test_one(x):\n    f(x)\n    assert x\n    assert True"))
    assert finding.line == 4
