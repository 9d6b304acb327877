# %% [markdown]
# # Flat: SGD. Sharp: escape. Answers
#
# Each cell replaces the one of the same name in `03_escape`.
#
# **By hand.** 2 − 2.5 = −½, then −½ − (−½ − ½) = ½.

# %% tags=["by-hand"]
after_one, after_two = -0.5, 0.5

# %% [markdown]
# **The bounce.** In three lines:
#
#     a − ηλ (a + ρ) = −a
#     (2 − ηλ) a     = ηλρ
#     a              = ηλρ / (2 − ηλ)


# %% tags=["derive"]
def bounce(lr, curvature, rho):
    return lr * curvature * rho / (2 - lr * curvature)


# %% [markdown]
# **Level 1.** ½ λ a*². As ηλ nears 2 the bounce has no bound, and neither has the loss.


# %% tags=["exercise-1"]
def loss_at_the_bounce(lr, curvature, rho):
    return 0.5 * curvature * bounce(lr, curvature, rho) ** 2


# %% [markdown]
# **Level 2.** c (1 − ηλ/2) with ηλ = 1.8.

# %% tags=["exercise-2"]
your_threshold = 0.5 * (1 - 1.8 / 2)

# %% [markdown]
# **Level 3.** It leaves above 1 − 1.4/2 = 0.3. At the flat minimum ηλ = 0.42, and the bounce is
# 0.42 ρ/1.58, which is below 0.1 for ρ < 0.376. Anything between them.

# %% tags=["exercise-3"]
your_rho = 0.34
