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
# # The second derivative, without the matrix
#
# *Which weights matter?* The matrix H of second derivatives knows how the loss bends in every
# direction. For a network of n weights it has n² entries, and nobody writes them down. One needs
# only what H does to a vector, and that costs about as much as two gradients.
#
# **You will be able to**
# - get H v by a difference of two gradients, and by autograd;
# - find the largest curvature with it, by power iteration;
# - say what curvature knows of a weight's worth, and what SAM leaves out.
#
# **You need** a matrix's eigenvalues, and Taylor's formula to second order. 35 minutes with
# the exercises, ten seconds or so to run.
#
# | symbol | name in code | meaning |
# |---|---|---|
# | w | `params` | the weights, a dict of arrays |
# | H | `hessian` | second derivatives of the loss at w; `hessian.matvec(v)` is H v |
# | λ₁ | `top[0]` | the largest curvature: largest eigenvalue of H |
# | h | `h` | the diagonal of H: the curvature along each weight by itself |
# | g | `gradient(w)` | the gradient at w |
# | ⟨a, b⟩, ‖a‖ | `a @ b` | the inner product, and the length: ‖a‖² = ⟨a, a⟩ |

# %%
import importlib.util

if importlib.util.find_spec("minisam") is None:  # then install it, from the clone this lies in
    # %pip install -q ..
    pass

# %%
import autograd.numpy as np
import matplotlib.pyplot as plt

from minisam import load, mlp, plots, sgd, sharpness
from minisam.experiments.claims.pruning import hessian_diagonal, pruned, saliency
from minisam.lesson import reveal, show, skill
from minisam.nn.gradients import value_and_grad
from minisam.nn.losses import cross_entropy
from minisam.train import train

plt.rcParams.update(plots.STYLE)

# %% [markdown]
# ## A trained network
#
# The toy images, made small (8 × 8 × 3), and a network with two hidden layers of 32: 7,562 weights.
# It is trained until it has nearly nothing left to learn: near a minimum, where the gradient says
# little and the second derivative everything.

# %%
data = load("toy", train_size=1000).train
images = data.images.reshape(-1, 8, 4, 8, 4, 3).mean(axis=(2, 4))
x = (images - images.mean(axis=0)) / images.std(axis=0)
model = mlp(hidden=(32, 32), classes=10, input_shape=(8, 8, 3))
base = sgd(lr=0.05, momentum=0.9)
end = train(model, base, x.astype("float32"), data.labels, epochs=30, batch_size=100).params
params = {name: leaf.astype(float) for name, leaf in end.items()}


def loss(params):
    return cross_entropy(model.apply(params, x), data.labels)


# %% [markdown]
# **Predict.** Set half of the weights to 0. Which choice hurts the loss less: the half with the
# smallest curvature (`"flattest"`), or the half with the smallest size (`"smallest"`)? And of the
# 7,562 eigenvalues of H, how many are larger than half of the largest?

# %%
my_half = None  # ← your guess: "flattest" or "smallest"
my_count = None  # ← your guess: a number

# %% [markdown]
# ## What sticks out, and what it is good for
#
# *Lanczos' method* finds the largest eigenvalues from a hundred products H v or so. Left: the first
# twenty. Right: the loss after setting weights to 0, chosen by three rules: the smallest |w|; the
# smallest h, where h is the diagonal of H; and the smallest ½ h w². The last is *Optimal Brain
# Damage* (OBD): by Taylor's formula it is what setting w to 0 costs, at a minimum.

# %%
hessian = sharpness.flat_hessian(sharpness.hessian_product(loss, params), params)
rng = np.random.default_rng(0)
top = sharpness.top_eigenvalues(hessian.matvec, hessian.size, rng, 20, tolerance=1e-2).eigenvalues
h = hessian_diagonal(params, x)
obd = saliency(params, "curvature", h)
rules = {"|w|": saliency(params, "magnitude", h), "h": h, "½ h w²": obd}
shares = np.linspace(0, 0.7, 8)
losses = {
    rule: np.array([loss(pruned(params, worth, 1 - share)) for share in shares])
    for rule, worth in rules.items()
}

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(12, 4.6), layout="constrained")
left.stem(np.arange(1, 21), top, basefmt=" ")
left.set(xlabel="rank", ylabel="eigenvalue of H", ylim=(0, None), xticks=(1, 5, 10, 15, 20))
left.set_title("A few directions are much sharper than the rest")
for (rule, values), shade in zip(losses.items(), ("black", plots.ORANGE, plots.BLUE), strict=True):
    right.plot(100 * shares, values, "o-", color=shade, label=f"smallest {rule}")
right.set(xlabel="% of the weights set to 0", ylabel="training loss", yscale="log")
right.set(ylim=(0.5 * losses["h"][0], 100), title="Curvature alone does not tell what matters")
right.legend(title="set to 0 first:", loc="upper left")
show(figure, alt="Left: twenty eigenvalues, falling fast. Right: pruning by h alone hurts at once.")

# %%
half = {rule: values[5] for rule, values in losses.items()}  # of the weights: shares[5] is 0.5
assert hessian.size == 7562
assert half["h"] > 5 * max(half["|w|"], half["½ h w²"])
reveal("Which half hurts less?", my_half, "smallest" if half["|w|"] < half["h"] else "flattest")
reveal("How many are larger than λ₁/2?", my_count, np.sum(top > top[0] / 2))
for rule, value in half.items():
    print(f"half of the weights pruned by {rule:6}: loss {value:.3f}, before {losses[rule][0]:.3f}")

# %% [markdown]
# A flat direction is one in which a *small* change costs nothing. Setting a weight to 0 is a small
# change only if the weight is small. OBD multiplies both, h and w², and is hardly different here
# from the size alone.
#
# ## H v by hand
#
# H is how the gradient g changes. Along v, that is a difference of two gradients:
#
# $$H v \approx \frac{g(w + s\,v) - g(w - s\,v)}{2s}.$$
#
# Autograd has it without the s: H v is the gradient of the number ⟨g(w), v⟩, which is how
# `sharpness.hessian_product` gets it. Write the difference, for any gradient function, and compare
# both. On the network, with s = 10⁻⁶:

# %%
start = sharpness.flatten(params)  # all weights as one vector
v = rng.normal(size=start.size)


def gradient(vector):
    return sharpness.flatten(value_and_grad(loss)(sharpness.unflatten(vector, params))[1])


# %% tags=["by-hand"]
def hessian_times(gradient, w, v, s=1e-6):
    return None  # ← one line


# %%
def cubic(w):
    return w**2  # the gradient of Σ w³/3, whose H is diagonal: 2w


def close(yours, right):
    return np.shape(yours) == np.shape(right) and np.allclose(yours, right, atol=1e-4)


by_autograd = hessian.matvec(v)
done = skill("H v on a cubic", lambda: hessian_times(cubic, v, v), 2 * v * v, close)
done = skill("H v of the network", lambda: hessian_times(gradient, start, v), by_autograd, close)

# %% [markdown]
# ## Now break it: Taylor's formula far away
#
# ½ h w² is the cost of *one* weight, near a minimum. Add it up over half of the weights, and
# compare with what setting them all to 0 really costs. **Predict**: truth over formula?

# %%
my_ratio = None  # ← your guess: a number

# %%
costs = np.concatenate([obd[k].ravel() for k in params if k.endswith("weight")])
formula = np.sort(costs)[: len(costs) // 2].sum()
reveal("truth / formula:", my_ratio, (half["½ h w²"] - losses["h"][0]) / formula)

# %% [markdown]
# The diagonal of H leaves out how the weights act together, and the formula leaves out everything
# beyond the second order. OBD's authors prune a little, train again, and go on.
#
# ## What happened
#
# Products H v give the largest curvatures of a network with any number of weights. A handful of
# directions are sharp, and the other thousands are much flatter. Curvature tells where the loss
# bends, not which weights can go. SAM uses no H at all: its climb costs one more gradient, and
# feels H ε in d2 ≈ d1 + H ε.
#
# ## Exercises
#
# Answers: `solutions/06_second_derivative.py`.
#
# **Level 1.** Which s? Of 10⁻¹, 10⁻², … 10⁻¹², find one at which H v of the network by your
# difference is as exact as it gets: within five times the least error, against `by_autograd`. First
# guess: is a smaller s better? (And why does it fail so suddenly on one side? The network has
# ReLUs.)

# %% tags=["exercise-1"]
best_s = None  # ← one of the powers of ten


# %%
def error(s):
    by_difference = (gradient(start + s * v) - gradient(start - s * v)) / (2 * s)
    return np.linalg.norm(by_difference - by_autograd)


least = min(error(10.0**-k) for k in range(1, 13))
done = skill("the step at which H v is most exact", lambda: best_s, lambda s: error(s) <= 5 * least)

# %% [markdown]
# **Level 2.** Power iteration: multiply by H and divide by the length, again and again; the vector
# turns towards the eigenvector of largest |λ|, and ⟨v, H v⟩ towards λ. Six lines.


# %% tags=["exercise-2"]
def largest(matvec, size, steps=200):
    """Return the eigenvalue of largest size, of the linear map ``matvec``."""
    v = np.random.default_rng(1).normal(size=size)
    return None  # ← and a loop above


# %%
done = skill("of a small matrix", lambda: largest(lambda v: v * [1, 5, 2], 3), 5)
done = skill("of −3 and 2 it is −3", lambda: largest(lambda v: v * [-3, 2], 2), -3)
done = skill("of the network", lambda: largest(hessian.matvec, start.size), top[0])

# %% [markdown]
# **Level 3.** SAM's d2 is not quite the gradient of L(w + ε(w)), because ε depends on w. With
# ĝ = g/‖g‖, exact SAM adds (ρ/‖g‖) H (d2 − ĝ⟨ĝ, d2⟩), with H at w. Write it, with one product H v.


# %% tags=["exercise-3"]
def exact_gradient(gradient, matvec, w, rho):
    g = gradient(w)
    unit = g / np.linalg.norm(g)
    d2 = gradient(w + rho * unit)
    return None  # ← d2, and the term that SAM drops


# %%
H = np.array([[6.0, -1.0], [-1.0, 2.0]])  # the bowl of tutorial 2


def climbed(w):  # L(w + ε(w)), of which the exact gradient is wanted
    b = w + 0.5 * H @ w / np.linalg.norm(H @ w)
    return 0.5 * b @ H @ b


w, tiny = np.array([1.0, 2.0]), 1e-6 * np.eye(2)
truth = np.array([(climbed(w + d) - climbed(w - d)) / 2e-6 for d in tiny])
exact = lambda: exact_gradient(lambda w: H @ w, lambda v: H @ v, w, 0.5)  # noqa: E731
done = skill("exact SAM's gradient", exact, truth, close)

# %% [markdown]
# ## Where it comes from
#
# - H v: Pearlmutter 1994, *Fast Exact Multiplication by the Hessian*, Neural Computation 6.
# - Pruning: LeCun, Denker and Solla 1989, *Optimal Brain Damage*, equation (5) and section 2.2.
# - A few large eigenvalues: Sagun et al. 2017, [arXiv 1706.04454](https://arxiv.org/abs/1706.04454).
# - The term that SAM drops: Foret et al. 2020, [arXiv 2010.01412](https://arxiv.org/abs/2010.01412),
#   section 2, the equation before (3).
#
# ## Next
#
# λ₁ is one measure of sharpness of many. Do they agree, and in which units?
# [Flat in which units?](07_flat_in_which_units.ipynb)
