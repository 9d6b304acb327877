"""Does SAM lower the error of ordinary networks on ordinary data? (Foret et al. 2020, table 1).

A step of SAM costs two of SGD, so that SGD is run for twice the epochs as well, and its better one
counts, as in the paper (section 3.1). SGD's learning rate and weight decay are searched first, SAM
and ASAM take them (see `minisam.experiments.search`). Real images are small (16 × 16) and few, and
shown as they are: then a residual network fits them in a minute, as the paper's does its own.
The counter-example is the same network with the same settings, its images cropped and flipped at
random: it stops half trained, and what SAM costs there is speed, also with a smaller ρ.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from minisam.experiments.curves import at_every_radius, draw_gains, gains_by_radius
from minisam.experiments.runs import chosen_radii, gain, labelled, mean, models, removed
from minisam.experiments.scale import Cells, Scale, over_seeds
from minisam.experiments.search import Problems, candidates, tune, with_best
from minisam.experiments.statistics import Interval
from minisam.experiments.study import Headline, half_published, weigh
from minisam.plots import dots_by_method

CLAIM = "SAM lowers the test error on CIFAR-10 and CIFAR-100."
PUBLISHED = (
    "Test error (%) of WRN-28-10, basic augmentation, 200 epochs, SAM / SGD: CIFAR-10 2.7 / 3.5, "
    "CIFAR-100 16.5 / 18.8."
)
PAPER = 22.9  # percent of SGD's errors that SAM removes on CIFAR-10
SIZE = (11.0, 7.2)
LONGER = "SGD, twice the epochs"
METHODS = ("SGD", LONGER, "SAM", "ASAM")
RESIDUAL = {
    "model": "resnet", "model_options": {"width": 8}, "lr": 0.1, "epochs": 30, "train_size": 2000,
}  # fmt: skip
ON_REAL: dict[str, dict[str, Any]] = {"residual network": RESIDUAL}
ON_TOY: dict[str, dict[str, Any]] = {"MLP": {"epochs": 30}}
CROPPED = "{}, crops and flips"  # the name of a network's counter-example
RADII = {"sam": (0.05, 0.1, 0.2, 0.28, 0.4), "asam": (0.5, 1.0, 2.0, 4.0)}  # on real images


def run(cells: Cells, scale: Scale) -> dict[str, Any]:
    """Search and run every network, with five seeds at least."""
    if not scale.smoke:
        first, seeds = scale.seeds[0], max(5, len(scale.seeds))
        scale = scale._replace(seeds=tuple(range(first, first + seeds)))
    networks = ON_TOY if scale.data == "toy" else ON_REAL
    if scale.smoke:
        networks = {**ON_TOY, **ON_REAL}
    problems = [
        ({"model": name}, scale.settings(**special, every=10)) for name, special in networks.items()
    ]
    options = candidates(scale, "SAM", "ASAM", radii=None if scale.data == "toy" else RADII)
    best, search = tune(cells, scale, problems, options)
    runs = over_seeds(cells, scale, entries(problems, best))
    real = [k for k, (labels, _) in enumerate(problems) if labels["model"] in ON_REAL]
    cropped = [
        (
            {"model": CROPPED.format(problems[k][0]["model"])},
            {**problems[k][1], "crop_and_flip": True},
        )
        for k in real
    ]
    same = [{name: best[k][name] for name in ("SGD", "SAM")} for k in real]
    runs += over_seeds(cells, scale, with_best(cropped, same))
    curve = []
    for (labels, shared), chosen in zip([*problems, *cropped], [*best, *same], strict=True):
        tried: Sequence[Mapping[str, Any]] = options["SAM"]
        if labels["model"] not in ON_TOY:  # what can be paid for
            tried = beside(tried, chosen["SAM"]["rho"], larger=labels["model"] in ON_REAL)
        curve += at_every_radius(cells, scale, [(labels, shared)], [chosen["SGD"]], {"SAM": tried})
    for one in runs:
        one.pop("history", None)
    return {"search": search, "chosen": best + same, "runs": runs, "curve": curve}


def beside(
    tried: Sequence[Mapping[str, Any]], rho: float, larger: bool = True
) -> list[Mapping[str, Any]]:
    """Return the candidates with a ρ, a step smaller and, if asked for, a step larger.

    Example:
        >>> tried = [{"rho": rho} for rho in (0.05, 0.1, 0.2, 0.4)]
        >>> [one["rho"] for one in beside(tried, 0.1)], beside(tried, 0.05, larger=False)
        ([0.05, 0.1, 0.2], [{'rho': 0.05}])
    """
    place = [one["rho"] for one in tried].index(rho)
    return list(tried[max(0, place - 1) : place + 1 + larger])


def entries(
    problems: Problems, best: Sequence[Mapping[str, Mapping[str, Any]]]
) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Return every method on every problem, and SGD for twice the epochs."""
    longer = [
        ({"method": LONGER, **labels}, {**shared, **chosen["SGD"], "epochs": 2 * shared["epochs"]})
        for (labels, shared), chosen in zip(problems, best, strict=True)
    ]
    return with_best(problems, best) + longer


def methods(results: Mapping[str, Any], model: str) -> list[str]:
    """Return the methods that a network was trained with, in the order of the table."""
    there = {run["method"] for run in labelled(results["runs"], model=model)}
    return [method for method in METHODS if method in there]


def better(results: Mapping[str, Any], model: str) -> str:
    """Return whether SGD is better for as many epochs as SAM, or for twice as many, if it ran."""
    runs = results["runs"]
    lengths = [method for method in methods(results, model) if method in ("SGD", LONGER)]
    return max(lengths, key=lambda method: mean(runs, method=method, model=model).value)


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
    radii = chosen_radii(results)
    for model in models(results):
        runs, trained = results["runs"], {*methods(results, model)}
        errors = []
        for method in METHODS:
            last = mean(runs, method=method, model=model) if method in trained else None
            errors.append(f"{last._replace(value=100 - last.value):.1f}" if last else "")
        pairs = (("SAM", "SGD"), ("ASAM", "SGD"), ("SAM", LONGER))
        gains = [
            f"{gain(runs, ours, over=theirs, model=model):+.2f}"
            if {ours, theirs} <= trained
            else ""
            for ours, theirs in pairs
        ]
        train = f"{mean(runs, 'train', method='SGD', model=model).value:.1f}"
        rows.append([model, *errors, *gains, f"{radii[model]:g}", train])
    return rows


def verdict(results: Mapping[str, Any]) -> str:
    """Judge SAM's gain with every network."""
    parts = []
    for model in models(results):
        judged, equal = judging(results, model), gain(results["runs"], "SAM", model=model)
        word, told = weigh(equal, **judged), f"{equal:+.1f} over SGD with as many epochs"
        if LONGER in methods(results, model):
            gained = difference(results, model)
            word, told = (
                weigh(gained, **judged),
                f"{gained:+.1f} points over the better SGD, {told}",
            )
        parts.append(
            f"{word} with the {model} ({told}{at_smaller_radii(results, model)}; SGD learned "
            f"{judged['train']:.0f} % of its training labels)"
        )
    return "; ".join(parts)


def at_smaller_radii(results: Mapping[str, Any], model: str) -> str:
    """Say what SAM gains over SGD with as many epochs at a ρ smaller than the chosen, if tried."""
    radii = chosen_radii(results)
    if not model.endswith(CROPPED.format("")):
        return ""
    gains = gains_by_radius(results["curve"], results["runs"], "SAM", model=model)
    smaller = {rho: told for rho, told in gains.items() if rho < radii[model]}
    return "".join(f", {told:+.1f} at ρ = {rho:g}" for rho, told in smaller.items())


def headline(results: Mapping[str, Any]) -> Headline:
    """Say what SAM gains with the first network: on real images the kind that the paper trained."""
    model, radii = models(results)[0], chosen_radii(results)
    return Headline.of(
        difference(results, model), f"points, {model}", **judging(results, model),
        rho=f"{radii[model]:g}",
        share=removed(results["runs"], "SAM", over=better(results, model), model=model),
    )  # fmt: skip


def draw(results: Mapping[str, Any], figure: Any) -> None:
    """Draw every method's accuracy, a panel per network, and SAM's gain at every ρ below."""
    names, radii = models(results), chosen_radii(results)
    panels = figure.subplots(2, len(names), squeeze=False, sharey="row")
    for (above, below), model in zip(panels.T, names, strict=True):
        trained = methods(results, model)
        nothing = Interval(math.nan, math.nan, math.nan, 0)  # keeps the row of a method empty
        shown = {
            m: mean(results["runs"], method=m, model=model) if m in trained else nothing
            for m in METHODS
        }
        dots_by_method(above, shown)
        above.set_title(model.replace(", ", ",\n"))
        above.set_xlabel("test accuracy (%)")
        gains = gains_by_radius(results["curve"], results["runs"], "SAM", model=model)
        if gains:
            draw_gains(below, gains, "SAM", radii[model])
    panels[1, 0].set_ylabel("SAM − SGD (points)\nring: the chosen ρ")
