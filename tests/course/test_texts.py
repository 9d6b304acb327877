import ast
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minisam.course.assignments import NAMES, assignment
from minisam.course.texts import (
    BEGIN,
    END,
    code_cells,
    module,
    notebook,
    reference,
    solution_lines,
    source_of,
    stripped,
    stripped_cells,
    stub,
    with_solutions,
)

every = pytest.mark.parametrize("name", NAMES)


@every
def test_no_line_of_the_solution_is_in_what_students_get(name):
    found = assignment(name)
    source = source_of(found, {})
    secret = solution_lines(source)
    assert secret
    cells = stripped_cells(source)
    cells_text = "\n".join("".join(one["source"]) for one in json.loads(notebook(cells))["cells"])
    for text in (stub(found, {}), module(cells, ""), cells_text):
        lines = {line.strip() for line in text.splitlines()}
        assert not secret & lines
        assert BEGIN not in text
        assert "{" + "rubric}" not in text


@every
def test_every_line_of_the_solution_is_in_the_reference(name):
    found = assignment(name)
    text = reference(found, {})
    assert solution_lines(source_of(found, {})) <= {line.strip() for line in text.splitlines()}


@every
def test_stub_reference_and_notebook_are_python(name):
    found = assignment(name)
    for text in (stub(found, {}), reference(found, {})):
        names = {node.name for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)}
        assert set(found.functions) <= names
    for cell in code_cells(notebook(stripped_cells(source_of(found, {})))):
        ast.parse(cell)


@pytest.mark.parametrize("text", [BEGIN, END, f"{BEGIN}\n{BEGIN}\n{END}", f"{END}\n{BEGIN}"])
def test_a_mark_without_its_other_half_is_refused(text):
    with pytest.raises(ValueError, match="the source has"):
        stripped(text)


@given(st.lists(st.sampled_from(["x = 1", "    y = 2", f"    {BEGIN}\n    z = 3\n    {END}"])))
def test_what_is_stripped_and_what_is_solved_differ_in_the_solution_only(parts):
    text = "\n".join(parts)
    assert "z = 3" not in stripped(text)
    assert with_solutions(text).count("z = 3") == sum(BEGIN in one for one in parts)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"cells": 3}', '{"cells": [1]}', "[" * 10**5,
                                  '{"cells": [{"cell_type": "code"}]}'])  # fmt: skip
def test_what_is_no_notebook_is_refused(text):
    with pytest.raises(ValueError, match="it is no notebook"):
        code_cells(text)


def test_magics_and_shell_commands_are_no_python():
    cells = [{"cell_type": "code", "source": ["%matplotlib inline\n", "!ls\n", "x = 1"]},
             {"cell_type": "code", "source": "%%bash\nls"},
             {"cell_type": "markdown", "source": "text"}]  # fmt: skip
    assert code_cells(json.dumps({"cells": cells})) == ["\n\nx = 1", ""]
