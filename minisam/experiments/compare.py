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

from minisam.experiments.compared import draw
from minisam.experiments.scale import FEW_RADII, FEW_TOY_RADII
from minisam.experiments.search import TUNING_SEEDS
from minisam.experiments.training import prepared, records, training_loss
from minisam.experiments.trial import as_a_guess, fit, outcome, trial
from minisam.files import jsonable, write_json
from minisam.nn.gradients import value_and_grad
from minisam.optim import sam_perturbation
from minisam.optim.methods import METHODS, title_of
from minisam.sharpness import flat_hessian, hessian_product, top_eigenvalues
from minisam.sweeps.sweep import sweep
from minisam.train import NonFiniteError, check_finite, predict
from minisam.trees import Params, add

SHARD = 32  # examples that climb together, for a method that splits the batch
EXAMPLES = 256  # training examples on which sharpness is measured
RADIUS = 0.05  # ρ of the loss rise, the same for all methods


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
