"""The same questions have the same answers in a child and in this process."""

import numpy as np
import pytest

from minisam.course.apart import Apart
from minisam.course.child import Seeded
from minisam.course.desk import NoAnswer, Submission
from minisam.course.here import Here

WANTED = {"f": "f(x)"}
TEXT = """
import numpy as np
def f(x):
    if x < 0: raise ValueError("below 0")
    if x == 0: return None
    if x > 100: raise NotImplementedError
    return x + 1
def draw(rng): return rng.integers(9)
def items(n): yield from range(n)
def keep(x, *, y): return x * y
def hang(x):
    while True: pass
"""


def here(text):
    scope = {}
    exec(compile(text, "hw.py", "exec"), scope)
    return Here(scope, WANTED, timeout=0.05)


@pytest.fixture(params=["here", "apart"])
def desk(request, guard):
    if request.param == "here":
        yield here(TEXT)
        return
    one = Apart(guard._replace(seconds=1), Submission("hw.py", (TEXT,)), WANTED)
    one.begin("")
    yield one
    one.close()


def test_a_function_is_called(desk):
    assert desk.call("f", 1.5)[0] == 2.5
    assert desk.call("items", 3)[0] == [0, 1, 2]
    assert desk.call("draw", Seeded(4))[0] == np.random.default_rng(4).integers(9)
    value, after = desk.call("keep", np.ones(2), y=3)
    assert value.tolist() == [3, 3]
    assert after[0].tolist() == [1, 1]


@pytest.mark.parametrize(
    ("call", "kind", "text"),
    [
        (("f", -1), "raises", 'f raises ValueError: below 0 \\(line 4: "if x < 0'),
        (("f", 0), "not written yet", "f returns nothing"),
        (("f", 101), "not written yet", "f is not written yet"),
        (("f", 1, 2), "signature", "it is called as f\\(x\\), and yours is f\\(x\\)"),
        (("g",), "no function", "there is no function g"),
    ],
)
def test_what_has_no_answer_is_a_failure(desk, call, kind, text):
    with pytest.raises(NoAnswer, match=text if "line 4" not in text or isinstance(desk, Apart)
                       else "f raises ValueError: below 0") as caught:  # fmt: skip
        desk.call(*call)
    assert caught.value.kind == kind


def test_one_that_hangs_is_not_asked_again(desk):
    for _ in range(2):
        desk.begin("next")
        with pytest.raises(NoAnswer) as caught:
            desk.call("hang", 1)
        assert caught.value.kind == "timed out"


def test_one_that_hangs_costs_no_other_its_answer(desk):
    with pytest.raises(NoAnswer, match="hang"):
        desk.call("hang", 1)
    desk.begin("next")
    assert desk.call("f", 1.0)[0] == 2.0
