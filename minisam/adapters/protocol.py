"""The protocol between an optimizer and the oracle, and how one step of it is watched.

The oracle owns the gradient. An adapter turns parameters and hyper-parameters into a `Run`, a
function that does one optimizer step: it is given `grad_fn`, calls it wherever it wants a gradient
and returns the new parameters. Every point at which it asks is recorded. So the oracle sees A, B
and the new weights of any implementation, in any framework, without knowing its insides.

Parameters cross the border as a *list* of arrays, in the order of ``hyperparameters["names"]``:
some implementations know names, some only positions. A schedule of the learning rate or of the
radius is a list, one number a step, the last of which stays; see `HyperParameters`.

What an implementation cannot do is not held against it. An adapter raises `Unsupported` for
hyper-parameters that it does not have, and may carry attributes: ``methods``, the methods that it
implements; ``dtypes``; ``features``, a set of what else it can: ``"frozen"`` tensors,
``"missing-gradient"`` (None for a tensor's gradient), ``"shards"`` of a batch (``grad_fn.shards``
is then a list with one gradient function for each), ``"hessian-product"``, and

    "groups"      parameter groups: hp.groups says which tensors have their own lr, rho or
                  weight_decay; hp.by_group(names) cuts all of them up. One norm is over all groups,
                  and ε = ρ g/‖g‖ has the ρ of the tensor's group. Raise Unsupported for what can
                  only be set for all.
    "saved"       if hp.saved, the run saves the optimizer's state after every step, makes a new
                  optimizer for the weights as they are, and loads the state into that: in PyTorch
                  state_dict(), make(...), load_state_dict(...).
    "scheduler"   if hp.scheduler, a schedule's number is written before every step where a
                  scheduler finds it, and nowhere else: in PyTorch into the param_groups of the
                  object that was made. Raise Unsupported if it has none with such a key.

Each is named in the hyper-parameters only in the probes that ask for it.

So that a report can show a failure in the words of a framework, the adapters made here also carry
``kind``, the name of what made them, and ``arguments``, what it was given beside the maker.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence, Set
from typing import Any, NamedTuple, TypeVar

import numpy as np

from minisam.adapters.hyperparameters import HyperParameters
from minisam.adapters.reason import Unsupported as Unsupported  # which belongs to the protocol

Arrays = list[np.ndarray]
GradFn = Callable[[Arrays], Arrays]
Run = Callable[[GradFn], Arrays]
Adapter = Callable[[Arrays, dict[str, Any]], Run]
Function = TypeVar("Function", bound=Callable[..., Any])

HYPERPARAMETERS = HyperParameters()
FEATURES = (  # what not all adapters have
    "frozen",
    "missing-gradient",
    "shards",
    "hessian-product",
    "groups",
    "saved",
    "scheduler",
)
ALL_DTYPES = ("float64", "float32", "bfloat16")
MOST_GRADIENTS = 64  # a step that asks for more is not followed


class AdapterError(RuntimeError):
    """The way to the optimizer is broken, so that nothing can be said about the optimizer.

    Attributes:
        cause: in a word or two, if it has a name.
    """

    cause = ""


class WrongType(AdapterError):
    """An implementation hands over something other than a list of arrays."""

    cause = "wrong type"


class Observation(NamedTuple):
    """Record what one step let the oracle see.

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


def array_type(dtype: str) -> type[np.floating]:
    """Return the NumPy type of a format; bfloat16, which NumPy lacks, travels in float32 arrays."""
    return np.float64 if dtype == "float64" else np.float32


def copies(arrays: Sequence[Any]) -> Arrays:
    """Return copies of the arrays, so that neither side can change what the other one holds."""
    return [np.array(array) for array in arrays]


def listed(arrays: Any, what: str, like: Sequence[np.ndarray] | None = None) -> Arrays:
    """Return the arrays of a list that an implementation hands over.

    Args:
        arrays: what is to be a list of arrays; numbers and lists of numbers will do for arrays.
        what: its name.
        like: arrays of the shapes that are wanted. Other shapes pass here, unless something in the
            list is no array: then that is the mistake.

    Raises:
        WrongType: naming what came instead.

    Example:
        >>> listed(None, "the new weights")
        Traceback (most recent call last):
        ...
        minisam.adapters.protocol.WrongType: the new weights must be a list of arrays, got None
    """
    wrong = WrongType(f"{what} must be a list of arrays, got {kind(arrays)}")
    several = arrays if isinstance(arrays, list | tuple) else [arrays]
    asleep = [one for one in several if inspect.iscoroutine(one)]
    for one in asleep:
        one.close()  # else Python complains on standard error that nobody awaited it
    if asleep or isinstance(arrays, NO_LISTS) or not hasattr(arrays, "__len__"):
        raise wrong
    try:
        found = [np.asarray(array) for array in arrays]
    except (TypeError, ValueError):
        raise wrong from None
    fits = like is None or [x.shape for x in found] == [x.shape for x in like]
    if not (fits or all(isinstance(one, np.ndarray) for one in arrays)):
        raise wrong
    return found


NO_LISTS = (np.ndarray, np.generic, Mapping, Set, str, bytes)


def kind(arrays: Any) -> str:
    """Say what something is: shapes if it is a list of arrays, else types.

    Example:
        >>> kind([np.ones(2), np.ones((3, 1))]), kind(([np.ones(2)], 0.5)), kind(0.5)
        ('[(2,), (3, 1)]', 'tuple (list, float)', 'float')
    """
    name = "None" if arrays is None else type(arrays).__name__
    if not isinstance(arrays, list | tuple):
        return name
    if all(isinstance(one, np.ndarray) for one in arrays):
        return str([one.shape for one in arrays])
    inside = [type(one).__name__ for one in arrays]
    return f"{name} ({', '.join(inside[:4])}{', …' if len(inside) > 4 else ''})"


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
        >>> from minisam.adapters.plain import plain
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


def mark(function: Function, **attributes: Any) -> Function:
    """Give an adapter, or another function, attributes that tell more about it; return it.

    Example:
        >>> mark(lambda params, hyperparameters: None, methods=("sgd",)).methods
        ('sgd',)
    """
    vars(function).update(attributes)
    return function
