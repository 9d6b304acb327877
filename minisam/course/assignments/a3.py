"""A3, ASAM, and what flat means: the scaled climb, Hessian products, eigenvalues, rescaling."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from minisam.course.answers import as_like, as_number, described, near
from minisam.course.assignments.asam_forms import FORMS, climb_in_words, ends_right, explains_climb
from minisam.course.child import Seeded
from minisam.course.desk import NOT_WRITTEN, Caller, Desk
from minisam.course.rubric import (
    RIGHT,
    WRONG,
    Assignment,
    Credit,
    Criterion,
    Judged,
    Lost,
    Task,
    ask_each,
    earned,
    failed,
)
from minisam.course.steps import watched
from minisam.oracle.probes import SIX, THREE, Probe

CRITERIA = (
    Criterion("scope", 2, "`asam_step`: T scales weights only, not biases", function="asam_step"),
    Criterion("square", 2, "`asam_step`: the climb goes along T² g", function="asam_step"),
    Criterion("norm", 2, "`asam_step`: its length is that of T g", function="asam_step"),
    Criterion("eta", 1, "`asam_step`: T has η, and the step goes from A", function="asam_step"),
    Criterion("hessian_product", 4, "`hessian_product`: by a central difference, of two gradients",
              function="hessian_product"),
    Criterion("largest_eigenvalue", 4, "`largest_eigenvalue`: the largest, whatever its sign",
              function="largest_eigenvalue"),
    Criterion("rescale", 2, "`rescale`: other weights, the same function", function="rescale"),
    Criterion("survives", 3, "`SURVIVES`: which measures of flatness a rescaling leaves alone"),
)  # fmt: skip
MEASURES = {  # whether a rescaling that leaves the function leaves the measure, too
    "gradient norm": False,
    "largest eigenvalue": False,
    "worst case in a ball (SAM)": False,
    "worst case in a scaled ball (ASAM)": True,
    "filter-normalized line": True,
}
HINTS = {
    "scope": "Which of the tensors does T belong to, and what is T for the others?",
    "square": "The largest rise is asked for inside ‖ε/T‖ ≤ ρ. How often does T come in?",
    "norm": "What has norm ρ: the climb, or the climb divided by T?",
    "eta": "What is T where a weight is 0, and where does the last step start?",
}
PROBES = (
    Probe("course-asam-three", {"method": "asam", "rho": 0.5, "eta": 0.25}, THREE, 1),
    Probe("course-asam-six", {"method": "asam", "rho": 2.0, "eta": 0.5}, SIX, 1),
    Probe("course-asam-zero", {"method": "asam", "rho": 1.0, "eta": 0.5}, THREE, 1, 1.0,
          "zero weights"),
)  # fmt: skip
CENTRAL = (
    "How does the error fall when your step is halved: by two, by four, or not at all? "
    "And how long is it, if v is long, or 0?"
)
SIDES = 1e-3  # of the distance of two points, by which their middle may be off


def asam_step(desk: Desk, task: Task) -> list[Credit]:
    """Judge the step: the one form that explains what it does says what is right."""
    desk.begin("asam_step")
    seen = [
        watched(desk, "asam_step", probe, "float64", task.seed,
                lambda hp: ((list(hp.names),),
                            {"rho": float(hp.rho), "lr": float(hp.lr), "eta": float(hp.eta)}))
        for probe in PROBES
    ]  # fmt: skip
    for one in seen:
        if one.failure is not None:
            return [failed(criterion, one.failure) for criterion in CRITERIA[:4]]
    fitting = [form for form in FORMS if all(explains_climb(form, one) for one in seen)]
    if not fitting:
        said = f"{climb_in_words(seen[0])}, which no form of T explains."
        question = "For one tensor of weights and one of biases: what is the climb by hand?"
        return [Credit(one.name, 0, WRONG, said, question) for one in CRITERIA[:4]]
    met = max((form.points() for form in fitting), key=lambda one: sum(one.values()))
    ends = all(ends_right(one) for one in seen)
    credits = []
    for criterion in CRITERIA[:4]:
        name = criterion.name
        if met[name] and (ends or name != "eta"):
            credits.append(Credit(name, criterion.points, RIGHT))
        else:
            said = f"{climb_in_words(seen[0])}."
            if met[name]:
                said = "The new weights are not where a right step from A leads."
            credits.append(Credit(name, 0, WRONG, said, HINTS[name]))
    return credits


def symmetric(rng: np.random.Generator, values: Any) -> np.ndarray:
    """Draw a symmetric matrix with these eigenvalues."""
    q, _ = np.linalg.qr(rng.normal(size=(len(values), len(values))))
    return (q * np.asarray(values)) @ q.T


def hessian_product(call: Caller, rng: np.random.Generator) -> None:
    """Ask for H v of a loss whose gradient is M w + w³, for v of several lengths."""
    for size in (1.0, 1e-3, 1e3, 0.0):
        matrix, w = symmetric(rng, rng.uniform(-2, 3, size=5)), rng.normal(size=5)
        v = rng.normal(size=5) * size
        asked: list[Any] = []

        def grad_fn(point: Any, matrix: np.ndarray = matrix, asked: list = asked) -> np.ndarray:
            asked.append(point)
            return matrix @ point + point**3

        value, _ = call("hessian_product", grad_fn, w.copy(), v)
        found, right = as_like(value, w, "hessian_product"), matrix @ v + 3 * w**2 * v
        if len(asked) > 2:
            raise Lost(f"It asks for {len(asked)} gradients.", "Which two do you need?")
        scale = float(np.linalg.norm(right)) or 1.0
        error = float(np.linalg.norm(found - right)) / scale
        if not error < 1e-5:
            said = f"For ‖v‖ = {np.linalg.norm(v):.3g} the error is {error:.2g} of ‖Hv‖."
            if error < 0.02 or size == 0:
                raise Lost(said, CENTRAL, 2)
            raise Lost(said, "How does a gradient change along v, and per what?")
        if len(asked) == 2 and lopsided(asked[0], asked[1], w):
            raise Lost("The two gradients are not asked for on both sides of w.", CENTRAL, 2)


def lopsided(one: np.ndarray, other: np.ndarray, w: np.ndarray) -> bool:
    """Return whether w is not in the middle of two points."""
    apart = float(np.linalg.norm(one - other))
    return float(np.linalg.norm(one + other - 2 * w)) > SIDES * apart


def largest_eigenvalue(call: Caller, rng: np.random.Generator) -> None:
    """Ask for the largest eigenvalue, also where another one is larger in modulus."""
    for values in ((4.0, 1.0, 0.5), (-10.0, 3.0, 1.0), (-1.0, -5.0, -3.0), (2.0, 0.0, -1.5, 0.5)):
        scaled = np.asarray(values) * rng.uniform(0.5, 2)
        matrix = symmetric(rng, scaled)
        counts = [0]

        def matvec(v: Any, matrix: np.ndarray = matrix, counts: list = counts) -> np.ndarray:
            counts[0] += 1
            if counts[0] > 3000:
                raise ValueError("more than 3000 products")
            return matrix @ v

        seed = int(rng.integers(2**31))
        value, _ = call("largest_eigenvalue", matvec, len(values), Seeded(seed))
        found = as_number(value, "largest_eigenvalue")
        if abs(found - scaled.max()) <= 1e-3 * np.abs(scaled).max():
            continue
        low, high = float(scaled.min()), float(scaled.max())
        said = f"With eigenvalues from {low:.3g} to {high:.3g} it returns {found:.4g}."
        largest = float(max(scaled, key=abs))
        if abs(abs(found) - abs(largest)) <= 1e-2 * abs(largest):
            question = "Which eigenvalue wins a power iteration? Of which other matrix is yours it?"
            raise Lost(said, question, 1)
        raise Lost(said, "What is the Rayleigh quotient of the vector that you end with?")


def rescale(call: Caller, rng: np.random.Generator) -> None:
    """Ask for a network with another first layer that computes the same."""
    for a in (5.0, 0.25):
        layers = [(rng.normal(size=(3, 4)), rng.normal(size=4)),
                  (rng.normal(size=(4, 5)), rng.normal(size=5)),
                  (rng.normal(size=(5, 2)), rng.normal(size=2))]  # fmt: skip
        value, _ = call("rescale", [(W.copy(), b.copy()) for W, b in layers], a)
        new = as_layers(value, layers)
        x = rng.normal(size=(20, 3))
        if not near(new[0][0], a * layers[0][0], 16):
            raise Lost("The first layer's weights are not a times as large.", "What is asked for?")
        if not near(output(new, x), output(layers, x), 1 << 16):
            said = f"For a = {a:g} the network computes something else."
            raise Lost(said, "Which of the other arrays see what the first layer hands on?")


def as_layers(value: Any, like: Sequence[tuple]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return layers that are to be pairs of arrays of the same shapes."""
    if not isinstance(value, list | tuple) or len(value) != len(like):
        raise Lost(f"rescale returns {described(value)}.", "What went in?")
    found = []
    for one, (W, b) in zip(value, like, strict=True):
        if not isinstance(one, list | tuple) or len(one) != 2:
            raise Lost("A layer is not a pair (W, b).", "What went in?")
        found.append((as_like(one[0], W, "rescale"), as_like(one[1], b, "rescale")))
    return found


def output(layers: Sequence[tuple], x: np.ndarray) -> np.ndarray:
    """Return what a ReLU network computes."""
    for number, (W, b) in enumerate(layers):
        x = x @ W + b
        if number + 1 < len(layers):
            x = np.maximum(x, 0)
    return x


def survives(values: Mapping[str, Any]) -> Credit:
    """Judge the five statements."""
    said = values.get("SURVIVES")
    answers = said if isinstance(said, Mapping) else {}
    right = sum(answers.get(name) is due for name, due in MEASURES.items())
    unwritten = not any(isinstance(one, bool) for one in answers.values())
    told = "None is True or False." if unwritten else f"{right} of {len(MEASURES)} are right."
    return earned(CRITERIA[-1], max(0, right - 2), told,
                   "What does each measure become if W₁ is doubled?",
                   NOT_WRITTEN if unwritten else "")  # fmt: skip


QUESTIONS = {one.__name__: one for one in (hessian_product, largest_eigenvalue, rescale)}


def judge(desk: Desk, task: Task) -> Judged:
    """Judge a submission of A3."""
    credits = [*asam_step(desk, task), *ask_each(QUESTIONS, CRITERIA, desk, task)]
    return Judged([*credits, survives(task.values)])


ASSIGNMENT = Assignment(
    "a3",
    "ASAM, and what flat means",
    {
        "asam_step": "asam_step(w, names, grad_fn, *, rho, lr, eta)",
        "hessian_product": "hessian_product(grad_fn, w, v)",
        "largest_eigenvalue": "largest_eigenvalue(matvec, n, rng)",
        "rescale": "rescale(layers, a)",
    },
    CRITERIA,
    judge,
)
