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
# # Learning lies
#
# *What does a network do with labels that are wrong?* It learns them. A network that is large
# enough learns any labels you give it, and the question is only when, and what is lost on the way.
#
# **You will be able to**
# - write a network, its loss and its training loop in thirty lines on autograd;
# - measure how many of the wrong labels a network has learned, apart from the right ones;
# - say when test accuracy is lost, and what SAM has to do with it.
#
# **You need** the forward pass of a network, cross-entropy, and SGD with momentum; SAM as in
# [tutorial 2](02_one_step_by_hand.ipynb). Half an hour with the exercises, ten seconds
# or so to run.

# %%
import importlib.util

if importlib.util.find_spec("minisam") is None:  # then install it, from the clone this lies in
    # %pip install -q ..
    pass

# %%
import autograd.numpy as np
import matplotlib.pyplot as plt
from autograd import value_and_grad

from minisam import LabelNoise, asam, load, plots, sam, sgd
from minisam.blas import own_threads
from minisam.lesson import reveal, show, skill

plt.rcParams.update(plots.STYLE)

# %% [markdown]
# ## Images with wrong labels
#
# The toy images come with the package: ten shapes. With 40 % *symmetric* noise, four labels in ten
# are replaced by another, drawn evenly from the other nine. Each column is a label that the network
# will be told. Find the lies.

# %%
shown = load("toy", noise=LabelNoise("symmetric", 0.4, seed=0), train_size=200).train
figure = plt.figure(layout="constrained", dpi=72)
plots.images_by_class(figure, shown.images, shown.labels, load("toy").class_names[:6], rows=3)
figure.suptitle("Four labels in ten are lies")
show(figure, alt="Six columns of three small images, a column a label; many show other shapes.")

# %% [markdown]
# ## A network from nothing
#
# 500 training images, made small (8 × 8 × 3 = 192 numbers), and a network with one hidden layer of
# 64 ReLUs: 13,002 weights. The test labels are all right.


# %%
def prepared(seed, kind="symmetric"):
    noise = LabelNoise(kind, 0.4, seed=seed)
    data = load("toy", noise=noise, train_size=500, test_size=1000, seed=seed)
    x, test_x = (
        split.images.reshape(-1, 8, 4, 8, 4, 3).mean(axis=(2, 4)).reshape(-1, 192)
        for split in (data.train, data.test)
    )
    mean, std = x.mean(axis=0), x.std(axis=0)
    train = (x - mean) / std, data.train.labels, data.train.clean_labels
    return *train, (test_x - mean) / std, data.test.labels


# %%
def start(rng):
    w1, w2 = rng.normal(size=(192, 64)) / 96**0.5, rng.normal(size=(64, 10)) / 8
    return {"fc1.weight": w1, "fc1.bias": np.zeros(64), "fc2.weight": w2, "fc2.bias": np.zeros(10)}


def logits(params, x):
    hidden = np.maximum(0, np.dot(x, params["fc1.weight"]) + params["fc1.bias"])
    return np.dot(hidden, params["fc2.weight"]) + params["fc2.bias"]


# %%
def loss(params, x, y):  # cross-entropy: log Σ exp(z) − z[y]
    z = logits(params, x)
    z = z - np.max(z, axis=1, keepdims=True)
    return np.mean(np.log(np.sum(np.exp(z), axis=1)) - z[np.arange(len(y)), y])


assert sum(leaf.size for leaf in start(np.random.default_rng(0)).values()) == 13002

# %% [markdown]
# After every epoch we note three shares: of the test images it gets right; of the *wrong* training
# labels it answers with the wrong label; of the right ones it answers rightly.


# %%
def noted(params, x, y, clean, test_x, test_y):
    chosen, wrong = logits(params, x).argmax(axis=1), y != clean
    on_test = np.mean(logits(params, test_x).argmax(axis=1) == test_y)
    return on_test, np.mean(chosen[wrong] == y[wrong]), np.mean(chosen[~wrong] == y[~wrong])


# %%
@own_threads()  # products this small are slower on several of BLAS's threads
def train(opt, data, seed, epochs=40):
    rng = np.random.default_rng(seed)
    params, history, (x, y) = start(rng), [], data[:2]
    state = opt.init(params)
    for _ in range(epochs):
        for batch in rng.permutation(500).reshape(5, 100):
            look = value_and_grad(lambda w, b=batch: loss(w, x[b], y[b]))
            params, state, _ = opt.step(params, state, look)
        history.append(noted(params, *data))
    return np.array(history)


# %% [markdown]
# Three methods: SGD, SAM and ASAM. *Adaptive* SAM lets a large weight climb further than a small
# one, which is why its ρ counts in other units; [tutorial 7](07_flat_in_which_units.ipynb) is about
# that.
#
# **Predict.** In 40 epochs SGD learns every label, right or wrong. In which epoch is its *test*
# accuracy best? And in the epochs *after* it has fitted every label, does its test accuracy
# `"rise"`, `"fall"` or `"stay"`? Of the wrong labels, which share will SAM have learned in the end?

# %%
my_best_epoch = None  # ← your guess: from 1 to 40
my_after = None  # ← your guess: "rise", "fall" or "stay"
my_sam_share = None  # ← your guess: a share from 0 to 1

# %%
base = sgd(lr=0.05, momentum=0.9)
methods = {"SGD": base, "SAM": sam(base, rho=1.0), "ASAM": asam(base, rho=6.0)}
data = [prepared(seed) for seed in range(3)]
runs = {
    name: np.array([train(opt, data[seed], seed) for seed in range(3)])
    for name, opt in methods.items()
}  # of shape (seeds, epochs, what was noted)

# %%
figure, panels = plt.subplots(1, 3, figsize=(13, 4.4), layout="constrained")
titles = ("SGD's test accuracy falls early", "SGD learns every lie", "All of them learn the truth")
for k, axes in enumerate(panels):
    for name, values in runs.items():
        seeds = 100 * values[:, :, k].T
        band = [(one.mean(), one.min(), one.max()) for one in seeds]
        plots.curve_with_band(axes, band, name)
    axes.set(xlabel="epoch", ylim=(0, 103), title=titles[k])
    axes.set_ylabel(f"% of the {('test images', 'wrong labels', 'right labels')[k]}")
panels[2].legend(loc="lower right")
show(figure, alt="By epoch: SGD's test accuracy falls while it learns the lies; SAM's stays up.")


# %%
def direction(change):
    return "stay" if abs(change) < 0.02 else "rise" if change > 0 else "fall"


of_sgd = runs["SGD"].mean(axis=0)
fitted = np.flatnonzero(runs["SGD"][:, :, 1:].min(axis=(0, 2)) > 0.99)[0]  # in all three runs
peak = of_sgd[:, 0].argmax()
print(f"SGD has fitted every label by epoch {fitted + 1}")
reveal("SGD's test accuracy is best in epoch", my_best_epoch, peak + 1)
reveal("Once all is fitted, it will", my_after, direction(of_sgd[-1, 0] - of_sgd[fitted, 0]))
reveal("SAM's share of wrong labels:", my_sam_share, runs["SAM"][:, -1, 1].mean())
assert direction(of_sgd[fitted, 0] - of_sgd[peak, 0]) == "fall"
assert direction(of_sgd[-1, 0] - of_sgd[fitted, 0]) == "stay"

# %% [markdown]
# The harm is done *while* the lies are learned, not after: once every label is fitted, the gradient
# is nearly 0 and nothing moves any more. Truth is learned first, because the right labels agree
# with each other. SAM slows the lies down far more than the truth.

# %%
for name, values in runs.items():
    test, wrong, right = 100 * values[:, -1].mean(axis=0)
    print(f"{name:4}  test {test:.0f} %, wrong labels {wrong:.0f} %, right labels {right:.0f} %")
assert runs["SAM"][:, -1, 1].mean() < 0.8 < 0.99 < runs["SGD"][:, -1, 1].mean()
assert runs["SAM"][:, -1, 0].mean() > runs["SGD"][:, -1, 0].mean() + 0.05

# %% [markdown]
# ## Now break it: let SAM climb too far
#
# If some ρ is good, is more ρ better? Take five times as much. **Predict**: which share of the
# wrong labels is learned then, and which of the right ones?

# %%
my_wrong_share = None  # ← your guess: from 0 to 1
my_right_share = None  # ← your guess: from 0 to 1

# %%
too_far = train(sam(base, rho=5.0), data[0], seed=0)[-1]
print("ρ = 5: test {:.0%}, wrong labels {:.0%}, right labels {:.0%}".format(*too_far))
reveal("wrong labels learned:", my_wrong_share, too_far[1])
reveal("right labels learned:", my_right_share, too_far[2])
assert too_far[2] < 0.5

# %% [markdown]
# It learns no lies, and nothing else. "Fewer wrong labels learned" is not a goal by itself.
#
# ## What happened
#
# SGD fits 40 % of lies completely, and pays with test accuracy while it does so. At its best epoch
# it had not paid yet, but its training labels could not tell which epoch that was. Labels kept
# aside could, even noisy ones, if they are many: no network can guess a lie that it was not told.
# SAM at a fitting ρ fits most of the truth and fewer of the lies. Three seeds of one small network
# on one data set: [tutorial 8](08_does_it_generalize.ipynb) asks how far that carries.
#
# ## Exercises
#
# Answers: `solutions/05_learning_lies.py`.
#
# **Level 1.** Nobody tells you which of your own labels are wrong, but a network can point at some:
# those that it contradicts. Write which share of the contradicted labels is wrong indeed. (Mind:
# `noted` has the other share, of the wrong labels that are learned. What does a network point at
# that has learned every label?)


# %% tags=["exercise-1"]
def pointed_at(chosen, noisy, clean):
    return None  # ← two lines at most; each is an array of labels, `chosen` the network's


# %%
chosen, noisy, clean = np.array([[1, 2, 0, 3, 2], [1, 2, 0, 1, 1], [1, 0, 1, 0, 1]])
done = skill("what the network points at, by hand", lambda: pointed_at(chosen, noisy, clean), 1 / 2)
done = skill("a network that knows the truth", lambda: pointed_at(clean, noisy, clean), 1)

# %% [markdown]
# **Level 2.** How many points does each method lose from its best epoch to its last, in the mean
# over seeds? Take the best epoch of each run by itself.


# %% tags=["exercise-2"]
def lost(values):
    """Return the points of test accuracy lost, for ``runs[name]``."""
    return None  # ← test accuracy is values[:, :, 0]


# %%
example = np.zeros((2, 3, 3))
example[:, :, 0] = [[0.5, 0.6, 0.4], [0.7, 0.5, 0.7]]
done = skill("points lost, by hand", lambda: lost(example), 10.0)
done = skill(
    "SGD loses most",
    lambda: lost(runs["SGD"]),
    lambda points: points > max(lost(runs["SAM"]), lost(runs["ASAM"])),
)

# %% [markdown]
# **Level 3.** *Pair* noise makes four labels in ten wrong, too, but every shape is always mistaken
# for the same other one: `prepared(seed, "pair")`. Train SGD on seeds 0 to 2. How many points of
# test accuracy, in the last epoch, has symmetric noise over pair noise? First guess the sign.

# %% tags=["exercise-3"]
symmetric_over_pair = None  # ← in points, in the mean over three seeds

# %%
by_pair = [train(base, prepared(seed, "pair"), seed)[-1, 0] for seed in range(3)]
truth = 100 * (runs["SGD"][:, -1, 0].mean() - np.mean(by_pair))

# %%
done = skill(
    "symmetric over pair noise", lambda: symmetric_over_pair, lambda it: abs(it - truth) < 0.5
)

# %% [markdown]
# ## Where it comes from
#
# - Networks fit any labels: Zhang et al. 2017, [arXiv 1611.03530](https://arxiv.org/abs/1611.03530).
# - Truth first: Arpit et al. 2017, [arXiv 1706.05394](https://arxiv.org/abs/1706.05394).
# - SAM on wrong labels: Foret et al. 2020, [arXiv 2010.01412](https://arxiv.org/abs/2010.01412),
#   section 3.3 and table 4. ASAM: Kwon et al. 2021,
#   [arXiv 2102.11600](https://arxiv.org/abs/2102.11600).
# - What "40 % noise" may mean: the guide on [label noise](guides/label_noise.md).
#
# ## Next
#
# "Flat" so far was a number λ on a picture. A network has millions of them:
# [the second derivative, without the matrix](06_second_derivative.ipynb).
