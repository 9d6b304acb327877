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
    plain_python,
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
    assert code_cells(json.dumps({"cells": cells})) == ["None\nNone\nx = 1", ""]


WORK = "def f(a, b):\n    return (a\n            % b\n            != 0)"


@pytest.mark.fault("file-read", "minisam course grade")
@pytest.mark.parametrize("cell", [
    "{}", "%%time\n{}", "\n\n%%capture out --no-stderr\n{}", "%%time\n%%prun -q\n{}",
    "{}\nf?", "??f\n{}", "%matplotlib inline\n{}", "names = !ls\n{}", "{}\n%time x = f(4, 2)",
    "if True:\n    !ls\n    %timeit 1\n{}", "{}\n!python -c 'it\"s'", "{}\n%cd /tmp # (",
])  # fmt: skip
def test_what_only_a_notebook_understands_costs_none_of_the_work_beside_it(cell):
    names = {}
    whole = cell.format(WORK)
    text = plain_python(whole)
    assert text.count("\n") == whole.count("\n")  # an error names the right line
    exec(text, names)
    assert names["f"](5, 2) is True
    assert names["f"](4, 2) is False


@pytest.mark.parametrize("cell", ["%%writefile hw2.py\nx = 1", "%%bash\nls", "%%html\n<b>"])
def test_a_cell_of_another_language_is_nothing(cell):
    assert plain_python(cell) == ""


def test_a_cell_of_python_stays_as_it_is():
    cell = 'text = """\n%time x\n!ls\nwhat?\n"""\nleft = (7\n%time\n)'
    assert plain_python(cell) == cell


@pytest.mark.parametrize("text", ["x = 1\0", "-" * 10**5 + "1"], ids=["no text", "too deep"])
def test_a_cell_that_no_python_could_read_is_told_when_it_is_run(text):
    assert plain_python(f"{text}\n%time x") == f"{text}\nx"


def test_cell_magics_without_an_end_are_no_notebook():
    cells = [{"cell_type": "code", "source": "%%time\n" * 10**5}]
    with pytest.raises(ValueError, match="it is no notebook"):
        code_cells(json.dumps({"cells": cells}))
