"""A4, Learning lies: wrong labels, what a network remembers of them, and what a difference says."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minisam.course.answers import as_number, described, near, unchanged
from minisam.course.child import Seeded
from minisam.course.desk import Caller, Desk
from minisam.course.rubric import Assignment, Criterion, Judged, Lost, Task, ask_each

CRITERIA = (
    Criterion("flip_rate", 2, "`flip`: as many labels are wrong as the rate says", function="flip"),
    Criterion("flip_others", 2, "`flip`: to each of the other classes alike, by the generator that "
              "is given", function="flip"),
    Criterion("flip_pair", 2, "`flip_pair`: to the next class only", function="flip_pair"),
    Criterion("memorized", 3, "`memorized`: the share of the wrong labels that was learned",
              function="memorized"),
    Criterion("paired_interval", 3, "`paired_interval`: of the mean difference, seed by seed",
              function="paired_interval"),
    Criterion("report", 8, "the report", by_staff=True),
)  # fmt: skip
MANY = 4000  # labels
UNLIKELY = 1e-9  # how seldom a right answer may look wrong


def unlikely(count: int, of: int, rate: float) -> bool:
    """Return whether a count is too far from its rate, by Chernoff's bound for a binomial one.

    The probability of a count at least as far out is at most exp(−n KL(count/n ‖ rate)).

    Example:
        >>> unlikely(420, 1000, 0.4), unlikely(550, 1000, 0.4), unlikely(0, 10, 0.0)
        (False, True, False)
    """
    share, distance = count / of, 0.0
    for part, due in ((share, rate), (1 - share, 1 - rate)):
        if part > 0:
            distance += part * math.log(part / due) if due > 0 else math.inf
    return of * distance > math.log(2 / UNLIKELY)


def new_labels(
    call: Caller, name: str, labels: np.ndarray, rate: float, classes: int, seed: int
) -> np.ndarray:
    """Ask for labels, some of them wrong."""
    value, _ = call(name, labels.copy(), rate, classes, Seeded(seed))
    if not isinstance(value, np.ndarray) or value.shape != labels.shape:
        raise Lost(f"{name} returns {described(value)}.", "How many labels went in?")
    if value.dtype.kind not in "iu":
        raise Lost(
            f"{name} returns labels of type {value.dtype}.", "What kind of number is a class?"
        )
    if value.size and not 0 <= int(value.min()) <= int(value.max()) < classes:
        said = f"{name} returns labels from {value.min()} to {value.max()}, of {classes} classes."
        raise Lost(said, "Which class comes after the last one?")
    return value


def leaves_labels(call: Caller, name: str, labels: np.ndarray, seed: int) -> None:
    """Ask that the labels that are given stay as they are."""
    _, after = call(name, labels.copy(), 0.5, int(labels.max()) + 1, Seeded(seed))
    unchanged(after[:1], (labels,), name)


def drawn_labels(rng: np.random.Generator, classes: int) -> np.ndarray:
    """Draw right labels."""
    return rng.integers(classes, size=MANY)


def flip_rate(call: Caller, rng: np.random.Generator) -> None:
    """Ask for a share of wrong labels, of which none is right by chance."""
    for rate, classes in ((0.0, 10), (1.0, 10), (0.4, 10), (0.2, 3), (0.5, 2)):
        labels = drawn_labels(rng, classes)
        new = new_labels(call, "flip", labels, rate, classes, int(rng.integers(2**31)))
        wrong = int(np.sum(new != labels))
        said = f"At rate {rate:g} of {classes} classes, {wrong / MANY:.3f} of the labels are wrong."
        if unlikely(wrong, MANY, rate):
            inclusive = not unlikely(wrong, MANY, rate * (1 - 1 / classes))
            anew = "Of the labels that you drew anew, how many came out as they were?"
            raise Lost(said, anew if inclusive else "How often is each label drawn for?")


def flip_others(call: Caller, rng: np.random.Generator) -> None:
    """Ask whether the other classes come alike, and from the given generator alone."""
    labels, seed = drawn_labels(rng, 5), int(rng.integers(2**31))
    leaves_labels(call, "flip", labels, seed)
    once = new_labels(call, "flip", labels, 0.5, 5, seed)
    again = new_labels(call, "flip", labels, 0.5, 5, seed)
    if not np.array_equal(once, again):
        raise Lost("The same generator twice, and two results.", "Who else is throwing dice?")
    if np.array_equal(once, new_labels(call, "flip", labels, 0.5, 5, seed + 1)):
        raise Lost("Two generators, and the same result.", "Which dice are thrown?")
    shift = (once - labels)[once != labels] % 5
    counts = np.bincount(shift, minlength=5)[1:]
    if any(unlikely(int(count), len(shift), 1 / 4) for count in counts):
        shares = ", ".join(f"{count / max(1, len(shift)):.2f}" for count in counts)
        said = f"The classes that are 1, 2, 3 and 4 farther on come with shares {shares}."
        raise Lost(said, "Which class is drawn from which others?")


def flip_pair(call: Caller, rng: np.random.Generator) -> None:
    """Ask for a share of labels that become the next class, the last one the first."""
    for rate, classes in ((0.4, 10), (1.0, 3), (0.0, 4)):
        labels, seed = drawn_labels(rng, classes), int(rng.integers(2**31))
        leaves_labels(call, "flip_pair", labels, seed)
        new = new_labels(call, "flip_pair", labels, rate, classes, seed)
        shift = (new - labels) % classes
        if not set(np.unique(shift)) <= {0, 1}:
            raise Lost(
                "Some labels become another class than the next.", "What follows on class c?"
            )
        wrong = int(np.sum(shift == 1))
        if unlikely(wrong, MANY, rate):
            raise Lost(f"At rate {rate:g}, {wrong / MANY:.3f} of the labels are wrong.",
                       "How often is each label drawn for?")  # fmt: skip


def memorized(call: Caller, rng: np.random.Generator) -> None:
    """Ask for the share of wrong labels that a network gives back."""
    for rate in (0.3, 0.8, 0.0):
        clean = rng.integers(4, size=60)
        noisy = np.where(rng.random(60) < rate, (clean + rng.integers(1, 4, size=60)) % 4, clean)
        pick, other = rng.random(60), rng.integers(4, size=60)
        predicted = np.where(pick < 0.4, noisy, np.where(pick < 0.8, clean, other))
        share = as_number(call("memorized", predicted, noisy, clean)[0], "memorized")
        wrong = noisy != clean
        due = float(np.mean(predicted[wrong] == noisy[wrong])) if wrong.any() else 0.0
        if near(share, due):
            continue
        if not wrong.any():
            raise Lost(f"With no wrong label it returns {share:g}.", "The share of what is it?", 2)
        said = f"Of {int(wrong.sum())} wrong labels among 60 it returns {share:.3f}."
        if near(share, float(np.mean(predicted == noisy))):
            raise Lost(said, "Which of the labels count, if what is right is no lie?")
        if near(share, float(np.mean(wrong & (predicted == noisy)))):
            raise Lost(said, "The share of how many is it?")
        if near(share, float(np.mean(predicted[wrong] != clean[wrong]))):
            raise Lost(said, "Is every mistake on a wrong label a memory of it?")
        raise Lost(said, "For one wrong label: when is it remembered?")


def paired_interval(call: Caller, rng: np.random.Generator) -> None:
    """Ask for mean ± t s/√n of the differences."""
    for n, t in ((5, 2.776), (3, 4.303), (10, 2.262)):
        base = rng.normal(80, 5, size=n)
        a, b = base + rng.normal(1, 0.5, size=n), base + rng.normal(0, 0.5, size=n)
        value, _ = call("paired_interval", a, b, t)
        low, high = as_pair(value)
        d = a - b
        due, middle = float(t * np.std(d, ddof=1) / np.sqrt(n)), float(np.mean(d))
        half = (high - low) / 2
        said = f"Of {n} pairs it returns ({low:.4g}, {high:.4g})."
        if not near((low + high) / 2, middle, 1 << 20):
            raise Lost(said, "What is in the middle of the interval?")
        if near(half, due, 1 << 20):
            continue
        if near(-half, due, 1 << 20):
            raise Lost(said, "Which of the two ends comes first?", 2)
        if near(half, float(t * np.std(d) / np.sqrt(n)), 1 << 20):
            raise Lost(said, "How many of n differences from their own mean are free?", 1)
        if half > 2 * due:
            raise Lost(said, "What do two runs with the same seed share, and does it matter here?")
        raise Lost(said, "By what does a mean of n scatter less than one of them?")


def as_pair(value: Any) -> tuple[float, float]:
    """Return an answer that is to be two numbers."""
    several = isinstance(value, tuple | list) or getattr(value, "ndim", 0) > 0
    items = list(value) if several else []
    if len(items) != 2:
        raise Lost(f"paired_interval returns {described(value)}.", "How many ends has an interval?")
    return as_number(items[0], "paired_interval"), as_number(items[1], "paired_interval")


QUESTIONS = {
    one.__name__: one for one in (flip_rate, flip_others, flip_pair, memorized, paired_interval)
}


def judge(desk: Desk, task: Task) -> Judged:
    """Judge a submission of A4; the report is read by a person."""
    return Judged(ask_each(QUESTIONS, CRITERIA, desk, task))


ASSIGNMENT = Assignment(
    "a4",
    "Learning lies",
    {
        "flip": "flip(labels, rate, classes, rng)",
        "flip_pair": "flip_pair(labels, rate, classes, rng)",
        "memorized": "memorized(predicted, noisy, clean)",
        "paired_interval": "paired_interval(a, b, t)",
    },
    CRITERIA,
    judge,
)
