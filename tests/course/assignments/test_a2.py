"""What each wrong step loses, and what it is told."""

import numpy as np
import pytest
from course import submissions as known

from minisam.adapters.hyperparameters import HyperParameters
from minisam.course.assignments.a2 import ASSIGNMENT, QUESTIONS, looks
from minisam.course.here import Here
from minisam.course.rubric import Task
from minisam.course.texts import reference, solution_lines, source_of
from minisam.variants.mutants import MUTANTS

SKILLS = [one.name for one in ASSIGNMENT.criteria[:7]]
CLIMBS = ("second_elsewhere", *SKILLS[2:])
LOSES = {
    "M01-not-restored": ("last_step",),
    "M02-per-tensor-norm": ("length",),
    "M03-not-normalized": ("length",),
    "M04-divided-twice": ("length",),
    "M05-l1-norm": ("length",),
    "M06-sign": ("direction", "length"),
    "M07-downhill": ("direction",),
    "M08-gradients-added": ("last_step",),
    "M09-mean-of-both": ("last_step",),
    "M10-first-gradient": ("last_step",),
    "M12-twice-the-radius": ("length",),
    "M13-rms-norm": ("length",),
    "M27-float32-norm": ("dtype_and_inputs",),
    "M28-restore-by-subtraction": (),
    "M32-radius-times-lr": ("length",),
    "M36-biases-not-perturbed": ("direction",),
    "M38-norm-of-last": ("length",),
    "M41-sum-of-norms": ("length",),
    "M43-radius-squared": ("length",),
    "M45-base-step-twice": ("last_step",),
    "M46-one-not-restored": ("last_step",),
    "M47-length-of-first": ("last_step",),
    "M48-unit-length": ("last_step",),
    "R04-second-pass-at-A": CLIMBS,
    "R05-nan-at-zero-second-gradient": ("edge_cases",),
    "R12-nan-at-zero-gradient": ("edge_cases",),
    "R13-does-nothing": tuple(SKILLS),
    "R14-returns-the-gradient": CLIMBS,
}


def judged(step, seed=0, p=2, values=()):
    task = Task(seed, {"p": p, "steps": 0}, dict(values))
    return ASSIGNMENT.judge(Here({"step": step}, ASSIGNMENT.functions), task)


def step_of(mutant):
    """A wrong step, as a student would write it."""

    def step(w, grad_fn, *, rho, lr):
        names = [f"{k}.bias" if k and x.ndim == 1 else f"{k}.weight" for k, x in enumerate(w)]
        hp = HyperParameters.of({"rho": rho, "lr": lr, "names": names, "dtype": str(w[0].dtype)})
        return mutant.adapter(w, dict(hp))(grad_fn)

    return step


def lost(found):
    return tuple(one.name for one in found.credits[:7] if one.points == 0)


@pytest.mark.parametrize("name", LOSES)
def test_a_mutant_loses_exactly_its_skills(name):
    assert lost(judged(step_of(MUTANTS[name]), seed=5)) == LOSES[name]


def defined(body):
    scope = {}
    exec(known.text_of(body), scope)
    return scope["step"]


@pytest.mark.parametrize("seed", [0, 1, 2**60])
@pytest.mark.parametrize("style", known.STYLES)
def test_a_right_step_of_any_style_loses_nothing(style, seed):
    assert lost(judged(defined(known.STYLES[style]), seed)) == ()


@pytest.mark.parametrize("p", ASSIGNMENT.variants["p"])
def test_the_reference_of_a_variant_is_right_and_a_copied_sam_is_not(p):
    scope = {}
    exec(reference(ASSIGNMENT, {"p": p}), scope)
    assert lost(judged(scope["step"], 3, p)) == ()
    assert (lost(judged(known.right, 3, p)) == ()) is (p == 2)


def test_a_step_that_raises_at_an_underflow_meets_none():
    def step(w, grad_fn, *, rho, lr):
        with np.errstate(all="raise"):
            return known.right(w, grad_fn, rho=rho, lr=lr)

    assert lost(judged(step, 9)) == ()


@pytest.mark.parametrize(
    ("codes", "points"),
    [
        (("per-tensor-norm", "not-restored", "squared-norm"), 2),
        (("per-tensor-norm", " not-restored ", "downhill"), 1),
        (("per-tensor-norm", 3, None), 0),
        (("", "", ""), 0),
    ],
)
def test_mistakes_are_named_by_exact_codes(codes, points):
    values = {f"MISTAKE_{n}": code for n, code in enumerate(codes, 1)}
    assert judged(known.right, values=values).credits[-1].points == points


def test_a_hint_is_a_question_without_the_solution():
    solution = solution_lines(source_of(ASSIGNMENT, {}))
    assert solution
    for question in QUESTIONS.values():
        assert question.endswith("?")
        assert not any(line in question for line in solution)
        assert not any(sign in question for sign in ("=", "np.", "grad_fn", "[", "rho *"))


def test_every_skill_is_shown_by_a_probe():
    assert {name for look in looks() for name in look.shows} == set(SKILLS)


def test_the_picture_shows_the_step():
    assert judged(known.right).picture.count("<line") == 4
    assert judged(lambda w, grad_fn, *, rho, lr: 0).picture == ""
