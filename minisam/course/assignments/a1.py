"""A1, Descend: the step of SGD, momentum, the largest step that is stable, and SAM's bounce."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minisam.course.answers import as_like, as_number, near, unchanged
from minisam.course.desk import Caller, Desk
from minisam.course.rubric import Assignment, Criterion, Judged, Lost, Task, ask_each, given

SHAPES = ((4,), (2, 3), (1,), (2, 1, 3))
DTYPES = (np.float64, np.float32)
CRITERIA = (
    Criterion("sgd_step", 3, "`sgd_step` goes against the gradient, keeps dtype and inputs",
              function="sgd_step"),
    Criterion("momentum_first", 2, "`momentum_step`: the first step, from a velocity of zero",
              function="momentum_step"),
    Criterion("momentum_later", 3, "`momentum_step`: later steps, at learning rates that change",
              function="momentum_step"),
    Criterion("largest_stable_lr", 3, "`largest_stable_lr`: beyond it, some direction grows",
              function="largest_stable_lr"),
    Criterion("steps_to", 3, "`steps_to`: so many steps, not one more or less",
              function="steps_to"),
    Criterion("bounce", 3, "`bounce`: where SAM jumps from one side of a parabola to the other",
              function="bounce"),
    Criterion("predictions", 3, "three predictions, made before the run; any guess counts"),
)  # fmt: skip


def normal(rng: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """Draw an array."""
    return rng.normal(size=shape).astype(dtype)


def sgd_step(call: Caller, rng: np.random.Generator) -> None:
    """Ask for w − ηg."""
    for dtype in DTYPES:
        for shape in SHAPES:
            w, g, lr = normal(rng, shape, dtype), normal(rng, shape, dtype), rng.uniform(0.01, 0.5)
            value, after = call("sgd_step", w.copy(), g.copy(), lr=lr)
            new = as_like(value, w, "sgd_step")
            unchanged(after, (w, g), "sgd_step")
            if near(new, w + lr * g):
                raise Lost("The step goes along +g.", "Does the loss rise or fall along +g?")
            if not near(new, w - lr * g):
                raise Lost(
                    f"From w = {first(w)} with g = {first(g)} and lr = {lr:.3g} the step leads to "
                    f"{first(new)}.",
                    "How far is that from w, in units of g?",
                )


def first(array: np.ndarray) -> str:
    """Show the first entry."""
    return f"{float(array.flat[0]):.4g}"


def momentum_pair(value: Any, w: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return what `momentum_step` returns, if it is two arrays."""
    if not isinstance(value, tuple | list) or len(value) != 2:
        raise Lost("momentum_step does not return two things.", "What must the next step know?")
    return as_like(value[0], w, "momentum_step"), as_like(value[1], w, "momentum_step")


def momentum_first(call: Caller, rng: np.random.Generator) -> None:
    """Ask for the first step with a velocity of zero: that of SGD."""
    for dtype in DTYPES:
        w, g = normal(rng, (2, 3), dtype), normal(rng, (2, 3), dtype)
        lr, beta, v = rng.uniform(0.01, 0.5), rng.uniform(0.5, 0.95), np.zeros_like(w)
        value, after = call("momentum_step", w.copy(), g.copy(), v.copy(), lr=lr, beta=beta)
        new, _ = momentum_pair(value, w)
        unchanged(after, (w, g, v), "momentum_step")
        if near(new, w - lr * (1 - beta) * g):
            raise Lost(
                f"The first step is {1 - beta:.3g} times that of SGD.",
                "Is your velocity a sum of gradients, or an average of them?",
            )
        if not near(new, w - lr * g):
            raise Lost("The first step is not that of SGD.", "What is the velocity after it?")


def momentum_later(call: Caller, rng: np.random.Generator) -> None:
    """Ask for several steps; the learning rate changes, so that its place shows."""
    w, v, beta = normal(rng, (3,), float), normal(rng, (3,), float), rng.uniform(0.5, 0.95)
    for step in range(4):
        g, lr = normal(rng, (3,), float), rng.uniform(0.01, 0.5)
        value, after = call("momentum_step", w.copy(), g.copy(), v.copy(), lr=lr, beta=beta)
        new, velocity = momentum_pair(value, w)
        unchanged(after, (w, g, v), "momentum_step")
        right = beta * v + g
        if near(velocity, beta * v + lr * g) and near(new, w - velocity):
            raise Lost(
                f"After step {step + 1} the velocity is {first(velocity)}, for a gradient of "
                f"{first(g)} and lr = {lr:.3g}.",
                "If the learning rate is halved now, how fast does an old velocity still move?",
            )
        if near(velocity, right) and near(new, w - lr * g):
            raise Lost("The new weights do not feel the velocity.", "What is it for?")
        if not (near(velocity, right) and near(new, w - lr * right)):
            raise Lost(
                f"After step {step + 1} the velocity is {first(velocity)}, and the weight "
                f"{first(new)}.",
                "Which of the two is the first that you would not get by hand?",
            )
        w, v = new, velocity


def spectrum(rng: np.random.Generator) -> np.ndarray:
    """Draw eigenvalues above 0, in no order."""
    return rng.permutation(np.exp(rng.uniform(-3, 2, size=int(rng.integers(2, 7)))))


def largest_stable_lr(call: Caller, rng: np.random.Generator) -> None:
    """Ask for 2/λ of the largest λ."""
    for _ in range(6):
        values = spectrum(rng)
        top, low = float(values.max()), float(values.min())
        lr = as_number(call("largest_stable_lr", values)[0], "largest_stable_lr")
        said = f"With eigenvalues from {low:.3g} to {top:.3g} it returns {lr:.4g}."
        if near(lr, 1 / top):
            raise Lost(said, "At this rate the steepest direction is done in one step. May it "
                             "overshoot, and still come closer?")  # fmt: skip
        if near(lr, 2 / low) or near(lr, 1 / low):
            raise Lost(said, "Which direction leaves first when the rate grows?")
        if not near(lr, 2 / top):
            raise Lost(said, "By what is a direction's error multiplied in one step?")


def steps_to(call: Caller, rng: np.random.Generator) -> None:
    """Ask how many steps bring every direction's error below a tolerance.

    In turn the flattest direction is the last to arrive, and the steepest, which overshoots.
    """
    asked = 0
    while asked < 6:
        values, tol = spectrum(rng), float(10.0 ** -rng.uniform(1, 6))
        same, most = 2 / (values.min() + values.max()), 2 / values.max()
        over = asked % 2  # at lr = same, both arrive together
        lr = float(rng.uniform(*((same, most) if over else (0.05 * same, same))))
        slowest = float(np.abs(1 - lr * values).max())
        exact = math.log(tol) / math.log(slowest)
        if not 0.05 < exact % 1 < 0.95 or exact > 1e5:  # too near to say which number it is
            continue
        asked += 1
        count = as_number(call("steps_to", tol, values, lr)[0], "steps_to")
        said = f"To {tol:.2g} with factors up to {slowest:.3g} it returns {count:g}."
        if math.floor(exact) <= count < math.ceil(exact):
            raise Lost(said, "Is the error below the tolerance after so many whole steps?")
        if count != math.ceil(exact):
            raise Lost(said, "Which direction is the last to arrive, and what is its factor?")


def bounce(call: Caller, rng: np.random.Generator) -> None:
    """Ask for the w from which a step of SAM on ½λw² leads to −w: ηλρ/(2 − ηλ)."""
    for _ in range(6):
        lam, rho = float(np.exp(rng.uniform(-1, 2))), float(rng.uniform(0.05, 1))
        lr = float(rng.uniform(0.1, 1.8) / lam)
        w = as_number(call("bounce", lr, lam, rho)[0], "bounce")
        right = lr * lam * rho / (2 - lr * lam)
        if not near(w, right):
            end = w - lr * lam * (w + math.copysign(rho, w))
            raise Lost(
                f"At lr = {lr:.3g}, lam = {lam:.3g}, rho = {rho:.3g} it returns {w:.4g}; from "
                f"there one step of SAM leads to {end:.4g}.",
                "To where would it have to lead?",
            )


QUESTIONS = {
    one.__name__: one
    for one in (sgd_step, momentum_first, momentum_later, largest_stable_lr, steps_to, bounce)
}


def judge(desk: Desk, task: Task) -> Judged:
    """Judge a submission of A1."""
    credits = ask_each(QUESTIONS, CRITERIA, desk, task)
    guesses = [task.values.get(f"PREDICTION_{number}") for number in (1, 2, 3)]
    return Judged([*credits, given(CRITERIA[-1], guesses)])


ASSIGNMENT = Assignment(
    "a1",
    "Descend",
    {
        "sgd_step": "sgd_step(w, g, *, lr)",
        "momentum_step": "momentum_step(w, g, v, *, lr, beta)",
        "largest_stable_lr": "largest_stable_lr(eigenvalues)",
        "steps_to": "steps_to(tol, eigenvalues, lr)",
        "bounce": "bounce(lr, lam, rho)",
    },
    CRITERIA,
    judge,
)
