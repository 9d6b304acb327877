"""Turn plain settings into what is trained: network, optimizer with its schedules, and loss.

Settings are what JSON can hold, so that a grid of them can be kept, sent to another process, and
compared with those of a run that is gone on with.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

from minisam.checks import check_choice, check_number
from minisam.experiments.ghost_m_sam import ghost_m_sam, ghost_objective
from minisam.experiments.subset import Data, Subset, load_subset
from minisam.nn import robust_losses
from minisam.nn.gradients import training_objective
from minisam.nn.losses import cross_entropy
from minisam.nn.models import Model, cnn, mixer, mlp, resnet, vit
from minisam.optim import METHODS, Optimizer, cosine, sgd
from minisam.optim.schedule import Schedule, constant, warmup
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
        >>> import numpy as np
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
