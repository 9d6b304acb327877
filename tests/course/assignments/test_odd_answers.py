"""Whatever a function returns, it is judged, and earns nothing by being odd."""

import numpy as np
import pytest

from minisam.course.assignments import NAMES, assignment
from minisam.course.child import Other
from minisam.course.here import Here
from minisam.course.reading import constants
from minisam.course.rubric import Task
from minisam.course.texts import stub

ODD = {
    "text": "x",
    "empty text": "",
    "nan": float("nan"),
    "infinity": float("inf"),
    "huge": 10**400,
    "true": True,
    "complex": 1j,
    "list": [],
    "tuple": (),
    "dict": {},
    "set": {1},
    "nested": [[[]]],
    "pairs": [(1, 2), (3, 4)],
    "ragged": [np.ones(2), "x"],
    "objects": np.array([None, "x"], object),
    "texts": np.array(["a", "b"]),
    "no axes": np.array(3.0),
    "nans": np.full(4, np.nan),
    "no entries": np.empty(0),
    "integers": np.arange(4),
    "two": (np.ones(2), np.ones(2)),
    "two texts": ("a", "b"),
    "function": len,
    "type": int,
    "unsendable": Other("set"),
    "ellipsis": ...,
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ODD)
def test_an_odd_answer_is_judged(kind, name):
    found = assignment(name)
    functions = dict.fromkeys(found.functions, lambda *args, **named: ODD[kind])
    task = Task(3, {key: values[0] for key, values in found.variants.items()})
    judged = found.judge(Here(functions, found.functions), task)
    assert sum(one.points for one in judged.credits) <= (12 if "text" in kind else 0)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ODD)
def test_an_odd_constant_is_judged(kind, name):
    found = assignment(name)
    written = constants(stub(found, {}))
    variant = {key: values[0] for key, values in found.variants.items()}
    judged = found.judge(
        Here({}, found.functions), Task(3, variant, dict.fromkeys(written, ODD[kind]))
    )
    assert all(one.points >= 0 for one in judged.credits)
