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
# # Flat or sharp?
#
# SAM is said to end in *flatter* minima than SGD. This tutorial trains the same small network with
# both, from the same start, and then measures what "flat" means: the largest curvature, all
# curvatures, the loss along a line, the worst loss nearby. At the end it breaks every one of these
# measures but one, without changing what the network computes. It runs in half a minute, and you
# need to know what a gradient and an eigenvalue are.
#
# | symbol | name in code | meaning |
# |---|---|---|
# | w | `params` | the weights, a dict of arrays |
# | L(w) | `loss` | training loss |
# | H | `product`, `matvec` | matrix of second derivatives of L at w, as the function v ↦ H v |
# | λ₁ | `eigenvalues[0]` | the largest curvature: largest eigenvalue of H |
# | ρ | `rho` | radius of a ball around w |

# %%
import matplotlib.pyplot as plt
import numpy as np

from minisam import LabelNoise, load, mlp, plots, sam, sgd, sharpness
from minisam.data import channel_statistics, standardize
from minisam.nn.gradients import value_and_grad
from minisam.nn.losses import accuracy, cross_entropy
from minisam.train import predict, train
from minisam.trees import add_scaled, norm, scale, subtract

# %% [markdown]
# ## Two networks
#
# The toy images come with the package. A fifth of the training labels is wrong, so that there is
# something to memorize; the test labels are clean.

# %%
data = load("toy", noise=LabelNoise("symmetric", 0.2, seed=0), train_size=1000, test_size=1000)
mean, std = channel_statistics(data.train.images)
x, y = standardize(data.train.images, mean, std), data.train.labels
test_x, test_y = standardize(data.test.images, mean, std), data.test.labels
wrong = y != data.train.clean_labels

model = mlp(hidden=(32, 32), classes=10)
base = sgd(lr=0.05, momentum=0.9)
ends = {}
for name, optimizer in (("SGD", base), ("SAM", sam(base, rho=0.2))):
    ends[name] = train(model, optimizer, x, y, epochs=25, batch_size=100, seed=0).params
    on_train, on_test = (predict(model, ends[name], {}, images) for images in (x, test_x))
    print(
        f"{name}: test {accuracy(on_test, test_y):.1%}, wrong labels memorized "
        f"{np.mean(on_train.argmax(axis=1)[wrong] == y[wrong]):.0%}, "
        f"training loss {float(cross_entropy(on_train, y)):.3f}"
    )

# %% [markdown]
# ## The second derivative, without the matrix
#
# This network has about a hundred thousand weights, so H has ten billion entries. Nobody needs
# them. The derivative of the gradient along v is H v, and autograd gives it for the price of two
# gradients. Checked against the definition, the change of the gradient over a short way along v:

# %%
seen, labels = x[:500].astype(np.float64), y[:500]


def loss(params):
    return cross_entropy(model.apply(params, seen), labels)


w = {key: leaf.astype(np.float64) for key, leaf in ends["SGD"].items()}
rng = np.random.default_rng(0)
v = {key: rng.standard_normal(leaf.shape) for key, leaf in w.items()}
v = scale(1 / norm(v), v)

product = sharpness.hessian_product(loss, w)
h = 1e-5
(_, ahead), (_, behind) = (value_and_grad(loss)(add_scaled(w, step, v)) for step in (h, -h))
difference = scale(1 / (2 * h), subtract(ahead, behind))
error = float(norm(subtract(difference, product(v))) / norm(product(v)))
print(f"relative difference between H v and its definition: {error:.0e}")
assert error < 1e-4

# %% [markdown]
# ## The largest curvatures
#
# Lanczos' method finds the outermost eigenvalues from a few dozen products H v, and says how far
# from an eigenvector each of its vectors is: ‖H u − λ u‖, the residual. An eigenvalue of H lies at
# most that far from the number it returns.


# %%
def curvatures(params, count=3):
    product = sharpness.hessian_product(loss, params)
    hessian = sharpness.flat_hessian(product, params)
    rng = np.random.default_rng(0)
    return hessian, sharpness.top_eigenvalues(hessian.matvec, hessian.size, rng, count, steps=80)


points = {
    name: {key: leaf.astype(np.float64) for key, leaf in end.items()} for name, end in ends.items()
}
for name, params in points.items():
    _, top = curvatures(params)
    shown = ", ".join(
        f"{value:.2f} ± {residual:.0e}"
        for value, residual in zip(top.eigenvalues, top.residuals, strict=True)
    )
    print(f"{name}: largest eigenvalues {shown}")

# %% [markdown]
# ## All curvatures
#
# The trace is the sum of all eigenvalues: the mean of vᵀ H v over random signs v (Hutchinson). The
# whole spectrum follows from a few runs of Lanczos (stochastic quadrature). Drawn is the share of
# eigenvalues above λ: nearly all are nearly zero, and one in a few thousand sticks out.

# %%
figure, axes = plt.subplots(figsize=(8, 4.5), layout="constrained")
for name, params in points.items():
    hessian, _ = curvatures(params, count=1)
    rng = np.random.default_rng(0)
    total = sharpness.trace(hessian.matvec, hessian.size, rng, probes=20)
    print(f"{name}: trace {total.value:.1f} ± {total.standard_error:.1f} (standard error)")
    spectrum = sharpness.spectral_density(hessian.matvec, hessian.size, rng, probes=2, steps=30)
    order = np.argsort(spectrum.nodes)
    share_above = np.cumsum(spectrum.weights[order][::-1])[::-1]
    axes.plot(spectrum.nodes[order], share_above, color=plots.colour(name), label=name)
axes.set(xscale="symlog", yscale="log", xlabel="λ", ylabel="share of eigenvalues above λ")
_ = axes.legend()

# %% [markdown]
# ## The loss along a line
#
# A random direction tells little if one network has larger weights than the other: the same step is
# then a smaller change. So each filter of the direction gets the length of the network's own filter
# (Li et al. 2018), and 1 on the axis means: every filter moved by its own length.

# %%
figure, axes = plt.subplots(figsize=(8, 4.5), layout="constrained")
for name, params in points.items():
    for seed in range(4):
        direction = sharpness.filter_normalized_direction(params, np.random.default_rng(seed))
        line = sharpness.loss_slice(loss, params, direction, np.linspace(-1, 1, 31))
        axes.plot(
            line.x, line.losses, color=plots.colour(name), alpha=0.7, label=None if seed else name
        )
axes.set(xlabel="distance / norm of each filter", ylabel="training loss")
_ = axes.legend()

# %% [markdown]
# ## The worst loss nearby
#
# SAM's own measure is the largest rise of the loss within a ball of radius ρ around w. One step
# along the gradient is SAM's guess at it; climbing on, and projecting back into the ball, finds
# more. ASAM's ball stretches with the weights: 0.5 lets each change by about half of itself.

# %%
for name, params in points.items():
    ball = sharpness.worst_case(loss, params, rho=0.2, steps=20).rise
    stretched = sharpness.adaptive_sharpness(loss, params, rho=0.5, steps=20).rise
    print(f"{name}: worst rise in a ball of 0.2 {ball:.3f}, in ASAM's ball of 0.5 {stretched:.3f}")

# %% [markdown]
# ## Now break it
#
# In a ReLU network the first layer can be made 5 times larger and the second 5 times smaller: every
# output stays what it was, so this is the same minimum in every sense that matters for a
# prediction. And yet (Dinh et al. 2017):


# %%
def rescaled(params, factor):
    sizes = {"fc1.weight": factor, "fc1.bias": factor, "fc2.weight": 1 / factor}
    return {key: sizes.get(key, 1.0) * leaf for key, leaf in params.items()}


same = rescaled(points["SAM"], 5.0)
outputs = [model.apply(params, seen) for params in (points["SAM"], same)]
assert np.allclose(*outputs, rtol=1e-9, atol=1e-9)

measures = {}
for name, params in (("as trained", points["SAM"]), ("rescaled", same)):
    _, top = curvatures(params, count=1)
    measures[name] = (
        top.eigenvalues[0],
        sharpness.worst_case(loss, params, rho=0.2, steps=20).rise,
        sharpness.adaptive_sharpness(loss, params, rho=0.5, steps=20).rise,
    )
    print("{:10}  λ₁ {:8.2f}   rise in a ball {:7.3f}   in ASAM's ball {:.3f}".format(
        name, *measures[name]
    ))  # fmt: skip
before, after = measures.values()
assert np.isclose(before[2], after[2], rtol=1e-6)
assert after[0] > 2 * before[0]

# %% [markdown]
# λ₁ and the rise in a ball call the same network sharp that they called flat. ASAM's ball is
# stretched together with the weights, and does not see the difference. That is the reason for ASAM.
# It is also a warning: "flatter" means nothing before one has said in which units.
#
# ## Try it
#
# 1. Train with ρ = 0.05 and 0.8 instead. What becomes of λ₁, of the test accuracy, of the memorized
#    labels? Is the flattest network the best?
# 2. At a minimum that fits every label the gradient vanishes, and with it the first step of
#    `worst_case`. Give it `restarts=5, rng=...`: what does it find for SGD now?
# 3. Use `sharpness.loss_plane` for the loss over two random directions, and draw it with
#    `axes.contourf`.
# 4. Which `factor` makes λ₁ of the rescaled network smallest? Is that network any better?
# 5. Is ASAM's rise the same for `scope="weights"`, which leaves the biases alone? Why not?
