"""What students are asked is a question, and gives no line of a solution away."""

import ast
import re
from pathlib import Path

import pytest

from minisam.course import assignments
from minisam.course.assignments import NAMES, assignment
from minisam.course.texts import solution_lines, source_of

HOME = Path(assignments.__file__).parent


def questions():
    """Every text of the assignments that ends as a question."""
    found = []
    for path in (*HOME.glob("a?.py"), HOME.parent / "rubric.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and str(node.value).endswith("?"):
                found.append(node.value)
    return found


def asked(path):
    """The questions of every `Lost` and `Credit` that a module makes."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "Lost" and len(node.args) > 1:
            yield node.args[1]


def test_there_are_many():
    assert len(questions()) > 50


@pytest.mark.parametrize("path", sorted(HOME.glob("a?.py")), ids=lambda path: path.stem)
def test_who_loses_points_is_asked_something(path):
    for node in asked(path):
        texts = [one.value for one in ast.walk(node) if isinstance(one, ast.Constant)
                 and isinstance(one.value, str)]  # fmt: skip
        names = [one for one in ast.walk(node) if isinstance(one, ast.Name)]
        assert all(text.endswith("?") for text in texts) or names, ast.unparse(node)


@pytest.mark.parametrize("name", NAMES)
def test_no_question_is_the_solution(name):
    secret = solution_lines(source_of(assignment(name), {}))
    for question in questions():
        assert not any(line in question for line in secret)
        assert not re.search(r"np\.|grad_fn|\breturn\b|\[|==|\*\*", question), question
