# %% [markdown]
# # Learning lies: answers
#
# Each cell replaces the one of the same name in `05_learning_lies`.
#
# **Level 1.** Once every label is learned, nothing is contradicted: a network points at lies only
# while it has not learned them.


# %% tags=["exercise-1"]
def pointed_at(chosen, noisy, clean):
    contradicted = chosen != noisy
    return np.mean(noisy[contradicted] != clean[contradicted])


# %% [markdown]
# **Level 2.** The best epoch is chosen by the very labels that it is judged by, so a little of what
# is lost is luck.


# %% tags=["exercise-2"]
def lost(values):
    accuracy = values[:, :, 0]
    return 100 * np.mean(accuracy.max(axis=1) - accuracy[:, -1])


# %% [markdown]
# **Level 3.** Pair noise is worse. Six of ten labels say "disc", four say the same other thing: the
# lies agree with each other nearly as well as the truth does.

# %% tags=["exercise-3"]
pair = [train(base, prepared(seed, "pair"), seed)[-1, 0] for seed in range(3)]
symmetric_over_pair = 100 * (runs["SGD"][:, -1, 0].mean() - np.mean(pair))
