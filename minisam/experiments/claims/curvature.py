"""What if second derivatives are not prohibitive, on a network as small as these?

First, SAM's exact gradient, with the second-order term that the paper drops, against the paper's
approximation: result and cost. Second, the Hessian's diagonal h at SGD's and at SAM's end point:
Optimal Brain Damage prunes the weights of least saliency ½ h w² (LeCun, Denker and Solla 1989,
eq. 5), magnitude pruning those of least |w|; once without any further training, and once in rounds,
each followed by a few epochs, as they did. See `minisam.experiments.claims.pruning`.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from minisam.experiments.claims.pruning import hessian_diagonal, pruned, pruned_in_rounds, saliency
from minisam.experiments.runs import best_elsewhere, by_seed, labelled, mean
from minisam.experiments.scale import Cells, Scale, over_seeds
from minisam.experiments.statistics import Interval, mean_interval, paired_difference
from minisam.experiments.study import Headline, weigh
from minisam.experiments.training import PROBED, made_for, prepared, records, training_loss
from minisam.experiments.trial import fit
from minisam.nn.losses import accuracy
from minisam.optim import Optimizer
from minisam.plots import SKY, colour, curve_with_interval, level_with_band
from minisam.train import predict, train
from minisam.trees import Params

CLAIM = "SAM's second-order term is not worth its cost; curvature tells which weights matter."
PUBLISHED = (
    "Foret et al. 2020 drop the term for speed; LeCun et al. 1989: pruning by saliency raises the "
    "loss less than by magnitude."
)
SHARES = (1.0, 0.5, 0.3, 0.2, 0.1, 0.05, 0.02)
STARTS = ("SGD", "SAM")
RULES = ("curvature", "magnitude")
WORTH = 1.0  # point that the second-order term would have to gain
AGAIN = 5  # epochs of training after each round of pruning
SIZE = (15.0, 5.0)


def exact_or_not(optimizer: str, rho: float, **settings: Any) -> dict[str, Any]:
    """Train with SGD, SAM or exact SAM, counting the time of steps alone."""
    settings |= {"optimizer": optimizer, "rho": rho}
    model, a = prepared(settings)
    training = records(settings)[1]
    seconds: list[float] = []
    opt = timed(made_for(training, len(a.images))[0], seconds)

    def test_accuracy(params: Params, statistics: Params) -> dict[str, Any]:
        return {"test": accuracy(predict(model, params, {}, a.test_images), a.test_labels)}

    history = train(
        model, opt, a.images, a.labels, epochs=training.epochs,
        batch_size=training.batch_size, seed=settings["seed"], evaluate=test_accuracy,
    ).history  # fmt: skip
    percent = [100 * record["test"] for record in history]
    milliseconds = 1000 * np.median(seconds)
    return {"last": percent[-1], "best": max(percent), "milliseconds": milliseconds}


def timed(optimizer: Optimizer, seconds: list[float]) -> Optimizer:
    """Return an optimizer that appends every step's CPU time to ``seconds``."""

    def step(*arguments: Any) -> tuple:
        begun = time.process_time()  # others may use the machine as well
        result = optimizer.step(*arguments)
        seconds.append(time.process_time() - begun)
        return result

    return optimizer._replace(step=step)


def pruning(**settings: Any) -> dict[str, Any]:
    """Train a network, prune it by either rule at every share, without and with more training."""
    training = records(settings)[1]
    fitted = fit(*records(settings))
    model, a = fitted.model, fitted.arrays
    loss = training_loss(model, a, fitted.statistics)
    again = made_for(training._replace(epochs=AGAIN), len(a.images))[0]

    def worth(params: Params, rule: str) -> Params:
        h = hessian_diagonal(params, a.images[:PROBED]) if rule == "curvature" else {}
        return saliency(params, rule, h)

    def retrain(params: Params, objective: Any) -> Params:
        return train(
            model, again, a.images, a.labels, epochs=AGAIN, batch_size=training.batch_size,
            seed=settings["seed"], params=params, objective=objective,
        ).params  # fmt: skip

    def measured(networks: list[Params]) -> dict[str, Any]:
        logits = [predict(model, w, fitted.statistics, a.test_images) for w in networks]
        return {
            "loss": [float(loss(w)) for w in networks],
            "test": [100 * accuracy(z, a.test_labels) for z in logits],
        }

    result: dict[str, Any] = {}
    for rule in RULES:
        values, find = worth(fitted.params, rule), partial(worth, rule=rule)
        once = [pruned(fitted.params, values, kept) for kept in SHARES]
        rounds = list(pruned_in_rounds(fitted.params, SHARES, find, retrain))
        result[rule] = {**measured(once), "retrained": measured(rounds)}
    return result


def run(cells: Cells, scale: Scale) -> dict[str, Any]:
    """Run the three optimizers at every radius, and prune two networks per seed."""
    base = scale.settings(noise=0.2, model_options={"hidden": [32, 32]})
    grid = [("SGD", "sgd", 0.0)]
    radii = scale.radii("sam")[1:4]
    for rho in radii[1:2] if scale.smoke else radii:
        grid += [("SAM", "sam", rho), ("exact SAM", "exact_sam", rho)]
    entries = [
        ({"method": method, "rho": rho}, {**base, "optimizer": optimizer, "rho": rho})
        for method, optimizer, rho in grid
    ]
    runs = over_seeds(cells, scale, entries, exact_or_not)
    ends: dict[str, dict[str, Any]] = {
        "SGD": {"optimizer": "sgd"}, "SAM": {"optimizer": "sam", "rho": radii[1]},
    }  # fmt: skip
    entries = [({"method": m}, {**base, **options}) for m, options in ends.items()]
    return {"runs": runs, "pruning": over_seeds(cells, scale, entries, pruning)}


def table(results: Mapping[str, Any]) -> list[list[str]]:
    """Return accuracy and cost of the exact gradient, then the pruning curves."""
    runs = results["runs"]
    plain = mean(runs, "milliseconds", method="SGD").value
    rows = [["method", "ρ", "test, last epoch (%)", "CPU time of a step / SGD's"]]
    for method, rho in dict.fromkeys((run["method"], run["rho"]) for run in runs):
        cost = mean(runs, "milliseconds", method=method, rho=rho).value / plain
        last = mean(runs, method=method, rho=rho)
        rows.append([method, f"{rho:g}" if rho else "", f"{last:.1f}", f"{cost:.2f}"])
    for retrained in (False, True):
        for method in STARTS:
            for rule in RULES:
                points = curve(results, method, rule, retrained)
                text = ", ".join(
                    f"{kept:.0%}: {point.value:.1f}"
                    for kept, point in zip(SHARES, points, strict=True)
                )
                name = f"{method}, pruned by {rule}" + ", retrained" * retrained
                rows.append([name, "", text, ""])
    return rows


def of_rule(run: Mapping[str, Any], rule: str, retrained: bool) -> list[float]:
    """Return a network's test accuracy at every kept share."""
    found = run[rule]["retrained"] if retrained else run[rule]
    return found["test"]


def curve(results: Mapping[str, Any], method: str, rule: str, retrained: bool) -> list[Any]:
    """Return the mean accuracy at every kept share."""
    curves = [of_rule(r, rule, retrained) for r in labelled(results["pruning"], method=method)]
    return [mean_interval(column) for column in zip(*curves, strict=True)]


def best_against_best(results: Mapping[str, Any]) -> Interval:
    """Return exact SAM − SAM, each at the ρ that is best for it on the other seeds."""

    def at_best(method: str) -> dict[int, float]:
        runs = labelled(results["runs"], method=method)
        radii = {run["seed"]: best_elsewhere(runs, run["seed"], "last") for run in runs}
        return {seed: by_seed(labelled(runs, rho=rho))[seed] for seed, rho in radii.items()}

    return paired_difference(at_best("exact SAM"), at_best("SAM"))


def headline(results: Mapping[str, Any]) -> Headline:
    """Say what the exact gradient lacks to the point that would be worth two more gradients."""
    more = best_against_best(results)
    value, low, high, n = more
    lacks = Interval(WORTH - value, WORTH - high, WORTH - low, n)
    number = f"{more.plus_minus('+.1f')} points, exact − SAM, against {WORTH:g}"
    return Headline(weigh(lacks, 0.0), number, lacks, rho="of the other seeds")


def verdict(results: Mapping[str, Any]) -> str:
    """Judge the exact gradient's gain, and curvature against magnitude at a tenth kept."""
    exact, worth = best_against_best(results), headline(results).word
    k = SHARES.index(0.1)
    once, rounds = (
        mean_interval(
            [
                of_rule(run, "curvature", retrained)[k] - of_rule(run, "magnitude", retrained)[k]
                for run in labelled(results["pruning"], method="SGD")
            ]
        )
        for retrained in (False, True)
    )
    return (
        f"{worth} that the second-order term is not worth its cost: exact SAM − SAM = {exact:+.1f} "
        f"points, each at its best ρ; {weigh(once)} that curvature prunes better: {once:+.1f} "
        f"points over magnitude with a tenth of the weights; {weigh(rounds)} in rounds with "
        f"retraining: {rounds:+.1f} points"
    )


def draw(results: Mapping[str, Any], figure: Any) -> None:
    """Draw accuracy against cost, and the pruning curves."""
    left, *panels = figure.subplots(1, 3)
    runs = results["runs"]
    plain = mean(runs, "milliseconds", method="SGD").value
    level_with_band(left, mean(runs, method="SGD"), "SGD")
    radii = sorted({run["rho"] for run in runs if run["rho"]})
    for method, shade, offset in (("SAM", colour("SAM"), -0.08), ("exact SAM", SKY, 0.08)):
        points = [mean(runs, method=method, rho=rho) for rho in radii]
        cost = np.mean([r["milliseconds"] for r in runs if r["method"] == method]) / plain
        places = [k + offset for k in range(len(radii))]
        label = f"{method}: {cost:.1f} times SGD's time"
        curve_with_interval(left, places, points, method, color=shade, label=label)
    left.set_xticks(range(len(radii)), [f"{rho:g}" for rho in radii])
    left.set(xlabel="ρ", ylabel="test accuracy (%)", title="the second-order term")
    left.legend()
    panels[1].sharey(panels[0])
    for retrained, axes in zip((False, True), panels, strict=True):
        for method in STARTS:
            for rule, style in zip(RULES, ("-", "--"), strict=True):
                curve_with_interval(
                    axes, [100 * kept for kept in SHARES], curve(results, method, rule, retrained),
                    f"{method}, by {rule}", color=colour(method), linestyle=style,
                )  # fmt: skip
        axes.set(xlabel="weights kept (%)", xscale="log")
        axes.set_xticks([100 * kept for kept in SHARES], [f"{100 * kept:g}" for kept in SHARES])
        axes.minorticks_off()
    panels[0].set(title="pruned once", ylabel="test accuracy (%)")
    panels[0].legend(loc="lower right")
    panels[1].set_title(f"in rounds, each with {AGAIN} more epochs")
