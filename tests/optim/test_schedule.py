from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minisam.optim import constant, cosine, piecewise, warmup


@given(steps=st.integers(1, 500), peak=st.floats(0, 10), floor=st.floats(0, 10))
def test_cosine_goes_from_peak_to_floor_and_stays(steps, peak, floor):
    schedule = cosine(peak, steps, floor)
    assert schedule(0) == pytest.approx(peak, rel=1e-15, abs=1e-15)
    assert schedule(steps) == schedule(10 * steps) == pytest.approx(floor, rel=1e-15, abs=1e-14)
    values = [schedule(t) for t in range(steps + 1)]
    slack = 1e-14 * max(peak, floor)
    falling = all(a >= b - slack for a, b in pairwise(values))
    rising = all(a <= b + slack for a, b in pairwise(values))
    assert falling if peak >= floor else rising


def test_piecewise_falls_at_its_milestones():
    assert [piecewise(1.0, [2, 4], 0.5)(t) for t in range(6)] == [1, 1, 0.5, 0.5, 0.25, 0.25]


def test_warmup_reaches_the_start_of_what_follows():
    schedule = warmup(cosine(1.0, 10), 4)
    assert [schedule(t) for t in range(5)] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])
    assert schedule(9) == pytest.approx(cosine(1.0, 10)(5))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: constant(-1), "value must be"),
        (lambda: cosine(-1, 5), "peak must be"),
        (lambda: cosine(1, 0), r"steps must be a number in \[1, inf\), got 0"),
        (lambda: cosine(1, 5, float("nan")), "floor must be"),
        (lambda: piecewise(1, [1], -0.1), "factor must be"),
        (lambda: warmup(1, 0), "steps must be"),
        (lambda: warmup(-1, 2), "schedule must be"),
    ],
)
def test_bad_arguments_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
