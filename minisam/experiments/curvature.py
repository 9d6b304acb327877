"""What if second derivatives are not prohibitive, on a network as small as these?

First, SAM's exact gradient, with the second-order term that the paper drops, against the paper's
approximation: result and cost. Second, the Hessian's diagonal h at SGD's and at SAM's end point:
Optimal Brain Damage prunes the weights of least saliency ½ h w² (LeCun, Denker and Solla 1989,
eq. 5), magnitude pruning those of least |w|.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from minisam.data.batches import minibatches
from minisam.experiments.flatness import training_loss
from minisam.experiments.study import Cells, Scale, gain, judge, mean, over_seeds, select
from minisam.experiments.trial import fit, make_optimizer, prepared
from minisam.nn.gradients import training_objective
from minisam.nn.losses import accuracy, cross_entropy
from minisam.optim import cosine, exact_sam, sgd
from minisam.plots import colour
from minisam.sharpness import diagonal, flat_hessian, hessian_product
from minisam.statistics import mean_interval
from minisam.train import predict
from minisam.trees import Params

CLAIM = "SAM's second-order term is not worth its cost; curvature tells which weights matter."
PUBLISHED = (
    "Foret et al. 2020, appendix C.4: with the second-order term the test error was no better; "
    "LeCun et al. 1989: OBD prunes more at the same loss than magnitude does."
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
    state, seconds, steps, best = opt.init(params), 0.0, 0, 0.0
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
            begun = time.perf_counter()
            params, state, _ = opt.step(params, state, *arguments)
            seconds, steps = seconds + time.perf_counter() - begun, steps + 1
        last = 100 * accuracy(predict(model, params, {}, a.test_images), a.test_labels)
        best = max(best, last)
    return {"last": last, "best": best, "milliseconds": 1000 * seconds / steps}


def saliency(params: Params, rule: str, curvature: Params) -> Params:
    """Return what each weight is worth: ½ h w² (h ≥ 0 assumed, as it is at a minimum), or |w|."""
    if rule == "magnitude":
        return {key: np.abs(w) for key, w in params.items()}
    return {key: 0.5 * np.maximum(curvature[key], 0) * w**2 for key, w in params.items()}


def pruned(params: Params, worth: Params, kept: float) -> Params:
    """Keep a share of the weights, those worth most of all layers together; biases all stay.

    Example:
        >>> w = {"fc.weight": np.array([[3.0, -1.0]]), "fc.bias": np.array([0.1, 0.2])}
        >>> pruned(w, {key: abs(leaf) for key, leaf in w.items()}, kept=0.5)["fc.weight"]
        array([[3., 0.]])
    """
    names = [key for key in params if key.endswith("weight")]
    values = np.concatenate([worth[key].ravel() for key in names])
    count = round(kept * values.size)
    keep = np.zeros(values.size, bool)
    keep[np.argsort(-values, kind="stable")[:count]] = True
    result, start = dict(params), 0
    for key in names:
        stop = start + params[key].size
        result[key] = np.where(keep[start:stop].reshape(params[key].shape), params[key], 0)
        start = stop
    return result


def pruning(probes: int = 30, **settings: Any) -> dict[str, Any]:
    """Train a network, prune it by either rule at every share, without training it again."""
    fitted = fit(**settings)
    loss = training_loss(fitted.model, fitted.arrays, fitted.statistics)
    hessian = flat_hessian(hessian_product(loss, fitted.params), fitted.params)
    rng = np.random.default_rng(0)
    h = hessian.unflatten(diagonal(hessian.matvec, hessian.size, rng, probes).value)
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
    for rho in (0.1,) if scale.smoke else (0.05, 0.1, 0.2):
        grid += [("SAM", "sam", rho), ("exact SAM", "exact_sam", rho)]
    entries = [
        ({"method": method, "rho": rho}, {**base, "optimizer": optimizer, "rho": rho})
        for method, optimizer, rho in grid
    ]
    runs = over_seeds(cells, scale, entries, exact_or_not)
    ends = {"SGD": {"optimizer": "sgd"}, "SAM": {"optimizer": "sam", "rho": 0.1}}
    entries = [({"method": m}, {**base, **options}) for m, options in ends.items()]
    return {"runs": runs, "pruning": over_seeds(cells, scale, entries, pruning)}


def table(results: Mapping[str, Any]) -> list[list[str]]:
    """Return accuracy and cost of the exact gradient, then the pruning curves."""
    runs = results["runs"]
    plain = mean(runs, "milliseconds", method="SGD").value
    rows = [["method", "ρ", "test, last epoch (%)", "time of a step / SGD's"]]
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
    rho = results["runs"][-1]["rho"] if len(results["runs"]) < 8 else 0.1
    exact = gain(results["runs"], "exact SAM", over="SAM", rho=rho)
    k = KEPT.index(0.1)
    runs = select(results["pruning"], method="SGD")
    obd = mean_interval([r["curvature"]["test"][k] - r["magnitude"]["test"][k] for r in runs])
    worth = "too small to tell" if exact.low < 0 < exact.high else f"{exact:+.1f}"
    return (
        f"{judge(exact._replace(value=-exact.value, low=-exact.high, high=-exact.low))}"
        f" (exact SAM − SAM = {exact:+.1f} points at ρ = {rho:g}: {worth}); pruning by curvature: "
        f"{judge(obd)}, {obd:+.1f} points over magnitude with a tenth of the weights"
    )


def draw(results: Mapping[str, Any], figure: Any) -> None:
    """Draw accuracy against cost, and the pruning curves."""
    left, right = figure.subplots(1, 2)
    plain = mean(results["runs"], "milliseconds", method="SGD").value
    shades = {"SGD": colour("SGD"), "SAM": colour("SAM"), "exact SAM": "#56B4E9"}
    seen = set()
    for method, rho in dict.fromkeys((run["method"], run["rho"]) for run in results["runs"]):
        value, low, high, _ = mean(results["runs"], method=method, rho=rho)
        cost = mean(results["runs"], "milliseconds", method=method, rho=rho).value / plain
        left.errorbar(
            cost, value, [[value - low], [high - value]], fmt="o", capsize=5, markersize=9,
            color=shades[method], label=None if method in seen else method,
        )  # fmt: skip
        if rho:
            left.annotate(f"ρ={rho:g}", (cost, value), (7, 5), textcoords="offset points")
        seen.add(method)
    left.set(xlabel="time of a step (SGD's = 1)", ylabel="test accuracy (%)")
    left.set_title("the second-order term")
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
