"""Does SAM lower the error of ordinary networks on ordinary data? (Foret et al. 2020, table 1).

A residual network with batch norm and an MLP, with basic augmentation (crops and flips), at least
five seeds. Each method tries nine settings, see `minisam.experiments.search`. A step of SAM
costs two of SGD, so that SGD is run for twice the epochs as well, as in the paper (section 3.1).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from minisam.experiments.search import candidates, tune, with_best
from minisam.experiments.study import (
    RADII,
    Cells,
    Headline,
    Scale,
    gain,
    mean,
    over_seeds,
    weigh,
)
from minisam.plots import dots_by_method

CLAIM = "SAM lowers the test error on CIFAR-10 and CIFAR-100."
PUBLISHED = (
    "Test error (%) of WRN-28-10, basic augmentation, 200 epochs, SAM / SGD: CIFAR-10 2.7 / 3.5, "
    "CIFAR-100 16.5 / 18.8."
)
SIZE = (10.0, 3.8)
LONGER = "SGD, twice the epochs"
MODELS = {
    "residual network": {
        "model": "resnet",
        "model_options": {"width": 8},
        "lr": 0.1,
        "epochs": 10,
        "batch_size": 32,
    },
    "MLP": {"model": "mlp", "model_options": {"hidden": [64, 64]}, "lr": 0.02},
}


def run(cells: Cells, scale: Scale) -> dict[str, Any]:
    """Search and run both networks, with five seeds at least."""
    if not scale.smoke:
        scale = scale._replace(seeds=tuple(range(max(5, len(scale.seeds)))))
    entries, search = [], []
    for name, special in MODELS.items():
        base = scale.settings(**special, crop_and_flip=True)
        radii = RADII if name == "residual network" else None
        options = candidates(scale, "SGD", "SAM", "ASAM", lr=base["lr"], radii=radii)
        labels = {"model": name}
        problem = [(labels, base)]
        best, tried = tune(cells, scale, problem, options)
        search += tried
        entries += with_best(problem, best)
        longer = {**base, **best[0]["SGD"], "epochs": 2 * base["epochs"]}
        entries.append(({"method": LONGER, **labels}, longer))
    return {"search": search, "runs": over_seeds(cells, scale, entries)}


def table(results: Mapping[str, Any]) -> list[list[str]]:
    """Return the test error, and the paired differences from SGD."""
    rows = [
        ["test error (%), last epoch", "SGD", LONGER, "SAM", "ASAM", "SGD − SAM", "SGD − ASAM",
         "SGD longer − SAM"],
    ]  # fmt: skip
    for model in MODELS:
        errors = []
        for method in ("SGD", LONGER, "SAM", "ASAM"):
            last = mean(results["runs"], method=method, model=model)
            errors.append(f"{last._replace(value=100 - last.value):.1f}")
        gains = [gain(results["runs"], method, model=model) for method in ("SAM", "ASAM")]
        gains.append(gain(results["runs"], "SAM", over=LONGER, model=model))
        rows.append([model, *errors, *(f"{difference:+.2f}" for difference in gains)])
    return rows


def verdict(results: Mapping[str, Any]) -> str:
    """Judge SAM's gain with either network."""
    parts = []
    for model in MODELS:
        difference = gain(results["runs"], "SAM", model=model)
        equal = gain(results["runs"], "SAM", over=LONGER, model=model)
        parts.append(
            f"{weigh(difference)} with the {model} ({difference:+.1f} points; {equal:+.1f} over "
            f"SGD with twice the epochs)"
        )
    return "; ".join(parts)


def headline(results: Mapping[str, Any]) -> Headline:
    """Say what SAM gains with the residual network, the kind that the paper trained."""
    network = next(iter(MODELS))
    return Headline.of(gain(results["runs"], "SAM", model=network), f"points, {network}")


def draw(results: Mapping[str, Any], figure: Any) -> None:
    """Draw a panel per network."""
    for axes, model in zip(figure.subplots(1, len(MODELS), sharey=True), MODELS, strict=True):
        methods = ("SGD", LONGER, "SAM", "ASAM")
        dots_by_method(axes, {m: mean(results["runs"], method=m, model=model) for m in methods})
        axes.set_title(model)
        axes.set_xlabel("test accuracy after the last epoch (%)")
