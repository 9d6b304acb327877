"""Train one network as plain settings say: the cell of every experiment's grid.

A trial draws everything from its seed (the subset, the flipped labels, the start, the order of the
examples), so that two methods with the same seed meet the same data, and their difference is the
methods'. It returns what tables and pictures are made of, and nothing that JSON cannot hold.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from minisam.checks import check_choice, check_whole
from minisam.data.batches import augment
from minisam.experiments.subset import Data, Subset, load_subset
from minisam.experiments.training import (
    LOSSES,
    Training,
    made_for,
    network,
    records,
    settings_told,
    with_frozen,
)
from minisam.nn import robust_losses
from minisam.nn.losses import accuracy
from minisam.nn.models import Model, parameter_count
from minisam.train import NonFiniteError, Trained, predict, train
from minisam.trees import Params

FOLLOWED = 2000  # images of each part on which accuracy is followed from epoch to epoch


class Fitted(NamedTuple):
    """A trained network, the data it saw, and its history epoch by epoch.

    ``first_history`` is that of the first training where there were two, else None.
    """

    model: Model
    params: Params
    statistics: Params
    arrays: Subset
    history: list[dict[str, Any]]
    first_history: list[dict[str, Any]] | None = None


def fit(
    data: Data,
    training: Training,
    params: Params | None = None,
    watch: Callable[[Params, Params], dict[str, Any]] | None = None,
    checkpoint: str | None = None,
    frozen: Params | None = None,
) -> Fitted:
    """Train one network as the settings say.

    Args:
        data: what to train and measure on.
        training: how.
        params: where to start instead of at random.
        watch: (params, statistics) → more numbers for the history.
        checkpoint: file to write after every epoch, which `minisam sharpness` reads; not with
            ``bootstrap``.
        frozen: statistics of batch norm, as of an earlier training, that are used and stay.

    Raises:
        ValueError: naming the setting that is out of range.
        NonFiniteError: if the run diverges.
    """
    if training.bootstrap and checkpoint:
        raise ValueError("checkpoint holds one training, and bootstrap has two: choose one of them")
    check_whole("epochs", training.epochs, low=1)
    check_whole("batch_size", training.batch_size, low=1)
    check_choice("loss", training.loss, tuple(LOSSES))
    a = load_subset(data)
    model = network(training, a) if frozen is None else with_frozen(network(training, a), frozen)
    optimizer, objective = made_for(training, len(a.images))
    mixed: dict[str, Any] = {"crop_and_flip": training.crop_and_flip, "mixup": training.mixup}
    run = partial(
        train,
        model,
        optimizer,
        images=a.images,
        epochs=training.epochs,
        batch_size=training.batch_size,
        loss=partial(LOSSES[training.loss], **(training.loss_options or {})),
        transform=partial(augmented, classes=a.classes, **mixed) if any(mixed.values()) else None,
        objective=objective,
        evaluate=partial(accuracies, model, a, watch=watch),
        evaluate_every=training.every,
        checkpoint=checkpoint,
        settings={"trial": settings_told(data, training)},
    )
    trained: Trained = run(labels=a.labels, seed=data.seed, params=params)
    first_history = None
    if training.bootstrap:
        first_history = ended(model, a, trained)
        logits = predict(model, trained.params, trained.statistics, a.images)
        trained = run(labels=logits.argmax(axis=1), seed=data.seed + 10_000)
    history = ended(model, a, trained)
    return Fitted(model, trained.params, trained.statistics, a, history, first_history)


def ended(model: Model, a: Subset, trained: Trained) -> list[dict[str, Any]]:
    """Return a history whose last record is of all images, where the others are of the first."""
    parts = (a.images, a.test_images, a.validation_images)
    if max(map(len, parts)) <= FOLLOWED:
        return trained.history
    whole = accuracies(model, a, trained.params, trained.statistics, followed=None)
    return [*trained.history[:-1], trained.history[-1] | whole]


def augmented(
    images: np.ndarray,
    labels: np.ndarray,
    rng: np.random.Generator,
    classes: int,
    crop_and_flip: bool,
    mixup: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Crop and flip images at random, and mix them up, where that is asked for."""
    images = augment(images, rng) if crop_and_flip else images
    return robust_losses.mixup(images, labels, rng, classes, mixup) if mixup else (images, labels)


@np.errstate(over="ignore", invalid="ignore")  # of a diverging run, which training reports
def accuracies(
    model: Model,
    a: Subset,
    params: Params,
    statistics: Params,
    watch: Callable[[Params, Params], dict[str, Any]] | None = None,
    followed: int | None = FOLLOWED,
) -> dict[str, Any]:
    """Return the shares of examples that a network gets right, and of wrong labels that it learned.

    Args:
        model: the network.
        a: the images and labels.
        params: its parameters.
        statistics: of its batch norm.
        watch: (params, statistics) → more numbers.
        followed: how many images of each part are looked at; all if None.

    Returns:
        ``test``, ``validation`` if images were held out, ``train``; with label noise
        ``memorized`` and ``recovered``, the shares of the flipped labels that it answers with the
        flipped and with the true label; and what ``watch`` returns.
    """

    def right(images: np.ndarray, labels: np.ndarray) -> float:
        logits = predict(model, params, statistics, images[:followed])
        return accuracy(logits, labels[:followed])

    record = {"test": right(a.test_images, a.test_labels)}
    if len(a.validation_labels):
        record["validation"] = right(a.validation_images, a.validation_labels)
    chosen = predict(model, params, statistics, a.images[:followed]).argmax(axis=1)
    labels, clean_labels = a.labels[:followed], a.clean_labels[:followed]
    record["train"] = np.mean(chosen == labels)
    wrong = labels != clean_labels
    if wrong.any():
        record["memorized"] = np.mean(chosen[wrong] == labels[wrong])
        record["recovered"] = np.mean(chosen[wrong] == clean_labels[wrong])
    return record | (watch(params, statistics) if watch else {})


def trial(
    params: Params | None = None, frozen: Params | None = None, **settings: Any
) -> dict[str, Any]:
    """Train one network and return its history and what tables need of it.

    Args:
        params: where to start instead of at random.
        frozen: as in `fit`.
        **settings: the fields of `Data` and of `Training`.

    Returns:
        ``last`` and ``best`` test accuracy, ``stopped``, the test accuracy of the epoch that has
        the best validation accuracy, ``validation`` and ``train`` accuracy after the last epoch,
        all in percent; ``parameters``; ``examples``; ``history``; with ``bootstrap`` also
        ``first``, the same of the first training. A run whose loss became NaN has the accuracy of a
        guess and says so under ``diverged``.

    Example:
        >>> result = trial(train_size=100, test_size=50, epochs=2, model_options={"hidden": [8]})
        >>> len(result["history"]), result["parameters"]
        (2, 24674)
    """
    data, training = records(settings)
    try:
        fitted = fit(data, training, params, frozen=frozen)
    except NonFiniteError as error:
        guess = as_a_guess(error, load_subset(data).classes)
        return {**guess, "first": guess} if training.bootstrap else guess
    result = {
        **outcome(fitted.history),
        "parameters": parameter_count(fitted.params),
        "examples": len(fitted.arrays.images),
    }
    if fitted.first_history:
        result["first"] = outcome(fitted.first_history)
    return result


def as_a_guess(error: NonFiniteError, classes: int) -> dict[str, Any]:
    """Return what a run that diverged counts as: the accuracies of a guess, and why.

    Example:
        >>> as_a_guess(NonFiniteError("step 3: the loss is nan"), classes=4)["last"]
        25.0
    """
    values = ("last", "best", "stopped", "validation", "train")
    guess = dict.fromkeys(values, 100 / classes)
    return {**guess, "history": [], "diverged": str(error)}


def outcome(history: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the accuracies in percent that a history ends with, and the history.

    Example:
        >>> outcome([{"test": 0.5, "train": 0.5}, {"test": 0.4, "train": 0.9}])["best"]
        50.0
    """
    followed = [record for record in history if "test" in record]
    chosen = max(followed, key=lambda record: record.get("validation", -1.0))
    stopped = chosen["test"] if "validation" in chosen else np.nan
    return {
        "last": 100 * history[-1]["test"],
        "best": 100 * max(record["test"] for record in followed),
        "stopped": 100 * stopped,
        "validation": 100 * history[-1].get("validation", np.nan),
        "train": 100 * history[-1]["train"],
        "history": history,
    }
