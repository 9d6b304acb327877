# %% [markdown]
# # Flat in which units? Answers
#
# Each cell replaces the one of the same name in `07_flat_in_which_units`.
#
# **By hand.** More than twelve times as sharp, and the same network.

# %% tags=["by-hand"]
curvature_rescaled = 5**2 + 0.2**2

# %% [markdown]
# **Level 1.** n equal shares s have the length s√n, so s = 0.5/√7562: about half a percent. A few
# weights alone may change by much more, which is where the worst case lies.

# %% tags=["exercise-1"]
percent = 100 * 0.5 / 7562**0.5

# %% [markdown]
# **Level 2.** Multiply every weight by a random number near 1. Whatever a weight's size, it changes
# by the same share of itself.


# %% tags=["exercise-2"]
def sixth(params):
    rng = np.random.default_rng(0)
    noisy = {name: leaf * (1 + 0.1 * rng.normal(size=leaf.shape)) for name, leaf in params.items()}
    return float(loss(noisy)) - float(loss(params))


# %% [markdown]
# **Level 3.** SAM's ρ becomes smaller: the round ball meets weights that were made small. ASAM's
# stays what it was, and needs no search.


# %% tags=["exercise-3"]
def searched(climb, wanted, low=1e-6, high=0.5):
    while high - low > 1e-4 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if rise(climb, same, middle) < wanted else (low, middle)
    return low


rho_of_sam = searched(sam_perturbation, rise(sam_perturbation, params, 0.05))
rho_of_asam = 0.5
