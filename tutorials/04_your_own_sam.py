# ---
# jupyter:
#   jupytext:
#     formats: py:percent,ipynb
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Write your own SAM
#
# *Would you notice if your SAM were wrong?* It is five lines of code, and nearly every one of them
# can be got wrong so that training still works: the loss falls, the accuracy is a little lower, and
# nobody notices. Here you write it, see what it did, and have each of its skills checked.
#
# **You will be able to**
# - write SAM for any number of tensors, so that no batch breaks it;
# - say of a given step whether it is right, and if not, at which input that shows;
# - say what a checker must see, and why the loss is not it.
#
# **You need** one step of SAM ([tutorial 2](02_one_step_by_hand.ipynb)) and Python's lists. 35
# minutes with the exercises, seconds to run.

# %%
import importlib.util

if importlib.util.find_spec("minisam") is None:  # then install it, from the clone this lies in
    # %pip install -q ..
    pass

# %%
import matplotlib.pyplot as plt
import numpy as np

from minisam import plots
from minisam.adapters.plain import plain
from minisam.lesson import reveal, show, skill
from minisam.oracle.probes import PROBES
from minisam.oracle.skills import SKILLS, skills_of
from minisam.oracle.watch import watch

plt.rcParams.update(plots.STYLE)

# %% [markdown]
# ## The step
#
# A step gets the weights w as a *list* of arrays, one for each tensor of a network; a function
# `grad_fn` that returns the list of their gradients, wherever you ask; and the numbers ρ and η. It
# returns the list of new weights, and leaves the arrays that it was given as they are: whoever
# called may still need them.
#
# **Exercises, level 1.** Fill in the four blanks. One tensor is enough for now, with a gradient
# that is not zero: d1 at A, its length, B = A + ρ d1/‖d1‖, d2 at B, and the step from A along −d2.
# With `zip` two lists are walked through together.


# %% tags=["exercise-1"]
def my_step(w, grad_fn, *, rho, lr):
    d1 = grad_fn(w)  # a list, like w
    length = None  # ← ‖d1‖
    b = None  # ← a list: [… for x, g in zip(w, d1)]
    d2 = None  # ← a list
    return None  # ← a list, from w along d2


# %% [markdown]
# This is what it did on the bowl of tutorial 2. The circles are where A, B and the new weights
# should be; the crosses are yours, as far as there are any.


# %%
H, A = np.array([[6.0, -1.0], [-1.0, 2.0]]), np.array([1.0, 2.0])


def points_of(step):
    asked, end = [], None
    try:
        grad_fn = lambda w: asked.append(np.copy(w[0])) or [H @ w[0]]  # noqa: E731
        end = step([A.copy()], grad_fn, rho=1.0, lr=0.125)
    except Exception as error:
        print("It stops:", error)
    seen = [*asked, *(() if end is None else end)]
    return np.reshape([point for point in seen if np.shape(point) == (2,)], (-1, 2))


right = np.array([[1.0, 2.0], [1.8, 2.6], [-0.025, 1.575]])  # A, B and the end, from tutorial 2

# %%
figure, axes = plt.subplots(figsize=(7, 5.6), layout="constrained")
grid = np.linspace(-1.2, 2.6, 200), np.linspace(-0.5, 3.1, 200)
plots.contours(axes, lambda w: 0.5 * np.sum(w * (w @ H), axis=-1), *grid)
axes.plot(*right.T, "o", color=plots.BLUE, markersize=18, fillstyle="none", label="right")
axes.plot(*points_of(my_step).T, "x", color=plots.VERMILION, markersize=11, label="yours")
for name, point in zip(("A", "B", "new w"), right, strict=True):
    plots.name_point(axes, name, point, (0, -26))
axes.plot(0, 0, "+", color=plots.BLACK, markersize=14)
axes.set(xlabel="$w_1$", ylabel="$w_2$", title="A right step marks every circle with a cross")
axes.legend(loc="lower right")
show(figure, alt="A bowl with circles at A, B and the new weights, and a cross wherever yours are.")

# %% [markdown]
# A picture is one input. The check below puts the step through *probes*, situations with numbers of
# their own, and says a line for each skill. It gives no fix: it says what it saw. A step that stops
# before its end shows nothing, and then it says why it stopped.


# %%
def check(step, probes, names):
    seen = [watch(plain(step), PROBES[f"sam-{probe}"], "float64") for probe in probes]
    found = {one.name: one for one in skills_of(seen)}
    for trace in [trace for trace in seen if trace.fault][:1]:
        print("It stops:", trace.fault)
    for name in names:
        is_right = {"right": True, "wrong": False}.get(found[name].status)  # None: not seen yet
        why = f": {found[name].text}" if is_right is False else ""
        skill(SKILLS[name] + why, lambda is_right=is_right: is_right)


check(my_step, ["one-tensor"], list(SKILLS)[:5])

# %% [markdown]
# ## Whose SAM is right?
#
# Three people wrote SAM. **Predict** for each: is it `"right"`? If not, at which input does that
# show: with `"any"`, only with `"several tensors"`, or only with a `"zero gradient"`?


# %%
def length_of(grads):
    return np.sqrt(sum(np.sum(g**2) for g in grads))


def step_one(w, grad_fn, *, rho, lr):
    d1 = grad_fn(w)
    b = [x + rho * g / max(length_of([g]), 1e-12) for x, g in zip(w, d1, strict=True)]
    d2 = grad_fn(b)
    return [x - lr * g for x, g in zip(w, d2, strict=True)]


# %%
def step_two(w, grad_fn, *, rho, lr):
    d1 = grad_fn(w)
    climb = rho / max(length_of(d1), 1e-12)
    b = [x + climb * g for x, g in zip(w, d1, strict=True)]
    d2 = grad_fn(b)
    back = [x - climb * g for x, g in zip(b, d1, strict=True)]
    return [x - lr * g for x, g in zip(back, d2, strict=True)]


# %%
def step_three(w, grad_fn, *, rho, lr):
    d1 = grad_fn(w)
    length = length_of(d1)
    b = [x + rho * g / length for x, g in zip(w, d1, strict=True)]
    d2 = grad_fn(b)
    return [x - lr * g for x, g in zip(w, d2, strict=True)]


# %%
my_one = None  # ← your guess: "right", "any", "several tensors" or "zero gradient"
my_two = None  # ← your guess
my_three = None  # ← your guess


# %%
def shows(step):
    """Return the first input at which a skill of the step is wrong, or "right"."""
    seen = []
    for probe in ("one-tensor", "three-tensors", "gradient-zero"):
        seen.append(watch(plain(step), PROBES[f"sam-{probe}"], "float64"))
        if any(one.status == "wrong" for one in skills_of(seen)):
            return {"one-tensor": "any", "three-tensors": "several tensors"}.get(
                probe, "zero gradient"
            )
    return "right"


# %%
reveal("step one:", my_one, shows(step_one))
reveal("step two:", my_two, shows(step_two))
reveal("step three:", my_three, shows(step_three))
assert [shows(step) for step in (step_one, step_two, step_three)] == [
    "several tensors", "right", "zero gradient",
]  # fmt: skip

# %% [markdown]
# **One** takes a norm for every tensor. With n tensors it climbs √n times too far, and a bias of
# ten numbers is shaken as hard as a matrix of a million. With one tensor there is no difference,
# so no test on one tensor finds it. **Two** comes back to A by subtraction, which is fine: A
# again, up to rounding. **Three** is right until a gradient is exactly 0, as behind ReLUs that are
# all closed. Then it divides 0 by 0: one such batch, and all weights are lost.
#
# ## Now break it
#
# The commonest mistake is to walk on from B. Every skill before the last is right. **Predict**: on
# the bowl, where the loss is 5 at first, what is it after 50 such steps?

# %%
my_loss = None  # ← your guess: a number


# %%
def from_b(w, grad_fn, *, rho, lr):
    d1 = grad_fn(w)
    b = [x + rho * g / max(length_of(d1), 1e-12) for x, g in zip(w, d1, strict=True)]
    return [x - lr * g for x, g in zip(b, grad_fn(b), strict=True)]


check(from_b, ["one-tensor", "three-tensors"], ["direction", "length", "last-step"])
w = [np.array([1.0, 2.0])]
for _ in range(50):
    w = from_b(w, lambda w: [H @ w[0]], rho=0.05, lr=0.125)
reveal("loss after 50 steps:", my_loss, 0.5 * w[0] @ H @ w[0])
assert 0.5 * A @ H @ A == 5

# %% [markdown]
# It falls all the same, and to look at it tells you nothing.
#
# ## What happened
#
# The check never looks at a loss or an accuracy. It owns `grad_fn`, so it sees *where* each
# gradient is asked for: A, then B. And it judges each skill from where the step itself was: a
# wrong B is not held against the last line. One tensor, one loss that falls, one picture that
# looks right: none of them is a test.
#
# ## Exercises
#
# Level 1 is above. Answers: `solutions/04_your_own_sam.py`.
#
# **Level 1.** Go back, until the five lines say "right".
#
# **Level 2.** Now for any number of tensors, and for a gradient that is zero throughout. There is
# no way up from there, so there is no climb.


# %% tags=["exercise-2"]
def any_step(w, grad_fn, *, rho, lr):
    return None  # ← begin with a copy of my_step


# %%
probes = ["one-tensor", "three-tensors", "rho-zero", "lr-zero", "gradient-zero"]
check(any_step, probes, SKILLS)

# %% [markdown]
# **Level 3.** The paper bounds ε by any p-norm: equation (2). With p = ∞, every weight may move by
# ρ, and the worst ε moves each of them by exactly ρ, along the sign of its gradient. Write that
# SAM.


# %% tags=["exercise-3"]
def sign_step(w, grad_fn, *, rho, lr, p):  # the check passes p = ∞, and you need not look at it
    return None


# %%
check(sign_step, ["p-inf"], ["second-elsewhere", "direction", "length", "last-step"])

# %% [markdown]
# ## Where it comes from
#
# Foret et al. 2020, [arXiv 2010.01412](https://arxiv.org/abs/2010.01412), algorithm 1 and equation
# (2). That one norm runs over all tensors is in the authors' code, not in the text. What people's
# implementations do: the guide on [implementations](guides/implementations.md).
#
# ## Next
#
# In a course, assignment A2 asks for this step, and for what is wrong with three others. It has a
# check of its own, which says what each skill is worth: `from minisam import course`, and then
# `course.check(any_step, "a2")`. It is practice; the marked run uses other numbers.
#
# A right SAM, and what for? [Learning lies](05_learning_lies.ipynb): networks, and labels that are
# wrong.
