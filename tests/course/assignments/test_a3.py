"""What the wrong answers to A3 lose, and what they are told."""

import numpy as np
import pytest

from minisam.course.assignments.a3 import ASSIGNMENT, MEASURES
from minisam.course.assignments.asam_forms import FORMS, Form, scaled_climb
from minisam.course.here import Here
from minisam.course.rubric import Task
from minisam.course.texts import reference

SCOPE = {}
exec(reference(ASSIGNMENT, {}), SCOPE)


def judged(seed=4, values=None, **replaced):
    desk = Here({**SCOPE, **replaced}, ASSIGNMENT.functions)
    task = Task(seed, {}, {"SURVIVES": SCOPE["SURVIVES"]} if values is None else values)
    return {one.name: one for one in ASSIGNMENT.judge(desk, task).credits}


def lost(found):
    return {one.name for one in found.values() if one.status != "right"}


def asam(form, origin="A"):
    def asam_step(w, names, grad_fn, *, rho, lr, eta):
        d1 = grad_fn(w)
        b = [x + e for x, e in zip(w, scaled_climb(form, w, names, d1, rho, eta), strict=True)]
        d2 = grad_fn(b)
        start = w if origin == "A" else b
        return [x - lr * g for x, g in zip(start, d2, strict=True)]

    return asam_step


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_a_wrong_climb_loses_what_is_wrong_with_it(form):
    wrong = {name for name, right in form.points().items() if not right}
    found = judged(asam_step=asam(form))
    assert lost(found) == wrong
    assert all(("against" in found[name].said) == (form.sign < 0) for name in wrong)


def test_a_step_from_b_loses_one_point():
    found = judged(asam_step=asam(Form(), "B"))
    assert lost(found) == {"eta"}
    assert "new weights" in found["eta"].said


def test_a_step_of_sam_is_no_form_of_asam():
    def asam_step(w, names, grad_fn, *, rho, lr, eta):
        d1 = grad_fn(w)
        n = np.sqrt(sum(np.sum(g * g) for g in d1))
        d2 = grad_fn([x + rho * g / n for x, g in zip(w, d1, strict=True)])
        return [x - lr * g for x, g in zip(w, d2, strict=True)]

    found = judged(asam_step=asam_step)
    assert lost(found) == {"scope", "square", "norm", "eta"}
    assert "the climb is" in found["scope"].said


def fixed_step(grad_fn, w, v):
    return (grad_fn(w + 1e-4 * v) - grad_fn(w - 1e-4 * v)) / 2e-4


def no_zero(grad_fn, w, v):
    with np.errstate(all="ignore"):
        h = 1e-4 / np.linalg.norm(v)
        return (grad_fn(w + h * v) - grad_fn(w - h * v)) / (2 * h)


def forward(grad_fn, w, v, h=1e-3):
    h = h / (np.linalg.norm(v) or 1.0)
    return (grad_fn(w + h * v) - grad_fn(w)) / h


def five(grad_fn, w, v):
    [grad_fn(w) for _ in range(3)]
    return SCOPE["hessian_product"](grad_fn, w, v)


def three(grad_fn, w, v):
    grad_fn(w)  # as an average of the two sides would not need
    return SCOPE["hessian_product"](grad_fn, w, v)


def by_modulus(matvec, n, rng):
    v = rng.normal(size=n)
    for _ in range(300):
        v = matvec(v / np.linalg.norm(v))
    v = v / np.linalg.norm(v)
    return v @ matvec(v)


WRONG = [
    ("hessian_product", fixed_step, 2, "the error is"),
    ("hessian_product", forward, 2, "the error is"),
    ("hessian_product", lambda grad_fn, w, v: forward(grad_fn, w, v, 1e-7), 2, "both sides"),
    ("hessian_product", no_zero, 2, "For ‖v‖ = 0 the error is nan"),
    ("hessian_product", lambda grad_fn, w, v: grad_fn(w + v) - grad_fn(w), 0, "the error is"),
    ("hessian_product", five, 0, "It asks for 5 gradients"),
    ("hessian_product", three, 0, "It asks for 3 gradients"),
    ("largest_eigenvalue", by_modulus, 1, "With eigenvalues from -"),
    ("largest_eigenvalue", lambda matvec, n, rng: 0.0, 0, "it returns 0"),
    ("rescale", lambda layers, a: [(a * W, b) for W, b in layers], 0, "something else"),
    ("rescale", lambda layers, a: layers, 0, "not a times"),
    ("rescale", lambda layers, a: layers[:1], 0, "rescale returns list"),
    ("rescale", lambda layers, a: [W for W, _ in layers], 0, "not a pair"),
]


@pytest.mark.parametrize(("name", "function", "points", "told"), WRONG)
def test_a_wrong_answer_loses_its_own_points(name, function, points, told):
    found = judged(**{name: function})
    assert lost(found) == {name}
    assert found[name].points == points
    assert told in found[name].said


@pytest.mark.parametrize("seed", range(4))
def test_the_reference_is_right_with_any_numbers(seed):
    assert sum(one.points for one in judged(seed).values()) == 20


@pytest.mark.parametrize(("right", "points"), [(5, 3), (4, 2), (3, 1), (2, 0)])
def test_statements_count_from_the_third_on(right, points):
    said = {name: due if k < right else not due for k, (name, due) in enumerate(MEASURES.items())}
    assert judged(values={"SURVIVES": said})["survives"].points == points


@pytest.mark.parametrize("values", [{}, {"SURVIVES": 3}, {"SURVIVES": dict.fromkeys(MEASURES)}])
def test_no_statement_earns_nothing(values):
    found = judged(values=values)["survives"]
    assert (found.failure, found.said) == ("not written yet", "None is True or False.")
