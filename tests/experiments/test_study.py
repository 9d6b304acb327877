import pytest

from minisam.experiments.statistics import Interval
from minisam.experiments.study import VERDICTS, Headline, half_published, weigh


@pytest.mark.parametrize(
    ("low", "high", "train", "expected"),
    [
        (0.1, 5.0, None, "shows"),
        (0.1, 5.0, 90.0, "shows"),
        (0.1, 5.0, 89.9, "under-fitted"),
        (-5.0, -0.1, 89.9, "under-fitted"),
        (-0.1, 5.0, 100.0, "undecided"),
        (-3.0, 0.5, None, "undecided"),
        (-3.0, -0.5, None, "opposite"),
        (-1.0, 1.0, None, "no more than δ"),
        (-1.1, 0.5, None, "undecided"),
        (0.0, 0.0, None, "no more than δ"),
        (float("nan"), float("nan"), None, "undecided"),
    ],
)
def test_verdicts(low, high, train, expected):
    assert weigh(Interval((low + high) / 2, low, high, 3), train=train) == expected
    assert expected in VERDICTS


def test_delta_is_half_of_the_published_share_of_the_errors_here():
    delta = half_published(50.0, accuracy=60.0)
    assert delta == 10.0  # SAM would remove half of 40 points, and half of that matters
    assert weigh(Interval(0.0, -9.0, 9.0, 5), delta) == "no more than δ"
    assert Headline.of(Interval(0.0, -9.0, 9.0, 5), "points", delta=8.0).word == "undecided"
