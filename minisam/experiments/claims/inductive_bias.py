"""Does SAM gain more, the less a network is told about images?

An MLP knows nothing, a Mixer and a vision transformer know patches, a convolutional network knows
translation. All have 20,000 to 33,000 parameters. Each method tries nine settings with
each network, see `minisam.experiments.search`; batches are small, so that there are steps
enough for the slow starters. A run can stay on the plateau of the start, where a network says the
same of every image and the loss is the logarithm of the number of classes; such runs are counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from minisam.experiments.search import candidates, tune, with_best
from minisam.experiments.statistics import Interval, paired_difference
from minisam.experiments.study import (
    RADII,
    Cells,
    Headline,
    Scale,
    gain,
    gains,
    labelled,
    mean,
    over_seeds,
    weigh,
)
from minisam.plots import BLACK, colour

CLAIM = "SAM's gain falls as the network's built-in inductive bias grows."
PUBLISHED = (
    "Chen et al. 2021 (arXiv 2106.01548), ImageNet: +5.3 points with ViT-B/16, +11.0 with "
    "Mixer-B/16; less with residual networks."
)
MODELS = {
    "MLP": {"model": "mlp", "model_options": {"hidden": [10, 10]}},
    "Mixer": {"model": "mixer", "model_options": {"width": 32, "blocks": 2, "patch": 8}},
    "ViT": {"model": "vit", "model_options": {"width": 32, "blocks": 2, "heads": 4, "patch": 8}},
    "CNN": {"model": "cnn", "model_options": {"channels": [[12], [24], [48]]}},
}


def run(cells: Cells, scale: Scale) -> dict[str, Any]:
    """Search and run every network."""
    problems = [
        ({"model": name}, scale.settings(**special, batch_size=32))
        for name, special in MODELS.items()
    ]
    best, search = tune(cells, scale, problems, candidates(scale, "SGD", "SAM", radii=RADII))
    guess = 1.0 if scale.data == "cifar100" else 10.0
    return {
        "guess": guess,
        "search": search,
        "runs": over_seeds(cells, scale, with_best(problems, best)),
    }


def table(results: Mapping[str, Any]) -> list[list[str]]:
    """Return a row per network."""
    rows = [
        ["network", "parameters", "SGD test (%)", "SAM test (%)", "SAM − SGD, paired",
         "no better than guessing: SGD, SAM"],
    ]  # fmt: skip
    for model in MODELS:
        sides = [mean(results["runs"], method=m, model=model) for m in ("SGD", "SAM")]
        size = labelled(results["runs"], model=model)[0]["parameters"]
        difference = gain(results["runs"], "SAM", model=model)
        stuck = ", ".join(str(len(guessing(results, m, model))) for m in ("SGD", "SAM"))
        shown = [*(f"{side:.1f}" for side in sides), f"{difference:+.2f}", stuck]
        rows.append([model, f"{size:,}", *shown])
    return rows


def guessing(results: Mapping[str, Any], method: str, model: str) -> list[Any]:
    """Return the runs whose test accuracy is less than half as good again as a guess."""
    runs = labelled(results["runs"], method=method, model=model)
    return [run for run in runs if run["last"] < 1.5 * results["guess"]]


def fall(results: Mapping[str, Any]) -> Interval:
    """Return how much larger the gain is with the MLP than with the CNN, by seed."""
    mlp, cnn = (gains(results["runs"], model=model) for model in ("MLP", "CNN"))
    return paired_difference(mlp, cnn)


def verdict(results: Mapping[str, Any]) -> str:
    """Judge the difference between the gains of the MLP and of the CNN."""
    difference = fall(results)
    stuck = {model: len(guessing(results, "SAM", model)) for model in MODELS}
    text = f"{weigh(difference)}: the MLP gains {difference:+.1f} points more than the CNN"
    told = [f"{count} of {model}" for model, count in stuck.items() if count]
    return text + (f" (runs with SAM that never left the start: {', '.join(told)})" if told else "")


def headline(results: Mapping[str, Any]) -> Headline:
    """Say how much more the MLP gains than the CNN."""
    return Headline.of(fall(results), "points, MLP − CNN")


def draw(results: Mapping[str, Any], figure: Any) -> None:
    """Draw the gain of each network: every seed, and the mean with its interval beside them."""
    axes = figure.subplots()
    for k, model in enumerate(MODELS):
        value, low, high, _ = gain(results["runs"], "SAM", model=model)
        seeds = list(gains(results["runs"], model=model).values())
        axes.plot([k - 0.12] * len(seeds), seeds, "o", color=colour("SAM"), alpha=0.6)
        axes.errorbar(
            k + 0.12, value, [[value - low], [high - value]], fmt="D", color=BLACK, capsize=6
        )
    axes.plot([], [], "o", color=colour("SAM"), alpha=0.6, label="one seed")
    axes.errorbar([], [], [], fmt="D", color=BLACK, capsize=6, label="mean, 95 % interval")
    axes.legend(loc="lower left")
    axes.set_xlim(-0.5, len(MODELS) - 0.5)
    axes.axhline(0, color=BLACK, linewidth=1)
    axes.set_xticks(range(len(MODELS)), list(MODELS))
    axes.set_xlabel("little built-in knowledge of images  →  much")
    axes.set_ylabel("SAM − SGD (points of test accuracy)")
    axes.grid(axis="x", visible=False)
