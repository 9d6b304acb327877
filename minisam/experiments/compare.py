"""`minisam compare`, the main job: SGD, SAM and ASAM on the same noisy labels.

Every method trains the same network from the same start on the same images, of which a share has
wrong labels, seed by seed. What is compared: accuracy on clean test labels after the last epoch and
at the best one (which only somebody with clean labels could choose), how much of the wrong labels
was memorized, and how sharp the loss is where training ended.

ρ is chosen on a validation split that is held out of the training images and whose labels are as
noisy as theirs, with a seed that no reported run uses. The test set takes no part in it.
"""

from __future__ import annotations

import argparse
import os
import platform
import shlex
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from minisam.experiments.cores import usable_jobs
from minisam.experiments.options import (
    EXIT_CODES,
    MOST_SEEDS,
    check_whole_options,
    look_for_data_in,
    words,
)
from minisam.files import expanded

HELP = "Train with SGD, SAM and ASAM on noisy labels; print a table, write JSON and a picture."
TOY_RADII = (0.2, 0.4, 0.8)  # SAM's; another method's are as many times larger as they usually are
CIFAR_RADII = (0.025, 0.05, 0.1, 0.2)
SHARD = 32  # examples that climb together, for a method that splits the batch
MODEL_OPTIONS = {
    "mlp": {"hidden": [256, 256]},
    "cnn": {"channels": [[16], [32], [64]]},
    "resnet": {"width": 8},
}
DEFAULTS = {
    "toy": {"train_size": 2000, "test_size": 1000, "epochs": 15, "lr": 0.02},
    "cifar10": {"train_size": 5000, "test_size": 2000, "epochs": 30, "lr": 0.02},
    "cifar100": {"train_size": 10_000, "test_size": 2000, "epochs": 30, "lr": 0.02},
}
PROBED = 256  # training examples on which sharpness is measured
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


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    parser.epilog = EXIT_CODES
    parser.add_argument("--data", choices=tuple(DEFAULTS), default="toy")
    parser.add_argument("--data-dir", help="where CIFAR is; $MINISAM_DATA by default")
    parser.add_argument("--model", choices=tuple(MODEL_OPTIONS), default="mlp")
    parser.add_argument("--noise", type=float, default=0.4, help="share of wrong training labels")
    parser.add_argument("--methods", default="sgd,sam,asam", help="such as sgd,sam,gsam")
    parser.add_argument(
        "--rho", default="", metavar="METHOD=ρ,…", help="e.g. sam=0.1,asam=1; others are searched"
    )
    parser.add_argument("--seeds", type=int, default=4, help="number of seeds (default 4)")
    parser.add_argument("--epochs", type=int, help="passes over the data")
    parser.add_argument("--lr", type=float, help="highest learning rate; it falls along a cosine")
    parser.add_argument("--train-size", type=int, help="training images, validation included")
    parser.add_argument("--test-size", type=int, help="test images")
    parser.add_argument("--out", default="runs/compare", help="folder of the results")
    parser.add_argument(
        "--jobs", type=int, default=usable_jobs(),
        help="local processes; by default as many as this process may use cores",
    )  # fmt: skip


def parse_rho(text: str, methods: list[str]) -> dict[str, float]:
    """Return {method: ρ} of what ``--rho`` fixes.

    Example:
        >>> parse_rho("SAM = 0.1", ["sgd", "sam"])
        {'sam': 0.1}
    """
    fixed: dict[str, float] = {}
    for part in words(text):
        method, _, number = (piece.strip() for piece in part.partition("="))
        try:
            rho = float(number)
        except ValueError:
            rho = -1.0
        climbing = [name for name in methods if name != "sgd"]
        if method not in climbing or not 0 <= rho < 1e9:
            allowed = ", ".join(f"{name}=ρ" for name in climbing)
            raise ValueError(f"--rho takes {allowed or 'nothing'} with ρ ≥ 0, got {part!r}")
        if method in fixed:
            raise ValueError(f"--rho takes one ρ for each method, got {text!r}")
        fixed[method] = rho
    return fixed


def checked(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the settings that all runs share, or raise ValueError that names a bad argument."""
    from minisam.data.toy import MOST

    most = MOST if arguments.data == "toy" else None
    check_whole_options(arguments, ["train_size", "test_size"], high=most)
    check_whole_options(arguments, ["epochs", "jobs"])
    check_whole_options(arguments, ["seeds"], high=MOST_SEEDS)
    defaults = DEFAULTS[arguments.data]
    settings = {
        key: default if getattr(arguments, key) is None else getattr(arguments, key)
        for key, default in defaults.items()
    }
    if not 0 <= arguments.noise <= 1:
        raise ValueError(f"--noise must lie in [0, 1], got {arguments.noise}")
    if not 0 < settings["lr"] < float("inf"):
        raise ValueError(f"--lr must be positive, got {settings['lr']}")
    return {
        "data": arguments.data,
        **settings,
        "noise": arguments.noise,
        "model": arguments.model,
        "model_options": MODEL_OPTIONS[arguments.model],
    }


def radii(data: str, method: str) -> list[float]:
    """Return the values of ρ that are tried for a method.

    Example:
        >>> radii("toy", "asam")
        [2.0, 4.0, 8.0]
    """
    from minisam.optim.methods import METHODS

    of_sam = TOY_RADII if data == "toy" else CIFAR_RADII
    return [METHODS[method].radius * radius for radius in of_sam]


def method_settings(method: str) -> dict[str, Any]:
    """Return the settings of a trial that name its method."""
    from minisam.optim.methods import METHODS

    sharded = {"m": SHARD} if METHODS[method].needs == "shards" else {}
    return {"optimizer": method, **sharded}


def compared_trial(**settings: Any) -> dict[str, Any]:
    """Train one network as `minisam.experiments.trial.fit` does, and measure where it ended.

    Returns:
        Percentages ``last``, ``best``, ``validation``, ``train``, ``train_true``, ``memorized``;
        ``curvature``, the largest Hessian eigenvalue, and ``rise``, the loss rise one step of
        length `RADIUS` up the gradient, both of the loss on the first `PROBED` training examples
        with the labels that training saw; ``seconds`` of training; ``history``, with the rise after
        every epoch. A run that diverged counts as a guess, as in `minisam.experiments.trial.trial`,
        says so under ``diverged``, and has no sharpness.
    """
    import numpy as np

    from minisam.experiments.trial import MODELS, arrays, as_a_guess, fit
    from minisam.finite import NonFiniteError, check_finite
    from minisam.nn.gradients import value_and_grad
    from minisam.nn.losses import cross_entropy
    from minisam.optim import sam_perturbation
    from minisam.sharpness import flat_hessian, hessian_product, top_eigenvalues
    from minisam.train import predict
    from minisam.trees import add

    sizes = ("data", "seed", "train_size", "test_size", "validation_size", "noise")
    data = arrays(**{key: settings[key] for key in sizes})
    network = MODELS[settings["model"]](**settings["model_options"], classes=data.classes)
    images, labels = data.images[:PROBED], data.labels[:PROBED]

    def probed_loss(statistics: Any) -> Any:
        return lambda params: cross_entropy(network.apply(params, images, statistics), labels)

    def watch(params: Any, statistics: Any) -> dict[str, Any]:
        loss = value_and_grad(probed_loss(statistics))
        value, grads = loss(params)
        uphill = add(params, sam_perturbation(params, grads, RADIUS))
        return {"rise": loss(uphill)[0] - value}

    def largest_curvature(params: Any, statistics: Any) -> float:
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
            fitted = fit(**settings, watch=watch)
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
        "last": 100 * history[-1]["test"],
        "best": 100 * max(record["test"] for record in history),
        "validation": 100 * history[-1].get("validation", np.nan),
        "train": 100 * np.mean(chosen == data.labels),
        "train_true": 100 * np.mean(chosen == data.clean_labels),
        "memorized": 100 * np.mean(chosen[wrong] == data.labels[wrong]) if wrong.any() else np.nan,
        "curvature": curvature,
        "rise": history[-1]["rise"],
        "seconds": sum(record["seconds"] for record in history),
        "history": history,
    }


def run(arguments: argparse.Namespace) -> int:
    """Search ρ, train, print the table, write ``results.json`` and ``compare.png``."""
    from minisam.experiments.search import TUNING_SEEDS
    from minisam.experiments.sweep import sweep
    from minisam.experiments.trial import arrays, trial
    from minisam.files import plain, write_json
    from minisam.optim.methods import METHODS, title_of

    methods = words(arguments.methods)
    known = all(name in METHODS for name in methods)
    if not methods or not known or len(set(methods)) < len(methods):
        allowed = ", ".join(METHODS)
        raise ValueError(f"--methods must be some of {allowed}, got {arguments.methods!r}")
    rho = parse_rho(arguments.rho, methods)
    shared = checked(arguments)
    searched = [name for name in methods if name != "sgd" and name not in rho]
    look_for_data_in(arguments.data_dir, arguments.data)
    out, begun = expanded(arguments.out), time.time()
    held_out = shared["train_size"] // 5
    if searched and not held_out:
        raise ValueError(
            f"--train-size must be at least 5, as a fifth of them chooses ρ, got "
            f"{shared['train_size']}; or fix ρ with --rho {','.join(f'{m}=ρ' for m in searched)}"
        )
    shared |= {"train_size": shared["train_size"] - held_out, "validation_size": held_out}
    if shared["data"] != "toy":  # that the files lack is said once, and not by every run
        sizes = ("data", "train_size", "test_size", "validation_size", "noise")
        arrays(**{key: shared[key] for key in sizes}, seed=0)
    print(
        f"{shared['train_size']} training images of {shared['data']} with "
        f"{100 * shared['noise']:.0f} % wrong labels, {held_out} more (as noisy) to choose ρ on, "
        f"{shared['test_size']} clean ones to test on; {shared['model']}, {shared['epochs']} epochs"
    )

    tries = [(name, radius) for name in searched for radius in radii(shared["data"], name)]
    grid = [{**shared, **method_settings(m), "rho": r, "seed": TUNING_SEEDS[0]} for m, r in tries]
    records = sweep(trial, grid, out, jobs=arguments.jobs)
    search = [
        {
            "method": m,
            "rho": r,
            "validation": record["result"]["validation"],
            **{k: why for k, why in record["result"].items() if k == "diverged"},
        }
        for (m, r), record in zip(tries, records, strict=True)
    ]
    for name in searched:
        of_method = [entry for entry in search if entry["method"] == name]
        rho[name] = max(of_method, key=lambda entry: entry["validation"])["rho"]
        shown = ", ".join(
            f"{entry['rho']:g}: "
            + ("diverged" if "diverged" in entry else f"{entry['validation']:.1f} %")
            for entry in of_method
        )
        print(f"ρ of {title_of(name)}, by accuracy on noisy validation labels: {shown}")

    runs = [(m, seed) for seed in range(arguments.seeds) for m in methods]
    grid = [{**shared, **method_settings(m), "rho": rho.get(m, 0.0), "seed": s} for m, s in runs]
    records = sweep(compared_trial, grid, out, jobs=arguments.jobs)
    results = {
        "command": command_line(sys.argv[1:]),
        "settings": {**shared, "methods": methods, "rho": rho, "seeds": arguments.seeds},
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
    results = plain(results)
    write_json(out / "results.json", results)
    print(table(results))
    draw(results, out / "compare.png")
    print(f"{out / 'results.json'}: every epoch of every run; {out / 'compare.png'}: the picture")
    return 0


def command_line(words: Sequence[str]) -> str:
    """Return the command without the folders, which are this machine's and change no result.

    Example:
        >>> command_line(["compare", "--out", "here", "--data-dir=there", "--seeds", "3"])
        'minisam compare --seeds 3'
    """
    kept, folders = ["minisam"], ("--out", "--data-dir")
    for before, word in zip(["", *words], words, strict=False):
        if before not in folders and word.split("=")[0] not in folders:
            kept.append(word)
    return shlex.join(kept)


def table(results: dict[str, Any]) -> str:
    """Return the results as text: mean ± half-width of the 95 % interval over seeds, by method.

    Args:
        results: what ``results.json`` holds.
    """
    from minisam.experiments.statistics import mean_interval
    from minisam.experiments.study import gain
    from minisam.optim.methods import title_of

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
    lines.append(
        f"% of examples; ± half of the 95 % Student interval over {settings['seeds']} seeds; "
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
    from minisam.experiments.statistics import by_epoch
    from minisam.optim.methods import title_of
    from minisam.plots import curve_with_band, picture

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
