# %% [markdown]
# # Does it generalize? Answers
#
# Each cell replaces the one of the same name in `08_does_it_generalize`.
#
# **Level 1.** With two seeds t is 12.7, with five 2.8: what five show, two seldom do.

# %% tags=["exercise-1"]
share = np.mean([mean_interval(two).low > 0 for two in combinations(by_seed, 2)])

# %% [markdown]
# **Level 2.** Subtract seed by seed, and only then take the mean: what a seed does to both methods
# cancels.

# %% tags=["exercise-2"]
fair = mean_interval(np.subtract(runs["SAM, 10 epochs"], runs["SGD, 20 epochs"]))

# %% [markdown]
# **Level 3.** t depends on n, so count up. A gain of a tenth of the spread needs hundreds of seeds:
# this is why so many small gains in the literature are undecided.


# %% tags=["exercise-3"]
def seeds_needed(spread, gain):
    n = 2
    while t_quantile(0.975, n - 1) * spread / n**0.5 >= gain:
        n += 1
    return n
