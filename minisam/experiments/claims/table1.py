"""Does SAM lower the error of ordinary networks on ordinary data? (Foret et al. 2020, table 1).

A step of SAM costs two of SGD, so that SGD is run for twice the epochs as well, and its better one
counts, as in the paper (section 3.1). SGD's learning rate and weight decay are searched first, SAM
and ASAM take them (see `minisam.experiments.search`). Real images are small (16 × 16) and few, and
shown as they are: then a residual network fits them in half an hour, as the paper's does its own.
The same network with random crops and flips is the counter-example: it stops half trained, and
what SAM costs there is speed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from minisam.experiments.curves import at_every_radius
from minisam.experiments.search import candidates, tune, with_best
from minisam.experiments.statistics import Interval
from minisam.experiments.study import (
    Cells,
    Headline,
    Scale,
    gain,
    half_published,
    mean,
    over_seeds,
    removed,
    weigh,
)
from minisam.plots import dots_by_method

CLAIM = "SAM lowers the test error on CIFAR-10 and CIFAR-100."
PUBLISHED = (
    "Test error (%) of WRN-28-10, basic augmentation, 200 epochs, SAM / SGD: CIFAR-10 2.7 / 3.5, "
    "CIFAR-100 16.5 / 18.8."
)
PAPER = 22.9  # percent of SGD's errors that SAM removes on CIFAR-10
SIZE = (10.0, 3.8)
LONGER = "SGD, twice the epochs"
METHODS = ("SGD", LONGER, "SAM", "ASAM")
RESIDUAL = {"model": "resnet", "model_options": {"width": 8}, "lr": 0.1}
ON_REAL: dict[str, dict[str, Any]] = {
    "residual network": {**RESIDUAL, "epochs": 30},
    "residual network, crops and flips": {**RESIDUAL, "epochs": 40, "crop_and_flip": True},
}
ON_TOY: dict[str, dict[str, Any]] = {"MLP": {"epochs": 30}}


def run(cells: Cells, scale: Scale) -> dict[str, Any]:
    """Search and run every network, with five seeds at least."""
    if not scale.smoke:
        first, seeds = scale.seeds[0], max(5, len(scale.seeds))
        scale = scale._replace(seeds=tuple(range(first, first + seeds)))
    networks = ON_TOY if scale.data == "toy" else ON_REAL
    if scale.smoke:
        networks = {**ON_TOY, "residual network": ON_REAL["residual network"]}
    problems = [
        ({"model": name}, scale.settings(**special, every=10)) for name, special in networks.items()
    ]
    options = candidates(scale, "SAM", "ASAM")
    best, search = tune(cells, scale, problems, options)
    entries = with_best(problems, best)
    entries += [
        (
            {"method": LONGER, **labels},
            {**shared, **chosen["SGD"], "epochs": 2 * shared["epochs"]},
        )
        for (labels, shared), chosen in zip(problems, best, strict=True)
    ]
    runs = over_seeds(cells, scale, entries)
    for one in runs:
        one.pop("history", None)
    curve = at_every_radius(cells, scale, problems, [one["SGD"] for one in best], options)
    return {"search": search, "chosen": best, "runs": runs, "curve": curve}


def models(results: Mapping[str, Any]) -> list[str]:
    """Return the names of the networks that were trained."""
    return list(dict.fromkeys(run["model"] for run in results["runs"]))


def better(results: Mapping[str, Any], model: str) -> str:
    """Return whether SGD is better for as many epochs as SAM, or for twice as many."""
    runs = results["runs"]
    return max(("SGD", LONGER), key=lambda method: mean(runs, method=method, model=model).value)


def difference(results: Mapping[str, Any], model: str) -> Interval:
    """Return what SAM gains over the better of the two lengths of SGD."""
    return gain(results["runs"], "SAM", over=better(results, model), model=model)


def judging(results: Mapping[str, Any], model: str) -> dict[str, Any]:
    """Return δ, half of the published share of SGD's errors, and SGD's training accuracy."""
    runs = results["runs"]
    accuracy = mean(runs, method=better(results, model), model=model).value
    train = mean(runs, "train", method="SGD", model=model).value
    return {"delta": half_published(PAPER, accuracy), "train": train}


def table(results: Mapping[str, Any]) -> list[list[str]]:
    """Return the test error, and the paired differences from SGD."""
    rows = [
        ["test error (%), last epoch", *METHODS, "SGD − SAM", "SGD − ASAM", "SGD longer − SAM",
         "ρ", "SGD train (%)"],
    ]  # fmt: skip
    chosen = dict(zip(models(results), results.get("chosen", []), strict=False))
    for model in models(results):
        errors = []
        for method in METHODS:
            last = mean(results["runs"], method=method, model=model)
            errors.append(f"{last._replace(value=100 - last.value):.1f}")
        gains = [gain(results["runs"], method, model=model) for method in ("SAM", "ASAM")]
        gains.append(gain(results["runs"], "SAM", over=LONGER, model=model))
        rho = f"{chosen[model]['SAM']['rho']:g}" if model in chosen else ""
        train = f"{mean(results['runs'], 'train', method='SGD', model=model).value:.1f}"
        rows.append([model, *errors, *(f"{d:+.2f}" for d in gains), rho, train])
    return rows


def verdict(results: Mapping[str, Any]) -> str:
    """Judge SAM's gain with every network."""
    parts = []
    for model in models(results):
        gained, equal = difference(results, model), gain(results["runs"], "SAM", model=model)
        judged = judging(results, model)
        parts.append(
            f"{weigh(gained, **judged)} with the {model} ({gained:+.1f} points over the better "
            f"SGD, {equal:+.1f} over SGD with as many epochs; SGD learned {judged['train']:.0f} % "
            f"of its training labels)"
        )
    return "; ".join(parts)


def headline(results: Mapping[str, Any]) -> Headline:
    """Say what SAM gains with the first network: on real images the kind that the paper trained."""
    model = models(results)[0]
    chosen = results.get("chosen")
    return Headline.of(
        difference(results, model), f"points, {model}", **judging(results, model),
        rho=f"{chosen[0]['SAM']['rho']:g}" if chosen else "",
        share=removed(results["runs"], "SAM", over=better(results, model), model=model),
    )  # fmt: skip


def draw(results: Mapping[str, Any], figure: Any) -> None:
    """Draw a panel per network, all on one scale."""
    names = models(results)
    panels = figure.subplots(1, len(names), sharey=True, squeeze=False)[0]
    for axes, model in zip(panels, names, strict=True):
        dots_by_method(axes, {m: mean(results["runs"], method=m, model=model) for m in METHODS})
        axes.set_title(model)
        axes.set_xlabel("test accuracy after the last epoch (%)")
