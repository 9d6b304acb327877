# %% [markdown]
# # Check somebody else's SAM: answers
#
# Each cell replaces the one of the same name in `09_check_somebody_elses_sam`.
#
# **Level 1.** With one tensor, a norm per tensor is the norm of all. The others:
# `caught["… two tensors"] - caught["one step"]`.

# %% tags=["exercise-1"]
survivor = sorted(caught["… two tensors"] - caught["one step"])[0]

# %% [markdown]
# **Level 2.** d1 = (3, 4) of length 5, ε = (0.6, 0.8), d2 = B = (3.6, 4.8), and the end is
# (3, 4) − ½ (3.6, 4.8) = (1.2, 1.6).


# %% tags=["exercise-2"]
def by_hand(sam):
    end = steps(sam, [np.array([3.0, 4.0])], lambda w: [w[0]], rho=1.0, lr=0.5)
    return np.allclose(end, [1.2, 1.6], rtol=1e-9)


# %% [markdown]
# **Level 3.** Two tensors and three steps in every case; momentum, decay, zeros and sizes beside
# them.


# %% tags=["exercise-3"]
def your_test(sam):
    short = {"rho": 0.5, "lr": 0.06, "n": 3}
    return (
        same(sam, two, **short)
        and same(sam, two, 100.0, n=3, rho=0.5, lr=0.0006)
        and same(sam, [0 * A], **hp)
        and same(sam, two, momentum=0.9, **short)
        and same(sam, two, momentum=0.9, nesterov=True, **short)
        and same(sam, two, weight_decay=0.1, **short)
    )
