"""Does SAM gain more, the less a network is told about images?

An MLP knows nothing, a Mixer and a vision transformer know patches, a convolutional network knows
translation; on real images that is a residual network with batch norm, on the simpler toy images
one without. All are small, and SGD fits the training set with each: it is searched among the
settings with which it does. What is compared is the share of SGD's errors that SAM removes, for a
network with few errors can gain few points. Both the learning rate and ρ warm up: without, the
first steps can leave a network on the plateau of the start, where it says the same of every image.
Runs that stay there are counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from minisam.experiments.runs import (
    chosen_radii,
    gain,
    labelled,
    mean,
    models,
    removed,
    shares_removed,
)
from minisam.experiments.scale import Cells, Scale, over_seeds
from minisam.experiments.search import tune, with_best
from minisam.experiments.statistics import Interval, kendall, mean_interval
from minisam.experiments.study import Headline, weigh
from minisam.plots import BLACK, colour, dot_with_interval

CLAIM = "SAM's gain falls as the network's built-in inductive bias grows."
PUBLISHED = (
    "Chen et al. 2021 (arXiv 2106.01548), ImageNet: +5.3 points with ViT-B/16, +11.0 with "
    "Mixer-B/16; less with residual networks."
)
MODELS: dict[str, dict[str, Any]] = {
    "MLP": {"model": "mlp", "model_options": {"hidden": [32, 32]}},
    "Mixer": {"model": "mixer", "model_options": {"width": 32, "blocks": 2, "patch": 4}},
    "ViT": {"model": "vit", "model_options": {"width": 32, "blocks": 2, "heads": 4, "patch": 4}},
    "CNN": {"model": "cnn", "model_options": {"channels": [[12], [24], [48]]}},
    "ResNet": {"model": "resnet", "model_options": {"width": 8}, "lr": 0.1},
}
# nothing, patches, translation: the bias' rank
TOLD = {"MLP": 0, "Mixer": 1, "ViT": 1, "CNN": 2, "ResNet": 2}
SLOW = {"Mixer": 60, "ViT": 60}  # epochs until SGD has learned real images
RADII = {"sam": (0.05, 0.1, 0.2, 0.4)}
DELTA = 0.2  # of Kendall's τ


def run(cells: Cells, scale: Scale) -> dict[str, Any]:
    """Search and run every network."""
    toy = scale.data == "toy"
    shared = {"train_size": 1000, "batch_size": 32, "every": 20}
    problems = [
        (
            {"model": name},
            scale.settings(**shared, **special, epochs=20 if toy else SLOW.get(name, 20)),
        )
        for name, special in MODELS.items()
        if name != ("ResNet" if toy else "CNN")
    ]
    options = {"SAM": [{"optimizer": "sam", "rho": rho} for rho in RADII["sam"]]}
    best, search = tune(cells, scale, problems, options, fitted=True)
    guess = 1.0 if scale.data == "cifar100" else 10.0
    return {
        "guess": guess,
        "search": search,
        "chosen": best,
        "runs": over_seeds(cells, scale, with_best(problems, best)),
    }


def table(results: Mapping[str, Any]) -> list[list[str]]:
    """Return a row per network."""
    rows = [
        ["network", "parameters", "ρ", "SGD train (%)", "SGD test (%)", "SAM test (%)",
         "SAM − SGD, paired", "errors removed (%)", "no better than guessing: SGD, SAM"],
    ]  # fmt: skip
    runs = results["runs"]
    radii = {model: f"{rho:g}" for model, rho in chosen_radii(results).items()}
    for model in models(results):
        sides = [mean(runs, method=m, model=model) for m in ("SGD", "SAM")]
        size = labelled(runs, model=model)[0]["parameters"]
        train = mean(runs, "train", method="SGD", model=model)
        stuck = ", ".join(str(len(guessing(results, m, model))) for m in ("SGD", "SAM"))
        shown = [f"{train:.1f}", *(f"{side:.1f}" for side in sides)]
        gained = [f"{gain(runs, 'SAM', model=model):+.2f}"]
        gained.append(f"{removed(runs, 'SAM', model=model):+.1f}")
        rows.append([model, f"{size:,}", radii[model], *shown, *gained, stuck])
    return rows


def guessing(results: Mapping[str, Any], method: str, model: str) -> list[Any]:
    """Return the runs whose test accuracy is less than half as good again as a guess."""
    runs = labelled(results["runs"], method=method, model=model)
    return [run for run in runs if run["last"] < 1.5 * results["guess"]]


def shares(results: Mapping[str, Any]) -> dict[str, dict[int, float]]:
    """Return {network: {seed: share of SGD's errors that SAM removes, in percent}}."""
    return {model: shares_removed(results["runs"], model=model) for model in models(results)}


def fall(results: Mapping[str, Any]) -> Interval:
    """Return −τ of the share of errors and what the network is told, within seeds, over seeds."""
    found = shares(results)
    told = [TOLD[model] for model in found]
    taus = [kendall(told, [found[m][seed] for m in found]).value for seed in found["MLP"]]
    return mean_interval([-tau for tau in taus])


def least_fitted(results: Mapping[str, Any]) -> float:
    """Return the training accuracy of the network and method that fit worst.

    Labels are clean: a run that has not learned them, with SGD or with SAM, tells of speed.
    """
    sides = [
        {"method": method, "model": model} for model in models(results) for method in ("SGD", "SAM")
    ]
    return min(mean(results["runs"], "train", **side).value for side in sides)


def verdict(results: Mapping[str, Any]) -> str:
    """Judge whether the networks that are told more gain less."""
    falls = fall(results)
    each = "; ".join(
        f"{weigh(gain(results['runs'], 'SAM', model=model))} a gain with the {model}: "
        f"{removed(results['runs'], 'SAM', model=model):+.1f} % of SGD's errors"
        for model in models(results)
    )
    stuck = {model: len(guessing(results, "SAM", model)) for model in models(results)}
    text = (
        f"{weigh(falls, DELTA, least_fitted(results))}: rank correlation of the gain and of what "
        f"the network is not told, within a seed, {falls:+.2f}; {each}"
    )
    told = [f"{count} of {model}" for model, count in stuck.items() if count]
    return text + (f" (runs with SAM that never left the start: {', '.join(told)})" if told else "")


def headline(results: Mapping[str, Any]) -> Headline:
    """Say how the gain goes with what a network is told."""
    return Headline.of(
        fall(results), "rank correlation", digits=2, delta=DELTA, train=least_fitted(results),
        rho=", ".join(f"{rho:g}" for rho in chosen_radii(results).values()),
        share=removed(results["runs"], "SAM", model="MLP"),
    )  # fmt: skip


def forest(results: Mapping[str, Any]) -> dict[str, tuple[Headline, None]]:
    """Return {network: (headline, no figure of the paper's)}, for the forest plot."""
    lines = {}
    for model in models(results):
        gained, share = (find(results["runs"], "SAM", model=model) for find in (gain, removed))
        told = Headline.of(gained, "points", train=least_fitted(results), share=share)
        lines[f" with the {model}"] = (told, None)
    return lines


def draw(results: Mapping[str, Any], figure: Any) -> None:
    """Draw the share of each network: every seed, and the mean with its interval beside them."""
    axes = figure.subplots()
    for k, found in enumerate(shares(results).values()):
        axes.plot([k - 0.12] * len(found), [*found.values()], "o", color=colour("SAM"), alpha=0.6)
        mean_of_all = mean_interval(list(found.values()))
        dot_with_interval(axes, k + 0.12, mean_of_all, marker="D", color=BLACK, capsize=6)
    axes.plot([], [], "o", color=colour("SAM"), alpha=0.6, label="one seed")
    axes.errorbar([], [], [], fmt="D", color=BLACK, capsize=6, label="mean, 95 % interval")
    axes.legend(loc="best")
    names = models(results)
    axes.set_xlim(-0.5, len(names) - 0.5)
    axes.axhline(0, color=BLACK, linewidth=1)
    axes.set_xticks(range(len(names)), names)
    axes.set_xlabel("little built-in knowledge of images  →  much")
    axes.set_ylabel("share of SGD's errors\nthat SAM removes (%)")
    axes.grid(axis="x", visible=False)
