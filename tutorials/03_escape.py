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
# # Flat: SGD. Sharp: escape.
#
# *How does SAM avoid a sharp minimum that holds SGD?* It was not built to jump. It just cannot come
# to rest, and in a narrow well there is no room for that.
#
# **You will be able to**
# - derive how far SAM bounces across a minimum, in three lines;
# - predict the radius ρ at which it leaves a sharp well;
# - choose a ρ with which it leaves the sharp well and stays in the flat one.
#
# **You need** one step of SAM ([tutorial 2](02_one_step_by_hand.ipynb)) and a parabola. 35 minutes
# with the exercises, seconds to run.

# %%
import importlib.util

if importlib.util.find_spec("minisam") is None:  # then install it, from the clone this lies in
    # %pip install -q ..
    pass

# %%
import matplotlib.pyplot as plt
import numpy as np

from minisam import plots
from minisam.landscapes import bounce_amplitude, escape_threshold, kinked_well, quadratic, sam_path
from minisam.lesson import reveal, show, skill

plt.rcParams.update(plots.STYLE)

# %% [markdown]
# ## SAM on one parabola, by hand
#
# L(w) = ½ λ w² has the slope λ w. SGD goes from w to w − ηλ w = (1 − ηλ) w, and comes to rest as
# long as ηλ < 2. SAM climbs away from 0 by ρ first, so for w > 0
#
# $$w \;\to\; w - \eta\lambda\,(w + \rho).$$
#
# Take ηλ = 1, ρ = ½ and w = 2: SGD would be at the minimum in one step. Where is SAM after one
# step, and after two?

# %% tags=["by-hand"]
after_one = None  # ← 2 − 1 · (2 + ½)
after_two = None  # ← the same rule; for w < 0 the climb goes to w − ½

# %%
path = sam_path(quadratic([1.0]), np.array([2.0]), lr=1.0, rho=0.5, steps=30)[:, 0]
done = skill("one step", lambda: after_one, path[1])
done = skill("the step after it", lambda: after_two, path[2])

# %% [markdown]
# From here on it goes to and fro between −½ and ½, forever: SAM *bounces*. Why ½? Derive it, in
# three lines on paper, before you read on: it bounces at that a for which a step from a > 0 ends
# exactly at −a. Write down the step, and solve for a.


# %% tags=["derive"]
def bounce(lr, curvature, rho):
    return None  # ← one line


# %%
steep = sam_path(quadratic([3.0]), np.array([1.0]), lr=0.4, rho=0.2, steps=500)[-1, 0]
assert np.isclose(abs(steep), bounce_amplitude(3.0, 0.4, 0.2))
done = skill("the bounce where λ = 1", lambda: bounce(1.0, 1.0, 0.5), 0.5)
done = skill("the bounce where λ = 3", lambda: bounce(0.4, 3.0, 0.2), abs(steep))

# %% [markdown]
# It bounces at
#
# $$a^* = \frac{\eta\lambda\rho}{2 - \eta\lambda}.$$
#
# ## A wall
#
# Now the parabola ends at a wall w = c, and beyond it lies a flat well: two minima of the same
# depth, as in [tutorial 1](01_two_minima.ipynb), here with λ = 1 at 0 and λ = 0.3 on the other
# side, c = 1. SGD stays in the sharp well for every η < 2. SAM bounces at a*, and looks at the
# slope from B, which is a further ρ out.
#
# **Predict**, for each of three (η, ρ): does SAM leave the sharp well, or does it stay? And for
# η = 1.4: at which ρ does it begin to leave?

# %%
my_first = None  # ← your guess for η = 1.6, ρ = 0.1: "leaves" or "stays"
my_second = None  # ← your guess for η = 1.6, ρ = 0.25
my_third = None  # ← your guess for η = 1.8, ρ = 0.15
my_threshold = None  # ← your guess for η = 1.4: a number, drawn as a dotted line

# %%
well, wall = kinked_well(sharp=1.0, flat=0.3, wall=1.0), 1.0
rho = np.linspace(0.02, 0.6, 59)
starts = np.random.default_rng(0).uniform(-0.4, 0.4, size=(50, 1, 1))


def leaves(lr, rho, steps=300):
    start = np.broadcast_to(starts, (50, len(rho), 1))
    return sam_path(well, start, lr, rho, steps)[-1, ..., 0] > wall


# %%
figure, axes = plt.subplots(figsize=(9, 4.6), layout="constrained")
for lr, (shade, mark) in zip((1.4, 1.6, 1.8), plots.SERIES, strict=True):
    axes.plot(rho, leaves(lr, rho).mean(axis=0), f"{mark}-", color=shade, label=f"η = {lr}")
    axes.axvline(escape_threshold(1.0, wall, lr), color=shade, linestyle="--", linewidth=1.5)
if my_threshold is not None:
    axes.axvline(my_threshold, color=plots.SKY, linestyle=":", label="your guess")
axes.set(xlabel="radius ρ", ylabel="fraction of 50 runs beyond the wall")
axes.set_title("SAM leaves once ρ passes a threshold (dashed)")
axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
show(figure, alt="Fraction beyond the wall against ρ: it jumps from 0 to 1 at each dashed line.")


# %%
def stays_or_leaves(lr, rho):
    fraction = leaves(lr, np.array([rho])).mean()
    assert fraction in (0, 1)
    return "leaves" if fraction else "stays"


reveal("η = 1.6, ρ = 0.1:", my_first, stays_or_leaves(1.6, 0.1))
reveal("η = 1.6, ρ = 0.25:", my_second, stays_or_leaves(1.6, 0.25))
reveal("η = 1.8, ρ = 0.15:", my_third, stays_or_leaves(1.8, 0.15))
reveal("η = 1.4, begins to leave at", my_threshold, escape_threshold(1.0, wall, 1.4))

# %% [markdown]
# It is not the bounce that must pass the wall, it is B. At the bounce, B lies at
# a* + ρ = 2ρ/(2 − ηλ), so SAM leaves once
#
# $$\rho > c \left(1 - \tfrac12 \eta\lambda\right).$$
#
# Then d2 is the slope of the *other* side, which falls away from the wall: a step along −d2 carries
# over. The nearer SGD is to its own edge, ηλ = 2, the smaller a ρ is enough.
#
# ## Now break it
#
# For η = 1.4 the curve in the picture comes *down* again: beyond ρ = 0.5 or so, no run is beyond
# the wall at its end. **Predict** why, before you run the cell: `"never crosses"`, or
# `"comes back"`?

# %%
my_reason = None  # ← your guess: "never crosses" or "comes back"

# %%
large = sam_path(well, np.array([0.3]), lr=1.4, rho=0.55, steps=300)[:, 0]
crossings = np.sum(np.diff(np.sign(large - wall)) != 0)
reveal("Why?", my_reason, "comes back" if crossings else "never crosses")
print(f"in 300 steps it crosses the wall {crossings} times; from step 3 on:", large[3:8].round(2))
assert crossings > 10
assert not leaves(1.4, np.array([0.55])).any()

# %% [markdown]
# Just beyond the wall, uphill is *back*. With a ρ that large, B lies in the sharp well again, whose
# steep slope throws SAM back over the wall, round and round. For the other two η the same happens
# to some runs, and others, from other starts, stay beyond the wall: hence the dips. A ρ can be too
# large to escape with.
#
# ## What happened
#
# SGD's step shrinks as it nears a minimum, SAM's does not: ηλρ is left. In a flat well the bounce
# is small and there is room. In a sharp one it is large and there is none, so SAM cannot stay. It
# is an instability, not a search: SAM never compares the two wells.
#
# ## Exercises
#
# Answers: `solutions/03_escape.py`.
#
# **Level 1.** SGD comes to rest at the minimum, where L = 0. SAM does not: at which loss does it
# bounce? (And what happens to it as ηλ nears 2?)


# %% tags=["exercise-1"]
def loss_at_the_bounce(lr, curvature, rho):
    return None  # ← one line; `bounce` may help


# %%
done = skill("the loss where λ = 1", lambda: loss_at_the_bounce(1.0, 1.0, 0.5), 0.125)
done = skill("the loss where λ = 3", lambda: loss_at_the_bounce(0.4, 3.0, 0.2), 1.5 * steep**2)

# %% [markdown]
# **Level 2.** A well of curvature 2 ends at c = ½, and η = 0.9. At which ρ does SAM begin to leave?

# %% tags=["exercise-2"]
your_threshold = None  # ← a number

# %%
narrow = kinked_well(sharp=2.0, flat=0.5, wall=0.5)
around = np.array([0.97, 1.03])


def leaves_there(rho):  # 3 % below, and 3 % above
    return sam_path(narrow, np.array([[0.1], [0.1]]), 0.9, float(rho) * around, 500)[-1, :, 0] > 0.5


done = skill(
    "the threshold: SAM stays 3 % below it, and leaves 3 % above",
    lambda: your_threshold,
    lambda rho: leaves_there(rho) == [False, True],
)

# %% [markdown]
# **Level 3.** With η = 1.4, choose a ρ with which SAM leaves the sharp well of the picture from
# every start, and ends within 0.1 of the flat minimum. (It bounces there, too: how far?)

# %% tags=["exercise-3"]
your_rho = None  # ← a number

# %%
flat_minimum = well.minima[1].point[0]
everywhere = np.linspace(-0.55, 5.05, 57)[:, None]


def ends(rho):
    return sam_path(well, everywhere, 1.4, float(rho), 500)[-1, :, 0]


done = skill("leaves from every start", lambda: your_rho, lambda rho: ends(rho) > wall)
done = skill(
    "stays near the flat one", lambda: your_rho, lambda rho: abs(ends(rho) - flat_minimum) < 0.1
)

# %% [markdown]
# ## Where it comes from
#
# - SAM's step: Foret et al. 2020, [arXiv 2010.01412](https://arxiv.org/abs/2010.01412), section 2.
# - The bounce: Bartlett et al. 2022, *The Dynamics of Sharpness-Aware Minimization: Bouncing Across
#   Ravines and Drifting Towards Wide Minima*, [arXiv 2210.01513](https://arxiv.org/abs/2210.01513).
# - The threshold, and the window of ρ within which escape is proved, are this library's:
#   `minisam/landscapes/wells.py`, and the clauses that `minisam specification` prints.
#
# ## Next
#
# You know what SAM does. Now [write your own](04_your_own_sam.ipynb), and have it checked.
