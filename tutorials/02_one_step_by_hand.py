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
# # One step of SAM by hand
#
# *Why climb before going down?* Sharpness-Aware Minimization (SAM) changes one thing about gradient
# descent: *where* the gradient is taken. It first goes a little way up, reads the slope there, goes
# back, and descends along what it read. A walk uphill for a way down: this notebook does one such
# step with pencil and paper, and shows what the detour buys.
#
# **You will be able to**
# - do one step of SGD and one of SAM on paper, and name every quantity;
# - say by how much the two steps differ, and along which directions;
# - say when they don't.
#
# **You need** gradients, and a matrix times a vector. For one exercise: what an eigenvector is.
# Half an hour with the exercises, seconds to run.
#
# The words and letters are the ones used everywhere in minisam:
#
# | symbol | name in code | meaning |
# |---|---|---|
# | w, A | `params` | where the step starts |
# | d1 | `ascent_gradient` | gradient at A |
# | ε | `perturbation` | the climb from A to B |
# | B = A + ε | `perturbed_params` | where the second gradient is taken |
# | d2 | `descent_gradient` | gradient at B |
# | ρ | `rho` | how far to climb |
# | η | `lr` | the step size |

# %%
import importlib.util

if importlib.util.find_spec("minisam") is None:  # then install it, from the clone this lies in
    # %pip install -q ..
    pass

# %%
import matplotlib.pyplot as plt
import numpy as np

from minisam import plots, sam, sgd
from minisam.lesson import agrees, reveal, show, skill

plt.rcParams.update(plots.STYLE)

# %% [markdown]
# ## A tilted bowl
#
# $$L(w) = \tfrac12\, w^\top H\, w, \qquad H = \begin{pmatrix} 6 & -1 \\ -1 & 2 \end{pmatrix},
#   \qquad \nabla L(w) = H w.$$
#
# The minimum is at (0, 0). Across the valley the loss is sharp (curvature 6.2), along its floor
# flat (1.8). The floor is the line through the minimum on which $w_1$ = 0.236 $w_2$. We start at
# A = (1, 2), with η = ⅛ and ρ = 1.

# %%
H = np.array([[6.0, -1.0], [-1.0, 2.0]])
A, lr, rho = np.array([1.0, 2.0]), 0.125, 1.0
curvatures, directions = np.linalg.eigh(H)  # from the flattest to the sharpest
assert np.allclose(curvatures, [1.8, 6.2], atol=0.05)
assert agrees(directions[0, 0] / directions[1, 0], 0.236)  # of the floor: w₁ over w₂


def loss(w):
    return 0.5 * np.sum(w * (w @ H), axis=-1)


# %% [markdown]
# ## SGD, by hand
#
# 1. The gradient at A is d1 = H A = (6·1 − 1·2, −1·1 + 2·2) = **(4, 3)**.
# 2. The step is A − η d1 = (1, 2) − ⅛ (4, 3) = **(0.5, 1.625)**.
#
# **Predict.** SAM climbs from A along d1, by ρ = 1, to B. It takes the gradient d2 there, and steps
# from A along −d2. Where does it end? Does that lie beyond the floor of the valley, on the other
# side, where SGD's step did not get? And if the loss were multiplied by 1000, would B move?

# %%
my_end = None  # ← your guess: (w₁, w₂), roughly
my_past_the_floor = None  # ← your guess: True or False
my_b_moves = None  # ← your guess: True or False

# %% [markdown]
# ## SAM, by hand
#
# 1. The gradient at A is d1 = (4, 3), as before. Its length is √(16 + 9) = 5.
# 2. Climb a distance ρ = 1 *up* the gradient: ε = ρ d1/‖d1‖ = (4, 3)/5 = **(0.8, 0.6)**, so
#    B = A + ε = **(1.8, 2.6)**.
# 3. The gradient at B is d2 = H B = (6·1.8 − 2.6, −1.8 + 2·2.6) = **(8.2, 3.4)**.
# 4. The step is taken from A, not from B, along d2: A − η d2 = (1, 2) − ⅛ (8.2, 3.4) =
#    **(−0.025, 1.575)**.

# %%
d1 = H @ A
epsilon = rho * d1 / np.linalg.norm(d1)
B = A + epsilon
d2 = H @ B
by_sgd, by_sam = A - lr * d1, A - lr * d2
assert np.allclose([d1, epsilon, B, d2], [(4, 3), (0.8, 0.6), (1.8, 2.6), (8.2, 3.4)])
assert np.allclose([by_sgd, by_sam], [(0.5, 1.625), (-0.025, 1.575)])

# %%
figure, axes = plt.subplots(figsize=(8, 6.4), layout="constrained")
plots.contours(axes, loss, np.linspace(-1.3, 3.1, 200), np.linspace(-0.5, 3.2, 200))
floor = directions[:, 0] * np.sign(directions[1, 0])
axes.plot(*np.outer(floor, [-0.4, 3.1]), ":", color=plots.GREY)
plots.step_from_above(axes, A, B, d1, d2, lr)
plots.name_point(axes, "floor", 1.2 * floor, (-34, 0))
axes.plot(0, 0, "+", color=plots.BLACK, markersize=14)
axes.set(xlabel="$w_1$", ylabel="$w_2$", aspect="equal")
axes.set_title("SAM's step is SGD's, pushed across the valley")
show(figure, alt="Contours of a bowl. From A, SGD stops short of the valley's floor; SAM crosses.")

# %%
across = directions[:, 1]
passed = (across @ by_sam) * (across @ A) < 0
assert passed
assert (across @ by_sgd) * (across @ A) > 0  # SGD's step did not pass it
reveal("SAM ends at", my_end, by_sam)
reveal("Past the floor?", my_past_the_floor, passed)
reveal("With 1000 L, does B move?", my_b_moves, not np.allclose(rho * 1000 * d1 / 5000, epsilon))

# %% [markdown]
# d1 and d2 are drawn as arrows uphill, a tenth as long as they are. d2 is longer than d1, and
# leans more *across* the valley. The difference is the curvature times the climb,
# d2 − d1 = H ε: much along the sharp direction, little along the floor. That push is all there is
# to SAM. And ρ is a distance, not a factor: however steep the loss, B lies 1 away from A.
#
# ## The library's step
#
# An optimizer in minisam is two functions: `init` makes its state, `step` does one step. It asks
# for the loss and the gradient wherever it wants to look, and returns, beside the new weights,
# everything it saw.


# %%
def look(params):
    return float(loss(params["w"])), {"w": H @ params["w"]}


opt = sam(sgd(lr=lr), rho=rho)
params, state, step = opt.step({"w": A}, opt.init({"w": A}), look)
for name in ("ascent_gradient", "perturbation", "perturbed_params", "descent_gradient"):
    print(f"{name:17}", getattr(step, name)["w"])
print(f"{'new params':17}", params["w"])

# %%
assert np.allclose(step.perturbation["w"], epsilon, rtol=1e-14)
assert np.allclose(step.descent_gradient["w"], d2, rtol=1e-14)
assert np.allclose(params["w"], by_sam, rtol=1e-14)

# %% [markdown]
# ## Your turn: another start
#
# The same bowl and the same η and ρ, but A = (0, 2). On paper, then here:

# %% tags=["by-hand"]
your_d1 = None  # ← (…, …)
your_b = None  # ← B, rounded to three digits
your_end = None  # ← where SAM's step ends, rounded to three digits

# %%
other = {"w": np.array([0.0, 2.0])}
end, _, seen = opt.step(other, opt.init(other), look)
done = skill("d1, the gradient at A", lambda: your_d1, seen.ascent_gradient["w"])
done = skill("B, at a distance ρ", lambda: your_b, seen.perturbed_params["w"])
done = skill("the step, from A along d2", lambda: your_end, end["w"])

# %% [markdown]
# ## Now break it: when is SAM just SGD?
#
# The two steps differ by η‖H ε‖. As ε has length ρ, that lies between η ρ λ_min and η ρ λ_max, with
# the smallest and the largest curvature: nothing where the loss is flat, much where it is sharp.
# **Predict**: a bowl that is 100 times flatter everywhere, which part is left of the distance
# between the two ends?

# %%
my_part = None  # ← your guess: a number from 0 to 1


# %%
def apart(flatness):
    climb = rho * (H @ A) / np.linalg.norm(H @ A)
    return lr * np.linalg.norm(H / flatness @ climb)


for flatness in (1, 10, 100):
    low, high = lr * rho * curvatures / flatness
    assert low <= apart(flatness) <= high
    print(f"{flatness:3} times flatter: SAM and SGD end {apart(flatness):.5f} apart")
reveal("part that is left:", my_part, apart(100) / apart(1))

# %% [markdown]
# ## What happened
#
# SAM walks to B only to look. What it reads there, d2 = d1 + H ε, is SGD's gradient with a push
# against the sharp directions, and the push does not shrink when the gradient does: close to the
# minimum it is nearly all of the step. What becomes of a walk of many such steps is the next
# tutorial.
#
# ## Exercises
#
# Answers: `solutions/02_one_step_by_hand.py`.
#
# **Level 1.** Fill in the three blanks. A zero gradient has no direction: then stay at A.


# %% tags=["exercise-1"]
def sam_step(w, gradient, rho, lr):
    d1 = gradient(w)
    length = np.linalg.norm(d1)
    epsilon = None if length > 0 else 0 * w  # ← the climb
    d2 = None  # ← the second gradient
    return None  # ← the new weights


# %%
less = sam(sgd(lr=0.1), rho=0.5)
further, _, _ = less.step(other, less.init(other), look)


def yours(w, rho, lr):  # of a copy: a step may work in place
    return sam_step(w.copy(), lambda w: H @ w, rho, lr)


done = skill("the step of this tutorial", lambda: yours(A, 1, 1 / 8), by_sam)
done = skill("with other ρ and η", lambda: yours(other["w"], 0.5, 0.1), further["w"])
done = skill("a zero gradient", lambda: yours(np.zeros(2), 1, 1 / 8), np.logical_not)

# %% [markdown]
# **Level 2.** At ρ = 0 SAM is SGD. Find a start, not the minimum, at which the two steps agree in
# *direction* for every ρ and η. (They then differ in length only. Where does H ε point along ε?)

# %% tags=["exercise-2"]
your_start = None  # ← np.array([…, …]); `directions` holds the eigenvectors of H as columns


# %%
def unit(vector):
    return vector / np.linalg.norm(vector)


def both_steps_agree(w):
    climb = unit(H @ w)  # ε = ρ · climb, and d2 − d1 = H ε
    return agrees(unit(H @ climb), climb)


done = skill("a start at which both steps point the same way", lambda: your_start, both_steps_agree)

# %% [markdown]
# **Level 3.** On the sharp axis, start a hundredth away from the minimum and take one step of SAM
# with ρ = 1. SGD shrinks the distance. By which factor does SAM change it? First the formula: a
# step along an axis of curvature λ takes w > 0 to w − ηλ(w + ρ).

# %% tags=["exercise-3"]
factor_of_sam = None  # ← |new distance| / 0.01, with η = ⅛ and λ = curvatures[1]

# %%
near = 0.01 * directions[:, 1]
after, _, _ = opt.step({"w": near}, opt.init({"w": near}), look)
true_factor = np.linalg.norm(after["w"]) / 0.01
done = skill("how far SAM throws itself out", lambda: factor_of_sam, true_factor)

# %% [markdown]
# ## Where it comes from
#
# Foret et al. 2020, [arXiv 2010.01412](https://arxiv.org/abs/2010.01412): the problem is equation
# (1), the climb equation (2), the step equation (3) and algorithm 1; figure 2 is this picture. In
# the library: `minisam/optim/sam.py` and `sam_perturbation` in `minisam/optim/perturbation.py`.
#
# ## Next
#
# SAM cannot come to rest at a sharp minimum. What does it do instead?
# [Flat: SGD. Sharp: escape.](03_escape.ipynb)
