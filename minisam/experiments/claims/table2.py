"""On ImageNet too, or how large a machine that would take (Foret et al. 2020, table 2).

The real thing is out of reach for two cores, so what is checked here is that everything is in
place: files in the format of ImageNet32 (Chrabaszcz et al. 2017; labels from 1 to 1000) are written
from toy images, read by the loader, and trained on with SGD and SAM. The measured cost of a step,
multiplied out, says what the full training would take. SAM's accuracy on ImageNet is not tested.
"""

from __future__ import annotations

import pickle
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from minisam.data.batches import channel_statistics, standardize
from minisam.data.dataset import load
from minisam.data.toy import toy
from minisam.experiments.runs import mean
from minisam.experiments.scale import Cells, Scale, over_seeds
from minisam.experiments.study import Headline
from minisam.experiments.training import make_optimizer
from minisam.nn.gradients import training_objective
from minisam.nn.kernels.memory import keep_memory
from minisam.nn.losses import cross_entropy
from minisam.nn.models import mlp, resnet
from minisam.plots import colour

CLAIM = "SAM lowers the error on ImageNet."
PUBLISHED = (
    "Top-1 error (%), 400 epochs, SAM / without: ResNet-50 20.9 / 22.3, ResNet-101 19.0 / 22.3, "
    "ResNet-152 18.4 / 20.9."
)
IMAGES, EPOCHS = 1_281_167, 90
NETWORKS = {
    "MLP 1024-1024": lambda: mlp((1024, 1024), classes=1000),
    "ResNet-20, width 16": lambda: resnet(16, blocks=3, classes=1000),
    "ResNet-20, width 64": lambda: resnet(64, blocks=3, classes=1000),
}
SMALL = {"MLP 1024-1024": lambda: mlp((8,), classes=1000)}
SIZE = (9.0, 4.6)


def write_imagenet32(folder: Path, images: np.ndarray, labels: np.ndarray) -> None:
    """Write images in ImageNet32's format: ten pickled training batches, and one for validation.

    Args:
        folder: where to.
        images: uint8 of shape (n, 32, 32, 3), n ≥ 11.
        labels: from 0 to 999; the files count from 1.
    """
    parts = np.array_split(np.arange(len(images)), 11)
    names = [*(f"train_data_batch_{i}" for i in range(1, 11)), "val_data"]
    for name, part in zip(names, parts, strict=True):
        planes = images[part].transpose(0, 3, 1, 2).reshape(len(part), 3072)
        batch = {"data": planes, "labels": [int(label) + 1 for label in labels[part]]}
        (folder / name).write_bytes(pickle.dumps(batch, protocol=2))


def steps(seed: int, network: str, optimizer: str, batch: int, small: bool) -> dict[str, Any]:
    """Write, load, and take a few steps; return the time of one."""
    images, labels, *_ = toy(n_train=11 * batch, n_test=1, seed=seed)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "imagenet32"
        place.mkdir()
        write_imagenet32(place, images, 100 * labels)
        data = load("imagenet32", data_dir=folder, unknown_files=True)
    read = np.array_equal(data.train.labels, 100 * labels[: len(data.train.labels)])
    if not read or len(data.class_names) != 1000:
        raise AssertionError("the loader did not return the labels that were written")
    x = standardize(data.train.images, *channel_statistics(data.train.images))
    y = data.train.labels
    model = (SMALL if small else NETWORKS)[network]()
    params, statistics = model.init(np.random.default_rng(seed)), model.initial_statistics()
    opt = make_optimizer(optimizer, 0.01, 0.05, 1e-4)
    state, seconds, losses = opt.init(params), [], []
    keep_memory()  # as training does
    for k in range(2 if small else 4):
        cut = slice(k * batch, (k + 1) * batch)
        objective = training_objective(model, cross_entropy, x[cut], y[cut], statistics)
        begun = time.process_time()  # others may use the machine as well
        params, state, step = opt.step(params, state, objective)
        seconds.append(time.process_time() - begun)
        statistics = step.auxiliary
        losses.append(float(step.loss))
    return {"seconds_per_image": float(np.median(seconds[1:])) / batch, "losses": losses}


def run(cells: Cells, scale: Scale) -> dict[str, Any]:
    """Measure every network with either optimizer."""
    batch = 16 if scale.smoke else 64
    networks = list(SMALL if scale.smoke else NETWORKS)
    entries = [
        (
            {"network": network, "method": method},
            {"network": network, "optimizer": name, "batch": batch, "small": scale.smoke},
        )
        for network in networks
        for method, name in (("SGD", "sgd"), ("SAM", "sam"))
    ]
    return {"networks": networks, "runs": over_seeds(cells, scale, entries, steps)}


def days(results: Mapping[str, Any], network: str, method: str) -> float:
    """Return the days that one of these processes would take for the full training."""
    cost = mean(results["runs"], "seconds_per_image", network=network, method=method).value
    return cost * IMAGES * EPOCHS / 86400


def table(results: Mapping[str, Any]) -> list[list[str]]:
    """Return cost per image, and what the full training takes."""
    rows = [["network, 32×32 images", "SGD ms/image", "SAM ms/image", "SGD days", "SAM days",
             "processes for SAM in a week"]]  # fmt: skip
    for network in results["networks"]:
        cost = [
            1000 * mean(results["runs"], "seconds_per_image", network=network, method=m).value
            for m in ("SGD", "SAM")
        ]
        long = [days(results, network, method) for method in ("SGD", "SAM")]
        costs, days_of_each = (f"{c:.2f}" for c in cost), (f"{d:.1f}" for d in long)
        rows.append([network, *costs, *days_of_each, f"{long[1] / 7:.1f}"])
    return rows


def verdict(results: Mapping[str, Any]) -> str:
    """Say what was and what was not tested."""
    network = results["networks"][-1]
    ratio = days(results, network, "SAM") / days(results, network, "SGD")
    return (
        f"not run: only format, loader and cost were tested; {EPOCHS} epochs of "
        f"ImageNet32 with {network} would take one of these processes "
        f"{days(results, network, 'SAM'):.0f} days with SAM ({ratio:.2f} times SGD's)"
    )


def headline(results: Mapping[str, Any]) -> Headline:
    """Say that nothing was trained at this size."""
    network = results["networks"][-1]
    return Headline("not run", f"{days(results, network, 'SAM'):.0f} days of one process")


def draw(results: Mapping[str, Any], figure: Any) -> None:
    """Draw the days of the full training."""
    axes = figure.subplots()
    for offset, method in ((-0.2, "SGD"), (0.2, "SAM")):
        values = [days(results, network, method) for network in results["networks"]]
        places = [k + offset for k in range(len(values))]
        bars = axes.bar(places, values, width=0.38, color=colour(method), label=method)
        axes.bar_label(bars, [f"{value:.1f}" for value in values], padding=3)
    axes.set_xticks(range(len(results["networks"])), results["networks"])
    axes.set_ylabel(f"days of one process\nfor {EPOCHS} epochs of ImageNet32")
    axes.set_yscale("log")
    axes.margins(y=0.15)
    axes.grid(axis="x", visible=False)
    axes.legend()
