"""What if second derivatives are not prohibitive, on a network as small as these?

First, SAM's exact gradient, with the second-order term that the paper drops, against the paper's
approximation: result and cost. Second, the Hessian's diagonal h at SGD's and at SAM's end point:
Optimal Brain Damage prunes the weights of least saliency ½ h w² (LeCun, Denker and Solla 1989,
eq. 5), magnitude pruning those of least |w|. See `minisam.experiments.pruning`.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from minisam.data.batches import minibatches
from minisam.experiments.flatness import EXAMPLES, training_loss
from minisam.experiments.pruning import hessian_diagonal, pruned, saliency
from minisam.experiments.study import Cells, Scale, gain, judge, mean, over_seeds, select
from minisam.experiments.trial import fit, make_optimizer, prepared
from minisam.nn.gradients import training_objective
from minisam.nn.losses import accuracy, cross_entropy
from minisam.optim import cosine, exact_sam, sgd
from minisam.plots import SKY, colour, curve_with_interval
from minisam.sharpness import hessian_product
from minisam.statistics import mean_interval
from minisam.train import predict

CLAIM = "SAM's second-order term is not worth its cost; curvature tells which weights matter."
PUBLISHED = (
    "Foret et al. 2020 drop the term for speed; LeCun et al. 1989: pruning by saliency raises the "
    "loss less than by magnitude."
)
KEPT = (1.0, 0.5, 0.3, 0.2, 0.1, 0.05, 0.02)
STARTS = ("SGD", "SAM")
RULES = ("curvature", "magnitude")
SIZE = (11.0, 5.0)


def exact_or_not(optimizer: str, rho: float, **settings: Any) -> dict[str, Any]:
    """Train with SGD, SAM or exact SAM, counting the time of steps alone."""
    model, a = prepared(settings)
    size, epochs = 128, settings["epochs"]
    lr = cosine(settings["lr"], epochs * -(-len(a.images) // size))
    if optimizer == "exact_sam":
        opt = exact_sam(sgd(lr=lr, momentum=0.9, weight_decay=5e-4), rho)
    else:
        opt = make_optimizer(optimizer, lr, rho, 5e-4)
    params = model.init(np.random.default_rng([settings["seed"], 0]))
    state, seconds, best = opt.init(params), [], 0.0
    for epoch in range(epochs):
        rng = np.random.default_rng([settings["seed"], 1, epoch])
        for batch in minibatches(len(a.images), size, rng):
            x, y = a.images[batch], a.labels[batch]
            arguments = [training_objective(model, cross_entropy, x, y, {})]
            if optimizer == "exact_sam":
                arguments.append(
                    lambda w, v, x=x, y=y: hessian_product(
                        lambda p: cross_entropy(model.apply(p, x), y), w
                    )(v)
                )
            begun = time.process_time()  # others may use the machine as well
            params, state, _ = opt.step(params, state, *arguments)
            seconds.append(time.process_time() - begun)
        last = 100 * accuracy(predict(model, params, {}, a.test_images), a.test_labels)
        best = max(best, last)
    return {"last": last, "best": best, "milliseconds": 1000 * np.median(seconds)}


def pruning(**settings: Any) -> dict[str, Any]:
    """Train a network, prune it by either rule at every share, without training it again."""
    fitted = fit(**settings)
    loss = training_loss(fitted.model, fitted.arrays, fitted.statistics)
    h = hessian_diagonal(fitted.params, fitted.arrays.images[:EXAMPLES])
    result: dict[str, Any] = {}
    for rule in RULES:
        worth = saliency(fitted.params, rule, h)
        networks = [pruned(fitted.params, worth, kept) for kept in KEPT]
        result[rule] = {
            "loss": [float(loss(w)) for w in networks],
            "test": [
                100
                * accuracy(
                    predict(fitted.model, w, fitted.statistics, fitted.arrays.test_images),
                    fitted.arrays.test_labels,
                )
                for w in networks
            ],
        }
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
    ends = {"SGD": {"optimizer": "sgd"}, "SAM": {"optimizer": "sam", "rho": radii[1]}}
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
    for method in STARTS:
        for rule in RULES:
            at = {kept: curve(results, method, rule)[k] for k, kept in enumerate(KEPT)}
            text = ", ".join(f"{kept:.0%}: {at[kept].value:.1f}" for kept in KEPT)
            rows.append([f"{method}, pruned by {rule}", "", text, ""])
    return rows


def curve(results: Mapping[str, Any], method: str, rule: str) -> list[Any]:
    """Return the mean accuracy at every kept share."""
    runs = select(results["pruning"], method=method)
    return [mean_interval([run[rule]["test"][k] for run in runs]) for k in range(len(KEPT))]


def verdict(results: Mapping[str, Any]) -> str:
    """Judge the exact gradient's gain, and curvature against magnitude at a tenth kept."""
    radii = sorted({run["rho"] for run in results["runs"] if run["rho"]})
    rho = radii[len(radii) // 2]
    exact = gain(results["runs"], "exact SAM", over="SAM", rho=rho)
    worth = "too small to tell"
    if exact.high < 1.0:  # less than a point: not worth another two gradients
        worth = "shows"
    elif exact.low > 0:
        worth = "does not show"
    k = KEPT.index(0.1)
    runs = select(results["pruning"], method="SGD")
    obd = mean_interval([r["curvature"]["test"][k] - r["magnitude"]["test"][k] for r in runs])
    return (
        f"{worth} that the second-order term is not worth its cost: exact SAM − SAM = {exact:+.1f} "
        f"points at ρ = {rho:g}; {judge(obd)} that curvature prunes better: {obd:+.1f} points over "
        f"magnitude with a tenth of the weights"
    )


def draw(results: Mapping[str, Any], figure: Any) -> None:
    """Draw accuracy against cost, and the pruning curves."""
    left, right = figure.subplots(1, 2)
    runs = results["runs"]
    plain = mean(runs, "milliseconds", method="SGD").value
    value, low, high, _ = mean(runs, method="SGD")
    left.axhline(value, color=colour("SGD"), label="SGD")
    left.axhspan(low, high, color=colour("SGD"), alpha=0.12)
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
    for method in STARTS:
        for rule, style in zip(RULES, ("-", "--"), strict=True):
            values = [point.value for point in curve(results, method, rule)]
            right.plot(
                [100 * kept for kept in KEPT], values, style, marker="o", color=colour(method),
                label=f"{method}, by {rule}",
            )  # fmt: skip
    right.set(xlabel="weights kept (%)", ylabel="test accuracy (%)", xscale="log")
    right.set_xticks([100 * kept for kept in KEPT], [f"{100 * kept:g}" for kept in KEPT])
    right.minorticks_off()
    right.set_title("pruning without retraining")
    right.legend()
