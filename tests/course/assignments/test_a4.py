"""What the wrong answers to A4 lose, and what they are told."""

import numpy as np
import pytest

from minisam.course.assignments.a4 import ASSIGNMENT, UNLIKELY, unlikely
from minisam.course.here import Here
from minisam.course.rubric import Task
from minisam.course.texts import reference

SCOPE = {}
exec(reference(ASSIGNMENT, {}), SCOPE)


def judged(seed=4, **replaced):
    desk = Here({**SCOPE, **replaced}, ASSIGNMENT.functions)
    return {one.name: one for one in ASSIGNMENT.judge(desk, Task(seed)).credits}


def inclusive(labels, rate, classes, rng):
    wrong = rng.random(labels.shape) < rate
    return np.where(wrong, rng.integers(classes, size=labels.shape), labels)


def with_global(labels, rate, classes, rng):
    return SCOPE["flip"](labels, rate, classes, np.random.default_rng())


def with_fixed(labels, rate, classes, rng):
    return SCOPE["flip"](labels, rate, classes, np.random.default_rng(0))


def in_place(labels, rate, classes, rng):
    labels[:] = SCOPE["flip"](labels, rate, classes, rng)
    return labels


def in_place_pair(labels, rate, classes, rng):
    labels[:] = SCOPE["flip_pair"](labels, rate, classes, rng)
    return labels


def exact(labels, rate, classes, rng):
    new = labels.copy()
    chosen = rng.permutation(len(labels))[: round(rate * len(labels))]
    new[chosen] = (labels[chosen] + rng.integers(1, classes, size=len(chosen))) % classes
    return new


def to_next(labels, rate, classes, rng):
    return SCOPE["flip_pair"](labels, rate, classes, rng)


BOTH = {"flip_rate", "flip_others"}
WRONG = [
    ("flip", inclusive, {"flip_rate"}, "of the labels are wrong"),
    ("flip", with_global, {"flip_others"}, "two results"),
    ("flip", with_fixed, {"flip_others"}, "the same result"),
    ("flip", in_place, {"flip_others"}, "changes an array"),
    ("flip_pair", in_place_pair, {"flip_pair"}, "changes an array"),
    ("flip", to_next, {"flip_others"}, "shares 1.00"),
    ("flip", lambda labels, rate, classes, rng: labels.astype(float), BOTH, "of type float64"),
    ("flip", lambda labels, rate, classes, rng: labels + classes, BOTH, "returns labels from"),
    ("flip_pair", inclusive, {"flip_pair"}, "another class than the next"),
    ("flip_pair", lambda labels, rate, classes, rng: labels, {"flip_pair"}, "0.000 of the labels"),
    ("memorized", lambda p, n, c: np.mean(p == n), {"memorized"}, "it returns"),
    ("memorized", lambda p, n, c: np.mean((n != c) & (p == n)), {"memorized"}, "it returns"),
    ("memorized", lambda p, n, c: 0.5, {"memorized"}, "it returns"),
    ("paired_interval", lambda a, b, t: np.mean(a - b), {"paired_interval"}, "an array|returns"),
    ("paired_interval", lambda a, b, t: (0.0, 1.0), {"paired_interval"}, "pairs it returns"),
]


@pytest.mark.parametrize(("name", "function", "loses", "told"), WRONG)
def test_a_wrong_answer_loses_its_own_points(name, function, loses, told):
    found = judged(**{name: function})
    assert {one.name for one in found.values() if one.status in ("wrong", "partly")} == loses
    said = " ".join(found[one].said for one in loses)
    assert any(word in said for word in told.split("|"))


def of_the_population(a, b, t):
    d = a - b
    half = t * np.std(d) / np.sqrt(len(d))
    return np.mean(d) - half, np.mean(d) + half


def unpaired(a, b, t):
    half = t * np.sqrt((np.var(a, ddof=1) + np.var(b, ddof=1)) / len(a))
    return np.mean(a - b) - half, np.mean(a - b) + half


def without_t(a, b, t):
    d = a - b
    half = np.std(d, ddof=1) / np.sqrt(len(d))
    return np.mean(d) - half, np.mean(d) + half


def downwards(a, b, t):
    return SCOPE["paired_interval"](a, b, t)[::-1]


@pytest.mark.parametrize(("function", "points", "asks"), [
    (downwards, 2, "comes first"),
    (of_the_population, 1, "are free"),
    (unpaired, 0, "the same seed"),
    (without_t, 0, "a mean of n scatter"),
])  # fmt: skip
def test_a_wrong_width_is_told_apart(function, points, asks):
    found = judged(paired_interval=function)["paired_interval"]
    assert found.points == points
    assert asks in found.question


def test_who_forgets_that_there_may_be_no_wrong_label_knows_the_rest():
    def memorized(predicted, noisy, clean):
        wrong = noisy != clean
        return np.sum(predicted[wrong] == noisy[wrong]) / (np.sum(wrong) or np.nan)

    found = judged(memorized=memorized)["memorized"]
    assert (found.points, found.said) == (2, "With no wrong label it returns nan.")


def too_few(labels, rate, classes, rng):
    return SCOPE["flip"](labels, rate / 2, classes, rng)


@pytest.mark.parametrize(("flip", "asks"), [(inclusive, "drew anew"), (too_few, "How often")])
def test_a_wrong_rate_is_told_apart(flip, asks):
    assert asks in judged(flip=flip)["flip_rate"].question


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("flip", [SCOPE["flip"], exact])
def test_a_right_flip_is_right_with_any_numbers(flip, seed):
    assert sum(one.points for one in judged(seed, flip=flip).values()) == 12


@pytest.mark.parametrize("rate", [1e-3, 0.2, 0.5, 0.97])
@pytest.mark.parametrize("of", [3, 50, 4000])
def test_what_is_likely_is_not_called_unlikely(of, rate):
    counts = np.random.default_rng(5).binomial(of, rate, size=300)
    assert not any(unlikely(int(count), of, rate) for count in counts)
    assert 300 * UNLIKELY < 1e-6  # so seldom would a right bound fail here


@pytest.mark.parametrize(("count", "rate"), [(1, 0.0), (99, 1.0), (80, 0.4), (0, 0.5)])
def test_what_is_unlikely_is_seen(count, rate):
    assert unlikely(count, 100, rate)


def test_the_report_is_for_the_staff():
    assert judged()["report"].status == "for the staff"
