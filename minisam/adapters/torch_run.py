"""Let a PyTorch optimizer do one step after the other, on gradients that the oracle tells it."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from operator import attrgetter
from typing import Any

import numpy as np

from minisam.adapters.losses import ScriptedLoss
from minisam.adapters.protocol import AdapterError, Arrays, GradFn, Unsupported
from minisam.adapters.reading import ReadingDict

LossFn = Callable[[], Any]
Style = Callable[[Any, LossFn], Any]


class ParameterGroup(dict):
    """A parameter group: a dict of ``"params"`` and of what these tensors have for themselves."""


class TorchRun:
    """The run of one optimizer, with its parameters on a device.

    Args:
        make: ``(params, hyperparameters) -> optimizer``.
        find_style: optimizer -> the function that does one step.
        device: where the parameters are, and their gradients.
        params: the weights at the start.
        read: the hyper-parameters.
    """

    def __init__(
        self,
        make: Callable[..., Any],
        find_style: Callable[[Any], Style],
        device: Any,
        params: Arrays,
        read: ReadingDict,
    ) -> None:
        import torch  # an extra, and slow to import

        self.torch, self.make, self.find_style, self.device = torch, make, find_style, device
        self.read, self.hp = read, read.asked
        self.dtype = getattr(torch, self.hp.dtype)
        self.losses = ScriptedLoss()
        self.grad_fn: GradFn | None = None
        self.loss_at = self.asking_loss()
        self.count = 0
        self.build(self.hp.named(params))

    def build(self, weights: dict[str, Any]) -> None:
        """Make the parameters, the module that has them, and an optimizer of them.

        Raises:
            AdapterError: if there is no optimizer, or no way to step it.
            Unsupported: if it has not the parameter groups that are asked for.
        """
        self.leaves = {
            name: self.torch.nn.Parameter(self.tensor(one), name not in self.hp.frozen)
            for name, one in weights.items()
        }
        shown = self.read.showing(step=0, model=self.module())
        if not self.hp.groups:
            self.optimizer = self.make(list(self.leaves.values()), shown)
        else:
            try:
                self.optimizer = self.make(self.groups(), shown)
            except Exception as error:
                raise Unsupported("it has no", "groups") from error
            self.refuse_without_groups()
        if self.optimizer is None:
            raise AdapterError("make(params, hyperparameters) returned None, not an optimizer")
        self.step = self.find_style(self.optimizer)

    def __call__(self, grad_fn: GradFn) -> Arrays:
        """Do one step; return the weights."""
        self.grad_fn = grad_fn
        self.schedule()
        self.count += 1
        try:
            self.step(self.optimizer, lambda *_, **__: self.loss_at(*self.leaves.values()))
        except (AttributeError, TypeError) as error:
            if ParameterGroup.__name__ not in str(error):
                raise
            raise Unsupported("it has no", "groups") from error
        weights = {name: as_array(one) for name, one in self.leaves.items()}
        if self.hp.saved:
            self.save_and_load(weights)
        return list(weights.values())

    def tensor(self, array: Any) -> Any:
        """Return an array as a tensor of the run's dtype, on its device."""
        return self.torch.tensor(np.asarray(array), dtype=self.dtype, device=self.device)

    def asking_loss(self) -> Callable[..., Any]:
        """Return the loss of weights, whose backward pass asks for the gradient there.

        The forward pass asks for nothing: its value is a `ScriptedLoss`.
        """
        import torch  # an extra, and slow to import

        run = self

        class AskingLoss(torch.autograd.Function):
            @staticmethod
            def forward(ctx: Any, *weights: Any) -> Any:
                ctx.point = [as_array(one) for one in weights]
                return weights[0].new_tensor(run.losses.at(ctx.point))

            @staticmethod
            def backward(ctx: Any, upstream: Any) -> tuple:
                assert run.grad_fn is not None
                answers = run.grad_fn(ctx.point)
                run.losses.learn(ctx.point, answers)
                return tuple(None if one is None else run.tensor(one) * upstream for one in answers)

        return AskingLoss.apply

    def module(self) -> Any:
        """Return a module with the parameters under their dotted names, which returns the loss.

        A copy of it, or a call with other parameters, asks at those.
        """
        import torch  # an extra, and slow to import

        run = self

        class Model(torch.nn.Module):
            def forward(self, *arguments: Any, **keywords: Any) -> Any:
                return run.loss_at(*(attrgetter(name)(self) for name in run.leaves))

        model = Model()
        for name, leaf in self.leaves.items():
            *path, last = name.split(".")
            module = model
            for part in path:
                if part not in module._modules:
                    module.add_module(part, torch.nn.Module())
                module = module._modules[part]
            module.register_parameter(last, leaf)
        return model

    def groups(self) -> list[ParameterGroup]:
        """Return the parameters in groups, as PyTorch's optimizers take them."""
        rest, *grouped = self.hp.by_group(self.leaves)
        parts = [(rest[0], {}), *zip((names for names, _ in grouped), self.hp.groups, strict=True)]
        return [
            ParameterGroup({**own, "params": [self.leaves[name] for name in names]})
            for names, own in parts
            if names
        ]

    def refuse_without_groups(self) -> None:
        """Raise `Unsupported` unless the optimizer has in every group what one is to have own."""
        held = [owner.param_groups for owner in self.owners()]
        if "model" in self.read.read and all(len(groups) == 1 for groups in held):
            raise Unsupported("it has no", "groups")  # it takes its tensors from the model
        for key in sorted({key for group in self.hp.groups for key in group} - {"names"}):
            if not any(all(key in group for group in groups) for groups in held):
                raise Unsupported(f"it has no parameter groups with their own {key}")

    def owners(self) -> Iterator[Any]:
        """Yield what has parameter groups: the optimizer, and what it wraps."""
        wrapped = ("base_optimizer", "optimizer", "optim", "opt", "base")
        for one in (self.optimizer, *(getattr(self.optimizer, name, None) for name in wrapped)):
            if hasattr(one, "param_groups"):
                yield one

    def schedule(self) -> None:
        """Set the step's ``lr`` and ``rho`` where a scheduler would: in the parameter groups.

        They may be the wrapper's own, or those of the optimizer that it wraps unless it is a
        scheduler that does it. What a group has for itself stays.
        """
        now = self.hp.at(self.count)
        owned = list(self.owners())
        if self.hp.scheduler:
            owned = [one for one in owned if one is self.optimizer]
        for key in sorted(self.hp.scheduled):
            groups = [group for one in owned for group in one.param_groups if key in group]
            for group in groups:
                if not any(self.is_own(group, own, key) for own in self.hp.groups):
                    group[key] = now[key]
            if hasattr(self.optimizer, key) and not self.hp.scheduler:
                setattr(self.optimizer, key, now[key])
            elif not groups:
                name = type(self.optimizer).__name__
                raise Unsupported(f"{name} has no {key} that can be scheduled")

    def is_own(self, group: dict, own: dict, key: str) -> bool:
        """Return whether an optimizer's group is of tensors that have this for themselves."""
        mine = {id(self.leaves[name]) for name in own["names"]}
        return key in own and bool(mine & {id(one) for one in group["params"]})

    def save_and_load(self, weights: dict[str, Any]) -> None:
        """Go on with a new optimizer, of new parameters, that loads what the old one has saved.

        Raises:
            Unsupported: if there is nothing to save by.
        """
        for name in ("state_dict", "load_state_dict"):
            if not hasattr(self.optimizer, name):
                raise Unsupported("it has no", name)
        file = io.BytesIO()
        self.torch.save(self.optimizer.state_dict(), file)
        file.seek(0)
        self.build(weights)
        self.optimizer.load_state_dict(self.torch.load(file, weights_only=False))


def as_array(tensor: Any) -> np.ndarray:
    """Return a copy of a tensor, wherever it is, as an array; bfloat16 in float32."""
    tensor = tensor.detach()
    return (tensor.float() if tensor.itemsize == 2 else tensor).cpu().numpy().copy()
