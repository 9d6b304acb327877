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
# # Two minima of the same depth
#
# *Why care whether a minimum is flat?* A network learns from examples, the *training set*: its
# weights w are moved until a loss L(w) is small. It is judged by others, the *test set*. Here are
# two minima with exactly the same training loss. Nothing in the training set can tell them apart.
# Something else can.
#
# **You will be able to**
# - say what a test set loses at a minimum of curvature λ when its loss is shifted by δ;
# - say which of two minima gradient descent (SGD) takes, and from where;
# - make SGD leave a sharp minimum with nothing but the learning rate.
#
# **You need** the derivative of a parabola, and a little NumPy. Half an hour with the exercises,
# seconds to run.
#
# Where a cell says `# ← your guess`, write one before you run it. Nobody sees it, and a guess that
# was wrong is what you will remember. Cells with nothing filled in run, too.

# %%
import importlib.util

if importlib.util.find_spec("minisam") is None:  # then install it, from the clone this lies in
    # %pip install -q ..
    pass

# %%
import matplotlib.pyplot as plt
import numpy as np

from minisam import plots
from minisam.landscapes import kinked_well, sgd_path
from minisam.lesson import agrees, reveal, show, skill

plt.rcParams.update(plots.STYLE)

# %% [markdown]
# ## A loss with two minima
#
# Two parabolas that meet at w = 0.8: a sharp one with curvature λ = 4, a flat one with λ = ¼,
#
# $$L(w) = 0.05 + \tfrac12 \cdot 4\, w^2 \;\;(w \le 0.8), \qquad
#   L(w) = 0.05 + \tfrac12 \cdot \tfrac14 (w - 4)^2 \;\;(w > 0.8).$$
#
# Both minima have L = 0.05. The curvature λ is the second derivative: how fast the slope changes.

# %%
sharp, flat = 4.0, 0.25  # curvatures λ
at_sharp, at_flat, wall = 0.0, 4.0, 0.8  # where the minima are, and what lies between them


def loss(w):
    left, right = 0.5 * sharp * (w - at_sharp) ** 2, 0.5 * flat * (w - at_flat) ** 2
    return 0.05 + np.where(w <= wall, left, right)


# %% [markdown]
# ## The test set is not the training set
#
# Other examples give another loss. The simplest way to be another loss is to be the same curve a
# little further to the right, by δ. Where training has ended, at the training minimum, the test
# loss is then L(w − δ). Take δ = ½.
#
# **Predict.** At which minimum is the test loss higher than the training loss by more, `"sharp"` or
# `"flat"`? And how many times as much?

# %%
my_minimum = None  # ← your guess: "sharp" or "flat"
my_factor = None  # ← your guess: a number

# %%
delta = 0.5
gap_sharp, gap_flat = (loss(w - delta) - loss(w) for w in (at_sharp, at_flat))
w = np.linspace(-0.8, 7.0, 500)
figure, axes = plt.subplots(figsize=(9, 4.6), layout="constrained")
axes.plot(w, loss(w), color=plots.GREY, label="training loss L(w)")
axes.plot(w, loss(w - delta), color=plots.VERMILION, label="test loss L(w − δ)", linestyle="--")
for x, gap in ((at_sharp, gap_sharp), (at_flat, gap_flat)):
    axes.fill_between([x - 0.06, x + 0.06], loss(x), loss(x) + gap, color=plots.VERMILION)
    axes.text(x, -0.15, f"gap {gap:.3g}", ha="center")
axes.set(xlabel="w", ylabel="loss", ylim=(-0.25, 1.8), title="One shift costs the sharp one more")
axes.legend(loc="upper center")
show(figure, alt="Two equally deep wells; moved by δ, the loss rises far at the sharp minimum.")

# %%
reveal("Which minimum loses more?", my_minimum, "sharp" if gap_sharp > gap_flat else "flat")
reveal("How many times as much?", my_factor, gap_sharp / gap_flat)

# %% [markdown]
# ## By hand
#
# At the sharp minimum w = 0, the test loss is 0.05 + ½ · 4 · (0 − δ)²: the gap is ½ · 4 · δ². In
# general, at a minimum of curvature λ,
#
# $$\text{gap} = \tfrac12 \lambda\, \delta^2 .$$
#
# The factor is one curvature over the other, **4 / ¼ = 16**, whatever δ is. That is the whole
# reason to care: the training loss says nothing about the difference, the curvature says
# everything.
#
# Now with *half* the shift, δ = ¼, on paper and to three digits or better. Before you compute: do
# the gaps become half as large?

# %% tags=["by-hand"]
by_hand_sharp = None  # ← the gap at the sharp minimum
by_hand_flat = None  # ← and at the flat one

# %%
smaller = [loss(w - 0.25) - loss(w) for w in (at_sharp, at_flat)]
done = skill("the gap at the sharp minimum", lambda: by_hand_sharp, smaller[0])
done = skill("the gap at the flat minimum", lambda: by_hand_flat, smaller[1])

# %% [markdown]
# A check says "right"; "not yet", where nothing is filled in or a function returns nothing; or
# "wrong". Then it asks you a question. Think about that one before you look at the answers.
#
# ## The library's well
#
# `minisam.landscapes` has this loss, with its slope and its minima. There the minima have L = 0,
# and a point is a vector, here of one number.

# %%
well = kinked_well(sharp, flat, wall)
assert np.allclose(well.loss(w[:, None]) + 0.05, loss(w))
assert np.allclose([low.point[0] for low in well.minima], [at_sharp, at_flat])
print("minima at", *(low.point[0] for low in well.minima), "with curvature", sharp, "and", flat)

# %% [markdown]
# ## Which of them does SGD take?
#
# SGD, *stochastic gradient descent*, walks down: w ← w − η L′(w). The learning rate η is `lr` in
# code; "stochastic" is what it is when each step looks at a few examples, here at all of them.
# **Predict**: from w = −0.5, with η = 0.1, does it end in the `"sharp"` or in the `"flat"` minimum?
# And from w = 1?

# %%
my_end_from_left = None  # ← your guess: "sharp" or "flat"
my_end_from_right = None  # ← your guess: "sharp" or "flat"


# %%
def where_sgd_ends(start, lr, steps=500):
    end = sgd_path(well, np.array([start]), lr, steps)[-1, 0]
    return {at_sharp: "sharp", at_flat: "flat"}.get(round(end, 3), "neither")


reveal("from −0.5:", my_end_from_left, where_sgd_ends(-0.5, lr=0.1))
reveal("from 1:", my_end_from_right, where_sgd_ends(1.0, lr=0.1))

# %% [markdown]
# It takes the one on whose side of the wall it starts. At the sharp minimum the slope is
# 0, as at the flat one; SGD has no other sense.
#
# ## Now break it
#
# ½ λ δ² is right as long as the shift stays within the well. Move the test loss to the *left*
# instead, by 1: at w = 0 it is L(1), and 1 is beyond the wall. **Predict**: is the gap that the
# formula says `"too large"` or `"too small"`?

# %%
my_formula = None  # ← your guess: "too large" or "too small"

# %%
formula, truth = 0.5 * sharp * 1.0**2, loss(at_sharp + 1.0) - loss(at_sharp)
print(f"formula {formula:.3f}, truth {truth:.3f}: {formula / truth:.1f} times as large")
reveal("The formula is", my_formula, "too large" if formula > truth else "too small")

# %% [markdown]
# ## What happened
#
# Two minima with the same training loss differ in their test loss by the ratio of their curvatures,
# as long as the test loss is nearly the training loss moved a little. SGD does not see curvature:
# it takes the minimum that it starts at. Real losses move in more ways than this one, so "flat is
# better" is a hypothesis there, and tutorials 7 and 8 put it to the test.
#
# ## Exercises
#
# Fill in the cell, run it, and run the check below it. Answers: `solutions/01_two_minima.py`.
#
# **Level 1.** Write the gap for any curvature and any shift.


# %% tags=["exercise-1"]
def gap(curvature, shift):
    return None  # ← one line


# %%
done = skill("the gap at λ = 3, δ = −0.2", lambda: gap(3.0, -0.2), 0.06)
done = skill("the gap at λ = 4, δ = ½", lambda: gap(4.0, 0.5), gap_sharp)

# %% [markdown]
# **Level 2.** For a small δ the 0.05 that both minima have is most of the loss, and no difference
# is seen. At which δ > 0 is the *whole* test loss at the sharp minimum ten times that at the flat?

# %% tags=["exercise-2"]
ten_times = None  # ← solve 0.05 + ½ · 4 · δ² = 10 (0.05 + ½ · ¼ · δ²)

# %%
done = skill(
    "the shift at which the sharp minimum is ten times worse",
    lambda: ten_times,
    lambda δ: δ > 0 and agrees(loss(at_sharp - δ), 10 * loss(at_flat - δ)),
)

# %% [markdown]
# **Level 3.** From w = −0.5 SGD ended in the sharp minimum. Make it end in the flat one, from the
# same start, by the learning rate alone. (One step near the sharp minimum multiplies w by 1 − 4η.
# When does that not shrink? And when does the flat minimum still hold it?)

# %% tags=["exercise-3"]
lr_that_leaves = None  # ← a learning rate

# %%
done = skill(
    "a learning rate at which the sharp minimum cannot hold SGD",
    lambda: where_sgd_ends(-0.5, lr_that_leaves),
    lambda end: end == "flat",
)

# %% [markdown]
# ## Where it comes from
#
# - The picture: Keskar et al. 2017, [arXiv 1609.04836](https://arxiv.org/abs/1609.04836), figure 1.
# - The idea: Hochreiter and Schmidhuber 1997, *Flat Minima*, Neural Computation 9.
# - A minimum of curvature λ holds SGD only while ηλ < 2: Wu et al. 2018, *How SGD Selects the
#   Global Minima in Over-parameterized Learning*, NeurIPS 2018.
# - SAM: Foret et al. 2020, [arXiv 2010.01412](https://arxiv.org/abs/2010.01412), section 1.
#
# ## Next
#
# SAM gives SGD the sense that it lacks, by looking uphill before it steps down:
# [one step of SAM by hand](02_one_step_by_hand.ipynb).
