"""Does one ρ serve another stage, or the same function written with other weights, with ASAM alone?

Three things are measured. A network whose first layer's weights are multiplied by 4 and whose
second's are divided by 4 computes the same function: it is trained from there and from the weights
as they were drawn, at every ρ, on noisy labels. What is lost there by the ρ that was best as drawn
is its regret, and ASAM's should be the smaller one. The same for two stages, the ρ of pre-training
in fine-tuning. And exactly, without training: the rise L(w + ε(ρ)) − L(w) of a trained network,
and of the same function rescaled by 16. There SAM's curve must move, and ASAM's (η = 0, all
tensors) must not.

Both ρ of a seed's regret are chosen by held-out accuracy on all *other* seeds, so that neither is
favoured by the runs that it is judged on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from minisam.experiments.claims.two_stages import pretrained, two_stages
from minisam.experiments.runs import best_elsewhere, labelled, mean
from minisam.experiments.scale import Cells, Scale, over_seeds
from minisam.experiments.search import tune_base
from minisam.experiments.statistics import Interval, mean_interval, paired_difference
from minisam.experiments.study import Headline, weigh
from minisam.experiments.subset import load_subset
from minisam.experiments.training import network, records
from minisam.experiments.trial import trial
from minisam.nn.gradients import value_and_grad
from minisam.nn.losses import cross_entropy
from minisam.optim import asam_perturbation, sam_perturbation
from minisam.plots import colour, curve_with_interval
from minisam.trees import Params, add

CLAIM = "A ρ carries over between stages, and through a rescaling, with ASAM but not with SAM."
PUBLISHED = "Kwon et al. 2021: theorem 1 (exact invariance); no figure for the transfer of ρ."
LADDERS = {"SAM": (0.025, 0.05, 0.1, 0.2, 0.4, 0.8), "ASAM": (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)}
FACTOR = 16.0  # of the rescaling whose rise is computed
TRAINED_FROM = 4.0  # the factor of the weights that are trained from
SIZE = (12.0, 10.0)


def rescaled(params: Params, factor: float) -> Params:
    """Return the same function, with the first layer's outputs scaled up and undone by the second.

    Example:
        >>> w = {"fc1.weight": np.ones(1), "fc1.bias": np.ones(1), "fc2.weight": np.ones(1)}
        >>> [float(leaf[0]) for leaf in rescaled(w, 4.0).values()]
        [4.0, 4.0, 0.25]
    """
    scale = {"fc1.weight": factor, "fc1.bias": factor, "fc2.weight": 1 / factor}
    return {key: scale.get(key, 1.0) * leaf for key, leaf in params.items()}


def rises(seed: int, first: dict[str, Any], radii: dict[str, list[float]]) -> dict[str, Any]:
    """Return the loss rise against ρ before and after the rescaling, in float64."""
    fitted = pretrained(first, seed)
    images, labels = fitted.arrays.images[:500].astype(np.float64), fitted.arrays.labels[:500]
    params = {key: leaf.astype(np.float64) for key, leaf in fitted.params.items()}
    climbs: dict[str, Callable[..., Params]] = {
        "SAM": sam_perturbation, "ASAM": partial(asam_perturbation, eta=0.0, scope="all"),
    }  # fmt: skip

    def loss(w: Params) -> Any:
        return cross_entropy(fitted.model.apply(w, images), labels)

    curves: dict[str, Any] = {}
    for method, climb in climbs.items():
        for name, w in (("as trained", params), ("rescaled", rescaled(params, FACTOR))):
            value, gradient = value_and_grad(loss)(w)
            points = [float(loss(add(w, climb(w, gradient, rho)))) - value for rho in radii[method]]
            curves.setdefault(method, {})[name] = points
    return curves


def trained_from(factor: float, seed: int, **settings: Any) -> dict[str, Any]:
    """Train as `trial` does, from the start that the seed draws, rescaled."""
    data, training = records({**settings, "seed": seed})
    start = network(training, load_subset(data)).init(np.random.default_rng([seed, 0]))
    return trial(rescaled(start, factor), **settings, seed=seed)


def run(cells: Cells, scale: Scale) -> dict[str, Any]:
    """Train from both starts at every ρ, then both stages; then the rises."""
    ladders = {m: values[2:4] if scale.smoke else values for m, values in LADDERS.items()}
    from_rescaled, search = trained_at_every_radius(cells, scale, ladders)
    base = scale.settings(every=20)
    entries = [
        (
            {"method": method, "stage": stage, "rho": rho},
            {
                "first": {**base, **(climb if stage == 1 else {})},
                "second": {"epochs": 1} if stage == 1 else climb,
            },
        )
        for method, values in ladders.items()
        for rho in values
        for climb in [{"optimizer": method.lower(), "rho": rho}]
        for stage in (1, 2)
    ]
    runs = over_seeds(cells, scale, entries, two_stages)
    for run in runs:
        first = run.pop("first")
        if run["stage"] == 1:
            run.update(first)
        run.pop("history")
    curves = over_seeds(cells, scale, [({}, {"first": base, "radii": ladders})], rises)
    return {"radii": ladders, "search": search, "rescaled": from_rescaled, "runs": runs,
            "rises": curves}  # fmt: skip


def trained_at_every_radius(
    cells: Cells, scale: Scale, ladders: Mapping[str, Sequence[float]]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Search SGD on clean labels from either start; train at every ρ there on noisy ones."""
    shared = scale.settings(every=20)
    problems = [
        ({"factor": f}, {**shared, "factor": f, "lr": shared["lr"] / f})
        for f in (1.0, TRAINED_FROM)
    ]
    bases, search = tune_base(partial(cells, function=trained_from), scale, problems)
    entries = [
        ({"method": method, "factor": labels["factor"], "rho": rho},
         {**settings, **base, "noise": 0.4, "optimizer": method.lower(), "rho": rho})
        for (labels, settings), base in zip(problems, bases, strict=True)
        for method, radii in {"SGD": (0.0,), **ladders}.items()
        for rho in radii
    ]  # fmt: skip
    runs = over_seeds(cells, scale, entries, trained_from)
    kept = ("method", "factor", "rho", "seed", "last", "validation", "train", "diverged")
    return [{key: run[key] for key in kept if key in run} for run in runs], search


def regret(
    here: Sequence[Mapping[str, Any]], there: Sequence[Mapping[str, Any]]
) -> dict[int, float]:
    """Return {seed: accuracy lost here by the ρ that is best there}, both chosen on other seeds.

    Args:
        here: runs of one method at every ρ, of the problem that is to be solved.
        there: runs of the same method and radii on another problem.
    """
    lost = {}
    for seed in sorted({run["seed"] for run in here}):
        ours, kept = (
            labelled(here, seed=seed, rho=best_elsewhere(runs, seed, "validation"))[0]["last"]
            for runs in (here, there)
        )
        lost[seed] = ours - kept
    return lost


def columns(results: Mapping[str, Any]) -> list[tuple[Sequence[Mapping[str, Any]], dict[str, Any]]]:
    """Return (runs, labels) of the weights as drawn, of the rescaled ones, and of either stage."""
    return [
        (results["rescaled"], {"factor": 1.0}), (results["rescaled"], {"factor": TRAINED_FROM}),
        (results["runs"], {"stage": 1}), (results["runs"], {"stage": 2}),
    ]  # fmt: skip


def regrets(results: Mapping[str, Any], question: str) -> dict[str, dict[int, float]]:
    """Return {method: {seed: regret}} of ``"rescaled"`` or of ``"stages"``."""
    asked = columns(results)[:2] if question == "rescaled" else columns(results)[2:]
    found = {}
    for method in results["radii"]:
        there, here = (labelled(runs, method=method, **labels) for runs, labels in asked)
        found[method] = regret(here, there)
    return found


def excess(results: Mapping[str, Any], question: str) -> Interval:
    """Return SAM's regret − ASAM's, by seed."""
    found = regrets(results, question)
    return paired_difference(found["SAM"], found["ASAM"])


def shift(results: Mapping[str, Any], method: str) -> float:
    """Return the largest relative change of the rise by the rescaling, over seeds and radii."""
    changes = [
        np.abs(np.array(curve[method]["rescaled"]) / np.array(curve[method]["as trained"]) - 1)
        for curve in results["rises"]
    ]
    return float(np.max(changes))


def learned_by_sgd(results: Mapping[str, Any]) -> list[float]:
    """Return SGD's training accuracy from the weights as drawn, and from the rescaled ones."""
    return [mean(runs, "train", method="SGD", **at).value for runs, at in columns(results)[:2]]


def table(results: Mapping[str, Any]) -> list[list[str]]:
    """Return the curves, the regrets and the shifts."""
    rows = [
        ["method", "ρ", "as drawn (%)", f"rescaled by {TRAINED_FROM:g} (%)", "pre-training (%)",
         "fine-tuning (%)"],
    ]  # fmt: skip
    plain = [mean(runs, method="SGD", **labels) for runs, labels in columns(results)[:2]]
    rows.append(["SGD", "", *(f"{point:.1f}" for point in plain), "", ""])
    learned = [f"{share:.1f}" for share in learned_by_sgd(results)]
    rows.append(["SGD, training labels learned (%)", "", *learned, "", ""])
    for method, radii in results["radii"].items():
        for rho in radii:
            points = [mean(runs, method=method, rho=rho, **at) for runs, at in columns(results)]
            rows.append([method, f"{rho:g}", *(f"{point:.1f}" for point in points)])
    for method in results["radii"]:
        rescaled, staged = (
            f"{mean_interval(list(regrets(results, question)[method].values())):.2f}"
            for question in ("rescaled", "stages")
        )
        rows.append([f"{method}: regret of the other's ρ (points)", "", "", rescaled, "", staged])
        moved = f"{shift(results, method):.1e}"
        rows.append([f"{method}: relative change of the rise by {FACTOR:g}", "", moved, "", "", ""])
    return rows


def verdict(results: Mapping[str, Any]) -> str:
    """Judge the differences of regrets, and the exact part."""
    more, between = excess(results, "rescaled"), excess(results, "stages")
    moved = [shift(results, method) for method in ("SAM", "ASAM")]
    exact = "shows" if moved[1] < 1e-6 < moved[0] else "opposite"
    return (
        f"{headline(results).word} when trained from rescaled weights: SAM's regret − ASAM's = "
        f"{more:+.1f} points; {weigh(between)} between stages: {between:+.1f} points; "
        f"{exact} in the rise: SAM's changes by a factor of up to {1 + moved[0]:.0f}, "
        f"ASAM's by {moved[1]:.0e} of itself"
    )


def headline(results: Mapping[str, Any]) -> Headline:
    """Say how much more SAM loses than ASAM by keeping its ρ where the weights are rescaled."""
    train, after = learned_by_sgd(results)
    return Headline.of(
        excess(results, "rescaled"), "points of regret", train=train, rho="of the other seeds",
        beside=f"from the rescaled weights SGD learned {after:.0f} %",
    )  # fmt: skip


def draw(results: Mapping[str, Any], figure: Any) -> None:
    """Draw accuracy against ρ from both starts and in both stages, and the rise against ρ."""
    names = ("as drawn", "rescaled", "pre-training", "fine-tuning")
    named = list(zip(names, columns(results), strict=True))
    rows = (("trained from weights", named[:2]), ("accuracy in", named[2:]))
    panels = figure.subplots(3, 2)
    for column, (method, radii) in enumerate(results["radii"].items()):
        for axes, (title, pair) in zip(panels[:2, column], rows, strict=True):
            for (name, (runs, at)), style in zip(pair, ("-", "--"), strict=True):
                points = [mean(runs, method=method, rho=rho, **at) for rho in radii]
                peak = max(point.value for point in points)
                points = [Interval(v - peak, a - peak, b - peak, n) for v, a, b, n in points]
                curve_with_interval(
                    axes, radii, points, name, color=colour(method), linestyle=style,
                    markerfacecolor=colour(method) if style == "-" else "white",
                )  # fmt: skip
            axes.legend(title=title)
        bottom = panels[-1, column]
        for name, style in (("as trained", "-"), ("rescaled", ":")):
            curves = np.array([curve[method][name] for curve in results["rises"]])
            bottom.plot(
                radii, curves.mean(axis=0), style, color=colour(method), label=name,
                linewidth=2.2 if style == "-" else 5, alpha=1 if style == "-" else 0.6,
            )  # fmt: skip
        panels[0, column].set_title(method)
        bottom.legend(title="same function,")
        bottom.set_yscale("log")
        bottom.set_xlabel("ρ")
        for axes in panels[:, column]:
            axes.set_xscale("log", base=2)
            axes.set_xticks(radii, [f"{rho:g}" for rho in radii])
    for axes in panels[:-1, 0]:
        axes.set_ylabel("test accuracy,\npoints below the best ρ")
    panels[-1, 0].set_ylabel("loss rise\nL(w + ε) − L(w)")
