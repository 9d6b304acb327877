"""m-sharpness: does it generalize better to climb for every few examples alone?

The batch is cut into shards of m examples, each with its own ε (see `minisam.optim.m_sam`). ρ and
the learning rate are chosen for each m, from as many settings as SGD has learning rates (see
`minisam.experiments.search`). At m = 1 every example costs two gradients, so the
training set is small.
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
from minisam.plots import curve_with_interval, level_with_band

CLAIM = "A smaller m generalizes better."
PUBLISHED = "Foret et al. 2020, section 4.1: models trained with a smaller m generalize better."
SHARDS = (1, 4, 16, 64, 128)
SIZE = (9.0, 5.0)


def run(cells: Cells, scale: Scale) -> dict[str, Any]:
    """Search and run SGD and every m, on noisy labels, where SAM has something to gain."""
    shards = (16, 128) if scale.smoke else SHARDS
    base = scale.settings(noise=0.4, model_options={"hidden": [32, 32]}, train_size=500)
    tried = candidates(scale, "SGD")
    for m in shards:
        tried[f"m = {m}"] = [{"optimizer": "m_sam", "m": m, "rho": rho} for rho in RADII["sam"]]
    best, search = tune(cells, scale, [({}, base)], tried)
    runs = over_seeds(cells, scale, with_best([({}, base)], best))
    return {"shards": shards, "search": search, "chosen": best[0], "runs": runs}


def table(results: Mapping[str, Any]) -> list[list[str]]:
    """Return a row per m."""
    rows = [["method", "ρ", "test, last epoch (%)", "best epoch (%)"]]
    for method, settings in results["chosen"].items():
        last, best = (mean(results["runs"], value, method=method) for value in ("last", "best"))
        rows.append([method, str(settings.get("rho", "")), f"{last:.1f}", f"{best:.1f}"])
    return rows


def verdict(results: Mapping[str, Any]) -> str:
    """Judge the smallest m against the whole batch."""
    small, whole = (f"m = {results['shards'][k]}" for k in (0, -1))
    difference = gain(results["runs"], small, over=whole)
    return f"{weigh(difference)}: {small} against {whole}: {difference:+.1f} points"


def headline(results: Mapping[str, Any]) -> Headline:
    """Say what the smallest m gains over the whole batch."""
    small, whole = (f"m = {results['shards'][k]}" for k in (0, -1))
    difference = gain(results["runs"], small, over=whole)
    return Headline.of(difference, f"points, m = {results['shards'][0]}")


def draw(results: Mapping[str, Any], figure: Any) -> None:
    """Draw accuracy against m, beside SGD's."""
    axes = figure.subplots()
    shards, runs = results["shards"], results["runs"]
    intervals = [mean(runs, method=f"m = {m}") for m in shards]
    curve_with_interval(axes, shards, intervals, "SAM", label="SAM, ε per m examples")
    level_with_band(axes, mean(runs, method="SGD"), "SGD")
    axes.set_xscale("log", base=2)
    axes.set_xticks(shards, [str(m) for m in shards])
    axes.set_xlabel("m (examples per climb; 128 is the whole batch)")
    axes.set_ylabel("test accuracy (%), 40 % label noise")
    axes.legend()
