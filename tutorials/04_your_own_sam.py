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
# # Your own SAM, and what checks it
#
# SAM is five lines of code, and nearly every line can be got wrong so that training still works:
# the loss falls, the accuracy is a little lower, and nobody notices. This tutorial writes SAM four
# times. Three are wrong, in ways that published implementations have been wrong, and each time the
# oracle says which line to look at. It runs in a quarter of a minute; the first tutorial explains
# the letters.
#
# You write one function. It gets the weights w as a list of arrays, a function that returns their
# gradients wherever you ask, and the numbers ρ and η:
#
#     def step(w, grad_fn, *, rho, lr):
#         ...
#         return the new weights, a list of arrays

# %%
import numpy as np

from minisam import grade

# %% [markdown]
# ## First try: walk on from B
#
# Climb from A to B, take the gradient there, step. The new weights are found from B.


# %%
def first_try(w, grad_fn, *, rho, lr):
    d1 = grad_fn(w)
    length = np.sqrt(sum(np.sum(g**2) for g in d1))
    b = [x + rho * g / length for x, g in zip(w, d1, strict=True)]
    d2 = grad_fn(b)
    return [x - lr * g for x, g in zip(b, d2, strict=True)]


points = [grade(first_try, points=4)]

# %% [markdown]
# M01 is the oracle's number for this mistake: the step has to start from A. B is only a place to
# look from. Walking on from B adds ρ d1/‖d1‖ to every step, *up* the slope: near a minimum that is
# larger than the step itself. (It saw something else, too. More about that below.)
#
# ## Second try: every tensor by itself
#
# The step starts from A now. And since the weights come as a list, why not do one array after the
# other?


# %%
def second_try(w, grad_fn, *, rho, lr):
    d1 = grad_fn(w)
    b = [x + rho * g / np.sqrt(np.sum(g**2)) for x, g in zip(w, d1, strict=True)]
    d2 = grad_fn(b)
    return [x - lr * g for x, g in zip(w, d2, strict=True)]


points.append(grade(second_try, points=4))

# %% [markdown]
# ‖d1‖ is the norm of the *whole* gradient, over all tensors together. With a norm for each, a
# network of n tensors climbs √n times too far, and a bias of ten numbers is shaken as hard as a
# matrix of a million. With a single tensor there is no difference, so no test on a single tensor
# finds this. Some packages do it on purpose; the oracle therefore asks which it was.
#
# ## Third try: divide by nothing
#
# One norm, and the step from A. What can go wrong now?


# %%
def third_try(w, grad_fn, *, rho, lr):
    d1 = grad_fn(w)
    length = np.sqrt(sum(np.sum(g**2) for g in d1))
    with np.errstate(invalid="ignore", divide="ignore"):
        b = [x + rho * g / length for x, g in zip(w, d1, strict=True)]
    d2 = grad_fn(b)
    return [x - lr * g for x, g in zip(w, d2, strict=True)]


points.append(grade(third_try, points=4))

# %% [markdown]
# At a minimum, or behind ReLUs that are all closed, the gradient is exactly 0, and 0/0 is not a
# number: one such batch, and all weights are lost. There is no way up from there, so there is no
# climb. Many implementations add a small number to the norm instead; the oracle takes that for a
# convention, which one may declare, and `grade` costs you nothing for it.
#
# ## Fourth try


# %%
def fourth_try(w, grad_fn, *, rho, lr):
    d1 = grad_fn(w)  # at A
    length = np.sqrt(sum(np.sum(g**2) for g in d1))  # ‖d1‖ over all tensors
    climb = rho / length if length > 0 else 0.0
    b = [x + climb * g for x, g in zip(w, d1, strict=True)]  # B = A + ρ d1/‖d1‖
    d2 = grad_fn(b)  # at B
    return [x - lr * g for x, g in zip(w, d2, strict=True)]  # from A


points.append(grade(fourth_try, points=4))
assert points[-1] == 4 > max(points[:-1])

# %% [markdown]
# ## How can it know?
#
# The oracle never compares accuracies. It owns `grad_fn`, so it sees *where* each gradient was
# asked for: A, then B. It compares B and the new weights with minisam's own SAM, calculated with
# numbers that carry a bound of their rounding errors, so that a difference is either explained by
# rounding or it is real. And it knows some eighty wrong SAMs, and names the one that would do what
# yours did.
#
# ## Try it
#
# 1. The report on `first_try` ends with ten lines that show the mistake without minisam, to send to
#    an author. Run them in a new cell. Then `from minisam import oracle` and
#    `print(oracle.check(first_try))`: it judges in float32 too.
# 2. Write ASAM: ε = ρ T² d1/‖T d1‖ with T = |w| + η. Check it with
#    `grade(step, method="asam", declare={"eta": 0.01, "scope": "all"})`.
# 3. Take d2 on *another* mini-batch than d1, as some implementations do. `grad_fn` has no batches:
#    how could the oracle see it? (`oracle.check` of an optimizer for PyTorch or Optax can.)
# 4. Give `grade` an optimizer that you use at work; `oracle.torch`, `.optax` and `.keras` turn it
#    into what the oracle understands.
