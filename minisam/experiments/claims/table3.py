"""Does SAM help when a pre-trained network is fine-tuned? (Foret et al. 2020, table 3).

A residual network learns five classes from many images, with SGD, gets a new last layer, and learns
the five others from few: 1,000 and 250. In the paper batch norm keeps the statistics of the first
stage; here it does so in a problem of its own. SGD's learning rate and weight decay are searched
for the second stage, and SAM and ASAM take them (see `minisam.experiments.search`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from minisam.experiments.claims.two_stages import two_stages
from minisam.experiments.runs import gain, mean, removed
from minisam.experiments.scale import Cells, Scale, over_seeds
from minisam.experiments.search import candidates, tune, with_best
from minisam.experiments.study import Headline, half_published, weigh
from minisam.plots import dot_with_interval

CLAIM = "SAM improves the fine-tuning of a pre-trained network."
PUBLISHED = (
    "Test error (%) of a fine-tuned EfficientNet-L2, SAM / without: CIFAR-10 0.30 / 0.34, "
    "CIFAR-100 3.92 / 4.07."
)
PAPER = 11.8  # percent of the errors that SAM removes on CIFAR-10
COMPARED = ("SGD", "SAM", "ASAM")
# Images of the second stage, and whether batch norm keeps the first stage's statistics there; the
# first is judged.
PROBLEMS = ((1000, False), (1000, True), (250, False))
SIZE = (10.0, 4.6)


def run(cells: Cells, scale: Scale) -> dict[str, Any]:
    """Search the second stage, then run it with every method."""
    many = 4000 if scale.data == "toy" else 40_000  # half of them are of the first five classes
    first = scale.settings(
        model="resnet", model_options={"width": 8}, lr=0.1, weight_decay=5e-4, epochs=6,
        train_size=many, every=10,
    )  # fmt: skip
    few = {"epochs": 1} if scale.smoke else {"epochs": 40, "batch_size": 32}
    problems = [
        (
            {"pretrained": "SGD", "images": images, "frozen": frozen},
            {
                "lr": 0.02, **few, "train_size": 100 if scale.smoke else 2 * images,
                "frozen": frozen,
            },
        )
        for images, frozen in PROBLEMS
    ]  # fmt: skip

    def second_cells(grid: list[dict[str, Any]], function: Any = two_stages) -> list[Any]:
        return cells([of_both(first, settings) for settings in grid], function)

    best, search = tune(second_cells, scale, problems, candidates(scale, "SAM", "ASAM"))
    runs = over_seeds(second_cells, scale, with_best(problems, best), two_stages)
    for one in runs:
        one["before"] = one.pop("first")["last"]
        one.pop("history")
    return {"search": search, "chosen": best, "runs": runs}


def of_both(first: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a cell of `two_stages`, from those of its second stage."""
    second = {key: value for key, value in settings.items() if key not in ("seed", "frozen")}
    kept = {"frozen": True} if settings["frozen"] else {}
    return {"first": first, "second": second, "seed": settings["seed"], **kept}


def places(results: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the labels of each start and number of images, the one that is judged first."""
    names = ("pretrained", "images", "frozen")
    found = [{name: run[name] for name in names if name in run} for run in results["runs"]]
    return [place for k, place in enumerate(found) if place not in found[:k]]


def named_place(place: Mapping[str, Any]) -> str:
    """Name a start and a number of images."""
    images = f", {place['images']:,} images" if "images" in place else ""
    kept = ", batch norm frozen" if place.get("frozen") else ""
    return f"pre-trained with {place['pretrained']}{images}{kept}"


def judged_with(results: Mapping[str, Any], place: Mapping[str, Any]) -> dict[str, Any]:
    """Return δ, half of the published share of the errors, and SGD's training accuracy."""
    plain, train = (
        mean(results["runs"], value, method="SGD", **place).value for value in ("last", "train")
    )
    return {"delta": half_published(PAPER, plain), "train": train}


def table(results: Mapping[str, Any]) -> list[list[str]]:
    """Return accuracy after fine-tuning, a row per start and number of images."""
    rows = [
        ["test accuracy (%) after fine-tuning", *(f"with {method}" for method in COMPARED),
         "SAM − SGD, paired", "ASAM − SGD, paired", "SGD train (%)"],
    ]  # fmt: skip
    for place in places(results):
        means = [f"{mean(results['runs'], method=two, **place):.1f}" for two in COMPARED]
        gains = [f"{gain(results['runs'], m, **place):+.2f}" for m in ("SAM", "ASAM")]
        rows.append(
            [named_place(place), *means, *gains, f"{judged_with(results, place)['train']:.1f}"]
        )
    return rows


def verdict(results: Mapping[str, Any]) -> str:
    """Judge SAM's gain in fine-tuning at every place."""
    parts = []
    for place in places(results):
        difference = gain(results["runs"], "SAM", **place)
        word = weigh(difference, **judged_with(results, place))
        parts.append(f"{word}, {named_place(place)}: SAM − SGD = {difference:+.1f} points")
    return "; ".join(parts)


def headline(results: Mapping[str, Any]) -> Headline:
    """Say what SAM gains in fine-tuning after SGD."""
    place = places(results)[0]
    chosen = results.get("chosen")
    return Headline.of(
        gain(results["runs"], "SAM", **place), "points", **judged_with(results, place),
        rho=f"{chosen[0]['SAM']['rho']:g}" if chosen else "",
        share=removed(results["runs"], "SAM", **place),
    )  # fmt: skip


def draw(results: Mapping[str, Any], figure: Any) -> None:
    """Draw a group of dots per start and number of images."""
    axes = figure.subplots()
    for group, place in enumerate(places(results)):
        for k, two in enumerate(COMPARED):
            last, x = mean(results["runs"], method=two, **place), group + 0.2 * (k - 1)
            label = f"fine-tuned with {two}" if group == 0 else None
            dot_with_interval(axes, x, last, two, capsize=5, markersize=10, label=label)
    names = [named_place(place).replace(", ", "\n") for place in places(results)]
    axes.set_xticks(range(len(names)), names)
    axes.set_ylabel("test accuracy (%) on the new classes")
    axes.grid(axis="x", visible=False)
    figure.legend(loc="outside upper center", ncols=3)
