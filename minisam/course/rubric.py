"""Say what an assignment asks for, and turn answers into points, skill by skill."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from minisam.course.desk import NOT_WRITTEN, Caller, Desk, NoAnswer
from minisam.oracle.watch import Trace

RIGHT, PARTLY, WRONG, UNSEEN, STAFF = "right", "partly", "wrong", "not seen", "for the staff"
POINTS = 20  # of every assignment


class Criterion(NamedTuple):
    """One line of a rubric.

    Attributes:
        name: of its column.
        points: the most there is to get.
        what: what earns them, in words for the student.
        by_staff: whether a person gives the points.
        function: that shows it; "" if it is written down.
    """

    name: str
    points: int
    what: str
    by_staff: bool = False
    function: str = ""


class Credit(NamedTuple):
    """What one line of the rubric earned.

    Attributes:
        name: the criterion's.
        points: earned.
        status: "right", "partly", "wrong", "not seen" or "for the staff".
        said: what was seen.
        question: what leads on; never the solution.
        failure: the kind of a `NoAnswer`, if there was one.
    """

    name: str
    points: int
    status: str
    said: str = ""
    question: str = ""
    failure: str = ""

    @property
    def told(self) -> str:
        """Return what was seen and what is asked, in a line."""
        return " ".join(filter(None, (self.said, self.question)))


class Task(NamedTuple):
    """What a judgement starts from.

    Attributes:
        seed: of the numbers that are asked; 0 for the public ones.
        variant: what the cohort's assignment differs in.
        values: the constants that the submission writes down.
    """

    seed: int = 0
    variant: Mapping[str, Any] = MappingProxyType({})
    values: Mapping[str, Any] = MappingProxyType({})

    def draw(self, what: str) -> np.random.Generator:
        """Return the generator of the numbers of one question."""
        return np.random.default_rng([zlib.crc32(what.encode()), self.seed])


class Judged(NamedTuple):
    """What came of a judgement: the credits, what the oracle saw, and a picture of it as SVG."""

    credits: list[Credit]
    traces: tuple[Trace, ...] = ()
    picture: str = ""


class Assignment(NamedTuple):
    """One assignment.

    Attributes:
        name: "a1" to "a5".
        title: in words.
        functions: ``{name: how it is called}``.
        criteria: the rubric, `POINTS` together.
        judge: puts the questions; returns a `Credit` for every criterion, and what it saw.
        variants: the values that a cohort may be given, by name; the first is the default.
        fill: makes, of a variant, what stands for ``# {name}`` in the source.
        patience: how many times the usual time a submission may take.
    """

    name: str
    title: str
    functions: dict[str, str]
    criteria: tuple[Criterion, ...]
    judge: Callable[[Desk, Task], Judged]
    variants: Mapping[str, tuple] = MappingProxyType({})
    fill: Callable[[Mapping[str, Any]], dict[str, str]] = lambda variant: {}
    patience: int = 1

    @property
    def file(self) -> str:
        """Return what the student's file is called, without its ending."""
        return f"hw{self.name[1:]}"

    def criterion(self, name: str) -> Criterion:
        """Return a criterion by its name."""
        return next(one for one in self.criteria if one.name == name)

    @property
    def defaults(self) -> dict[str, Any]:
        """Return the variant of who is given none."""
        return {name: values[0] for name, values in self.variants.items()}

    @property
    def number(self) -> int:
        """Return the assignment's number."""
        return int(self.name[1:])


class Lost(Exception):
    """An answer is wrong: what was seen, a question that leads on, and points all the same."""

    def __init__(self, said: str, question: str = "", points: int = 0) -> None:
        super().__init__(said)
        self.said, self.question, self.points = said, question, points


Question = Callable[[Caller, np.random.Generator], Any]


def credit_of(criterion: Criterion, ask: Callable[[], Any]) -> Credit:
    """Return the credit of a criterion: all of it, unless ``ask`` raises `Lost` or `NoAnswer`."""
    try:
        ask()
    except Lost as lost:
        return earned(criterion, lost.points, lost.said, lost.question)
    except NoAnswer as failure:
        return failed(criterion, failure)
    return Credit(criterion.name, criterion.points, RIGHT)


def failed(criterion: Criterion, failure: NoAnswer) -> Credit:
    """Return the credit of a criterion that got no answer."""
    return Credit(criterion.name, 0, UNSEEN, str(failure), ADVICE.get(failure.kind, ""),
                  failure.kind)  # fmt: skip


ADVICE = {
    "timed out": "Which of your loops does not end?",
    "not importable": "Does your file run by itself, with NumPy and nothing else installed?",
    "signature": "What does the head of the function in the assignment look like?",
    "no function": "Is the function there, under this name, outside of every other?",
    "raises": "What were the arguments when it stopped there?",
    "ended": "What in your code ends the whole process?",
    "forged": "What in your code writes to files that it did not open?",
}


def ask_each(
    questions: Mapping[str, Question], criteria: Iterable[Criterion], desk: Desk, task: Task
) -> list[Credit]:
    """Put the question of every criterion that has one."""
    credits = []
    for criterion in criteria:
        if criterion.name in questions:
            desk.begin(criterion.name)
            ask = questions[criterion.name]
            rng = task.draw(criterion.name)
            credits.append(credit_of(criterion, partial(ask, desk.call, rng)))
        elif criterion.by_staff:
            credits.append(Credit(criterion.name, 0, STAFF, "A person reads this."))
    return credits


def earned(
    criterion: Criterion, points: int, said: str, question: str, failure: str = ""
) -> Credit:
    """Return the credit of so many points; who has them all is asked nothing."""
    status = RIGHT if points == criterion.points else PARTLY if points else WRONG
    asked = "" if status == RIGHT else question
    return Credit(criterion.name, points, status, said, asked, failure)


def given(criterion: Criterion, values: Sequence[Any], each: int = 1) -> Credit:
    """Give points for answers that are there at all, whatever they say."""
    count = sum(not (value is None or (isinstance(value, str) and not value)) for value in values)
    return earned(criterion, min(criterion.points, each * count),
                   f"{count} of {len(values)} are there.",
                   "What do you expect? A wrong guess costs nothing.",
                   "" if count else NOT_WRITTEN)  # fmt: skip
