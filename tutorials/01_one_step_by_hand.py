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
# # One step by hand
#
# Sharpness-Aware Minimization (SAM) changes one thing about gradient descent: *where* the gradient
# is taken. This tutorial does one step of gradient descent (SGD) and one of SAM with pencil and
# paper, lets the library do the same, and draws both. You need to know what a gradient is; nothing
# else. It runs in a few seconds.
#
# The words and letters are the ones used everywhere in minisam:
#
# | symbol | name in code | meaning |
# |---|---|---|
# | A | `params` | where the step starts |
# | d1 | `ascent_gradient` | gradient at A |
# | ε | `perturbation` | the climb from A to B |
# | B = A + ε | `perturbed_params` | where the second gradient is taken |
# | d2 | `descent_gradient` | gradient at B |
# | ρ | `rho` | how far to climb |
# | η | `lr` | how far to step |

# %%
import autograd.numpy as np
import matplotlib.pyplot as plt
from autograd import value_and_grad

from minisam import sam, sgd
from minisam.experiments.pictures.figure2 import two_step_update

# %% [markdown]
# ## A valley
#
# The loss has two weights. Along the first one it is flat (curvature 1), along the second one
# sharp (curvature 4):
#
# $$L(w) = \tfrac12 w_1^2 + \tfrac12 \cdot 4\, w_2^2, \qquad
#   \nabla L(w) = (w_1,\; 4 w_2).$$
#
# We start at A = (3, 1).

# %%
curvature = np.array([1.0, 4.0])


def height(w):
    return 0.5 * np.sum(curvature * w**2, axis=-1)


def loss(params):
    return height(params["w"])


A = {"w": np.array([3.0, 1.0])}
eta, rho = 0.25, 0.5

# %% [markdown]
# ## SGD, by hand
#
# 1. The gradient at A is d1 = (3, 4·1) = **(3, 4)**.
# 2. The step is A − η d1 = (3, 1) − ¼ (3, 4) = **(2.25, 0)**.
#
# ## SAM, by hand
#
# 1. The gradient at A is d1 = **(3, 4)**, as before. Its length is √(9 + 16) = 5.
# 2. Climb: go a distance ρ = ½ *up* the gradient.
#    ε = ρ d1/‖d1‖ = ½ · (3, 4)/5 = **(0.3, 0.4)**, so B = A + ε = **(3.3, 1.4)**.
# 3. The gradient at B is d2 = (3.3, 4·1.4) = **(3.3, 5.6)**.
# 4. The step is taken from A, not from B, along d2:
#    A − η d2 = (3, 1) − ¼ (3.3, 5.6) = **(2.175, −0.4)**.
#
# Look at the difference between the two gradients, d2 − d1 = (0.3, 1.6). It is the curvature times
# the climb: (1·0.3, 4·0.4). Along the flat direction SAM hardly differs from SGD; along the sharp
# one it pushes much harder, even past the floor of the valley. That push is all there is to SAM.

# %%
d1 = curvature * A["w"]
by_sgd = A["w"] - eta * d1

epsilon = rho * d1 / np.sqrt(np.sum(d1**2))
B = A["w"] + epsilon
d2 = curvature * B
by_sam = A["w"] - eta * d2

print("d1 =", d1, "  SGD goes to", by_sgd)
print("ε  =", epsilon, "  B =", B)
print("d2 =", d2, "  SAM goes to", by_sam)

# %% [markdown]
# ## The library's step
#
# An optimizer in minisam is two functions: `init` makes its state, `step` does one step. It asks
# for the loss and the gradient wherever it wants to look, and returns, beside the new weights,
# everything it saw.

# %%
look = value_and_grad(loss)  # params -> (loss, gradient)

opt = sam(sgd(lr=eta), rho=rho)
params, state, step = opt.step(A, opt.init(A), look)

for name in ("ascent_gradient", "perturbation", "perturbed_params", "descent_gradient"):
    print(f"{name:17}", getattr(step, name)["w"])
print(f"{'new params':17}", params["w"])

# %% [markdown]
# The same numbers, up to rounding:

# %%
plain = sgd(lr=eta)
params_sgd, _, _ = plain.step(A, plain.init(A), look)

assert np.allclose(params_sgd["w"], by_sgd, rtol=1e-14)
assert np.allclose(step.perturbation["w"], epsilon, rtol=1e-14)
assert np.allclose(step.descent_gradient["w"], d2, rtol=1e-14)
assert np.allclose(params["w"], by_sam, rtol=1e-14)

# %% [markdown]
# ## The picture
#
# From the side: the loss along the line through A and B; d1 is its slope at A, d2 at B. From above:
# the same step on the map of the valley. Orange is the climb, black SGD's step along −d1, blue
# SAM's along −d2: found at B, but walked from A.

# %%
figure = plt.figure(figsize=(12, 5.5), layout="constrained")
two_step_update(figure, height, step, params)

# %% [markdown]
# ## When is SAM just SGD?
#
# On a bowl with curvatures λ the two steps differ by η ρ ‖H d1‖/‖d1‖, where H is the matrix of
# second derivatives. That lies between η ρ λ_min and η ρ λ_max: nothing where the loss is flat,
# much where it is sharp. Make the whole valley 100 times flatter, and look:

# %%
for flatness in (1, 10, 100):
    bowl = value_and_grad(lambda params, c=curvature / flatness: 0.5 * np.sum(c * params["w"] ** 2))
    ends = [o.step(A, o.init(A), bowl)[0]["w"] for o in (plain, opt)]
    gap = np.sqrt(np.sum((ends[0] - ends[1]) ** 2))
    low, high = eta * rho * curvature / flatness
    print(
        f"{flatness:3} times flatter: SAM and SGD end {gap:.5f} apart, in [{low:.5f}, {high:.5f}]"
    )

# %% [markdown]
# ## Try it
#
# 1. Set `rho = 0` above. What does SAM's step become? Is it equal to SGD's to the last bit?
# 2. Start at A = (0, 1), on the sharp axis, and take several steps with `eta = 0.25`. SGD arrives
#    at the minimum in one. What does SAM do, and how far from the minimum does it end? (On the axis
#    with curvature λ it bounces between ± ηλρ/(2 − ηλ).)
# 3. Multiply the loss by 1000. Which of d1, ε, d2 change, and by how much?
# 4. `from minisam import asam`, and replace `opt` by `asam(sgd(lr=eta), rho=rho)` (with the weights
#    called `"weight"`, so that ASAM rescales them). Which way does the climb go now?
