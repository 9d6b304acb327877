# %% [markdown]
# # One step of SAM by hand: answers
#
# Each cell replaces the one of the same name in `02_one_step_by_hand`.
#
# **Another start.** d1 = (−2, 4) has the length √20, so ε = (−2, 4)/√20. d2 = H B = (−5.578,
# 6.236).

# %% tags=["by-hand"]
your_d1 = (-2, 4)
your_b = (-0.447, 2.894)
your_end = (0.697, 1.221)

# %% [markdown]
# **Level 1.**


# %% tags=["exercise-1"]
def sam_step(w, gradient, rho, lr):
    d1 = gradient(w)
    length = np.linalg.norm(d1)
    epsilon = rho * d1 / length if length > 0 else 0 * w
    d2 = gradient(w + epsilon)
    return w - lr * d2


# %% [markdown]
# **Level 2.** On an axis of the bowl, w = c v with H v = λ v, everything points along v:
# d1 = λ c v, ε = ρ v, d2 = λ (c + ρ) v.

# %% tags=["exercise-2"]
your_start = 2 * directions[:, 0]

# %% [markdown]
# **Level 3.** w − ηλ(w + ρ) at w = 0.01: the push ηλρ does not shrink with w, so that SAM
# is thrown many times as far as it was, to the other side.

# %% tags=["exercise-3"]
factor_of_sam = abs(0.01 - lr * curvatures[1] * (0.01 + rho)) / 0.01
