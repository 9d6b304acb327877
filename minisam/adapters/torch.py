"""Adapt PyTorch optimizers, whichever way they want to be stepped.

The loss is an autograd function whose forward pass remembers the weights and whose backward pass
asks the oracle for the gradient there. So gradients arrive as they do in training: autograd *adds*
them to ``.grad``, a forgotten ``zero_grad`` shows, and a gradient belongs to the weights of its
forward pass.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from minisam.adapters.arguments import adapter_of_maker
from minisam.adapters.protocol import ALL_DTYPES, Adapter, AdapterError, Arrays, Run, mark
from minisam.adapters.reading import ReadingDict
from minisam.adapters.torch_run import LossFn, Style, TorchRun


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


def torch(
    make: Callable[[list, ReadingDict], Any], style: str | Style = "auto", device: Any = "cpu"
) -> Adapter:
    """Make an adapter of a PyTorch optimizer.

    Args:
        make: ``(params, hyperparameters) -> optimizer``, with a list of ``torch.nn.Parameter``.
            ``hyperparameters.base`` are the keywords of ``torch.optim.SGD``, and
            ``hyperparameters["model"]`` is a module with these parameters, by their names, for
            those who want one: calling it with anything returns the loss at its parameters, and so
            does a copy of it. What is not read by the end of the last step, such as ``p``, the
            implementation is taken not to have.
            ``hyperparameters["method"]`` tells one that is both SAM and ASAM which to be.
        style: how one step is done. ``"two_steps"``, ``"ascent_descent"``, ``"closure"``,
            ``"backward_then_closure"``, ``"step"`` (see the functions of these names), your own
            function ``(optimizer, loss) -> None``, or ``"auto"``: the first for an optimizer that
            has ``first_step`` and ``second_step``, the second for one with ``ascent_step`` and
            ``descent_step``, else ``"closure"``. ``loss()`` is a tensor above 0 that differs from
            point to point, and its ``backward()`` adds the gradient to ``.grad``.
        device: where the parameters are made and their gradients put, as ``Tensor.to`` takes it:
            ``"cuda"``, ``"cuda:1"``, a ``torch.device``. What is foreach, fused, capturable or
            compiled runs there as it will in training; but PyTorch compiles for the first few
            optimizers only, unless ``torch._dynamo.config.recompile_limit`` is raised.

    Returns:
        An adapter for `minisam.oracle.check`.

    Raises:
        ValueError: if ``make`` cannot be called, ``style`` is none of these, or there is no such
            device.

    Example:
        >>> adapter = torch(lambda params, hp: MySAM(params, rho=hp["rho"], **hp.base))
        >>> sorted(adapter.features)
        ['frozen', 'groups', 'missing-gradient', 'saved', 'scheduler']

        An ASAM on a GPU, which is SAM if it is asked to be::

            def make(params, hp):
                return MySAM(params, rho=hp["rho"], adaptive=hp["method"] == "asam", **hp.base)

            check(torch(make, device="cuda"), method=["sam", "asam"], declare={"scope": "all"})
    """
    if style != "auto" and not callable(style) and style not in STYLES:
        allowed = ", ".join(map(repr, ("auto", *STYLES)))
        raise ValueError(f"style must be a function or one of {allowed}, got {style!r}")
    dtypes = ALL_DTYPES if device == "cpu" else dtypes_on(device)

    def begin(params: Arrays, read: ReadingDict) -> Run:
        run = TorchRun(make, partial(resolved, style), device, params, read)
        mark(adapter, style=run.step)
        return run

    adapter = adapter_of_maker(
        make, begin, "frozen", "missing-gradient", "groups", "saved", "scheduler"
    )
    given = {"style": style, "device": device if isinstance(device, int) else str(device)}
    own = {key: value for key, value in given.items() if value not in ("auto", "cpu")}
    return mark(adapter, dtypes=dtypes, kind="torch", arguments=own)


def dtypes_on(device: Any) -> tuple[str, ...]:
    """Return the dtypes of which a device has tensors that can be read back.

    Raises:
        ValueError: if there are none.
    """
    import torch as pytorch  # an extra, and slow to import

    found, reason = [], ""
    for dtype in ALL_DTYPES:
        try:
            pytorch.zeros(1, dtype=getattr(pytorch, dtype), device=device).cpu()
        except (RuntimeError, AssertionError, NotImplementedError, TypeError) as error:
            reason = str(error).partition("\n")[0]
        else:
            found.append(dtype)
    if not found:
        raise ValueError(
            f"device must be one that PyTorch has here, such as 'cuda', got {device!r}: {reason}"
        )
    return tuple(found)


def resolved(style: str | Style, optimizer: Any) -> Style:
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
