"""Adapt Keras 3 optimizers, on whichever backend Keras runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np

from minisam.adapters.arguments import adapter_of_maker
from minisam.adapters.protocol import (
    Adapter,
    AdapterError,
    Arrays,
    GradFn,
    Run,
    Unsupported,
    array_type,
    mark,
)
from minisam.adapters.reading import ReadingDict

Gradient = Callable[[list], list]


def apply_once(optimizer: Any, variables: list, gradient: Gradient) -> None:
    """Ask for one gradient, and apply it: what base optimizers want."""
    optimizer.apply(gradient(variables), variables)


def keras(
    make: Callable[[list, ReadingDict], Any],
    step: Callable[[Any, list, Gradient], Any] = apply_once,
) -> Adapter:
    """Make an adapter of a Keras 3 optimizer.

    Args:
        make: ``(variables, hyperparameters) -> optimizer``; frozen tensors are left out. What
            neither it nor ``step`` reads, such as ``nesterov``, the implementation is taken not to
            have.
        step: one step, ``(optimizer, variables, gradient) -> None``. ``gradient(variables)``
            returns the gradients where the variables are, or at other tensors of their shapes.
            Keras has no SAM; write here what your ``train_step`` does, with ``optimizer.rho``, say,
            that ``make`` has set.

    Returns:
        An adapter for `minisam.oracle.check`.

    Raises:
        ValueError: if ``make`` or ``step`` cannot be called.

    Example:
        >>> import keras as k  # doctest: +SKIP
        >>> adapter = keras(lambda variables, hp: k.optimizers.SGD(hp["lr"]))  # doctest: +SKIP
    """
    if not callable(step):
        raise ValueError(f"step must be a function, got {step!r}")

    def begin(params: Arrays, read: ReadingDict) -> Run:
        import keras  # an extra, and slow to import

        hp, dtype = read.asked, read.asked.dtype
        held = hp.named(params)
        active = [name for name in held if name not in hp.frozen]
        kind = array_type(dtype)
        with _floatx(keras, dtype):  # which the learning rate is kept in
            variables = [keras.Variable(held[name], dtype=dtype) for name in active]
            optimizer = make(variables, read.showing(step=0))
        if not hasattr(optimizer, "apply"):
            raise AdapterError(f"make returned {optimizer!r}, which has no apply")
        count = 0

        def arrays(at: list) -> Arrays:
            here = {
                name: np.array(keras.ops.convert_to_numpy(keras.ops.cast(one, kind.__name__)), kind)
                for name, one in zip(active, at, strict=True)
            }
            return list({**held, **here}.values())

        def run(grad_fn: GradFn) -> Arrays:
            nonlocal count

            def gradient(at: list) -> list:
                answers = dict(zip(held, grad_fn(arrays(at)), strict=True))
                return [keras.ops.convert_to_tensor(answers[n], dtype=dtype) for n in active]

            with _floatx(keras, dtype):
                for name in sorted(hp.scheduled):
                    set_scheduled(optimizer, name, hp.at(count)[name])
                count += 1
                step(optimizer, variables, gradient)
                return arrays(variables)

        return run

    adapter = adapter_of_maker(make, begin, "frozen")
    return mark(adapter, kind="keras", arguments={} if step is apply_once else {"step": step})


def set_scheduled(optimizer: Any, name: str, value: float) -> None:
    """Set the step's ``lr`` or ``rho`` where a callback would.

    Raises:
        Unsupported: if the optimizer has no attribute of the name.
    """
    attribute = {"lr": "learning_rate"}.get(name, name)
    if not hasattr(optimizer, attribute):
        raise Unsupported(f"{type(optimizer).__name__} has no {attribute} that can be scheduled")
    setattr(optimizer, attribute, value)


@contextmanager
def _floatx(keras: Any, dtype: str) -> Iterator[None]:
    """Make ``dtype`` the default format for a while, and let JAX have float64 if it is that."""
    before = keras.config.floatx()
    with ExitStack() as stack:
        if keras.config.backend() == "jax" and dtype == "float64":
            import jax  # an extra, and slow to import

            stack.enter_context(jax.enable_x64(True))
        keras.config.set_floatx(dtype)
        try:
            yield
        finally:
            keras.config.set_floatx(before)
