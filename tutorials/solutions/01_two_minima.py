# %% [markdown]
# # Two minima of the same depth: answers
#
# Each cell replaces the one of the same name in `01_two_minima`.
#
# **By hand.** ½ · 4 · ¼ and ½ · ¼ · ¼.

# %% tags=["by-hand"]
by_hand_sharp, by_hand_flat = 0.5, 0.03125

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
# **Level 3.** |1 − 4η| > 1 once η > 2/4. The flat minimum holds SGD until η = 2/¼ = 8. Everything
# between them works from here: each step across the sharp minimum is longer than the last, until
# one ends beyond the wall. (Not every start and rate: a long step to the left may come before.)

# %% tags=["exercise-3"]
lr_that_leaves = 0.6
