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
# # Flat in which units?
#
# *Is this network flatter than that one?* A network can be written down in many ways that compute
# the same. If it is called flat in one of them and sharp in another, then "flat" says something
# about the writing. Here are five measures of sharpness, and one network written down twice.
#
# **You will be able to**
# - rescale a ReLU network without changing what it computes;
# - say which measures of sharpness notice, and why;
# - carry a radius ρ from one network to another, with SAM and with ASAM.
#
# **You need** eigenvalues, and H v from [tutorial 6](06_second_derivative.ipynb). 35 minutes
# with the exercises, ten seconds or so to run.
#
# | symbol | name in code | meaning |
# |---|---|---|
# | w | `params` | the weights, a dict of arrays |
# | H, λ₁ | `hessian` | second derivatives of the loss at w, and the largest curvature |
# | ρ | `rho` | radius of a ball around w |
# | T | `scaling` | diagonal matrix of the weights' sizes: ASAM's ball is ‖T⁻¹ε‖ ≤ ρ |

# %%
import importlib.util

if importlib.util.find_spec("minisam") is None:  # then install it, from the clone this lies in
    # %pip install -q ..
    pass

# %%
import autograd.numpy as np
import matplotlib.pyplot as plt

from minisam import load, mlp, plots, sgd, sharpness
from minisam.lesson import reveal, show, skill
from minisam.nn.gradients import value_and_grad
from minisam.nn.losses import cross_entropy
from minisam.optim import asam_perturbation, sam_perturbation
from minisam.train import train
from minisam.trees import add, norm

plt.rcParams.update(plots.STYLE)

# %% [markdown]
# ## One network, written down twice
#
# Toy images, made small, and a network trained on them until little is left to learn. In a ReLU
# network the first layer can be made *a* times larger and the second *a* times smaller: a ReLU
# passes the factor on, the next layer takes it away. Every output stays what it was, here for a =
# 5.

# %%
data = load("toy", train_size=500).train
images = data.images.reshape(-1, 8, 4, 8, 4, 3).mean(axis=(2, 4))
x = (images - images.mean(axis=0)) / images.std(axis=0)
model = mlp(hidden=(32, 32), classes=10, input_shape=(8, 8, 3))
end = train(model, sgd(lr=0.05, momentum=0.9), x.astype("float32"), data.labels, epochs=60).params
params = {name: leaf.astype(float) for name, leaf in end.items()}


def loss(params):
    return cross_entropy(model.apply(params, x), data.labels)


# %%
def rescaled(params, factor):
    sizes = {"fc1.weight": factor, "fc1.bias": factor, "fc2.weight": 1 / factor}
    return {name: sizes.get(name, 1.0) * leaf for name, leaf in params.items()}


same = rescaled(params, 5.0)

# %% [markdown]
# ## Five measures
#
# | name | what it is |
# |---|---|
# | `"λ₁"` | the largest eigenvalue of H |
# | `"trace"` | the sum of all eigenvalues, estimated from vᵀHv with random signs v |
# | `"ball"` | the largest rise of the loss within ‖ε‖ ≤ 0.2, which SAM guesses in one step |
# | `"line"` | the rise along a random direction, each filter of it as long as the network's own |
# | `"ASAM"` | the largest rise within a ball stretched with the weights, ‖T⁻¹ε‖ ≤ 0.5 |
#
# A *filter* is all that leads into one neuron: here a column of a layer's matrix.
#
# **Predict.** Which of the five change when the network is written down the other way?

# %%
my_changing = None  # ← your guess: a list of names, such as ["λ₁", "line"]


# %%
def measures(params):
    hessian = sharpness.flat_hessian(sharpness.hessian_product(loss, params), params)
    H, n = hessian.matvec, hessian.size
    direction = sharpness.filter_normalized_direction(params, np.random.default_rng(0))
    return {
        "λ₁": sharpness.top_eigenvalues(H, n, np.random.default_rng(0)).eigenvalues[0],
        "trace": sharpness.trace(H, n, np.random.default_rng(0)).value,
        "ball": sharpness.worst_case(loss, params, rho=0.2).rise,
        "line": np.diff(sharpness.loss_slice(loss, params, direction, [0.0, 0.5]).losses)[0],
        "ASAM": sharpness.adaptive_sharpness(loss, params, rho=0.5).rise,
    }


# %%
before, after = measures(params), measures(same)
figure, axes = plt.subplots(figsize=(8, 4.6), layout="constrained")
ratios = [after[name] / before[name] for name in before]
axes.bar(np.arange(5) - 0.2, 1.0, 0.38, color=plots.GREY, label="as trained")
axes.bar(np.arange(5) + 0.2, ratios, 0.38, color=plots.BLUE, label="rescaled by 5")
axes.set_xticks(range(5), list(before))
axes.set(ylabel="times the value as trained", title="One network: three of five measures change")
axes.legend(loc="upper right")
show(figure, alt="Pairs of bars: λ₁, trace and ball grow with the rescaling; line and ASAM do not.")

# %%
assert np.allclose(model.apply(params, x), model.apply(same, x), rtol=1e-9, atol=1e-9)
value, slope = value_and_grad(loss)(params)
print(f"same outputs; loss {value:.4f}, length of the gradient {norm(slope):.3f}: nearly a minimum")
changing = [name for name in before if not np.isclose(before[name], after[name], rtol=1e-6)]
reveal("These change:", my_changing, changing)
for name in before:
    print(f"{name:6} as trained {before[name]:8.3f}, rescaled {after[name]:8.3f}")
assert changing == ["λ₁", "trace", "ball"]

# %% [markdown]
# λ₁, the trace and the rise in a ball call the very network sharp that they called flat. Nothing
# about its predictions has changed, so nothing about how it generalizes has, either. The two that
# stay measure distance in units of the weights themselves: each filter against its own length, or
# each weight against its own size.
#
# ## By hand, with two weights
#
# The smallest such network is u·v with one example: L(u, v) = ½ (uv − 1)². At a minimum, uv = 1,
# its curvature is u² + v² across the valley, and 0 along it. At (1, 1) that is 2. Written down with
# a = 5, at (5, ⅕)?

# %% tags=["by-hand"]
curvature_rescaled = None  # ← u² + v² at (5, ⅕), every digit

# %%
valley = sharpness.dense_hessian(lambda w: 0.5 * (w["u"] * w["v"] - 1) ** 2, {"u": 5.0, "v": 0.2})
true_curvature = np.linalg.eigvalsh(valley)[-1]
done = skill("the curvature at (5, ⅕)", lambda: curvature_rescaled, true_curvature, np.isclose)

# %% [markdown]
# ## Now break it
#
# Rescaling can make a network as sharp as you like. Can it make it flatter, too, than training left
# it? **Predict**: by how many percent can λ₁ be lowered, with the best a?

# %%
my_percent = None  # ← your guess: a number from 0 to 100

# %%
sizes = np.array([0.25, 0.5, 0.8, 0.9, 1.0, 1.1, 1.2, 1.5, 2.0, 4.0])
top = np.array([measures(rescaled(params, a))["λ₁"] for a in sizes])
print("a ", *(f"{a:6.2f}" for a in sizes))
print("λ₁", *(f"{value:6.2f}" for value in top))
reveal("Flatter by % at best:", my_percent, 100 * (1 - top.min() / before["λ₁"]))
assert top.min() > 0.8 * before["λ₁"]

# %% [markdown]
# Hardly at all. The layers were of like size at the start, and gradient descent keeps them so:
# nothing rescales a network by itself. That is why λ₁ of two networks that were trained alike can
# be compared all the same, with care. One more trap: a network that is *less trained* has another
# curvature, too. Compare at the same training loss, or say that you did not.
#
# ## What happened
#
# "Flatter" means nothing before one has said in which units. SAM's ball is round in the units of
# the weights as written down; ASAM's is stretched with them, so that its ρ means the same for every
# way of writing. That is the reason for ASAM. Whether it generalizes better is another question.
#
# ## Exercises
#
# Answers: `solutions/07_flat_in_which_units.py`.
#
# **Level 1.** ASAM's ball of 0.5 is *joint*: ‖T⁻¹ε‖ is the length of all relative changes εᵢ/|wᵢ|
# together. If every one of the 7,562 weights changes by the same share of itself, how many percent
# may that be? (Not 50.)

# %% tags=["exercise-1"]
percent = None  # ← 100 · …

# %%
n = sum(leaf.size for leaf in params.values())
assert n == 7562
ones = np.full(n, 0.5 / n**0.5)  # a vector of n equal shares
done = skill("how far ASAM's ball reaches", lambda: percent, 100 * ones[0])

# %% [markdown]
# **Level 2.** Find a sixth measure: a number that is the same for the rescaled network, but not for
# every network, and 0 where the loss is the same everywhere. (What could you do to each weight that
# does not care how large it is?)


# %% tags=["exercise-2"]
def sixth(params):
    return None  # ← with `loss`; draw from np.random.default_rng(0) if it takes chance


# %%
def of_a_flat_loss(level):
    global loss
    kept, loss = loss, lambda params: level + 0.0 * np.sum(params["fc1.bias"])
    try:
        return sixth(params)
    finally:
        loss = kept


# %%
untrained = model.init(np.random.default_rng(0))
of_two_flat = lambda: [of_a_flat_loss(level) for level in (3.0, 5.0)]  # noqa: E731


def stays(a):
    return lambda it: np.isclose(it, sixth(rescaled(params, a)), rtol=1e-6)


def differs(*others):
    return lambda it: not any(np.isclose(it, one, rtol=0.01) for one in others)


# %%
done = skill("is 0 on a flat loss", of_two_flat, lambda both: np.allclose(both, 0, atol=1e-12))
done = skill("does not notice a = 5", lambda: sixth(params), stays(5.0))
done = skill("nor a = 100", lambda: sixth(params), stays(100.0))
done = skill("but another network", lambda: sixth(params), lambda it: differs(sixth(untrained))(it))
done = skill("is none of the five", lambda: sixth(params), differs(*before.values()))

# %% [markdown]
# **Level 3.** Carry ρ over, as from pre-training to fine-tuning, where the weights have other
# sizes. At `params`, SAM's climb with ρ = 0.05 raises the loss by some amount. With which ρ does it
# raise it by as much at `same`? And ASAM's, which at `params` had ρ = 0.5? Search by halving an
# interval: `rise(climb, params, rho)` grows with ρ here.


# %%
def rise(climb, params, rho):
    value, gradient = value_and_grad(loss)(params)
    return float(loss(add(params, climb(params, gradient, rho)))) - value


def adaptive(params, gradient, rho):
    return asam_perturbation(params, gradient, rho, eta=0.0, scope="all")


# %% tags=["exercise-3"]
rho_of_sam = None  # ← for sam_perturbation, at `same`
rho_of_asam = None  # ← for adaptive, at `same`


# %%
def carries(climb, old_rho):
    wanted = rise(climb, params, old_rho)
    return lambda rho: np.isclose(rise(climb, same, rho), wanted, rtol=0.02)


done = skill("SAM's ρ, carried over", lambda: rho_of_sam, carries(sam_perturbation, 0.05))
done = skill("ASAM's ρ, carried over", lambda: rho_of_asam, carries(adaptive, 0.5))

# %% [markdown]
# ## Where it comes from
#
# - Rescaling: Dinh et al. 2017, *Sharp Minima Can Generalize For Deep Nets*,
#   [arXiv 1703.04933](https://arxiv.org/abs/1703.04933), section 4.
# - The line: Li et al. 2018, [arXiv 1712.09913](https://arxiv.org/abs/1712.09913), section 4.
# - ASAM: Kwon et al. 2021, [arXiv 2102.11600](https://arxiv.org/abs/2102.11600), section 3 and
#   theorem 1.
# - Layers stay balanced: Du et al. 2018, [arXiv 1806.00900](https://arxiv.org/abs/1806.00900).
# - The trace: Hutchinson 1990. λ₁ by Lanczos: see `minisam/sharpness/lanczos.py`.
#
# ## Next
#
# So does any of this help on data? [Does it generalize?](08_does_it_generalize.ipynb)
