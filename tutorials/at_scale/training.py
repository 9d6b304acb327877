"""Train one network on the device: the judged step, as one CUDA graph where there is CUDA."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import torch
from network import crop_and_flip, resnet
from torch.nn import functional as F
from torch_sam import SAM

from minisam.data import LabelNoise, load

WARM_UP = 0.15  # share of the steps over which the learning rate rises; then it falls to 0
BATCH = 256


class Settings(NamedTuple):
    """Say what one run trains, and on what.

    Attributes:
        data: ``"cifar10"``, ``"cifar100"`` or ``"toy"``.
        seed: of the data's subset, the flipped labels, the start and the order.
        train_size: images to train on; None for all that are not held out.
        test_size: images to test on; None for all.
        held_out: images whose labels, as noisy as the others, choose the settings.
        noise: rate of symmetric label noise.
        method: ``"sgd"``, ``"sam"`` or ``"asam"``.
        rho: radius of the climb.
        lr: highest learning rate.
        weight_decay: of the base update.
        epochs: passes over the images.
        augment: whether to crop and flip.
        width: channels of the first convolution.
    """

    data: str = "cifar10"
    seed: int = 0
    train_size: int | None = None
    test_size: int | None = None
    held_out: int = 5000
    noise: float = 0.0
    method: str = "sgd"
    rho: float = 0.0
    lr: float = 0.2
    weight_decay: float = 5e-4
    epochs: int = 30
    augment: bool = True
    width: int = 64

    @property
    def cost(self) -> float:
        """Return the gradients of one run, in passes over 45,000 images."""
        images = self.train_size or 45_000
        return self.epochs * images / 45_000 * (1 if self.method == "sgd" else 2)


class Part(NamedTuple):
    """Images of shape (n, 3, 32, 32), the labels to learn and the true ones, on the device."""

    images: torch.Tensor
    labels: torch.Tensor
    clean_labels: torch.Tensor


@lru_cache(maxsize=1)  # the methods of a seed meet the same data, one after the other
def parts(
    name: str, seed: int, noise: float, sizes: tuple[int | None, int | None, int], device: str
) -> dict[str, Part]:
    """Return the training, test and held-out images, standardized by the training images."""
    train_size, test_size, held_out = sizes
    data = load(
        name, noise=LabelNoise("symmetric", noise, seed) if noise else None, train_size=train_size,
        test_size=test_size, validation=held_out, validation_labels="noisy", seed=seed,
    )  # fmt: skip
    found = {"train": data.train, "test": data.test, "held out": data.validation}
    mean = std = torch.zeros(())
    made = {}
    for name, split in found.items():  # the training images come first, and tell mean and std
        if split is not None:
            images = torch.tensor(split.images).to(device).permute(0, 3, 1, 2).float() / 255
            if name == "train":
                std, mean = torch.std_mean(images, (0, 2, 3), keepdim=True)
            labels = (torch.tensor(x).to(device) for x in (split.labels, split.clean_labels))
            made[name] = Part((images - mean) / std, *labels)
    return made


def rate(settings: Settings, step: int, steps: int) -> float:
    """Return the learning rate of a step: a straight rise, and a straight fall to 0."""
    rise = max(1, round(WARM_UP * steps))
    left = (steps - step) / max(1, steps - rise)
    return settings.lr * min((step + 1) / rise, left)


class Step:
    """One step of training: the batch's place, the network, the optimizer.

    It serves one run after the other, so that a graph is captured once for a method.

    Args:
        method: ``"sgd"``, ``"sam"`` or ``"asam"``.
        width: channels of the first convolution.
        classes: number of labels.
        size: images of a batch.
        device: where.
    """

    def __init__(self, method: str, width: int, classes: int, size: int, device: str):
        self.width, self.classes, self.cuda = width, classes, device.startswith("cuda")
        # channels last, as bfloat16 likes it
        self.model = resnet(width, classes).to(device, memory_format=torch.channels_last)
        self.norms = [m for m in self.model.modules() if isinstance(m, torch.nn.BatchNorm2d)]
        self.rho, self.lr, self.weight_decay = torch.zeros(3, device=device)
        self.optimizer = SAM(
            self.model.named_parameters(), method, self.rho, self.lr, momentum=0.9, nesterov=True,
            weight_decay=self.weight_decay,
        )  # fmt: skip
        images = torch.zeros((size, 3, 32, 32), device=device)
        self.images = images.to(memory_format=torch.channels_last)
        self.labels = torch.zeros(size, dtype=torch.long, device=device)
        self.take: Callable[[], Any] = self.capture() if self.cuda else self.eager

    @torch.no_grad()
    def start(self, settings: Settings) -> None:
        """Put the weights at the start that a seed gives, and the settings in their places."""
        torch.manual_seed(settings.seed)
        self.model.load_state_dict(resnet(self.width, self.classes).state_dict())
        for velocity in self.optimizer.velocity:
            velocity.zero_()
        self.rho.fill_(settings.rho)
        self.weight_decay.fill_(settings.weight_decay)

    def loss(self) -> torch.Tensor:
        """Return the loss of the batch; batch norm keeps the statistics of the first pass alone."""
        for norm in self.norms:
            norm.momentum = 0.0 if self.climbed else 0.1
        self.climbed = True
        # ε and the weights stay in float32; the network's own products are in bfloat16
        with torch.autocast("cuda", torch.bfloat16, enabled=self.cuda, cache_enabled=False):
            logits = self.model(self.images)
        return F.cross_entropy(logits.float(), self.labels)

    def eager(self) -> torch.Tensor:
        """Take the step."""
        self.climbed = False
        return self.optimizer.step(self.loss)

    def capture(self) -> Callable[[], Any]:
        """Return the step as a CUDA graph; trial runs choose the algorithm of each product."""
        torch.backends.cudnn.benchmark = True
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(3):
                self.eager()
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self.eager()
        return graph.replay


step_of = lru_cache(maxsize=None)(Step)  # one for each method and size, for all the runs


@torch.no_grad()
def predictions(model: torch.nn.Module, images: torch.Tensor) -> torch.Tensor:
    """Return the classes that a network gives to images."""
    model.eval()
    found = torch.cat([model(batch).argmax(1) for batch in images.split(1000)])
    model.train()
    return found


def train(settings: Settings, device: str, follow: Callable[[int], Any] = bool) -> dict[str, Any]:
    """Train one network, and return its accuracies in percent after every tenth and the last epoch.

    Args:
        settings: of the run.
        device: ``"cuda"`` or ``"cpu"``.
        follow: is called with the number of each epoch that is done.

    Returns:
        ``last``, ``best``, ``validation``, ``train``, with noise ``memorized`` (wrong labels that
        the network answers with), ``history``, ``seconds``; a run whose loss is not finite counts
        as a guess and says so under ``diverged``.
    """
    began = time.perf_counter()
    sizes = settings.train_size, settings.test_size, settings.held_out
    data = parts(settings.data, settings.seed, settings.noise, sizes, device)
    images, labels, clean = data["train"]
    classes = int(clean.max()) + 1
    size = min(BATCH, len(images))
    step = step_of(settings.method, settings.width, classes, size, device)
    step.start(settings)
    generator = torch.Generator(device).manual_seed(settings.seed)
    per_epoch = len(images) // size
    history: list[dict[str, float]] = []
    for epoch in range(settings.epochs):
        order = torch.randperm(len(images), generator=generator, device=device)
        shown, told = images[order], labels[order]
        if settings.augment:
            shown = crop_and_flip(shown, generator)
        for number in range(per_epoch):  # a rest that fills no batch waits for another epoch
            batch = slice(number * size, (number + 1) * size)
            step.images.copy_(shown[batch])
            step.labels.copy_(told[batch])
            step.lr.fill_(rate(settings, epoch * per_epoch + number, settings.epochs * per_epoch))
            step.take()
        follow(epoch + 1)
        if epoch % 10 == 9 or epoch + 1 == settings.epochs:
            history.append({"epoch": epoch + 1, **accuracies(step.model, data)})
    last = history[-1]
    finite = all(bool(torch.isfinite(w).all()) for w in step.optimizer.weights)
    result = {
        **last,
        "last": last["test"],
        "best": max(record["test"] for record in history),
        "history": history,
        "seconds": time.perf_counter() - began,
    }
    if not finite:
        guess = dict.fromkeys(("last", "best", "validation", "train"), 100 / classes)
        return {**result, **guess, "diverged": "a weight is not finite"}
    assert not math.isnan(result["last"])
    return result


def accuracies(model: torch.nn.Module, data: dict[str, Part]) -> dict[str, float]:
    """Return the shares of labels, in percent, that a network answers with."""
    answers = {name: predictions(model, part.images) for name, part in data.items()}
    train = data["train"]
    right = {
        "test": answers["test"] == data["test"].clean_labels,
        "train": answers["train"] == train.labels,
    }
    if "held out" in data:
        right["validation"] = answers["held out"] == data["held out"].labels
    wrong = train.labels != train.clean_labels
    if bool(wrong.any()):
        right["memorized"] = right["train"][wrong]
    return {name: 100 * float(hit.float().mean()) for name, hit in right.items()}
