"""Adapt PyTorch optimizers, whichever way they want to be stepped.

The loss is an autograd function whose forward pass remembers the weights and whose backward pass
asks the oracle for the gradient there. So gradients arrive as they do in training: autograd *adds*
them to ``.grad``, a forgotten ``zero_grad`` shows, and a gradient belongs to the weights of its
forward pass.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minisam.adapters.arguments import adapter_of_maker
from minisam.adapters.hyperparameters import HyperParameters
from minisam.adapters.protocol import (
    Adapter,
    AdapterError,
    Arrays,
    GradFn,
    Run,
    Unsupported,
    mark,
)
from minisam.adapters.reading import ReadingDict

LossFn = Callable[[], Any]
Style = Callable[[Any, LossFn], Any]


def two_steps(optimizer: Any, loss: LossFn) -> None:
    """Call ``first_step`` and ``second_step``, with a backward pass before each."""
    loss().backward()
    optimizer.first_step(zero_grad=True)
    loss().backward()
    optimizer.second_step(zero_grad=True)


def ascent_descent(optimizer: Any, loss: LossFn) -> None:
    """Call ``ascent_step`` and ``descent_step``, with a backward pass before each."""
    loss().backward()
    optimizer.ascent_step()
    loss().backward()
    optimizer.descent_step()


def closure(optimizer: Any, loss: LossFn) -> None:
    """Call ``step(closure)`` as PyTorch wants it: the closure clears the gradients first."""

    def evaluate() -> Any:
        optimizer.zero_grad()
        value = loss()
        value.backward()
        return value

    optimizer.step(evaluate)


def backward_then_closure(optimizer: Any, loss: LossFn) -> None:
    """Call ``step(closure)`` after a first backward pass; only the step clears in between."""

    def evaluate() -> Any:
        value = loss()
        value.backward()
        return value

    evaluate()
    optimizer.step(evaluate)
    optimizer.zero_grad()


def plain_step(optimizer: Any, loss: LossFn) -> None:
    """Call ``step()`` after one backward pass, as base optimizers want it."""
    optimizer.zero_grad()
    loss().backward()
    optimizer.step()


STYLES: dict[str, Style] = {
    "two_steps": two_steps,
    "ascent_descent": ascent_descent,
    "closure": closure,
    "backward_then_closure": backward_then_closure,
    "step": plain_step,
}


def torch(make: Callable[[list, ReadingDict], Any], style: str | Style = "auto") -> Adapter:
    """Make an adapter of a PyTorch optimizer.

    Args:
        make: ``(params, hyperparameters) -> optimizer``, with a list of ``torch.nn.Parameter``.
            ``hyperparameters.base`` are the keywords of ``torch.optim.SGD``, and
            ``hyperparameters["model"]`` is a module with these parameters, by their names, for
            those who want one: calling it with anything returns the loss. What ``make`` does not
            read, such as ``p``, the implementation is taken not to have.
        style: how one step is done. ``"two_steps"``, ``"ascent_descent"``, ``"closure"``,
            ``"backward_then_closure"``, ``"step"`` (see the functions of these names), your own
            function ``(optimizer, loss) -> None``, or ``"auto"``: the first for an optimizer that
            has ``first_step`` and ``second_step``, the second for one with ``ascent_step`` and
            ``descent_step``, else ``"closure"``.

    Returns:
        An adapter for `minisam.oracle.check`.

    Raises:
        ValueError: if ``make`` cannot be called, or ``style`` is none of these.

    Example:
        >>> adapter = torch(lambda params, hp: MySAM(params, rho=hp["rho"], **hp.base))
        >>> sorted(adapter.features)
        ['frozen', 'missing-gradient']
    """
    if style != "auto" and not callable(style) and style not in STYLES:
        allowed = ", ".join(map(repr, ("auto", *STYLES)))
        raise ValueError(f"style must be a function or one of {allowed}, got {style!r}")

    def begin(params: Arrays, read: ReadingDict) -> Run:
        import torch as pytorch  # an extra, and slow to import

        hp = read.asked
        dtype = getattr(pytorch, hp.dtype)
        leaves = {
            name: pytorch.nn.Parameter(pytorch.tensor(x).to(dtype), name not in hp.frozen)
            for name, x in hp.named(params).items()
        }
        asked: dict[str, GradFn] = {}

        class AskingLoss(pytorch.autograd.Function):
            @staticmethod
            def forward(ctx: Any, *weights: Any) -> Any:
                ctx.point = [_array(one) for one in weights]
                return weights[0].new_zeros(())

            @staticmethod
            def backward(ctx: Any, upstream: Any) -> tuple:
                answers = asked["grad_fn"](ctx.point)
                return tuple(
                    None if one is None else pytorch.tensor(np.asarray(one)).to(dtype) * upstream
                    for one in answers
                )

        def loss(*_: Any, **__: Any) -> Any:
            return AskingLoss.apply(*leaves.values())

        model = _model(pytorch, leaves, loss)
        optimizer = make(list(leaves.values()), read.showing(step=0, model=model))
        if optimizer is None:
            raise AdapterError("make(params, hyperparameters) returned None, not an optimizer")
        step = _resolve(style, optimizer)
        count = 0

        def run(grad_fn: GradFn) -> Arrays:
            nonlocal count
            asked["grad_fn"] = grad_fn
            _schedule(optimizer, hp, count)
            count += 1
            step(optimizer, loss)
            return [_array(one) for one in leaves.values()]

        return run

    adapter = adapter_of_maker(make, begin, "frozen", "missing-gradient")
    return mark(adapter, kind="torch", arguments={} if style == "auto" else {"style": style})


def _array(tensor: Any) -> np.ndarray:
    """Return a copy of a tensor as an array; bfloat16 in float32."""
    tensor = tensor.detach()
    return (tensor.float() if tensor.itemsize == 2 else tensor).numpy().copy()


def _resolve(style: str | Style, optimizer: Any) -> Style:
    """Return the function that does one step."""
    if callable(style):
        return style
    if style != "auto":
        return STYLES[style]
    for name, methods in (
        ("two_steps", ("first_step", "second_step")),
        ("ascent_descent", ("ascent_step", "descent_step")),
        ("closure", ("step",)),
    ):
        if all(hasattr(optimizer, method) for method in methods):
            return STYLES[name]
    raise AdapterError(
        f"{type(optimizer).__name__} has no step, first_step or ascent_step; pass torch(make, "
        "style=function) with a function (optimizer, loss) that does one step"
    )


def _schedule(optimizer: Any, hp: HyperParameters, count: int) -> None:
    """Set the step's ``lr`` and ``rho`` where a scheduler would: in the parameter groups.

    They may be the wrapper's own or those of the optimizer that it wraps.
    """
    wrapped = (getattr(optimizer, name, None) for name in ("base_optimizer", "optimizer", "optim"))
    owners = [one for one in (optimizer, *wrapped) if hasattr(one, "param_groups")]
    now = hp.at(count)
    for key in sorted(hp.scheduled):
        groups = [group for one in owners for group in one.param_groups if key in group]
        for group in groups:
            group[key] = now[key]
        if hasattr(optimizer, key):
            setattr(optimizer, key, now[key])
        elif not groups:
            raise Unsupported(f"{type(optimizer).__name__} has no {key} that can be scheduled")


def _model(pytorch: Any, parameters: dict[str, Any], loss: LossFn) -> Any:
    """Return a module with these parameters under their dotted names, which returns the loss."""

    class Model(pytorch.nn.Module):
        def forward(self, *arguments: Any, **keywords: Any) -> Any:
            return loss()

    model = Model()
    for name, leaf in parameters.items():
        *path, last = name.split(".")
        module = model
        for part in path:
            if part not in module._modules:
                module.add_module(part, pytorch.nn.Module())
            module = module._modules[part]
        module.register_parameter(last, leaf)
    return model
