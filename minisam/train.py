"""The training loop: one for every network, optimizer and data set.

    for each epoch                    the order of the examples comes from (seed, epoch) alone,
        for each mini-batch           so a run that is resumed sees what it would have seen
            step                      SGD, SAM, ASAM: whatever `minisam.optim` made
        evaluate, save, report

Nothing here knows which optimizer it drives. Batch norm's running statistics are taken from the
first pass, at A, where the weights are the ones that will be used; the pass at B serves only to
find the gradient there.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, Literal, NamedTuple, TextIO

import numpy as np

from minisam.checkpoint import Checkpoint, encoded, resumed, save_checkpoint
from minisam.checks import check_choice, check_whole
from minisam.data.batches import minibatches
from minisam.files import expanded
from minisam.nn.gradients import training_objective
from minisam.nn.kernels.memory import keep_memory
from minisam.nn.losses import cross_entropy
from minisam.nn.models import Model
from minisam.optim import Optimizer
from minisam.optim.optimizer import ValueAndGrad
from minisam.progress import print_row
from minisam.same_run import run_settings
from minisam.trees import Params


class Trained(NamedTuple):
    """A finished run.

    Attributes:
        params: the network's parameters after the last epoch.
        statistics: batch norm's running statistics.
        state: the optimizer's state.
        history: one dict per epoch: ``epoch``, ``loss`` and ``perturbed_loss`` (means over the
            mini-batches, at A and at B), ``seconds``, and whatever ``evaluate`` returned.
    """

    params: Params
    statistics: Params
    state: Any
    history: list[dict[str, Any]]


def train(
    model: Model,
    optimizer: Optimizer,
    images: np.ndarray,
    labels: np.ndarray,
    *,
    epochs: int,
    batch_size: int = 128,
    seed: int = 0,
    params: Params | None = None,
    loss: Callable = cross_entropy,
    transform: Callable | None = None,
    objective: Callable[..., ValueAndGrad] = training_objective,
    statistics_from: Literal["first", "second"] = "first",
    evaluate: Callable[[Params, Params], dict[str, Any]] | None = None,
    evaluate_every: int = 1,
    checkpoint: str | Path | None = None,
    settings: dict[str, Any] | None = None,
    progress: TextIO | None = None,
) -> Trained:
    """Train a network, the same way from the same seed every time.

    The process keeps the memory of a step for the next one, until it ends; to have it back, set
    MINISAM_KEEP_MEMORY=0: see `minisam.nn.kernels.memory`.

    Args:
        model: from `minisam.nn`.
        optimizer: from `minisam.optim`.
        images: standardized, ndarray of shape (examples, height, width, channels).
        labels: integers of shape (examples,), or probabilities of shape (examples, classes).
        epochs: passes over the data.
        batch_size: examples per step; the last step of an epoch may have fewer.
        seed: of the start, of the order of the examples and of ``transform``, which are drawn
            independently.
        params: where to start, instead of ``model.init`` from the seed.
        loss: (logits, targets) → scalar.
        transform: (images, labels, rng) → (images, labels), such as augmentation or mixup.
        objective: (model, loss, images, labels, statistics) → what ``optimizer.step`` is given;
            ``partial(training_objective, m=16)`` for m-sharpness.
        statistics_from: which pass updates batch norm's running statistics.
        evaluate: (params, statistics) → dict of numbers (or texts), called after epochs.
        evaluate_every: after how many epochs; after the last it is called in any case.
        checkpoint: file that is rewritten after every epoch. If it is there already, the run goes
            on from it and ends with the same bits as if it had never stopped. That of another run
            is refused, and so is one that is past ``epochs``: see `minisam.same_run`.
        settings: JSON values that say what else the run is; a checkpoint with others is refused.
        progress: where to print a line per epoch with the time left; None for silence.

    Returns:
        A `Trained`.

    Raises:
        ValueError: if an argument is out of range, or the checkpoint is of another run.
        NonFiniteError: naming step, pass and tensor, when a loss or gradient is not finite.

    Example:
        >>> from minisam.nn import mlp
        >>> from minisam.optim import sam, sgd
        >>> model = mlp(hidden=(8,), input_shape=(2, 2, 1), classes=2)
        >>> images = np.random.default_rng(0).normal(size=(64, 2, 2, 1)).astype(np.float32)
        >>> labels = (images.mean(axis=(1, 2, 3)) > 0).astype(int)
        >>> run = train(model, sam(sgd(lr=0.5)), images, labels, epochs=5, batch_size=16)
        >>> run.history[-1]["loss"] < run.history[0]["loss"]
        True
    """
    check_whole("epochs", epochs)
    check_whole("batch_size", batch_size, low=1)
    check_whole("evaluate_every", evaluate_every, low=1)
    check_whole("seed", seed)
    check_choice("statistics_from", statistics_from, ("first", "second"))
    images, labels = np.asarray(images), np.asarray(labels)
    if images.shape[:1] != labels.shape[:1] or not images.size or not labels.shape:
        raise ValueError(
            f"images and labels must be of one length, at least 1, "
            f"got images of shape {images.shape} and labels of shape {labels.shape}"
        )
    if params is None:
        params = model.init(np.random.default_rng([seed, 0]))
    state, statistics = optimizer.init(params), model.initial_statistics()
    history: list[dict[str, Any]] = []
    settings = settings or {}
    if checkpoint is not None:
        checkpoint = expanded(checkpoint, "checkpoint")
        settings = run_settings(
            settings, {"epochs": epochs, "batch_size": batch_size, "seed": seed},
            images, labels, params,
            optimizer=optimizer, model=model.apply_training, loss=loss, transform=transform,
            objective=objective, statistics_from=statistics_from,
        )  # fmt: skip
        # What cannot be stored is refused now, and not after the first epoch.
        encoded(Checkpoint(params, state, statistics, history, settings))
        if checkpoint.exists():
            params, state, statistics, history, _ = resumed(checkpoint, state, settings)
    keep_memory()
    steps = -(-len(images) // batch_size)
    begun, already = time.perf_counter(), len(history)

    for epoch in range(already, epochs):
        started = time.perf_counter()
        rng = np.random.default_rng([seed, 1, epoch])
        losses = np.zeros(2)
        for number, batch in enumerate(minibatches(len(images), batch_size, rng)):
            x, y = images[batch], labels[batch]
            if transform is not None:
                x, y = transform(x, y, rng)
            check = checker(epoch, epoch * steps + number)
            with np.errstate(over="ignore", invalid="ignore"):  # `check` says it better
                value_and_grad = check(objective(model, loss, x, y, statistics))
                params, state, step = optimizer.step(params, state, value_and_grad)
            statistics = step.auxiliary
            if statistics_from == "second" and step.perturbed_auxiliary is not None:
                statistics = step.perturbed_auxiliary
            losses += np.array([step.loss, step.perturbed_loss]) * (len(batch) / len(images))
        record = {"epoch": epoch + 1, "loss": float(losses[0]), "perturbed_loss": float(losses[1])}
        record["seconds"] = time.perf_counter() - started
        last = epoch + 1 == epochs
        if evaluate is not None and (last or (epoch + 1) % evaluate_every == 0):
            record |= _evaluated(evaluate(params, statistics))
        history.append(record)
        if checkpoint is not None:
            save_checkpoint(checkpoint, Checkpoint(params, state, statistics, history, settings))
        if progress is not None:
            per_epoch = (time.perf_counter() - begun) / (epoch + 1 - already)
            print_row(progress, history[-1], epochs, per_epoch * (epochs - epoch - 1))
    return Trained(params, statistics, state, history)


def _evaluated(record: Any) -> dict[str, Any]:
    """Return a record in Python's own numbers, or raise ValueError naming what is none."""
    if not isinstance(record, dict):
        raise ValueError(f"evaluate must return a dict of numbers, got {record!r}")
    for key, value in record.items():
        array = np.asarray(value)
        if value is not None and (array.size != 1 or array.dtype.kind not in "biufU"):
            raise ValueError(f"evaluate must return a dict of numbers, got {key!r}: {value!r}")
    return {key: np.asarray(value).item() for key, value in record.items()}


def predict(
    model: Model, params: Params, statistics: Params, images: np.ndarray, batch_size: int = 500
) -> np.ndarray:
    """Return the logits, ndarray of shape (examples, classes), computed batch by batch.

    Raises:
        ValueError: if there are no images, or they do not fit the network.

    Example:
        >>> from minisam.nn import mlp
        >>> model = mlp(hidden=(8,), input_shape=(2, 2, 1), classes=3)
        >>> predict(model, model.init(0), {}, np.zeros((7, 2, 2, 1), np.float32), 3).shape
        (7, 3)
    """
    check_whole("batch_size", batch_size, low=1)
    images = np.asarray(images)
    if not images.size:
        raise ValueError(f"images must be at least one, got shape {images.shape}")
    cuts = range(0, len(images), batch_size)
    parts = [model.apply(params, images[k : k + batch_size], statistics) for k in cuts]
    return np.concatenate(parts)


class NonFiniteError(ArithmeticError):
    """A loss or a gradient was NaN or infinite; the message names the step and the tensor."""


def check_finite(loss: Any, grads: Params, where: str) -> None:
    """Raise `NonFiniteError` unless the loss and every gradient are finite.

    Example:
        >>> check_finite(0.5, {"fc.weight": np.array([np.nan])}, "step 3")
        Traceback (most recent call last):
        ...
        minisam.train.NonFiniteError: step 3: the gradient of 'fc.weight' is not finite
    """
    for name, leaf in grads.items():
        # One pass without a temporary; only when it overflows is every entry looked at.
        if not np.isfinite(np.vdot(leaf, leaf)) and not np.isfinite(leaf).all():
            raise NonFiniteError(f"{where}: the gradient of {name!r} is not finite")
    if not np.isfinite(loss):
        raise NonFiniteError(f"{where}: the loss is {loss}")


def checker(epoch: int, step: int) -> Callable[[Callable], Callable]:
    """Return a wrapper of objectives that checks every result, and says which pass was bad.

    What an objective carries for its optimizer goes along; each of its shards is checked as well.
    """

    def check(objective: Callable) -> Callable:
        passes = iter(("at A", "at B"))

        @wraps(objective)
        def checked(params: Params) -> tuple:
            result = objective(params)
            loss, grads = result[:2]
            where = next(passes, "in a further pass")
            check_finite(loss, grads, f"step {step} (epoch {epoch + 1}), {where}")
            return result

        if hasattr(objective, "shards"):
            vars(checked)["shards"] = [check(shard) for shard in objective.shards]
        return checked

    return check
