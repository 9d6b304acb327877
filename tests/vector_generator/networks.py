"""Write the model-level vectors: two small networks, taken through SAM by this library.

    cd tests && python -m vector_generator.networks [DIRECTORY]

A backend that differentiates by itself is checked with them from end to end: loss and gradients at
A and at B, batch norm's running statistics after a step, five steps of SGD, SAM and ASAM. They are
computed in float64 and hold to rounding only, so each number comes with a tolerance: `MARGIN` times
what perturbing every weight and pixel by one unit in the last place does to it. An implementation
whose every operation is rounded correctly gives the right answer to a problem perturbed like that.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from minisam.nn import training_objective
from minisam.nn.layers import (
    average_pool,
    batch_norm,
    convolution,
    dense,
    init_batch_norm,
    init_convolution,
    init_dense,
    initial_statistics,
    relu,
)
from minisam.nn.losses import cross_entropy
from minisam.nn.models import mlp
from minisam.nn.models.model import Model
from minisam.optim import asam, sam, sgd
from minisam.vectors.networks import FOLDER

HYPERPARAMETERS = {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.001, "rho": 0.1}
ASAM: dict[str, Any] = {"rho": 0.5, "eta": 0.01, "scope": "weights"}
STEPS, DRAWS, MARGIN = 5, 8, 16
CLASSES, BATCH = 3, 8


def small_cnn() -> Model:
    """conv1, bn1, relu, 2×2 average pool, conv2, bn2, relu, 3×3 average pool, fc."""

    def init(rng: int | np.random.Generator, dtype: Any = np.float64) -> dict[str, np.ndarray]:
        rng = np.random.default_rng(rng)
        params = init_convolution(rng, "conv1", 3, 2, 4, dtype)
        params |= init_batch_norm("bn1", 4, dtype)
        params |= init_convolution(rng, "conv2", 3, 4, 5, dtype)
        params |= init_batch_norm("bn2", 5, dtype)
        return params | init_dense(rng, "fc", 5, CLASSES, dtype)

    def forward(params: dict, images: Any, statistics: dict, training: bool) -> tuple:
        x = convolution(params, "conv1", images, padding=1)
        x, first = batch_norm(params, "bn1", x, statistics, training)
        x = average_pool(relu(x), 2)
        x = convolution(params, "conv2", x, padding=1)
        x, second = batch_norm(params, "bn2", x, statistics, training)
        x = average_pool(relu(x), 3)
        return dense(params, "fc", x.reshape(len(images), -1)), {**first, **second}

    return Model(
        name="cnn",
        init=init,
        initial_statistics=lambda: {**initial_statistics("bn1", 4), **initial_statistics("bn2", 5)},
        apply=lambda params, images, statistics: forward(params, images, statistics, False)[0],
        apply_training=lambda params, images, stats: forward(params, images, stats, True),
    )


MODELS: dict[str, tuple[Callable[[], Model], tuple[int, ...], str]] = {
    "mlp": (
        lambda: mlp(hidden=(6, 5), input_shape=(2, 2, 1), classes=CLASSES),
        (2, 2, 1),
        "flatten, fc1, relu, fc2, relu, fc3; mean cross entropy",
    ),
    "cnn": (
        small_cnn,
        (6, 6, 2),
        "conv1 (3x3, padding 1), bn1, relu, 2x2 average pool, conv2 (3x3, padding 1), bn2, relu, "
        "3x3 average pool, fc; mean cross entropy; batch norm with eps 1e-5, momentum 0.1, and the "
        "unbiased variance in the running statistics",
    ),
}


def problem(name: str) -> tuple[Model, dict, dict, list[tuple[np.ndarray, np.ndarray]]]:
    """Return the model, its weights and statistics, and two batches, in float64."""
    make, shape, _ = MODELS[name]
    model = make()
    rng = np.random.default_rng(2020)
    params = {key: x.astype(np.float64) for key, x in model.init(7).items()}
    for key, x in params.items():  # no zeros and ones, which would hide mistakes
        params[key] = x + 0.1 * rng.standard_normal(x.shape)
    statistics = {
        key: np.asarray(x, np.float64) + 0.1 * rng.random(np.shape(x))
        for key, x in model.initial_statistics().items()
    }
    batches = [
        (rng.standard_normal((BATCH, *shape)), rng.permutation(np.arange(BATCH) % CLASSES))
        for _ in range(2)
    ]
    return model, params, statistics, batches


def answers(
    model: Model, params: dict, statistics: dict, batches: list[tuple[np.ndarray, np.ndarray]]
) -> dict[str, np.ndarray]:
    """Return every answer, by its name in the file."""
    found: dict[str, Any] = {}

    def objective(batch: int, before: dict) -> Callable:
        images, labels = batches[batch]
        return training_objective(model, cross_entropy, images, labels, before)

    def enter(place: str, tensors: dict) -> None:
        found.update({f"{place}/{key}": x for key, x in tensors.items()})

    base: dict[str, Any] = {key: HYPERPARAMETERS[key] for key in ("lr", "momentum", "weight_decay")}
    optimizers = {
        "sgd": sgd(**base),
        "sam": sam(sgd(**base), HYPERPARAMETERS["rho"]),
        "asam": asam(sgd(**base), ASAM["rho"], ASAM["eta"], ASAM["scope"]),
    }
    opt = optimizers["sam"]
    _, _, step = opt.step(params, opt.init(params), objective(0, statistics))
    found["A/loss"], found["B/loss"] = step.loss, step.perturbed_loss
    enter("A/gradient", step.ascent_gradient)
    enter("B/params", step.perturbed_params)
    enter("B/gradient", step.descent_gradient)
    at_b = objective(0, step.auxiliary)(step.perturbed_params)[2]  # after an update at A
    for policy, after in (
        ("first", step.auxiliary),
        ("second", step.perturbed_auxiliary),
        ("both", at_b),
        ("neither", statistics),
    ):
        enter(f"statistics/{policy}", after)
    for method, opt in optimizers.items():
        w, running, state, losses = params, statistics, opt.init(params), []
        for k in range(STEPS):
            w, state, step = opt.step(w, state, objective(k % 2, running))
            running = step.auxiliary
            losses.append(step.loss)
            enter(f"{method}/{k + 1}/params", w)
        enter(f"{method}/{STEPS}/statistics", running)
        found[f"{method}/losses"] = np.array(losses)
    return {key: np.asarray(x, np.float64) for key, x in found.items()}


def nudged(rng: np.random.Generator, x: np.ndarray) -> np.ndarray:
    """Return x with every entry moved by up to one unit in the last place."""
    return x * (1 + rng.uniform(-1, 1, np.shape(x)) * 2.0**-52)


def tolerances(name: str) -> dict[str, float]:
    """Return, for every answer, `MARGIN` times its largest change under nudged weights and pixels.

    Never less than `MARGIN` units in the last place of its largest entry.
    """
    model, params, statistics, batches = problem(name)
    right = answers(model, params, statistics, batches)
    change = {key: 2.0**-53 * np.max(np.abs(x), initial=0.0) for key, x in right.items()}
    for draw in range(DRAWS):
        rng = np.random.default_rng(draw)
        moved = answers(
            model,
            {key: nudged(rng, x) for key, x in params.items()},
            {key: nudged(rng, x) for key, x in statistics.items()},
            [(nudged(rng, images), labels) for images, labels in batches],
        )
        for key, x in right.items():
            change[key] = max(change[key], np.max(np.abs(moved[key] - x), initial=0.0))
    return {key: float(f"{MARGIN * x:.2e}") for key, x in change.items()}


def vectors(name: str) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Return one model's arrays, questions and answers, and what is said about them."""
    model, params, statistics, batches = problem(name)
    given: dict[str, np.ndarray] = {f"params/{key}": x for key, x in params.items()}
    given |= {f"statistics/before/{key}": x for key, x in statistics.items()}
    for k, (images, labels) in enumerate(batches):
        given |= {f"batch{k}/images": images, f"batch{k}/labels": labels.astype(np.int64)}
    about = {
        "name": name,
        "version": "1.0.0",
        "network": MODELS[name][2],
        "layout": "images (batch, height, width, channels), kernels (height, width, in, out), "
        "dense weights (in, out)",
        "hyperparameters": HYPERPARAMETERS,
        "asam": ASAM,
        "steps": STEPS,
        "batches": [k % 2 for k in range(STEPS)],
        "tolerances": tolerances(name),
    }
    return {**given, **answers(model, params, statistics, batches)}, about


def write(directory: Path = FOLDER) -> None:
    """Write ``NAME.npz`` and ``NAME.json``, which hold the same numbers."""
    directory.mkdir(parents=True, exist_ok=True)
    for name in MODELS:
        arrays, about = vectors(name)
        # NumPy's types fear an array called allow_pickle.
        np.savez_compressed(directory / f"{name}.npz", **arrays)  # type: ignore[arg-type]
        lines = [f' "{key}": {json.dumps(value)}' for key, value in about.items()]
        entries = (
            f'  "{key}": {{"shape": {list(x.shape)}, "data": {json.dumps(x.ravel().tolist())}}}'
            for key, x in arrays.items()
        )
        lines.append(' "arrays": {\n' + ",\n".join(entries) + "\n }")
        (directory / f"{name}.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    write(*map(Path, sys.argv[1:2]))
