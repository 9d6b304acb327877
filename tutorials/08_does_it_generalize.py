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
# # Does it generalize? Reading tables 1 to 4
#
# *Does a table show what its caption says?* SAM's paper has four tables, and reviews draw further
# conclusions from them. This library has tried each claim again, on networks and data hundreds of
# times smaller. You will read those results as a referee does: by their intervals.
#
# **You will be able to**
# - read a paired difference with its interval, and say what it shows and what it doesn't;
# - make the comparison fair: SAM's step costs two of SGD's;
# - say how many seeds it would take to tell.
#
# **You need** a mean, a standard deviation, and what a 95 % interval is. 40 minutes with
# the exercises, seconds to run.

# %%
import importlib.util

if importlib.util.find_spec("minisam") is None:  # then install it, from the clone this lies in
    # %pip install -q ..
    pass

# %%
import importlib
import re
from itertools import combinations
from pathlib import Path
from textwrap import fill

import matplotlib.pyplot as plt
import numpy as np

# %%
from minisam import load, mlp, plots, sam, sgd
from minisam.experiments.reproduce import STUDIES
from minisam.experiments.runs import gains
from minisam.experiments.statistics import mean_interval
from minisam.experiments.student import t_quantile
from minisam.experiments.summary import kept
from minisam.lesson import reveal, show, skill
from minisam.nn.losses import accuracy
from minisam.train import predict, train

plt.rcParams.update(plots.STYLE)

# %% [markdown]
# ## The claims
#
# The kept results lie in `tutorials/results`. Each has a claim, what was published, and a headline:
# one number with half of its 95 % interval over seeds. Both methods see the same data, the same
# wrong labels and the same start, seed by seed, so that their difference is the methods'. The data
# are the toy images, or CIFAR-10: small photographs of ten kinds of things. What a GPU trained is a
# thing apart: see `at_scale`. You need not know every name below: WRN, ResNet, EfficientNet, ViT
# and Mixer are large networks, Mixup, Bootstrap and GCE other methods against wrong labels. A
# network is *over-parameterized* if it has more weights than it takes to fit its training set; its
# *inductive bias* is what its form assumes, as a convolution does that a thing moved is the same.

# %%
folder = next(p for p in (Path("results"), Path("tutorials/results")) if p.is_dir())
found = {}
for record in [record for _, record in kept(folder) if "device" not in record]:  # no GPU's
    headline = importlib.import_module(STUDIES[record["name"]]).headline(record["results"])
    found[record["name"], record["data"]] = record, headline.word, headline.number
asked = ("table1", "table2", "table3", "table4", "width", "inductive_bias")
for name in asked:
    record = next(record for (of, _), (record, _, _) in found.items() if of == name)
    print(fill(f"{name}: {record['claim']} {record['published']}", 90, subsequent_indent="    "))

# %% [markdown]
# **Predict** for each, at the small size: does SAM's result here `"show"` the claim, does it
# `"not"`, or `"can't tell"`?

# %%
my_table1 = None  # ← your guess: "show", "not" or "can't tell"
my_table3 = None  # ← your guess
my_table4 = None  # ← your guess
my_width = None  # ← your guess
my_inductive_bias = None  # ← your guess

# %%
noisy = found["table4", "cifar10"][0]["published"]  # at 20, 40, 60 and 80 % of noise
of_sam, of_sgd = (float(re.search(rf"{m} \S+ (\S+)", noisy)[1]) for m in ("SAM", "SGD"))
published = {"table1": 3.5 - 2.7, "table3": 0.34 - 0.30, "table4": of_sam - of_sgd}  # points
rows, pattern = [], r"([+-]?[\d.]+) ± ([\d.]+) points"
for (name, data), (_, word, number) in found.items():
    match = re.match(pattern, number)
    if name in asked and match:
        value, half = float(match[1]), float(match[2])
        rows.append((f"{name}, {data}", word, value, half, published.get(name)))
won = [value > half for _, word, value, half, _ in rows if word != "under-fitted"]

# %%
figure, axes = plt.subplots(figsize=(9, 0.6 * len(rows) + 1.6), layout="constrained")
axes.axvline(0, color=plots.GREY)
for row, (_, word, value, half, paper) in enumerate(rows):
    shade, mark = (plots.GREY, "x") if word == "under-fitted" else (plots.BLUE, "o")
    axes.errorbar(value, row, xerr=half, fmt=mark, color=shade, capsize=4)
    if paper is not None:
        axes.plot(paper, row, "D", color=plots.ORANGE, fillstyle="none")
axes.set_yticks(range(len(rows)), [label for label, *_ in rows])
axes.set(xscale="symlog", xlabel="points that SAM gains (hollow: as published; ×: under-fitted)")
axes.set_xticks([-1, 0, 1, 10], ["−1", "0", "1", "10"])
axes.set(xlim=(-4, 40), ylim=(len(rows), -1), title=f"{sum(won)} of {len(won)} fitted lie above 0")
show(figure, alt="Rows of intervals against 0, crosses if under-fitted, and diamonds as published.")


# %%
def plainly(word):
    no = ("does not show", "opposite", "no more than δ")
    return "show" if word == "shows" else "not" if word in no else "can't tell"


def answer(name):
    return [f"{data}: {plainly(word)}" for (of, data), (_, word, _) in found.items() if of == name]


reveal("table 1:", my_table1, answer("table1"))
reveal("table 3:", my_table3, answer("table3"))
reveal("table 4:", my_table4, answer("table4"))
reveal("width:", my_width, answer("width"))
reveal("inductive bias:", my_inductive_bias, answer("inductive_bias"))

# %%
for (name, data), (record, word, number) in found.items():
    print(f"{name:14} {data:8} {len(record['seeds']):2} seeds  {word}: {number}")

# %% [markdown]
# Read each row in three steps. *Where is the interval?* Above 0, it `shows` the claim at this size;
# below 0, the `opposite`; wide and across 0, it is `undecided`; and `no more than δ`, if all of it
# is as small as half of the published share of SGD's errors, or as a point. *Against what?* The
# paper trains larger networks for longer, to other accuracies; where SGD has not even learned its
# training set, it is `under-fitted`, a grey cross in the picture: the difference is one of speed,
# and tells nothing either way. *At what cost?* That comes next.
#
# (The rows that you did not guess are in the guide on [claims](guides/claims.md).)
#
# ## Is it fair? Twice the epochs for SGD
#
# SAM's step asks for two gradients, SGD's for one. In the time that SAM takes for 10 epochs, SGD
# does 20. A small network on the toy images, labels all right, three seeds. **Predict**: is SAM
# ahead of SGD in the *same time*, in the mean?

# %%
my_ahead = None  # ← your guess: True or False

# %%
toy = load("toy", train_size=400, test_size=1000)
small = [p.images.reshape(-1, 8, 4, 8, 4, 3).mean(axis=(2, 4)) for p in (toy.train, toy.test)]
x, test_x = ((s - small[0].mean(axis=0)).astype("float32") / 50 for s in small)
model, base = mlp(hidden=(32,), classes=10, input_shape=(8, 8, 3)), sgd(lr=0.05, momentum=0.9)


def test_accuracy(optimizer, epochs, seed):
    end = train(model, optimizer, x, toy.train.labels, epochs=epochs, batch_size=50, seed=seed)
    return 100 * accuracy(predict(model, end.params, {}, test_x), toy.test.labels)


# %%
runs = {
    "SGD, 10 epochs": [test_accuracy(base, 10, seed) for seed in range(3)],
    "SGD, 20 epochs": [test_accuracy(base, 20, seed) for seed in range(3)],
    "SAM, 10 epochs": [test_accuracy(sam(base, rho=0.2), 10, seed) for seed in range(3)],
}
for name, values in runs.items():
    print(f"{name}: {mean_interval(values):.1f} % of the test images")
reveal("SAM ahead?", my_ahead, np.mean(runs["SAM, 10 epochs"]) > np.mean(runs["SGD, 20 epochs"]))

# %% [markdown]
# ## Now break it: choose your seeds
#
# Five seeds, and SAM is *no better than* SGD: every difference is chance. An honest 95 % interval
# lies above 0 in 2.5 % of such experiments. **Predict**: if one reports the best three of the five
# seeds, in how many percent does the interval lie above 0?

# %%
my_cheating = None  # ← your guess: percent


# %%
def shows(differences):  # of shape (experiments, seeds)
    n = differences.shape[1]
    half = t_quantile(0.975, n - 1) * differences.std(axis=1, ddof=1) / n**0.5
    return differences.mean(axis=1) - half > 0


chance = np.random.default_rng(0).normal(size=(100_000, 5))
honest, best = shows(chance), shows(np.sort(chance, axis=1)[:, 2:])
print(f"honest: {100 * honest.mean():.1f} % of the experiments show a gain that is not there")
reveal("best three of five, %:", my_cheating, 100 * best.mean())
assert abs(honest.mean() - 0.025) < 0.003 < 0.1 < best.mean()

# %% [markdown]
# Nobody calls it cheating: a run "did not converge", a seed "was unlucky". Five times as many false
# gains, from leaving out two runs of five.
#
# ## What happened
#
# A table of means shows nothing. A paired difference with its interval shows something, about one
# size, one budget and one set of seeds. Some claims hold even here, others are not shown, and some
# would need more seeds than anyone has spent.
#
# ## Exercises
#
# Answers: `solutions/08_does_it_generalize.py`.
#
# **Level 1.** `by_seed` holds SAM − SGD of table 4, on CIFAR-10 with 40 % of the labels wrong, seed
# by seed. Had only two seeds been run, which share of the choices of two has an interval above 0?
# (`mean_interval(values).low`, and `combinations`.)

# %%
by_seed = list(gains(found["table4", "cifar10"][0]["results"]["runs"], noise=0.4).values())
print("points of gain, seed by seed:", np.round(by_seed, 1))

# %% tags=["exercise-1"]
share = None  # ← from 0 to 1

# %%
verdicts = [mean_interval(two).low > 0 for two in combinations(by_seed, 2)]
assert len(set(verdicts)) == 2  # it depends on the choice
done = skill(
    "the share of choices of two", lambda: share, lambda it: abs(it - np.mean(verdicts)) < 0.005
)

# %% [markdown]
# **Level 2.** What does SAM gain in 10 epochs over SGD in the *same time*? Give the paired
# difference and its interval, from `runs`.

# %% tags=["exercise-2"]
fair = None  # ← mean_interval(…)

# %%
pairs = zip(runs["SAM, 10 epochs"], runs["SGD, 20 epochs"], strict=True)
truth = mean_interval([ours - theirs for ours, theirs in pairs])
done = skill("the fair difference", lambda: fair, lambda it: np.isclose(it.value, truth.value))
done = skill("paired by seed", lambda: fair, lambda it: np.isclose(it.low, truth.low))

# %% [markdown]
# **Level 3.** Plan the experiment that would tell. If the differences scatter with a standard
# deviation of `spread` points over seeds, how many seeds n does it take until half of the interval,
# t·spread/√n, is smaller than a gain of `gain` points? (t is `t_quantile(0.975, n - 1)`.)


# %% tags=["exercise-3"]
def seeds_needed(spread, gain):
    return None  # ← the smallest n ≥ 2


# %%
exactly = np.array_equal
done = skill("a gain as large as the spread", lambda: seeds_needed(1.0, 1.0), 7, exactly)
done = skill("half as large", lambda: seeds_needed(2.0, 1.0), 18, exactly)
done = skill("a tenth as large", lambda: seeds_needed(1.0, 0.1), 387, exactly)

# %% [markdown]
# ## Where it comes from
#
# - The tables: Foret et al. 2020, [arXiv 2010.01412](https://arxiv.org/abs/2010.01412), tables 1 to
#   4, sections 3.1 to 3.3. Twice the epochs for SGD is theirs: section 3.1.
# - Inductive bias: Chen et al. 2021, [arXiv 2106.01548](https://arxiv.org/abs/2106.01548).
# - Which runs, seeds and searches: the guide on [claims](guides/claims.md).
#
# ## Next
#
# A SAM that gains nothing may just be wrong.
# [Check somebody else's SAM](09_check_somebody_elses_sam.ipynb).
