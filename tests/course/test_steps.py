"""A step is watched whatever it returns."""

import numpy as np
import pytest

from minisam.course.assignments.a2 import looks
from minisam.course.child import Other
from minisam.course.steps import watched


class Fixed:
    """A desk at which every call has one answer."""

    def __init__(self, value):
        self.value = value

    def call(self, name, *args, **named):
        return self.value, list(args)


@pytest.mark.parametrize("value", [
    Other("an array of 2 entries of type complex128"),
    [Other("an array of 2 entries of type complex128")],
    (np.ones(2), Other("an array of 2 entries of type complex128")),
])  # fmt: skip
def test_what_cannot_come_through_the_pipe_is_named(value):
    seen = watched(Fixed(value), "step", looks()[0].probe, "float64", 1, lambda hp: ((), {}))
    assert seen.failure is not None
    assert str(seen.failure) == ("the new weights must be a list of arrays, and one is an array of "
                                 "2 entries of type complex128.")  # fmt: skip
