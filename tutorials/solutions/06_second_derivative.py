# %% [markdown]
# # The second derivative, without the matrix: answers
#
# Each cell replaces the one of the same name in `06_second_derivative`.
#
# **By hand.** Two gradients, and no matrix.


# %% tags=["by-hand"]
def hessian_times(gradient, w, v, s=1e-6):
    return (gradient(w + s * v) - gradient(w - s * v)) / (2 * s)


# %% [markdown]
# **Level 1.** From s = 10⁻⁷ down, the error grows tenfold with each step: the gradients agree in
# ever more of their sixteen digits, and what is left of their difference is rounding. From 10⁻⁵ up,
# some ReLU of some image opens or closes between the two points, and there the gradient jumps.

# %% tags=["exercise-1"]
best_s = 1e-7


# %% [markdown]
# **Level 2.** Each product stretches v along every eigenvector by its λ: after many, the one of
# largest |λ| is all that is left. With −3 and 2 that is −3. Beware: on a network that is not
# trained yet, "the largest" in this sense may be the most *negative* one.


# %% tags=["exercise-2"]
def largest(matvec, size, steps=200):
    v = np.random.default_rng(1).normal(size=size)
    for _ in range(steps):
        v = matvec(v)
        v = v / np.linalg.norm(v)
    return v @ matvec(v)


# %% [markdown]
# **Level 3.** The projection takes out the part along ĝ: ε has a fixed length, so it can only turn.


# %% tags=["exercise-3"]
def exact_gradient(gradient, matvec, w, rho):
    g = gradient(w)
    unit = g / np.linalg.norm(g)
    d2 = gradient(w + rho * unit)
    return d2 + rho / np.linalg.norm(g) * matvec(d2 - unit * (unit @ d2))
