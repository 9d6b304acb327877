"""How an optimizer meets the oracle, and how the oracle watches one step of it.

The oracle owns the gradient. An adapter turns parameters and hyper-parameters into a `Run`, a
function that does one optimizer step: it is given `grad_fn`, calls it wherever it wants a gradient
and returns the new parameters. Every point at which it asks is recorded. So the oracle sees A, B
and the new weights of any implementation, in any framework, without knowing its insides.

Parameters cross the border as a *list* of arrays, in the order of ``hyperparameters["names"]``:
some implementations know names, some only positions. A schedule of the learning rate or of the
radius is a list, one number a step; see `at_step`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

Arrays = list[np.ndarray]
GradFn = Callable[[Arrays], Arrays]
Run = Callable[[GradFn], Arrays]
Adapter = Callable[[Arrays, dict[str, Any]], Run]

HYPERPARAMETERS: dict[str, Any] = {
    "method": "sam",  # "sgd", "sam", "asam", …: what the implementation claims to be
    "rho": 0.05,
    "lr": 0.1,
    "momentum": 0.0,
    "nesterov": False,
    "weight_decay": 0.0,
    "decay": "coupled",  # "coupled", "decoupled" or "in_loss"
    "p": 2,
    "eta": 0.01,  # ASAM's stabilizer
    "scope": "weights",  # ASAM's scope: "weights" or "all"
    "names": None,  # the tensors' dotted names, in order
    "frozen": (),  # names of tensors that the optimizer is not given, or must leave alone
    "dtype": "float64",  # "float64", "float32" or "bfloat16" (which travels in float32 arrays)
}


class AdapterError(RuntimeError):
    """The way to the optimizer is broken, so that nothing can be said about the optimizer."""


class Unsupported(NotImplementedError):
    """What a maker raises for hyper-parameters that its implementation does not have.

    The oracle then counts the probe as not run, with the exception's text as the reason.
    """


def at_step(hyperparameters: dict[str, Any], step: int) -> dict[str, Any]:
    """Return the hyper-parameters of one step: a schedule is a list, its last value stays.

    Only ``lr`` and ``rho`` may be lists.

    Example:
        >>> at_step({"lr": [0.5, 0.25], "rho": 0.1}, 7)
        {'lr': 0.25, 'rho': 0.1}
    """
    now = dict(hyperparameters)
    for key in ("lr", "rho"):
        if isinstance(now.get(key), list | tuple):
            now[key] = now[key][min(step, len(now[key]) - 1)]
    return now


class Observation(NamedTuple):
    """What one step let the oracle see.

    Attributes:
        start: the parameters that the step began from, as the oracle knows them.
        queries: the points at which gradients were asked for, in order.
        answers: the gradients that were given there.
        end: the parameters that the step returned.
    """

    start: Arrays
    queries: list[Arrays]
    answers: list[Arrays]
    end: Arrays


def copies(arrays: Sequence[Any]) -> Arrays:
    """Return copies of the arrays, so that neither side can change what the other one holds."""
    return [np.array(array) for array in arrays]


def observe(run: Run, start: Arrays, gradient: GradFn) -> Observation:
    """Let ``run`` do one step and record every gradient that it asks for.

    Args:
        run: one optimizer step, from an adapter.
        start: the parameters before the step.
        gradient: the true gradient, list of arrays -> list of arrays.

    Returns:
        An `Observation`; its arrays are copies.

    Example:
        >>> def step(w, grad_fn, *, lr, **rest):
        ...     return [x - lr * g for x, g in zip(w, grad_fn(w))]
        >>> w = [np.array([1.0, 2.0])]
        >>> run = plain(step)(w, {**HYPERPARAMETERS, "lr": 0.5})
        >>> seen = observe(run, w, lambda point: [2 * point[0]])
        >>> seen.queries, seen.end
        ([[array([1., 2.])]], [array([0., 0.])])
    """
    queries: list[Arrays] = []
    answers: list[Arrays] = []

    def recorded(point: Arrays) -> Arrays:
        queries.append(copies(point))
        answers.append(copies(gradient(copies(point))))
        return copies(answers[-1])

    end = run(recorded)
    return Observation(copies(start), queries, answers, copies(end))


def plain(step: Callable[..., Arrays]) -> Adapter:
    """Make an adapter of a stateless step function ``step(w, grad_fn, **hyperparameters) -> w``.

    Example:
        >>> adapter = plain(lambda w, grad_fn, **rest: w)
        >>> adapter([np.zeros(1)], {})(lambda w: w)
        [array([0.])]
    """

    def adapter(params: Arrays, hyperparameters: dict[str, Any]) -> Run:
        held = copies(params)
        count = 0

        def run(grad_fn: GradFn) -> Arrays:
            nonlocal held, count
            held = step(held, grad_fn, **at_step(hyperparameters, count))
            count += 1
            return held

        return run

    return adapter
