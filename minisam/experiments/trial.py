"""Train one network as plain settings say: the cell of every experiment's grid.

A trial draws everything from its seed (the subset, the flipped labels, the start, the order of the
examples), so that two methods with the same seed meet the same data, and their difference is the
methods'. It returns what tables and pictures are made of, and nothing that JSON cannot hold.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from minisam.checks import check_choice, check_number, check_whole
from minisam.data.batches import augment
from minisam.experiments.ghost_m_sam import ghost_m_sam, ghost_objective
from minisam.experiments.subset import Data, Subset, load_subset
from minisam.nn import robust_losses
from minisam.nn.gradients import training_objective
from minisam.nn.losses import accuracy, cross_entropy
from minisam.nn.models import Model, cnn, mixer, mlp, parameter_count, resnet, vit
from minisam.optim import METHODS, Optimizer, cosine, sgd
from minisam.optim.schedule import Schedule, constant, warmup
from minisam.train import NonFiniteError, Trained, predict, train
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
FOLLOWED = 2000  # images of each part on which accuracy is followed from epoch to epoch


class Training(NamedTuple):
    """How a trial trains, as settings.

    Attributes:
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
        nesterov: whether SGD looks ahead along the velocity.
        lr_warmup: share of all steps in which the learning rate rises to the highest.
        rho_warmup: share of all steps in which ρ rises.
        every: after how many epochs accuracy is followed; after the last in any case.
    """

    model: str = "mlp"
    model_options: dict[str, Any] | None = None
    optimizer: str = "sgd"
    rho: float = 0.0
    m: int = 0
    lr: float = 0.05
    weight_decay: float = 5e-4
    epochs: int = 20
    batch_size: int = 128
    crop_and_flip: bool = False
    loss: str = "cross_entropy"
    loss_options: dict[str, float] | None = None
    mixup: float = 0.0
    bootstrap: bool = False
    nesterov: bool = False
    lr_warmup: float = 0.0
    rho_warmup: float = 0.0
    every: int = 1


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


def records(settings: Mapping[str, Any]) -> tuple[Data, Training]:
    """Return the two records that a cell's settings fill; what is not set has its default.

    Raises:
        ValueError: if a setting is in neither.

    Example:
        >>> data, training = records({"noise": 0.4, "classes": [3, 5], "epochs": 2})
        >>> data.noise, data.classes, training.epochs, training.lr
        (0.4, (3, 5), 2, 0.05)
    """
    known = (*Data._fields, *Training._fields)
    for name in settings:
        check_choice("a setting", name, known)
    of_data, of_training = (
        {name: settings[name] for name in record._fields if name in settings}
        for record in (Data, Training)
    )
    if of_data.get("classes") is not None:
        of_data["classes"] = tuple(of_data["classes"])
    return Data(**of_data), Training(**of_training)


def prepared(settings: Mapping[str, Any]) -> tuple[Model, Subset]:
    """Return the network and the data of a trial with these settings."""
    data, training = records(settings)
    found = load_subset(data)
    return network(training, found), found


def network(training: Training, data: Subset) -> Model:
    """Return the network that is to be trained on this data."""
    check_choice("model", training.model, tuple(MODELS))
    size: dict[str, Any] = {"classes": data.classes}
    if training.model != "resnet":  # which takes images of any size
        size["input_shape"] = data.images.shape[1:]
    return MODELS[training.model](**(training.model_options or {}), **size)


def with_frozen(model: Model, statistics: Params) -> Model:
    """Return a network whose batch norm always uses these statistics, in training as well.

    Example:
        >>> small = MODELS["resnet"](width=2)
        >>> model = with_frozen(small, small.initial_statistics())
        >>> params, images = model.init(0), np.ones((2, 8, 8, 3), np.float32)
        >>> logits, after = model.apply_training(params, images, model.initial_statistics())
        >>> bool(np.all(logits == small.apply(params, images, small.initial_statistics())))
        True
    """
    return model._replace(
        initial_statistics=lambda: statistics,
        apply_training=lambda params, images, now: (model.apply(params, images, now), now),
    )


def training_loss(
    model: Model, data: Subset, statistics: Params, examples: int = PROBED
) -> Callable[[Params], Any]:
    """Return params → the mean loss on the first training examples, with the labels to learn."""
    images, labels = data.images[:examples], data.labels[:examples]
    return lambda params: cross_entropy(model.apply(params, images, statistics), labels)


def make_optimizer(
    name: str, lr: Any, rho: Any, weight_decay: float = 0.0, nesterov: bool = False
) -> Optimizer:
    """Return SGD with momentum 0.9, or any other method of `minisam.optim.METHODS` on top of it."""
    check_choice("optimizer", name, tuple(METHODS))
    base = sgd(lr=lr, momentum=0.9, nesterov=nesterov, weight_decay=weight_decay)
    return METHODS[name].optimizer(base, rho)


def rising(value: float, share: float, steps: int, after: Schedule | None = None) -> Schedule:
    """Return a schedule that rises to a value in a share of the steps, and then follows ``after``.

    Example:
        >>> [round(rising(0.4, 0.5, 6)(t), 3) for t in range(5)]
        [0.1, 0.2, 0.3, 0.4, 0.4]
    """
    length = round(check_number("share", share, high=1.0) * steps)
    after = constant(value) if after is None else after
    return warmup(after, length) if length else after


def made_for(training: Training, examples: int) -> tuple[Optimizer, Callable]:
    """Return the optimizer, with its schedules, and the ``objective`` of a training.

    Args:
        training: its settings.
        examples: number of training examples.
    """
    check_choice("optimizer", training.optimizer, tuple(METHODS))
    steps = training.epochs * -(-examples // training.batch_size)
    left = max(1, steps - round(training.lr_warmup * steps))
    rate = rising(training.lr, training.lr_warmup, steps, cosine(training.lr, left))
    radius: Any = training.rho
    if training.rho_warmup:
        radius = rising(training.rho, training.rho_warmup, steps)
    options: dict[str, Any] = {"weight_decay": training.weight_decay, "nesterov": training.nesterov}
    sharded = METHODS[training.optimizer].needs == "shards"
    if sharded and has_ghost(training):
        base = make_optimizer("sgd", rate, 0.0, **options)
        return ghost_m_sam(base, radius), partial(ghost_objective, m=training.m)
    objective = partial(training_objective, m=training.m if sharded else None)
    return make_optimizer(training.optimizer, rate, radius, **options), objective


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


def has_ghost(training: Training) -> bool:
    """Return whether `ghost_m_sam` can train this: an MLP, on labels, by cross-entropy."""
    return training.model == "mlp" and training.loss == "cross_entropy" and not training.mixup


def settings_told(data: Data, training: Training) -> dict[str, Any]:
    """Return all settings of a run; those younger than checkpoints only where they are not usual.

    So the checkpoints of before go on.
    """
    young = ("side", "nesterov", "lr_warmup", "rho_warmup", "every")
    usual = {**Data._field_defaults, **Training._field_defaults}
    settings = {**data._asdict(), **training._asdict()}
    return {
        name: value for name, value in settings.items()
        if name not in young or value != usual[name]
    }  # fmt: skip


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
