"""A5, Be the oracle: a judge of steps, judged by what it finds and by what it leaves alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from minisam.course.answers import described
from minisam.course.assignments.served import NAMED, Served, mutant, right_cases, wrong_cases
from minisam.course.desk import Desk, NoAnswer
from minisam.course.rubric import Assignment, Criterion, Judged, Task, earned, failed

CRITERIA = (
    Criterion("finds", 12, "`judge` finds wrong steps, from half of them to nine in ten, and does "
              "not call half of the right ones wrong", function="judge"),
    Criterion("no_false_alarm", 4, "and calls right ones right, however they are written",
              function="judge"),
    Criterion("names", 4, "and names the mistake, of eight in twelve", function="judge"),
)  # fmt: skip
QUESTIONS = (
    "With how many tensors, of what size, with which zeros and after how many steps did you look?",
    "How far may two right answers be apart, and what may a right step do besides?",
    "Where would each mistake put B, and where the new weights?",
)
SINGLES, PAIRS = 24, 6
LOW, HIGH = 0.5, 0.9  # the share of wrong steps found that earns nothing, and everything
TO_NAME, ALARM = 8, 2


class Verdicts(NamedTuple):
    """What a judge said: of wrong steps, of right ones, of those to name; why of some nothing."""

    wrong: list[str]
    right: list[str]
    named: list[str]
    raised: str = ""


def said_of(desk: Desk, cases: Sequence[Served]) -> tuple[list[str], str]:
    """Return what a judge says of steps, "" where it raises, and in a sentence what it raises.

    Raises:
        NoAnswer: if it always raises, or has stopped.
    """
    found: list[str] = []
    raised: list[NoAnswer] = []
    for case in cases:
        try:
            value, _ = desk.call("judge", case.step())
        except NoAnswer as failure:
            if failure.kind != "raises":
                raise
            raised.append(failure)
            value = ""
        if not isinstance(value, str):
            raise NoAnswer("raises", f"judge returns {described(value)}, not a text.")
        found.append(value.strip())
    if len(raised) == len(cases):
        raise raised[0]
    return found, f" Of {len(raised)} steps it says nothing: {raised[0]}." if raised else ""


def verdicts(desk: Desk, task: Task) -> Verdicts:
    """Put all cases to a judge, in an order that says nothing."""
    desk.begin("judge")
    rng = task.draw("cases")
    wrong, right = wrong_cases(rng, SINGLES, PAIRS), right_cases()
    named = [mutant(name) for name in NAMED.values()]
    cases = [*wrong, *right, *named]
    order = rng.permutation(len(cases))
    heard, raised = said_of(desk, [cases[k] for k in order])
    said = dict(zip(order.tolist(), heard, strict=True))
    texts = [said[k] for k in range(len(cases))]
    a, b = len(wrong), len(wrong) + len(right)
    return Verdicts(texts[:a], texts[a:b], texts[b:], raised)


def judge(desk: Desk, task: Task) -> Judged:
    """Judge a submission of A5."""
    try:
        said = verdicts(desk, task)
    except NoAnswer as failure:
        return Judged([failed(one, failure) for one in CRITERIA])
    found = sum(text not in ("right", "") for text in said.wrong)
    share = found / len(said.wrong)
    points = math.floor(12 * min(1.0, max(0.0, (share - LOW) / (HIGH - LOW))) + 1e-9)
    alarms = sum(text != "right" for text in said.right)
    told = f"{found} of {len(said.wrong)} wrong steps are found."
    if 2 * alarms >= len(said.right):  # whoever calls every step wrong has found none
        points = 0
        told += " That counts for who calls more than half of the right ones right."
    told += said.raised
    credits = [earned(CRITERIA[0], points, told, QUESTIONS[0])]
    quiet = max(0, 4 - ALARM * alarms) if share >= LOW else 0
    told = f"{alarms} of {len(said.right)} right steps are called wrong."
    if share < LOW:
        told += " That counts for who finds half of the wrong ones."
    credits.append(earned(CRITERIA[1], quiet, told, QUESTIONS[1]))
    right = sum(text == code for text, code in zip(said.named, NAMED, strict=True))
    told = f"{right} of {len(NAMED)} mistakes are named."
    credits.append(earned(CRITERIA[2], min(4, 4 * right // TO_NAME), told, QUESTIONS[2]))
    return Judged(credits)


def fill(variant: Any) -> dict[str, str]:
    """Return what stands in the source: the codes."""
    return {"codes": "\n".join(f'#     "{code}"' for code in NAMED)}


ASSIGNMENT = Assignment(
    "a5", "Be the oracle", {"judge": "judge(step)"}, CRITERIA, judge, fill=fill, patience=6
)
