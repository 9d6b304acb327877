"""Copied code on PyTorch, as the oracle is shown it: text of the file -> adapter."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from backends.clones import defined

from minisam import oracle
from minisam.oracle import Unsupported


def wrapper(name: str, **options: Any) -> Callable[[str], Any]:
    """Return the adapter of a class that makes its base optimizer of the parameters itself."""

    def adapter(text: str) -> Any:
        import torch

        SAM = defined(text, name, torch=torch)

        def make(params, hp):
            own = {"adaptive": True} if hp["method"] == "asam" else {}
            return SAM(params, torch.optim.SGD, rho=hp["rho"], **options, **own, **hp.base)

        return oracle.torch(make)

    return adapter


def samsung(text: str) -> Any:
    import torch

    ASAM, SAM = defined(text, "ASAM", "SAM", torch=torch, defaultdict=defaultdict)

    def make(params, hp):
        base = torch.optim.SGD(params, **hp.base)
        if hp["method"] == "asam":
            return ASAM(base, hp["model"], hp["rho"], hp["eta"])
        return SAM(base, hp["model"], hp["rho"])

    return oracle.torch(make)


def moskomule(text: str) -> Any:
    import torch

    # torch.optim._multi_tensor is gone; its SGD is torch.optim's with foreach.
    SAMSGD = defined(text, "SAMSGD", torch=torch, SGD=torch.optim.SGD)

    def make(params, hp):
        if hp["rho"] == 0:
            raise Unsupported("it refuses rho = 0")
        return SAMSGD(params, rho=hp["rho"], **hp.base)

    return oracle.torch(make)


def gsam(text: str) -> Any:
    import contextlib

    import torch
    from torch.distributed import ReduceOp

    def idle(model):
        return None  # there are no running statistics

    needed = {"enable_running_stats": idle, "disable_running_stats": idle}
    GSAM = defined(text, "GSAM", torch=torch, contextlib=contextlib, ReduceOp=ReduceOp, **needed)

    def make(params, hp):
        base = torch.optim.SGD(params, **hp.base)
        alpha = hp["alpha"] if hp["method"] == "gsam" else 0.0
        constant = SimpleNamespace(step=lambda: hp["rho"])
        return GSAM(params, base, hp["model"], alpha, constant, hp["method"] == "asam")

    def step(optimizer, loss):
        optimizer.set_closure(lambda outputs, targets: outputs, None, None)
        optimizer.step()

    return oracle.torch(make, step)


def esam(text: str) -> Any:
    import random

    import torch

    ESAM = defined(text, "ESAM", torch=torch, random=random)

    def make(params, hp):
        base = torch.optim.SGD(params, **hp.base)
        optimizer = ESAM(params, base, hp["rho"], adaptive=hp["method"] == "asam")
        data = torch.zeros(1)

        def loss(outputs, targets):
            return outputs

        optimizer.paras = (data, data, loss, hp["model"], lambda value: value.backward())
        return optimizer

    return oracle.torch(make, lambda optimizer, loss: optimizer.step())


def registered(text: str) -> Any:
    import torch

    register = SimpleNamespace(register=lambda: lambda one: one)
    SAM = defined(
        text, "SAM", torch=torch, OPTIMIZER_REGISTRY=register, configurable=lambda: lambda one: one
    )
    return oracle.torch(
        lambda params, hp: SAM(params, torch.optim.SGD(params, **hp.base), hp["rho"])
    )


def understanding(text: str) -> Any:
    import torch

    SAM = defined(text, "SAM", torch=torch)

    def make(params, hp):
        return SAM(params, torch.optim.SGD, hp["rho"], False, **hp.base)

    def step(optimizer, loss):
        loss().backward()
        optimizer.first_step()
        loss().backward()
        optimizer.second_step()
        optimizer.step()
        optimizer.zero_grad()

    return oracle.torch(make, step)


def looksam_by_model(text: str) -> Any:
    import torch

    LookSAM = defined(text, "LookSAM", torch=torch, nn=torch.nn, Any=Any, Callable=Callable)

    def make(params, hp):
        every, alpha = (hp["every"], hp["alpha"]) if hp["method"] == "looksam" else (1, 0.0)

        def criterion(outputs, targets):
            return outputs

        optimizer = LookSAM(
            every, alpha, hp["model"], torch.optim.SGD, criterion, hp["rho"], **hp.base
        )
        optimizer.count = 0
        return optimizer

    def step(optimizer, loss):
        loss().backward()
        optimizer.step(optimizer.count, None, None)
        optimizer.count += 1

    return oracle.torch(make, step)


def looksam_by_steps(text: str) -> Any:
    import torch

    LookSAM = defined(text, "LookSAM", torch=torch, defaultdict=defaultdict)

    def make(params, hp):
        base = torch.optim.SGD(params, **hp.base)
        own = {"alpha": hp["alpha"]} if hp["method"] == "looksam" else {}
        optimizer = LookSAM(base, hp["model"], hp["rho"], **own)
        optimizer.count, optimizer.every = 0, hp["every"] if own else 1
        return optimizer

    def step(optimizer, loss):  # as its README says
        loss().backward()
        climbs = optimizer.count % optimizer.every == 0
        optimizer.count += 1
        if climbs:
            optimizer.ascent_step()
            loss().backward()
        optimizer.decompose_grad(climbs)
        if climbs:
            optimizer.descent_step()
        optimizer.optimizer.step()
        optimizer.optimizer.zero_grad()

    return oracle.torch(make, step)


def composer(text: str) -> Any:
    import torch

    SAMOptimizer = defined(text, "SAMOptimizer", torch=torch)

    def make(params, hp):
        return SAMOptimizer(torch.optim.SGD(params, **hp.base), hp["rho"])

    def step(optimizer, loss):
        def closure(ddp_sync=True, loss_dict=None):  # the trainer's clears the gradients
            optimizer.zero_grad()
            value = loss()
            value.backward()
            return value

        optimizer.step(closure)

    return oracle.torch(make, step)


def friendly(text: str) -> Any:
    import torch

    FriendlySAM = defined(text, "FriendlySAM", torch=torch, print=lambda *words: None)

    def make(params, hp):
        own = {"sigma": 0.0, "adaptive": hp["method"] == "asam"}
        if hp["method"] == "friendly_sam":
            own = {"sigma": hp["sigma"], "lmbda": hp["memory"]}
        return FriendlySAM(params, torch.optim.SGD, rho=hp["rho"], **own, **hp.base)

    return oracle.torch(make)


def lightning(text: str) -> Any:
    import torch

    given = {"torch": torch, "Tensor": torch.Tensor, "Callback": object, "cast": lambda kind, x: x}
    given |= {"List": list, "Dict": dict, "Any": Any}
    SAM, *_ = defined(text, "SAM", "_get_params", "_get_loss", **given)

    def make(params, hp):
        optimizer = torch.optim.SGD(params, **hp.base)
        optimizer.callback = SAM(hp["rho"], hp["method"] == "asam")
        return optimizer

    def step(optimizer, loss):
        module = SimpleNamespace(training_step=lambda batch, index: loss())
        strategy = SimpleNamespace(backward=lambda value, **_: value.backward())
        trainer = SimpleNamespace(strategy=strategy)
        optimizer.zero_grad()
        loss().backward()
        optimizer.callback.on_train_batch_start(trainer, module, None, 0)
        optimizer.callback.on_before_optimizer_step(trainer, module, optimizer, 0)
        optimizer.step()

    return oracle.torch(make, step)


def fastai(text: str) -> Any:
    import copy

    import torch

    class Learner:
        """What of a fastai learner the callback touches."""

    def patch(function):
        setattr(Learner, function.__name__, function)
        return function

    Learner.__call__ = lambda self, event: None
    Learner._with_events = lambda self, do, *_: do()

    def trainable(model):
        return [p for p in model.parameters() if p.requires_grad]

    SAM = defined(
        text, "SAM", torch=torch, copy=copy, Callback=object, patch=patch, Learner=Learner,
        trainable_params=trainable, CancelStepException=Exception,
    )  # fmt: skip

    def make(params, hp):
        optimizer = torch.optim.SGD(params, **hp.base)
        callback, learner = SAM(hp["rho"]), Learner()
        callback.learn = learner
        callback.before_fit()
        learner.xb, learner.yb, learner.training = (None,), (None,), True
        learner.model, learner.opt, learner.loss_func = hp["model"], optimizer, lambda out, _: out
        optimizer.learner = learner
        return optimizer

    return oracle.torch(make, lambda optimizer, loss: optimizer.learner._do_one_batch())
