"""What a text writes down is read, and nothing of it is run."""

import pytest

from minisam.course.reading import constants, defined, no_python

NONE = ["def f(:", "\0", "x" * 10 + "(" * 500, "[" * 10_000]


@pytest.mark.parametrize("text", NONE)
def test_of_a_text_that_is_no_python_there_is_nothing(text):
    assert no_python(text).endswith("is no Python")
    assert constants(text) == {}
    assert defined(text) == set()


@pytest.mark.parametrize("text", ["A = 1 / 0", "A = f()", "A = B = [x]", "A: int = -x"])
def test_what_is_no_literal_is_never_run(text):
    assert isinstance(constants(text)["A"], str)


@pytest.mark.parametrize(("texts", "due"), [
    (("A, B = 1, [2]",), {"A": 1, "B": [2]}),
    (("A, *B = 1, 2",), {"A": 1}),
    (("A, B = f()",), {}),
    (("A = B = 1",), {"A": 1, "B": 1}),
    (("A = {'x': None, 'y': 0}", "A['x'] = True"), {"A": {"x": True, "y": 0}}),
    (("A = {k: None for k in 'xy'}\nA['x'] = True",), {"A": {"x": True}}),
    (("A[f()] = 1\nA[0] = 1\na.b = 2",), {"A": {"f()": 1}}),
    (("A = 1", "A ="), {"A": 1}),
])  # fmt: skip
def test_what_is_written_into_a_name_is_read(texts, due):
    read = constants(*texts)
    assert read == due
