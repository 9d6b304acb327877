"""The same networks and steps in PyTorch, as a user who looks for speed would write them.

PyTorch is imported where it is used; without it those columns are empty. The climb does not copy
the weights back and forth: A and B are two sets of tensors that change places, and the update is
PyTorch's fused one.
"""

from __future__ import annotations

import importlib.util
import shutil

import numpy as np

from minisam.threads import workers

HAS_TORCH = importlib.util.find_spec("torch") is not None
CAN_COMPILE = HAS_TORCH and any(map(shutil.which, ("c++", "g++", "clang++")))


def torch_with_same_threads():
    import torch

    torch.set_num_threads(workers())
    return torch


def torch_mlp(width: int):
    nn = torch_with_same_threads().nn
    return nn.Sequential(
        nn.Flatten(), nn.Linear(3072, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(),
        nn.Linear(width, 10),
    )  # fmt: skip


def torch_cnn(channels, size: int = 32):
    nn = torch_with_same_threads().nn
    layers, previous = [], 3
    for stage in channels:
        for count in stage:
            layers += [nn.Conv2d(previous, count, 3, padding=1), nn.ReLU()]
            previous = count
        layers.append(nn.MaxPool2d(2))
        size //= 2
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(size * size * previous, 10))


def torch_step(
    model,
    images: np.ndarray,
    labels: np.ndarray,
    method: str = "gradient",
    channels_last: bool = False,
    compiled: bool = False,
):
    """Return a function that takes one step, and returns the loss before it.

    Args:
        model: a network of this module.
        images: ndarray of shape (batch, height, width, channels).
        labels: integers of shape (batch,).
        method: ``"gradient"``, ``"sgd"``, ``"sam"`` or ``"asam"``.
        channels_last: whether images and activations lie in memory as minisam's do.
        compiled: whether ``torch.compile`` makes loss and gradient, in its default mode.
    """
    torch = torch_with_same_threads()
    x, y = torch.tensor(np.moveaxis(images, -1, 1).copy()), torch.tensor(labels)
    model = model.to(x.dtype)
    if channels_last:
        model, x = (a.to(memory_format=torch.channels_last) for a in (model, x))
    parameters = list(model.parameters())
    optimizer = torch.optim.SGD(parameters, lr=0.01, momentum=0.9, fused=True)
    elsewhere = [torch.empty_like(p) for p in parameters]  # B while A is in place, and back

    def loss():
        return torch.nn.functional.cross_entropy(model(x), y)

    if compiled:
        torch.compiler.reset()  # otherwise the functions compiled so far count against a limit
        loss = torch.compile(loss)

    def gradient():
        optimizer.zero_grad()
        value = loss()
        value.backward()
        return value.item()

    @torch.no_grad()
    def climb(rho=0.05, eta=0.01):
        steps = [p.grad for p in parameters]
        if method == "asam":
            weights = [k for k, p in enumerate(parameters) if p.ndim > 1]  # biases have T = 1
            scales = torch._foreach_abs([parameters[k] for k in weights])
            torch._foreach_add_(scales, eta)
            for k, t in zip(weights, scales, strict=True):
                steps[k] = steps[k] * t
        norm = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(steps)))
        factor = rho / norm.item()
        if method == "asam":
            torch._foreach_mul_([steps[k] for k in weights], scales)
        for p, step, b in zip(parameters, steps, elsewhere, strict=True):
            torch.add(p, step, alpha=factor, out=b)

    def change_places():
        for k, p in enumerate(parameters):
            p.data, elsewhere[k] = elsewhere[k], p.data

    def sgd():
        value = gradient()
        optimizer.step()
        return value

    def sam():
        value = gradient()
        climb()
        change_places()
        gradient()
        change_places()
        optimizer.step()
        return value

    return {"gradient": gradient, "sgd": sgd, "sam": sam, "asam": sam}[method]
