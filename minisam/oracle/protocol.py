"""How an optimizer meets the oracle, and how the oracle watches one step of it.

The oracle owns the gradient. An adapter turns parameters and hyper-parameters into a `Run`, a
function that does one optimizer step: it is given `grad_fn`, calls it wherever it wants a gradient
and returns the new parameters. Every point at which it asks is recorded. So the oracle sees A, B
and the new weights of any implementation, in any framework, without knowing its insides.

Parameters cross the border as a *list* of arrays, in the order of ``hyperparameters["names"]``:
some implementations know names, some only positions. A schedule of the learning rate or of the
radius is a list, one number a step; see `at_step`.

What an implementation cannot do is not held against it. An adapter raises `Unsupported` for
hyper-parameters that it does not have, and may carry attributes: ``methods``, the methods that it
implements; ``features``, a set of what else it can: ``"frozen"`` tensors, ``"shards"`` of a batch
(then ``grad_fn.shards`` is a list with one gradient function for each); ``dtypes``.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np

Arrays = list[np.ndarray]
GradFn = Callable[[Arrays], Arrays]
Run = Callable[[GradFn], Arrays]
Adapter = Callable[[Arrays, dict[str, Any]], Run]
Function = TypeVar("Function", bound=Callable[..., Any])

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
        shards: for each query the shard of the batch that was asked, None for all of it.
    """

    start: Arrays
    queries: list[Arrays]
    answers: list[Arrays]
    end: Arrays
    shards: tuple[int | None, ...] = ()


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


def accepted(function: Callable[..., Any], skip: Sequence[str] = ()) -> frozenset[str] | None:
    """The hyper-parameters that a function names; None if it takes whatever it is given.

    Example:
        >>> def step(w, grad_fn, *, rho, lr, **rest): ...
        >>> sorted(accepted(step, skip=["w", "grad_fn"]))
        ['lr', 'rho']
    """
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return None
    named = {p.name for p in parameters if p.kind in (p.KEYWORD_ONLY, p.POSITIONAL_OR_KEYWORD)}
    named -= set(skip)
    takes_all = any(p.kind is p.VAR_KEYWORD for p in parameters)
    return None if takes_all and not named else frozenset(named)


def known_arguments(
    hyperparameters: dict[str, Any], accepts: frozenset[str] | None
) -> dict[str, Any]:
    """The arguments for a function that accepts certain hyper-parameters.

    ``adaptive=True`` stands for the method "asam", for functions that ask for it by that name.

    Raises:
        Unsupported: when one that is not accepted is asked to be other than its default.

    Example:
        >>> known_arguments({**HYPERPARAMETERS, "momentum": 0.9}, frozenset({"rho", "lr"}))
        Traceback (most recent call last):
        ...
        minisam.oracle.protocol.Unsupported: it does not take momentum
    """
    if accepts is None:
        return dict(hyperparameters)
    given = {**hyperparameters, "adaptive": hyperparameters.get("method") == "asam"}
    free = {"method", "names", "dtype", "frozen", "eta", "scope", "shards"} | accepts
    free |= set(given.get("declared", ()))  # the implementation's own way, whether it asks or not
    if given.get("method") == "sgd":
        free |= {"rho", "p"}
    for key, default in HYPERPARAMETERS.items():
        if key not in free and given.get(key, default) != default:
            raise Unsupported(f"it does not take {key}")
    return {key: given[key] for key in accepts if key in given}


def described(function: Function, **attributes: Any) -> Function:
    """Return an adapter, or another function, with attributes that tell more about it.

    Example:
        >>> described(plain(lambda w, grad_fn: w), methods=("sgd",)).methods
        ('sgd',)
    """
    vars(function).update(attributes)
    return function


def plain(step: Callable[..., Arrays]) -> Adapter:
    """Make an adapter of a step function ``step(w, grad_fn, **hyperparameters) -> w``.

    The function names the hyper-parameters that it has; probes that need others are not run. One
    that implements both SAM and ASAM asks for ``method`` or ``adaptive``. One that remembers
    something between steps, such as a momentum buffer, asks for ``state``, a dict that is empty at
    the first step and is then handed on.

    Args:
        step: takes the weights (a list of arrays), ``grad_fn`` (list of arrays -> list of arrays)
            and hyper-parameters by keyword; returns the new weights. Schedules are resolved: ``lr``
            and ``rho`` are numbers.

    Example:
        >>> def sgd(w, grad_fn, *, lr, **rest):
        ...     return [x - lr * g for x, g in zip(w, grad_fn(w))]
        >>> plain(sgd)([np.ones(1)], {"lr": 0.5})(lambda w: w)
        [array([0.5])]
    """
    first_two = list(inspect.signature(step).parameters)[:2]
    takes_state = "state" in inspect.signature(step).parameters
    accepts = accepted(step, skip=[*first_two, "state"])

    def adapter(params: Arrays, hyperparameters: dict[str, Any]) -> Run:
        known_arguments(at_step(hyperparameters, 0), accepts)
        held = copies(params)
        state: dict[str, Any] = {}
        count = 0

        def run(grad_fn: GradFn) -> Arrays:
            nonlocal held, count
            arguments = known_arguments(at_step(hyperparameters, count), accepts)
            if takes_state:
                arguments["state"] = state
            given = copies(held)
            returned = step(given, grad_fn, **arguments)
            if not all(
                np.array_equal(a, b, equal_nan=True) for a, b in zip(given, held, strict=True)
            ):
                described(run, changed_inputs=True)
            held = copies(returned)
            count += 1
            return held

        return run

    described(
        adapter,
        accepts=accepts,
        name=getattr(step, "__name__", "step"),
        features=frozenset(accepts or ()) & {"frozen", "shards"},
    )
    if accepts and accepts & {"method", "adaptive"}:
        described(adapter, methods=("sam", "asam"))
    return adapter
