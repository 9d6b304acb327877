"""Say what an assignment asks for, and turn answers into points, skill by skill."""

from __future__ import annotations

import ast
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from minisam.course.child import Other
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

    def criteria_of(self, function: str) -> list[str]:
        """Return the names of the criteria that a function shows."""
        return [one.name for one in self.criteria if one.function == function]

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
    name = criterion.name
    try:
        ask()
    except Lost as lost:
        status = PARTLY if lost.points else WRONG
        return Credit(name, lost.points, status, lost.said, lost.question)
    except NoAnswer as failure:
        return failed(criterion, failure)
    return Credit(name, criterion.points, RIGHT)


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


def constants(text: str) -> dict[str, Any]:
    r"""Return the constants that a text writes down, without running it.

    What is no literal counts as the text that it is.

    Example:
        >>> constants("GUESS: float = 0.5\nNAMES = ('a', 'b')\nTHIRD = 1 / 3\n")
        {'GUESS': 0.5, 'NAMES': ('a', 'b'), 'THIRD': '1 / 3'}
    """
    found: dict[str, Any] = {}
    for node in statements(text):
        if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None:
            continue
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        for target in targets:
            if isinstance(target, ast.Name):
                found[target.id] = written_value(node.value)
    return found


def defined(text: str) -> set[str]:
    r"""Return the names that a text gives to something, outside of every function and class.

    Example:
        >>> sorted(defined("import math as m\ndef f(x):\n    y = 1\nif m:\n    g = h = f\n"))
        ['f', 'g', 'h', 'm']
    """
    found: set[str] = set()
    waiting: list[ast.AST] = list(statements(text))
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.alias):
            found.add((node.asname or node.name).partition(".")[0])
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif not isinstance(node, ast.Lambda):
            waiting += ast.iter_child_nodes(node)
    return found


def statements(text: str) -> list[ast.stmt]:
    """Return the statements of a text; none if it is no Python."""
    try:
        return ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []


def written_value(node: ast.expr) -> Any:
    """Return the value of a literal, or else its text."""
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        pass
    try:
        return ast.unparse(node)
    except RecursionError:
        return "…"


def given(criterion: Criterion, values: Sequence[Any], each: int = 1) -> Credit:
    """Give points for answers that are there at all, whatever they say."""
    count = sum(not (value is None or (isinstance(value, str) and not value)) for value in values)
    points = min(criterion.points, each * count)
    status = RIGHT if points == criterion.points else PARTLY if points else WRONG
    said = f"{count} of {len(values)} are there."
    failure = "" if count else NOT_WRITTEN
    question = "" if status == RIGHT else "What do you expect? A wrong guess costs nothing."
    return Credit(criterion.name, points, status, said, question, failure)


def as_number(value: Any, what: str) -> float:
    """Return an answer that is to be one number."""
    if isinstance(value, np.ndarray) and value.size == 1:
        value = value.item()
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | float | np.number):
        raise Lost(f"{what} returns {described(value)}.", "What kind of thing is the answer?")
    try:
        return float(value)
    except OverflowError:
        raise Lost(f"{what} returns a huge number.", "How large may the answer be?") from None


def as_like(value: Any, like: np.ndarray, what: str) -> np.ndarray:
    """Return an answer that is to be an array of the shape and dtype of another."""
    if not isinstance(value, np.ndarray | np.generic):
        raise Lost(f"{what} returns {described(value)}, not an array.", "What is to come back?")
    if value.shape != like.shape:
        raise Lost(f"{what}: {like.shape} went in, {value.shape} came out.", "Which axis went?")
    if value.dtype != like.dtype:
        said = f"{what}: {like.dtype} went in, {value.dtype} came out."
        raise Lost(said, "Which number in your formula is not of the dtype of the weights?")
    return np.asarray(value)


def described(value: Any) -> str:
    """Say what a wrong answer is."""
    if isinstance(value, Other):
        return value.kind
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}"
    return "nothing" if value is None else f"{type(value).__name__}"


def unchanged(after: Sequence[Any], before: Sequence[Any], what: str) -> None:
    """Refuse an answer whose arguments are not what they were."""
    for now, then in zip(after, before, strict=True):
        if not np.array_equal(np.asarray(now), np.asarray(then), equal_nan=True):
            said = f"{what} changes an array that it was given."
            raise Lost(said, "Who else may still hold that array? What makes a new one?")


def near(value: Any, expected: Any, terms: int = 64) -> bool:
    """Return whether two arrays are as near as so many roundings of their dtype leave them."""
    value, expected = np.asarray(value), np.asarray(expected)
    kind = value.dtype if value.dtype.kind == "f" else np.dtype(float)
    size = np.maximum(np.abs(expected), np.max(np.abs(expected), initial=0.0))
    apart = np.abs(value.astype(float) - expected.astype(float))
    return bool(np.all(apart <= terms * float(np.finfo(kind).eps) * size.astype(float)))
