"""Does SAM help when a pre-trained network is fine-tuned? (Foret et al. 2020, table 3).

An MLP learns five classes, gets a new last layer, and learns the five others from a fifth as many
images; SGD, SAM and ASAM in either stage. Each method tries nine settings in each stage, see
`minisam.experiments.search`; the second stage is searched from a network that SGD pre-trained.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from minisam.experiments.claims.two_stages import FIRST, two_stages
from minisam.experiments.search import candidates, tune
from minisam.experiments.study import Cells, Headline, Scale, gain, mean, over_seeds, weigh
from minisam.plots import colour

CLAIM = "SAM improves the fine-tuning of a pre-trained network."
PUBLISHED = (
    "Test error (%) of a fine-tuned EfficientNet-L2, SAM / without: CIFAR-10 0.30 / 0.34, "
    "CIFAR-100 3.92 / 4.07."
)
COMPARED = ("SGD", "SAM", "ASAM")
SIZE = (10.0, 4.6)


def run(cells: Cells, scale: Scale) -> dict[str, Any]:
    """Search each stage, then run every pair of methods."""
    base, options = scale.settings(), candidates(scale, *COMPARED)
    first = {**base, "classes": FIRST}
    (before,), search = tune(cells, scale, [({"stage": 1}, first)], options)
    start = {**base, **before["SGD"]}

    def second_cells(grid: list[dict[str, Any]]) -> list[Any]:
        jobs = []
        for settings in grid:
            second = {key: value for key, value in settings.items() if key != "seed"}
            jobs.append({"first": start, "second": second, "seed": settings["seed"]})
        return cells(jobs, two_stages)

    shared = {"lr": base["lr"]}
    (after,), tried = tune(second_cells, scale, [({"stage": 2}, shared)], options)
    entries = [
        (
            {"pretrained": one, "method": two},
            {"first": {**base, **before[one]}, "second": {**shared, **after[two]}},
        )
        for one in COMPARED
        for two in COMPARED
    ]
    runs = over_seeds(cells, scale, entries, two_stages)
    return {"search": search + tried, "runs": runs}


def table(results: Mapping[str, Any]) -> list[list[str]]:
    """Return accuracy after fine-tuning, a row per method of pre-training."""
    rows = [
        ["test accuracy (%) after fine-tuning", *(f"with {method}" for method in COMPARED),
         "SAM − SGD, paired", "ASAM − SGD, paired"],
    ]  # fmt: skip
    for one in COMPARED:
        means = [f"{mean(results['runs'], pretrained=one, method=two):.1f}" for two in COMPARED]
        gains = [f"{gain(results['runs'], m, pretrained=one):+.2f}" for m in ("SAM", "ASAM")]
        rows.append([f"pre-trained with {one}", *means, *gains])
    return rows


def verdict(results: Mapping[str, Any]) -> str:
    """Judge SAM's gain in fine-tuning after SGD's pre-training."""
    difference = gain(results["runs"], "SAM", pretrained="SGD")
    return f"{weigh(difference)}: SAM − SGD in fine-tuning after SGD: {difference:+.1f} points"


def headline(results: Mapping[str, Any]) -> Headline:
    """Say what SAM gains in fine-tuning."""
    return Headline.of(gain(results["runs"], "SAM", pretrained="SGD"), "points")


def draw(results: Mapping[str, Any], figure: Any) -> None:
    """Draw a group of dots per method of pre-training."""
    axes = figure.subplots()
    for group, one in enumerate(COMPARED):
        for k, two in enumerate(COMPARED):
            value, low, high, _ = mean(results["runs"], pretrained=one, method=two)
            axes.errorbar(
                group + 0.2 * (k - 1),
                value,
                [[value - low], [high - value]],
                fmt="o",
                capsize=5,
                markersize=10,
                color=colour(two),
                label=f"fine-tuned with {two}" if group == 0 else None,
            )
    axes.set_xticks(range(len(COMPARED)), [f"pre-trained with {method}" for method in COMPARED])
    axes.set_ylabel("test accuracy (%) on the new classes")
    axes.grid(axis="x", visible=False)
    figure.legend(loc="outside upper center", ncols=3)
