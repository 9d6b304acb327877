"""Compare SGD, SAM and ASAM on the same noisy labels.

Every method trains the same network from the same start on the same images, of which a share has
wrong labels, seed by seed. What is compared: accuracy on clean test labels after the last epoch and
at the best one (which only clean labels could choose), how much of the wrong labels
was memorized, and how sharp the loss is where training ended.

ρ is chosen on a validation split that is held out of the training images and whose labels are as
noisy as theirs, with a seed that no reported run uses. The test set takes no part in it.
"""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from minisam.experiments.search import TUNING_SEEDS
from minisam.experiments.statistics import by_epoch, mean_interval
from minisam.experiments.study import FEW_RADII, FEW_TOY_RADII, gain
from minisam.experiments.trial import (
    as_a_guess,
    fit,
    outcome,
    prepared,
    records,
    training_loss,
    trial,
)
from minisam.files import jsonable, write_json
from minisam.nn.gradients import value_and_grad
from minisam.optim import sam_perturbation
from minisam.optim.methods import METHODS, title_of
from minisam.plots import curve_with_band, picture
from minisam.sharpness import flat_hessian, hessian_product, top_eigenvalues
from minisam.sweeps.sweep import sweep
from minisam.train import NonFiniteError, check_finite, predict
from minisam.trees import Params, add

SHARD = 32  # examples that climb together, for a method that splits the batch
EXAMPLES = 256  # training examples on which sharpness is measured
RADIUS = 0.05  # ρ of the loss rise, the same for all methods
COLUMNS = {
    "last": ("test last", ".1f"),
    "best": ("test best", ".1f"),
    "train": ("train noisy", ".1f"),
    "train_true": ("train true", ".1f"),
    "memorized": ("memorized", ".1f"),
    "curvature": ("λ_max", ".2f"),
    "rise": ("loss rise", ".3f"),
    "seconds": ("seconds", ".1f"),
}


def radii(data: str, method: str) -> list[float]:
    """Return the values of ρ that are tried for a method.

    Example:
        >>> radii("toy", "asam")
        [2.0, 4.0, 6.0]
    """
    of_sam = FEW_TOY_RADII if data == "toy" else FEW_RADII
    return [METHODS[method].radius * radius for radius in of_sam]


def method_settings(method: str) -> dict[str, Any]:
    """Return the settings of a trial that name its method."""
    sharded = {"m": SHARD} if METHODS[method].needs == "shards" else {}
    return {"optimizer": method, **sharded}


def compared_trial(**settings: Any) -> dict[str, Any]:
    """Train one network as `minisam.experiments.trial.trial` does, and measure where it ended.

    Returns:
        Percentages ``last``, ``best``, ``validation``, ``train``, ``train_true``, ``memorized``;
        ``curvature``, the largest Hessian eigenvalue, and ``rise``, the loss rise one step of
        length `RADIUS` up the gradient, both of the loss on the first `EXAMPLES` training examples
        with the labels that training saw; ``seconds`` of training; ``history``, with the rise after
        every epoch. A run that diverged counts as a guess, as in `minisam.experiments.trial.trial`,
        says so under ``diverged``, and has no sharpness.
    """
    network, data = prepared(settings)

    def probed_loss(statistics: Params) -> Callable[[Params], Any]:
        return training_loss(network, data, statistics, EXAMPLES)

    def watch(params: Params, statistics: Params) -> dict[str, Any]:
        loss = value_and_grad(probed_loss(statistics))
        value, grads = loss(params)
        uphill = add(params, sam_perturbation(params, grads, RADIUS))
        return {"rise": loss(uphill)[0] - value}

    def largest_curvature(params: Params, statistics: Params) -> float:
        product = hessian_product(probed_loss(statistics), params)
        hessian = flat_hessian(product, params)
        rng = np.random.default_rng([settings["seed"], 2])
        try:
            top = top_eigenvalues(hessian.matvec, hessian.size, rng, steps=25, tolerance=1e-2)
        except ValueError:  # the Hessian of weights as large as these overflows
            return np.nan
        return top.eigenvalues[0]

    try:
        with np.errstate(over="ignore", invalid="ignore"):  # what it leads to is told below
            fitted = fit(*records(settings), watch=watch)
            params, statistics, history = fitted.params, fitted.statistics, fitted.history
            value, grads = value_and_grad(probed_loss(statistics))(params)
            check_finite(value, grads, "after the last epoch")
            curvature = largest_curvature(params, statistics)
    except NonFiniteError as error:
        unknown = ("memorized", "curvature", "rise", "seconds")
        guess = as_a_guess(error, data.classes)
        return {**guess, "train_true": guess["train"], **dict.fromkeys(unknown)}
    chosen = predict(network, params, statistics, data.images).argmax(axis=1)
    wrong = data.labels != data.clean_labels
    return {
        **outcome(history),
        "train": 100 * np.mean(chosen == data.labels),
        "train_true": 100 * np.mean(chosen == data.clean_labels),
        "memorized": 100 * np.mean(chosen[wrong] == data.labels[wrong]) if wrong.any() else np.nan,
        "curvature": curvature,
        "rise": history[-1]["rise"],
        "seconds": sum(record["seconds"] for record in history),
    }


def compare_methods(
    shared: dict[str, Any],
    methods: Sequence[str],
    rho: dict[str, float],
    seeds: int,
    out: Path,
    jobs: int = 1,
    command: str = "",
) -> dict[str, Any]:
    """Search ρ, train every method from every seed, write ``results.json`` and ``compare.png``.

    Args:
        shared: the settings of every run, as for `minisam.experiments.trial.trial`.
        methods: names in `minisam.optim.METHODS`.
        rho: {method: ρ} of those methods whose ρ is not searched.
        seeds: number of seeds.
        out: folder; finished runs in it are not run again.
        jobs: local processes.
        command: that makes this result.

    Returns:
        What was written to ``results.json``.
    """
    begun = time.time()
    free = [name for name in methods if name != "sgd" and name not in rho]
    search = searched(shared, free, out, jobs)
    for name in free:
        tried = [entry for entry in search if entry["method"] == name]
        rho = {**rho, name: max(tried, key=lambda entry: entry["validation"])["rho"]}
    runs = [(m, seed) for seed in range(seeds) for m in methods]
    grid = [{**shared, **method_settings(m), "rho": rho.get(m, 0.0), "seed": s} for m, s in runs]
    records = sweep(compared_trial, grid, out, jobs=jobs)
    results = jsonable(
        {
            "command": command,
            "settings": {**shared, "methods": methods, "rho": rho, "seeds": seeds},
            "chosen_by": "accuracy on held-out training images with noisy labels, last epoch",
            "search": search,
            "runs": [
                {"method": title_of(m), "seed": seed, **record["result"]}
                for (m, seed), record in zip(runs, records, strict=True)
            ],
            "radius": RADIUS,
            "versions": records[0]["versions"],
            "machine": {"platform": platform.platform(), "cpus": os.cpu_count()},
            "seconds": round(time.time() - begun, 1),
        }
    )
    write_json(out / "results.json", results)
    draw(results, out / "compare.png")
    return results


def searched(
    shared: dict[str, Any], methods: Sequence[str], out: Path, jobs: int
) -> list[dict[str, Any]]:
    """Try every radius of the methods; print and return the accuracy on validation labels."""
    tries = [(name, radius) for name in methods for radius in radii(shared["data"], name)]
    grid = [{**shared, **method_settings(m), "rho": r, "seed": TUNING_SEEDS[0]} for m, r in tries]
    results = [record["result"] for record in sweep(trial, grid, out, jobs=jobs)]
    search = [
        {"method": m, "rho": r}
        | {key: result[key] for key in ("validation", "diverged") if key in result}
        for (m, r), result in zip(tries, results, strict=True)
    ]
    for name in methods:
        shown = ", ".join(
            f"{entry['rho']:g}: "
            + ("diverged" if "diverged" in entry else f"{entry['validation']:.1f} %")
            for entry in search
            if entry["method"] == name
        )
        print(f"ρ of {title_of(name)}, by accuracy on noisy validation labels: {shown}")
    return search


def table(results: dict[str, Any]) -> str:
    """Return the results as text: mean ± half-width of the 95 % interval over seeds, by method.

    Args:
        results: what ``results.json`` holds.
    """
    settings, runs = results["settings"], results["runs"]
    rows = [["", "ρ", *(title for title, _ in COLUMNS.values())]]
    names = [title_of(name) for name in settings["methods"]]
    for name, title in zip(settings["methods"], names, strict=True):
        cells = []
        for key, (_, spec) in COLUMNS.items():
            known = [r[key] for r in runs if r["method"] == title and r[key] is not None]
            cells.append(_plus_minus(mean_interval(known), spec) if known else "–")
        rows.append([title, f"{settings['rho'].get(name, 0):g}", *cells])
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    lines = ["  ".join(f"{c:>{w}}" for c, w in zip(row, widths, strict=True)) for row in rows]
    for title in names:
        if title != "SGD" and "SGD" in names:
            last = _plus_minus(gain(runs, title, value="last"), "+.1f")
            best = _plus_minus(gain(runs, title, value="best"), "+.1f")
            lines.append(f"{title} − SGD, paired by seed: last {last}, best {best} points")
    for title in names:
        diverged = [run for run in runs if run["method"] == title and "diverged" in run]
        if diverged:
            lines.append(
                f"{title}: {len(diverged)} of {settings['seeds']} diverged, which counts as a "
                f"guess and has no sharpness; seed {diverged[0]['seed']}: {diverged[0]['diverged']}"
            )
    several = f"± half of the 95 % Student interval over {settings['seeds']} seeds; "
    lines.append(
        f"% of examples; {several if settings['seeds'] > 1 else ''}"
        f"loss rise at ρ = {results['radius']:g}"
    )
    return "\n".join(lines)


def _plus_minus(interval: Any, spec: str) -> str:
    if interval.count == 1:  # one seed has no interval
        return f"{interval.value:{spec}}"
    half = (interval.high - interval.low) / 2
    return f"{interval.value:{spec}} ± {half:{spec.lstrip('+')}}"


def draw(results: dict[str, Any], path: Path) -> None:
    """Draw test accuracy, memorization and sharpness by epoch, from what ``results.json`` holds."""
    settings = results["settings"]
    panels = (
        ("test", 100, "Accuracy on clean test labels (%)"),
        ("memorized", 100, "Wrong labels memorized (%)"),
        ("rise", 1, f"Loss rise at ρ = {results['radius']:g}"),
    )
    with picture(path, 13.5, 4.8) as figure:
        for axes, (key, factor, title) in zip(figure.subplots(1, 3), panels, strict=True):
            for name in settings["methods"]:
                runs = [run for run in results["runs"] if run["method"] == title_of(name)]
                histories = [run["history"] for run in runs if run["history"]]  # none: it diverged
                known = (r.get(key) is not None for history in histories for r in history)
                if histories and all(known):
                    lines = [[factor * record[key] for record in h] for h in histories]
                    curve_with_band(axes, by_epoch(lines), title_of(name))
            # A symmetric interval may reach where no accuracy and no rise can be.
            axes.set_ylim(0, min(102, axes.get_ylim()[1]) if factor == 100 else None)
            axes.set_title(title)
            axes.set_xlabel("Epoch")
            axes.xaxis.get_major_locator().set_params(integer=True)
        if figure.axes[0].lines:
            figure.axes[0].legend()
        figure.suptitle(
            f"{100 * settings['noise']:.0f} % of {settings['train_size']} {settings['data']} "
            f"training labels are wrong ({settings['model']}, mean and 95 % interval over "
            f"{settings['seeds']} seeds)",
            fontsize=14,
        )
