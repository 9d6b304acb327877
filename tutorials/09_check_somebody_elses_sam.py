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
# # Check somebody else's SAM
#
# *What does it take to catch a wrong SAM?* You will use SAMs that others wrote. Most people test an
# optimizer by training something: the loss falls, so it works. Here are the mistakes that people
# make, one SAM each, and a row of tests to hold against them.
#
# **You will be able to**
# - say how much a test is worth: by the mistakes that it catches, and by its false alarms;
# - write a test that catches more than the usual one;
# - read the verdict of minisam's oracle.
#
# **You need** to have written SAM once ([tutorial 4](04_your_own_sam.ipynb)). Half an hour
# with the exercises, ten seconds or so to run.

# %%
import importlib.util

if importlib.util.find_spec("minisam") is None:  # then install it, from the clone this lies in
    # %pip install -q ..
    pass

# %%
import matplotlib.pyplot as plt
import numpy as np

from minisam import oracle, plots
from minisam.adapters.protocol import HYPERPARAMETERS
from minisam.lesson import reveal, show, skill
from minisam.oracle.judge import judge
from minisam.oracle.probes import PROBES
from minisam.oracle.watch import watch
from minisam.variants.mutants import MUTANTS

plt.rcParams.update(plots.STYLE)

# %% [markdown]
# ## The accused
#
# minisam keeps a catalogue of wrong SAMs. Each was seen in a published implementation, or is one
# slip away from the right one. We take those that are plainly mistakes: what honest people do on
# purpose is left out, and so is what no test can see.

# %%
wrong = {
    name: mutant.adapter
    for name, mutant in MUTANTS.items()
    if "sam" in mutant.methods and not mutant.convention and not mutant.equivalent
}
print(len(wrong), "wrong SAMs, such as", *list(wrong)[:3])

# %% [markdown]
# A SAM here is a function of the weights and of its hyper-parameters, and gives something that does
# one step at a time. Each of them trains on the bowl of tutorial 2, from the same start:


# %%
def steps(sam, w, grad_fn, n=1, **hp):
    run = sam([x.copy() for x in w], {**HYPERPARAMETERS, **hp})
    path = [w := run(grad_fn) for _ in range(n)]
    return [np.concatenate(w) for w in path]


# %%
H, A, right = np.array([[6.0, -1.0], [-1.0, 2.0]]), np.array([1.0, 2.0]), oracle.own()


@np.errstate(all="ignore")  # some of them end in NaN
def losses(sam, n=60):
    path = np.array([A, *steps(sam, [A], lambda w: [H @ w[0]], n=n, rho=0.05, lr=0.125)])
    return np.minimum(0.5 * np.sum(path * (path @ H), axis=1), 1e3)


# %%
figure, axes = plt.subplots(figsize=(8, 4.4), layout="constrained")
for sam in wrong.values():
    axes.plot(losses(sam), color=plots.SKY, linewidth=1)
axes.plot(losses(right), color=plots.BLACK, label="right")
axes.set(xlabel="step", ylabel="loss", yscale="log", ylim=(1e-6, 1e2))
axes.set_title("Most wrong SAMs train (blue)")
axes.legend(loc="upper right")
show(figure, alt="Loss by step: nearly all wrong SAMs fall as the right one does, to a floor.")

# %% [markdown]
# ## Tests, from weak to strong
#
# The first looks whether the loss has fallen. The second compares one step with the right SAM. The
# others put further situations beside it: two tensors; a gradient of zero, ρ = 0 and η = 0; three
# steps, with gradients of three sizes.


# %%
def loss_falls(sam):
    return losses(sam)[-1] < losses(sam)[0]


def same(sam, w, factor=1.0, **hp):
    grad_fn = lambda w: [factor * H @ x if x.size == 2 else factor * x for x in w]  # noqa: E731
    got, expected = steps(sam, w, grad_fn, **hp), steps(right, w, grad_fn, **hp)
    return np.allclose(got, expected, rtol=1e-9, atol=1e-12)


# %%
hp, two = {"rho": 0.5, "lr": 0.125}, [A, np.array([3.0])]
tests = {
    "the loss falls": loss_falls,
    "one step": lambda sam: same(sam, [A], **hp),
    "… two tensors": lambda sam: same(sam, two, **hp),
    "… zeros": lambda sam: (
        same(sam, [0 * A], **hp) and same(sam, [A], rho=0.0) and same(sam, two, lr=0.0)
    ),
    "… three steps, three sizes": lambda sam: all(
        same(sam, two, size, n=3, rho=0.5, lr=0.125 / size) for size in (1e-3, 1.0, 1e2)
    ),
}

# %% [markdown]
# **Predict.** How many percent of the wrong SAMs does "the loss falls" catch? And comparing one
# step?

# %%
my_falls = None  # ← your guess: percent
my_one_step = None  # ← your guess: percent


# %%
def passes(test, sam):
    try:
        with np.errstate(all="ignore"):
            return bool(test(sam))
    except Exception:  # whatever a wrong SAM raises
        return False


def caught_by_oracle(sam):
    for probe in (probe for probe in PROBES.values() if probe.method == "sam"):
        trace = watch(sam, probe, "float64")
        if trace.skipped is None and (trace.fault or not judge(trace).agrees):
            return True
    return False


# %%
caught = {n: {s for s in wrong if not passes(test, wrong[s])} for n, test in tests.items()}
count = {"the loss falls": len(caught["the loss falls"])}
so_far = set()
for name in list(tests)[1:]:
    so_far |= caught[name]
    count[name] = len(so_far)
count["the oracle"] = sum(map(caught_by_oracle, wrong.values()))

# %%
figure, axes = plt.subplots(figsize=(9, 4.2), layout="constrained")
axes.barh(list(count), list(count.values()), color=[plots.GREY, *[plots.SKY] * 4, plots.BLUE])
for row, number in enumerate(count.values()):
    axes.text(number + len(wrong) / 100, row, str(number), va="center")
axes.invert_yaxis()
axes.set(xlabel=f"caught, of {len(wrong)} wrong SAMs", xlim=(0, 1.1 * len(wrong)))
axes.set_title("A falling loss catches few")
show(figure, alt="Bars: the loss falls catches few; one step half; further tests more; oracle all.")

# %%
falls, one = (100 * count[name] / len(wrong) for name in ("the loss falls", "one step"))
reveal("The loss falls, %:", my_falls, falls)
reveal("One step, %:", my_one_step, one)
assert all(passes(test, right) for test in tests.values())  # no test accuses the right one
assert count["the oracle"] == len(wrong)
assert falls < 20 < 40 < one
left = sorted(set(wrong) - so_far - caught["the loss falls"])
print("not caught by any of the five:", *left[:6], "…")

# %% [markdown]
# Wrong SAMs train. One exact step catches several times as many, and takes less time. Most of what
# is left after five tests shows only with momentum, weight decay, schedules, groups of weights,
# frozen tensors, a batch in parts, or a tensor that is missing its gradient: a test catches what it
# asks about.
#
# ## Now break it: how equal is equal?
#
# "One step" compares with a tolerance of 10⁻⁹. **Predict**: how many of those that it catches does
# it still catch with a tolerance of 10 %? With none at all, bit for bit, is there a false alarm: a
# SAM that is right and gets accused?

# %%
my_rough = None  # ← your guess: a number
my_false_alarm = None  # ← your guess: True or False


# %%
def one_step(sam, rtol):
    grad_fn, hp = lambda w: [H @ w[0]], {"rho": 0.05, "lr": 0.125}
    got, expected = steps(sam, [A], grad_fn, **hp), steps(right, [A], grad_fn, **hp)
    return np.allclose(got, expected, rtol=rtol, atol=0)


def catches(rtol):
    return sum(not passes(lambda sam: one_step(sam, rtol), sam) for sam in wrong.values())


# %%
def comes_back_by_subtraction(w, grad_fn, *, rho, lr):
    d1 = grad_fn(w)[0]
    b = w[0] + rho * d1 / np.linalg.norm(d1)
    return [(b - rho * d1 / np.linalg.norm(d1)) - lr * grad_fn([b])[0]]  # A again, up to rounding


odd = oracle.plain(comes_back_by_subtraction)
starts = np.random.default_rng(0).normal(size=(100, 1, 2))
ends = [[steps(sam, [*w], lambda w: [H @ w[0]], **hp) for w in starts] for sam in (odd, right)]

# %%
reveal("Caught with 10 %:", my_rough, catches(0.1))
reveal("False alarm bit for bit?", my_false_alarm, not np.array_equal(*ends))
print("caught with a tolerance of 1e-9:", catches(1e-9))
assert catches(0.1) < catches(1e-9)
assert np.allclose(*ends, rtol=1e-12)

# %% [markdown]
# A tolerance that is loose lets mistakes through, one that is tight accuses rounding. The oracle's
# is neither guessed nor fixed: it carries a bound of the rounding errors through every operation.
#
# ## The oracle's word
#
# `oracle.check` puts a step through all probes, and then asks which of the known mistakes explains
# *everything* that it saw.


# %%
def somebody_elses(w, grad_fn, *, rho, lr):
    d1 = grad_fn(w)
    length = np.sqrt(sum(np.sum(g**2) for g in d1))
    climb = rho / length if length > 0 else 0.0
    d2 = grad_fn([x + climb * g for x, g in zip(w, d1, strict=True)])
    return [x - lr * (g + h) / 2 for x, g, h in zip(w, d1, d2, strict=True)]


report = oracle.check(somebody_elses, dtype="float64", method="sam")
print(report.verdict)
print(report.headline)

# %% [markdown]
# ## What happened
#
# A test is worth what it catches, less its false alarms. "The loss falls" catches next to nothing,
# because gradient descent forgives. To catch a mistake you have to ask where it shows, and to own
# the gradient function, so that you see where the step looked.
#
# ## Exercises
#
# Answers: `solutions/09_check_somebody_elses_sam.py`.
#
# **Level 1.** Name a wrong SAM that passes "one step", and yet is caught with two tensors. Look at
# `caught`.

# %% tags=["exercise-1"]
survivor = None  # ← a name, such as "M01-not-restored"

# %%
passed = set(wrong) - caught["one step"]
done = skill("passes one step", lambda: survivor, lambda name: name in passed)
done = skill(
    "is caught with two tensors", lambda: survivor, lambda name: name in caught["… two tensors"]
)

# %% [markdown]
# **Level 2.** Write a test by hand, without `right`: one step of SAM on the half-squared length, on
# which the gradient is the point itself. From (3, 4), with ρ = 1 and η = ½. It should return True
# for a right SAM, and catch a third of the wrong ones.


# %% tags=["exercise-2"]
def by_hand(sam):
    return None  # ← compare steps(sam, [np.array([3.0, 4.0])], lambda w: [w[0]], …) with numbers


# %%
def otherwise(w, hp):  # a right SAM whose weights are off by rounding
    run = right(w, hp)
    return lambda grad_fn: [x * (1 + 1e-15) for x in run(grad_fn)]


def accused(test):
    return sum(not passes(test, sam) for sam in (right, otherwise))


def share(test):  # of the wrong ones that it catches, if it accuses no right one
    return 0 if accused(test) else np.mean([not passes(test, sam) for sam in wrong.values()])


def says(test):  # of the right one: None, if there is nothing yet
    return None if test(right) is None else test


no_alarm = lambda test: accused(test) == 0 and passes(test, odd)  # noqa: E731
done = skill("raises no false alarm", lambda: says(by_hand), no_alarm)
done = skill("catches a third", lambda: says(by_hand), lambda test: share(test) >= 1 / 3)

# %% [markdown]
# **Level 3.** Write *one* test that catches seven in ten, and accuses no right one. The five above
# come near it; what else do optimizers have? `steps` and `same` take `momentum=0.9`,
# `weight_decay=0.1` and `nesterov=True`, too, and `n` steps.


# %% tags=["exercise-3"]
def your_test(sam):
    return None


# %%
done = skill("accuses no right one", lambda: says(your_test), lambda test: accused(test) == 0)
done = skill("catches half", lambda: says(your_test), lambda test: share(test) >= 0.5)
done = skill("catches seven in ten", lambda: says(your_test), lambda test: share(test) >= 0.7)

# %% [markdown]
# ## Where it comes from
#
# - A test is worth the mistakes that it catches: DeMillo, Lipton and Sayward 1978, *Hints on Test
#   Data Selection*, IEEE Computer 11 (mutation testing).
# - The step that all are held against: Foret et al. 2020,
#   [arXiv 2010.01412](https://arxiv.org/abs/2010.01412), algorithm 1.
# - The oracle: the guide on [the oracle](guides/oracle.md), and its word on
#   [implementations](guides/implementations.md) that people use.
#
# ## Next
#
# Check the SAM that you use: `minisam check FILE:NAME`, or `oracle.torch`, `oracle.optax` and
# `oracle.keras`. This was the last tutorial. The [first](01_two_minima.ipynb) is where to send a
# friend.
