# %% [markdown]
# # Two minima of the same depth: answers
#
# Each cell replaces the one of the same name in `01_two_minima`.
#
# **By hand.** ½ · 4 · (¼)² and ½ · ¼ · (¼)²: a quarter of what they were.

# %% tags=["by-hand"]
by_hand_sharp, by_hand_flat = 0.125, 0.0078125

# %% [markdown]
# **Level 1.** A parabola of curvature λ, read a distance δ away from its minimum.


# %% tags=["exercise-1"]
def gap(curvature, shift):
    return 0.5 * curvature * shift**2


# %% [markdown]
# **Level 2.** 0.05 + 2δ² = 0.5 + 1.25δ², so δ² = 0.45 / 0.75 = 0.6.

# %% tags=["exercise-2"]
ten_times = np.sqrt(0.6)

# %% [markdown]
# **Level 3.** |1 − 4η| > 1 once η > 2/4: each step across the sharp minimum is longer than the
# last, until one ends beyond the wall. The flat minimum holds SGD until η = 2/¼ = 8, but not every
# rate up to there works from here: with η = 7, the first step ends so far to the right that the
# next ones swing back over the wall.

# %% tags=["exercise-3"]
lr_that_leaves = 0.6
