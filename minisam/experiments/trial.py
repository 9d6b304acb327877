"""One training run described by plain settings: the cell of every experiment's grid.

A trial draws everything from its seed (the subset, the flipped labels, the start, the order of the
examples), so that two methods with the same seed meet the same data, and their difference is the
methods'. It returns what tables and pictures are made of, and nothing that JSON cannot hold.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any, NamedTuple

import numpy as np

from minisam.checks import check_choice, check_whole
from minisam.data.batches import augment, channel_statistics, standardize
from minisam.data.dataset import load
from minisam.data.noise import LabelNoise
from minisam.nn import robust_losses
from minisam.nn.gradients import training_objective
from minisam.nn.losses import accuracy, cross_entropy
from minisam.nn.models import Model, cnn, mixer, mlp, parameter_count, resnet, vit
from minisam.optim import METHODS, Optimizer, cosine, sgd
from minisam.train import NonFiniteError, predict, train
from minisam.trees import Params

MODELS: dict[str, Callable[..., Model]] = {
    "mlp": mlp, "cnn": cnn, "resnet": resnet, "mixer": mixer, "vit": vit,
}  # fmt: skip
LOSSES = {
    "cross_entropy": cross_entropy,
    "gce": robust_losses.generalized_cross_entropy,
    "soft_bootstrap": robust_losses.soft_bootstrap,
    "hard_bootstrap": robust_losses.hard_bootstrap,
}
PROBED = 500  # training examples on which sharpness is measured, where nothing else is said
TRACKED = 2000  # training examples on which accuracy and memorization are followed


class Arrays(NamedTuple):
    """What a trial trains and measures on: standardized images and integer labels.

    Attributes:
        images: training images, float32 of shape (n, 32, 32, 3).
        labels: training labels, noisy where noise was asked for, shape (n,).
        clean_labels: the true ones, shape (n,).
        test_images: shape (n_test, 32, 32, 3).
        test_labels: always clean, shape (n_test,).
        validation_images: held out of the training set; empty if nothing was.
        validation_labels: as noisy as the training labels, for no method may see a clean one.
        classes: number of classes.
    """

    images: np.ndarray
    labels: np.ndarray
    clean_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray
    validation_images: np.ndarray
    validation_labels: np.ndarray
    classes: int


class Fitted(NamedTuple):
    """A trained network, the data it saw, and its history epoch by epoch.

    ``first_history`` is that of the first training where there were two, else None.
    """

    model: Model
    params: Params
    statistics: Params
    arrays: Arrays
    history: list[dict[str, Any]]
    first_history: list[dict[str, Any]] | None = None


@lru_cache(maxsize=4)  # the seeds of an experiment, whose cells alternate between them
def arrays(
    data: str,
    seed: int,
    train_size: int,
    test_size: int,
    validation_size: int = 0,
    noise: float | str = 0.0,
    classes: tuple[int, ...] | None = None,
) -> Arrays:
    """Load, corrupt and standardize a subset that depends on the seed.

    Args:
        data: name of the data set, found in ``$MINISAM_DATA`` unless it is ``"toy"``.
        seed: of the subset and of the noise.
        train_size: number of training images.
        test_size: number of test images.
        validation_size: number of images held out for choosing hyper-parameters.
        noise: rate of symmetric noise, or the name of human labels such as ``"worse_label"``.
        classes: keep only these classes, renumbered from 0 in this order.
    """
    if noise and classes is not None:
        raise ValueError("noise would lead out of the classes that are kept: choose one of them")
    if isinstance(noise, str):
        kind = LabelNoise("human", labels=noise)
    else:
        kind = LabelNoise("symmetric", noise, seed)
    loaded = load(
        data,
        noise=kind if noise else None,
        train_size=train_size,
        test_size=test_size,
        validation=validation_size,
        validation_labels="noisy",
        seed=seed,
    )
    mean, std = channel_statistics(loaded.train.images)
    parts = []
    for part in (loaded.train, loaded.test, loaded.validation or loaded.test):
        keep: np.ndarray = np.arange(len(part.labels))
        number = np.arange(len(loaded.class_names))
        if classes is not None:
            keep = np.flatnonzero(np.isin(part.clean_labels, classes))
            number[list(classes)] = np.arange(len(classes))
        images = standardize(part.images[keep], mean, std)
        parts.append((images, number[part.labels[keep]], number[part.clean_labels[keep]]))
    (x, y, clean), (test_x, _, test_y), (held_x, held_y, _) = parts
    if not validation_size:
        held_x, held_y = held_x[:0], held_y[:0]
    count = len(classes) if classes is not None else len(loaded.class_names)
    return Arrays(x, y, clean, test_x, test_y, held_x, held_y, count)


def prepared(settings: dict[str, Any]) -> tuple[Model, Arrays]:
    """Return the network and the data that `fit` uses for these settings."""
    defaults = {name: p.default for name, p in inspect.signature(fit).parameters.items()}
    settings = defaults | settings
    chosen = {name: settings[name] for name in inspect.signature(arrays).parameters}
    if chosen["classes"] is not None:
        chosen["classes"] = tuple(chosen["classes"])
    data = arrays(**chosen)
    return MODELS[settings["model"]](
        **(settings["model_options"] or {}), classes=data.classes
    ), data


def training_loss(
    model: Model, data: Arrays, statistics: Params, examples: int = PROBED
) -> Callable[[Params], Any]:
    """Return params → the mean loss on the first training examples, with the labels to learn."""
    images, labels = data.images[:examples], data.labels[:examples]
    return lambda params: cross_entropy(model.apply(params, images, statistics), labels)


def make_optimizer(name: str, lr: Any, rho: float, weight_decay: float) -> Optimizer:
    """Return SGD with momentum 0.9, or any other method of `minisam.optim.METHODS` on top of it."""
    check_choice("optimizer", name, tuple(METHODS))
    return METHODS[name].optimizer(sgd(lr=lr, momentum=0.9, weight_decay=weight_decay), rho)


def fit(
    data: str = "toy",
    seed: int = 0,
    train_size: int = 1000,
    test_size: int = 1000,
    validation_size: int = 0,
    noise: float | str = 0.0,
    classes: list[int] | None = None,
    model: str = "mlp",
    model_options: dict[str, Any] | None = None,
    optimizer: str = "sgd",
    rho: float = 0.0,
    m: int = 0,
    lr: float = 0.05,
    weight_decay: float = 5e-4,
    epochs: int = 20,
    batch_size: int = 128,
    crop_and_flip: bool = False,
    loss: str = "cross_entropy",
    loss_options: dict[str, float] | None = None,
    mixup: float = 0.0,
    bootstrap: bool = False,
    params: Params | None = None,
    watch: Callable[[Params, Params], dict[str, Any]] | None = None,
    checkpoint: str | None = None,
) -> Fitted:
    """Train one network as the settings say.

    Args:
        data: see `arrays`, as for the next six.
        seed: of everything.
        train_size: number of training images.
        test_size: number of test images.
        validation_size: number of images held out.
        noise: rate of label noise.
        classes: keep only these classes.
        model: ``"mlp"``, ``"cnn"``, ``"resnet"``, ``"mixer"`` or ``"vit"``.
        model_options: arguments of the model.
        optimizer: ``"sgd"`` with momentum 0.9, or a method of `minisam.optim.METHODS` on top of
            it, with its own hyper-parameters at their defaults.
        rho: radius ρ.
        m: examples per shard for a method that needs shards, such as ``"m_sam"``.
        lr: highest learning rate; it falls along a cosine to 0.
        weight_decay: λ of coupled weight decay.
        epochs: passes over the training images.
        batch_size: examples per step.
        crop_and_flip: augment by random crops and flips.
        loss: ``"cross_entropy"``, ``"gce"``, ``"soft_bootstrap"`` or ``"hard_bootstrap"``.
        loss_options: arguments of the loss.
        mixup: α of mixup; 0 for none.
        bootstrap: train twice: the second time from scratch on the labels that the first network
            predicts ("Bootstrap" of the paper's Table 4, not Reed's loss).
        params: where to start instead of at random.
        watch: (params, statistics) → more numbers for the history.
        checkpoint: file to write after every epoch, which `minisam sharpness` reads; not with
            ``bootstrap``.

    Raises:
        ValueError: naming the argument that is out of range.
        NonFiniteError: if the run diverges.
    """
    settings = {k: v for k, v in locals().items() if k not in ("params", "watch", "checkpoint")}
    check_whole("epochs", epochs, low=1)
    check_whole("batch_size", batch_size, low=1)
    network, a = prepared(settings)
    steps = epochs * -(-len(a.images) // batch_size)
    flipped = a.labels != a.clean_labels

    def transform(x: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> tuple:
        x = augment(x, rng) if crop_and_flip else x
        return robust_losses.mixup(x, y, rng, a.classes, mixup) if mixup else (x, y)

    @np.errstate(over="ignore", invalid="ignore")  # of a diverging run, which training reports
    def evaluate(w: Params, statistics: Params) -> dict[str, Any]:
        record = {"test": accuracy(predict(network, w, statistics, a.test_images), a.test_labels)}
        if len(a.validation_labels):
            logits = predict(network, w, statistics, a.validation_images)
            record["validation"] = accuracy(logits, a.validation_labels)
        chosen = predict(network, w, statistics, a.images[:TRACKED]).argmax(axis=1)
        record["train"] = np.mean(chosen == a.labels[:TRACKED])
        wrong = flipped[:TRACKED]
        if wrong.any():
            record["memorized"] = np.mean(chosen[wrong] == a.labels[:TRACKED][wrong])
            record["recovered"] = np.mean(chosen[wrong] == a.clean_labels[:TRACKED][wrong])
        return record | (watch(w, statistics) if watch else {})

    def run(labels: np.ndarray, seed: int, start: Params | None) -> Any:
        return train(
            network,
            make_optimizer(optimizer, cosine(lr, steps), rho, weight_decay),
            a.images,
            labels,
            epochs=epochs,
            batch_size=batch_size,
            seed=seed,
            params=start,
            loss=partial(LOSSES[loss], **(loss_options or {})),
            transform=transform if crop_and_flip or mixup else None,
            objective=partial(
                training_objective, m=m if METHODS[optimizer].needs == "shards" else None
            ),
            evaluate=evaluate,
            checkpoint=checkpoint,
            settings={"trial": settings},
        )

    if bootstrap and checkpoint:
        raise ValueError("checkpoint holds one training, and bootstrap has two: choose one of them")
    trained, first_history = run(a.labels, seed, params), None
    if bootstrap:
        first_history = trained.history
        logits = predict(network, trained.params, trained.statistics, a.images)
        trained = run(logits.argmax(axis=1), seed + 10_000, None)
    return Fitted(network, trained.params, trained.statistics, a, trained.history, first_history)


def trial(**settings: Any) -> dict[str, Any]:
    """Train one network and return its history and what tables need of it.

    Args:
        **settings: as for `fit`.

    Returns:
        ``last`` and ``best`` test accuracy, ``validation`` and ``train`` accuracy after the last
        epoch, all in percent; ``parameters``; ``examples``; ``history``; with ``bootstrap`` also
        ``first``, the same of the first training. A run whose loss became NaN has the accuracy of a
        guess and says so under ``diverged``.

    Example:
        >>> result = trial(train_size=100, test_size=50, epochs=2, model_options={"hidden": [8]})
        >>> len(result["history"]), result["parameters"]
        (2, 24674)
    """
    try:
        fitted = fit(**settings)
    except NonFiniteError as error:
        guess = as_a_guess(error, prepared(settings)[1].classes)
        return {**guess, "first": guess} if settings.get("bootstrap") else guess
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
    guess = dict.fromkeys(("last", "best", "validation", "train"), 100 / classes)
    return {**guess, "history": [], "diverged": str(error)}


def outcome(history: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the accuracies in percent that a history ends with, and the history.

    Example:
        >>> outcome([{"test": 0.5, "train": 0.5}, {"test": 0.4, "train": 0.9}])["best"]
        50.0
    """
    return {
        "last": 100 * history[-1]["test"],
        "best": 100 * max(record["test"] for record in history),
        "validation": 100 * history[-1].get("validation", np.nan),
        "train": 100 * history[-1]["train"],
        "history": history,
    }
