"""A2, One step of SAM: judged skill by skill by the oracle, with errors carried forward."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from minisam.course.assignments.wrong_steps import CODES, PAPERS, paper
from minisam.course.desk import NOT_WRITTEN, Desk
from minisam.course.picture import picture_of
from minisam.course.rubric import (
    RIGHT,
    UNSEEN,
    WRONG,
    Assignment,
    Credit,
    Criterion,
    Judged,
    Task,
    earned,
    failed,
)
from minisam.course.steps import Seen, watched
from minisam.course.texts import as_comments
from minisam.oracle.probes import ONE, SIX, THREE, Probe, Shapes
from minisam.oracle.skills import WEIGHTS, skills_of

TWO: Shapes = {"weight": (2, 2), "bias": (2,)}
SKILLS = {
    "asks_at_A": "asks for the first gradient at A, the weights that it is given",
    "second_elsewhere": "asks for a second gradient elsewhere",
    "direction": "climbs where the loss rises most",
    "length": "climbs exactly ρ, over all tensors together",
    "last_step": "steps from A, along d2",
    "edge_cases": "a gradient of zero, ρ = 0, and a learning rate of 0",
    "dtype_and_inputs": "keeps the dtype",
}
CRITERIA = (
    *(Criterion(name, WEIGHTS[name.replace("_", "-")], what, function="step")
      for name, what in SKILLS.items()),
    Criterion("names_mistakes", 2, "names the mistakes of three given steps; two are 1 point"),
)  # fmt: skip
EVERY = ("asks_at_A", "second_elsewhere", "direction", "length", "last_step")
SEVERAL = ("direction", "length", "last_step")
QUESTIONS = {
    "asks_at_A": "Where do you stand when you ask for the first time?",
    "second_elsewhere": "What is the first gradient for, if the second is taken where it was?",
    "direction": "Which way does the loss rise, and for which of the tensors?",
    "length": "The norm of what is to be ρ?",
    "last_step": "Which point does the step start from, and which gradient belongs to it?",
    "edge_cases": "What is left of the climb if there is nothing to climb, and what is divided "
    "by what then?",
    "dtype_and_inputs": "Which number in your formula is not of the dtype of the weights?",
}


class Look(NamedTuple):
    """One probe of A2: in which dtype, for which group, and what it is there to show."""

    probe: Probe
    group: str
    shows: tuple[str, ...]
    dtype: str = "float64"


def looks() -> list[Look]:
    """Return the probes: nothing extreme, for a step may ask NumPy to raise at an underflow."""

    def probe(slug: str, shapes: Shapes, **rest: Any) -> Probe:
        settings = {"method": "sam", **rest.pop("settings", {})}
        return Probe(f"course-{slug}", settings, shapes, rest.pop("steps", 2), **rest)

    edge = ("edge_cases",)
    return [
        Look(probe("one", ONE), "step", EVERY),
        Look(probe("one-far", ONE, settings={"rho": 0.5}), "step", SEVERAL),
        Look(probe("two", TWO, settings={"rho": 0.25}), "step", SEVERAL),
        Look(probe("three", THREE), "step", SEVERAL),
        Look(probe("three-far", THREE, settings={"rho": 2.0}), "step", SEVERAL),
        Look(probe("six", SIX, settings={"lr": 0.5}), "step", SEVERAL),
        Look(probe("small", THREE, scale=2.0**-7), "step", SEVERAL),
        Look(probe("large", THREE, scale=64.0, settings={"lr": 2.0**-7}), "step", SEVERAL),
        Look(probe("tensor-zero", THREE, special="one tensor zero"), "step", SEVERAL),
        Look(probe("rho-zero", TWO, settings={"rho": 0.0}), "edges", edge),
        Look(probe("lr-zero", TWO, settings={"lr": 0.0}), "edges", edge),
        Look(probe("zero", TWO, special="zero"), "edges", edge),
        Look(probe("zero-at-B", TWO, special="zero at B"), "edges", edge),
        Look(probe("single", TWO, settings={"rho": 0.25}), "dtype", ("dtype_and_inputs",),
             "float32"),
        Look(probe("single-three", THREE), "dtype", ("dtype_and_inputs",), "float32"),
    ]  # fmt: skip


def watch_all(desk: Desk, task: Task) -> list[tuple[Look, Seen]]:
    """Put a submission through the probes; one that is stopped does the next group's again."""
    p = task.variant.get("p", 2)
    found, group, stopped = [], "", False
    for look in looks():
        if look.group != group:
            group, stopped = look.group, False
            desk.begin(group)
        if stopped:
            continue
        probe = look.probe._replace(settings={**look.probe.settings, "p": p})
        seen = watched(desk, "step", probe, look.dtype, task.seed,
                       lambda hp: ((), {"rho": float(hp.rho), "lr": float(hp.lr)}))  # fmt: skip
        found.append((look, seen))
        stopped = seen.failure is not None and seen.failure.kind != "raises"
    return found


def judge(desk: Desk, task: Task) -> Judged:
    """Judge a submission of A2."""
    found = watch_all(desk, task)
    traces = [seen.trace for _, seen in found]
    skills = {one.name.replace("-", "_"): one for one in
              skills_of(traces, {"inputs": "changed"})}  # fmt: skip
    credits = [
        credit_of_skill(criterion, skills[criterion.name], found) for criterion in CRITERIA[:-1]
    ]
    picture = picture_of(desk, task.variant.get("p", 2))
    return Judged([*credits, named_mistakes(task)], tuple(traces), picture)


def credit_of_skill(criterion: Criterion, skill: Any, found: Sequence[tuple[Look, Seen]]) -> Credit:
    """Return what a skill earns: all, if it is right and every probe that shows it went through."""
    name = criterion.name
    for look, seen in found:
        if seen.failure is not None and name in look.shows:
            return failed(criterion, seen.failure)
        if seen.dtype and name == "dtype_and_inputs":
            return Credit(name, 0, WRONG, seen.dtype, QUESTIONS[name])
    if not any(name in look.shows for look, _ in found):
        stopped = [seen.failure for _, seen in found if seen.failure is not None]
        if stopped:
            return failed(criterion, stopped[0])
    if skill.status == RIGHT:
        return Credit(name, criterion.points, RIGHT, skill.text)
    status = WRONG if skill.status == WRONG else UNSEEN
    return Credit(name, 0, status, skill.text, QUESTIONS[name])


def named_mistakes(task: Task) -> Credit:
    """Judge the codes of three wrong steps."""
    due = PAPERS[task.variant.get("steps", 0)]
    said = [task.values.get(f"MISTAKE_{number}") for number in (1, 2, 3)]
    right = sum(isinstance(one, str) and one.strip() == code
                for one, code in zip(said, due, strict=True))  # fmt: skip
    unwritten = not any(isinstance(one, str) and one for one in said)
    text = "None is written down." if unwritten else f"{right} of 3 are right."
    return earned(CRITERIA[-1], max(0, right - 1), text,
                   "At which input would each of the steps show itself?",
                   NOT_WRITTEN if unwritten else "")  # fmt: skip


CLIMBS = {
    2: """\
length = np.sqrt(sum(np.sum(g * g) for g in d1))
scale = rho / length if length > 0 else 0.0
climb = [scale * g for g in d1]""",
    0: """\
q = P / (P - 1)
length = sum(np.sum(np.abs(g) ** q) for g in d1) ** (1 / P)
scale = rho / length if length > 0 else 0.0
climb = [scale * np.sign(g) * np.abs(g) ** (q - 1) for g in d1]""",
}


def fill(variant: Mapping[str, Any]) -> dict[str, str]:
    """Return what the cohort's variant puts into the source."""
    p, steps = variant["p"], variant["steps"]
    norm = f"""\
# This term the length of a climb is its {p:g}-norm, over all entries of all tensors together:
# (Σ|ε|^P)^(1/P) = rho. Of all climbs of that length, SAM takes the one along which the loss rises
# most, if it is as steep everywhere as at A.
P = {p:g}"""
    table = [f"| `{code}` | {what} |" for code, (_, what) in CODES.items()]
    rest = "" if variant == ASSIGNMENT.defaults else f", variant={json.dumps(variant)}"
    return {
        "norm": norm,
        "climb": CLIMBS.get(p, CLIMBS[0]),
        "codes": as_comments(["| code | mistake |", "|---|---|", *table]),
        "steps": as_comments(paper(steps)),
        "answers": "\n".join(f'MISTAKE_{n} = "{code}"' for n, code in enumerate(PAPERS[steps], 1)),
        "check": f'check(globals(), "a2"{rest})',
    }  # fmt: skip


VARIANTS: dict[str, tuple] = {"p": (2, 3, 4, 1.5), "steps": (0, 1, 2)}
ASSIGNMENT = Assignment(
    "a2",
    "One step of SAM",
    {"step": "step(w, grad_fn, *, rho, lr)"},
    CRITERIA,
    judge,
    VARIANTS,
    fill,
)
