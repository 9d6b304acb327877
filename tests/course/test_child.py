"""What the grader and the child say to each other, whatever either of them is given."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from minisam.course.child import (
    DEEPEST,
    Absent,
    Other,
    Peer,
    PeerError,
    Runner,
    Seeded,
    Told,
    error_report,
    limit,
)


def peer(*lines):
    """A peer that reads these messages, and the list of what it writes."""
    left, written = list(lines), []
    return Peer(lambda: left.pop(0), written.append), written


def through(value):
    """What arrives of a value."""
    one, _ = peer()
    return one.decode(json.loads(json.dumps(one.encode(value))))


ARRAYS = hnp.arrays(
    st.sampled_from([np.float64, np.float32, np.int64, np.bool_]),
    hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=3),
)


@given(ARRAYS)
def test_arrays_arrive_bit_for_bit(array):
    got = through(array)
    assert (got.shape, got.dtype) == (array.shape, array.dtype)
    np.testing.assert_array_equal(got, array)


@given(st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.tuples(inner, inner)
    | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
))  # fmt: skip
def test_values_arrive_as_they_were(value):
    assert through(value) == value


def test_numbers_that_are_none_arrive_too():
    assert math.isnan(through(math.nan))
    assert through([math.inf, -math.inf]) == [math.inf, -math.inf]


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ({1, 2}, "set"),
        (int, "type"),
        (10**400, "a huge integer"),
        (np.array(["a"]), "an array of 1 entries of type <U1"),
    ],
)
def test_what_cannot_be_sent_arrives_as_what_it_was(value, kind):
    got = through(value)
    assert isinstance(got, Other)
    assert got.kind == kind


def test_an_iterator_arrives_as_a_list_and_a_seed_as_its_generator():
    assert through(x for x in "ab") == ["a", "b"]
    assert through(Seeded(5)).random() == np.random.default_rng(5).random()


def test_a_lent_function_is_answered_meanwhile():
    question = json.dumps({"ask": 1, "args": [2.0], "named": {"dict": []}})
    answer = json.dumps({"value": 7, "after": [None]})
    one, written = peer(question.encode(), answer.encode())
    value, after = one.ask("f", lambda x: x + 1)
    assert (value, after) == (7, [None])
    assert json.loads(written[1]) == {"value": 3.0, "after": [2.0]}
    assert one.functions == {}  # lent for that question only


def test_what_the_other_side_raises_is_told():
    one, _ = peer(json.dumps({"raised": "ValueError", "text": "no"}).encode())
    with pytest.raises(Told, match="ValueError: no"):
        one.ask("f")


DEEP = "[" * (DEEPEST + 2) + "]" * (DEEPEST + 2)


@pytest.mark.parametrize(
    "line",
    [
        "no JSON",
        "[1, 2]",
        "{}",
        '{"value": 1}',
        '{"value": 1, "after": 3}',
        '{"ask": 9, "args": []}',
        '{"ask": [1], "args": []}',
        '{"unsupported": "mine does not do this"}',
        '{"value": {"array": [1, 2], "shape": [3], "dtype": "float64"}, "after": []}',
        '{"value": {"array": ["a"], "shape": [1], "dtype": "object"}, "after": []}',
        '{"value": {"array": [[1]], "shape": [1, 1], "dtype": "float64"}, "after": []}',
        '{"value": {"array": [1], "shape": [1e400], "dtype": "float64"}, "after": []}',
        '{"value": {"dict": [1]}, "after": []}',
        '{"value": {"odd": 1}, "after": []}',
        f'{{"value": {DEEP}, "after": []}}',
        "[" * 100_000,
    ],
)
def test_a_reply_that_is_none_is_refused(line):
    one, _ = peer(line.encode())
    with pytest.raises(PeerError):
        one.ask("f")


def run(*parts, whole=True):
    work = Runner("hw.py")
    return work, work.run(list(parts), whole)


def test_a_submission_is_run_and_its_functions_are_called():
    work, about = run("import numpy as np\ndef f(x, *, y=1):\n    return np.add(x, y)\n")
    assert about["functions"] == {"f": "f(x, *, y=1)"}
    assert work.call("f", [np.ones(2)], {"y": 2}).tolist() == [3.0, 3.0]


def test_of_a_notebook_a_cell_that_raises_is_passed_over():
    _, about = run("x = 1 / 0", "def f(): return 1", whole=False)
    assert list(about["functions"]) == ["f"]
    assert about["failed"][0]["raised"] == "ZeroDivisionError"


def test_what_is_imported_and_not_there_is_an_error_where_it_is_used():
    work, about = run(
        "from __future__ import annotations\nimport not_there.deep as a, math\n"
        "from not_there import b\nfrom not_there import *\ndef f():\n    return a.b\n"
        "def g():\n    return b()\ndef h():\n    return math.pi"
    )
    assert work.call("h", [], {}) == math.pi
    for name in "fg":
        with pytest.raises(ModuleNotFoundError, match=r"not_there.*NumPy only"):
            work.call(name, [], {})
    assert len(about["failed"]) == 3
    assert not hasattr(Absent(ImportError("x")), "__len__")


def test_an_exception_is_told_with_the_line_of_the_submission():
    work, _ = run("def f():\n    return 1 / 0")
    with pytest.raises(ZeroDivisionError) as caught:
        work.call("f", [], {})
    report = error_report(caught.value, "hw.py")
    assert (report["raised"], report["line"], report["source"]) == (
        "ZeroDivisionError", 2, "return 1 / 0"
    )  # fmt: skip


def test_what_a_lent_function_raises_is_told_as_what_it_is():
    told = Told({"raised": "ValueError", "text": "more than 100 steps", "source": ""})
    assert error_report(told, "hw.py") == {"raised": "ValueError", "text": "more than 100 steps"}


def test_an_exception_whose_text_raises_is_told_without():
    class Odd(Exception):
        def __str__(self):
            raise KeyError

    assert error_report(Odd(), "hw.py") == {"raised": "Odd", "text": ""}


def test_a_limit_that_is_none_does_not_hold():
    assert not limit("NO_SUCH", 1)


@pytest.mark.fault("input-bomb", "minisam course grade")
@pytest.mark.parametrize("reply", [
    {"raised": "A" * 3_000_000}, {"raised": "E", "text": "B" * 501}, {"raised": "E", "source": 5},
    {"raised": "E", "line": "7"}, {"raised": None}, {"value": {"seed": -1}, "after": []},
])  # fmt: skip
def test_a_reply_that_no_child_gives_is_none(reply):
    one, _ = peer(json.dumps(reply).encode())
    with pytest.raises(PeerError):
        one.ask("f")


class Odd(SyntaxError):
    """An exception whose parts are of the wrong kind."""

    def __init__(self):
        super().__init__("odd", ("hw.py", "one", 1, b"x"))


@pytest.mark.parametrize(
    "raised", [Odd(), ValueError("x" * 10**6), type("E" * 999, (Exception,), {})()]
)
def test_every_error_of_a_submission_can_be_told(raised):
    def fail():
        raise raised

    one, written = peer()
    one.file = "hw.py"
    one.functions["f"] = fail
    one.serve({"ask": "f", "args": [], "named": {"dict": []}})
    back, _ = peer(written[0].encode())
    with pytest.raises(Told):
        back.ask("f")


@pytest.mark.parametrize("value", [[np.ones(200_000)] * 3, ["x" * 9_000_000]])
def test_what_is_too_long_for_a_line_is_an_error_of_its_own(value):
    one, written = peer()
    one.functions["f"] = lambda: [x / 3 if isinstance(x, np.ndarray) else x for x in value]
    one.serve({"ask": "f", "args": [], "named": {"dict": []}})
    assert "cannot be sent at once" in written[0]


def test_a_wide_float_arrives_with_its_dtype():
    got = through(np.array([0.5, 2.0], np.longdouble))
    assert got.dtype == np.longdouble
    assert got.tolist() == [0.5, 2.0]


def test_the_line_of_a_syntax_error_is_said_once():
    with pytest.raises(SyntaxError) as caught:
        compile("x = 1\ndef f(\n", "hw.py", "exec")
    report = error_report(caught.value, "hw.py")
    assert report["line"] == 2
    assert "line" not in report["text"]
