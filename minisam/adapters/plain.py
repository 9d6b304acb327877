"""Adapt a step function ``step(w, grad_fn, *, rho, lr, ...) -> w``.

What a function takes, its signature says; what it reads of ``**hp``, the keywords remember. So it
is given what it has, and what needs more is not run.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from functools import wraps
from traceback import walk_tb
from typing import Any

import numpy as np

from minisam.adapters.arguments import (
    DECORATE,
    WRITE,
    BadSignature,
    accepted,
    check_call,
    known_arguments,
)
from minisam.adapters.hyperparameters import DEFAULTS
from minisam.adapters.protocol import (
    Adapter,
    AdapterError,
    Arrays,
    GradFn,
    Run,
    Unsupported,
    copies,
    listed,
    mark,
)
from minisam.adapters.reading import ReadingDict
from minisam.isolation.child import in_words
from minisam.isolation.lines import line_of

UNWANTED = re.compile(r"unexpected keyword argument '(\w+)'")
# What optimizers of frameworks have, and what wraps their makers.
DOORS = {
    "torch": ("param_groups", "first_step", "ascent_step", "zero_grad"),
    "optax": ("update", "init"),
    "keras": ("apply", "apply_gradients"),
}


def as_adapter(adapter: Any) -> Adapter:
    """Return the adapter, or a step function as one.

    Three parameters or more, or one named ``grad_fn``, make a step. A function of two others is
    taken for an adapter, ``adapter(params, hyperparameters)``.

    Raises:
        ValueError: if it cannot be called.
    """
    if not callable(adapter):
        door = door_of(adapter)
        hint = f"{door}, which makes one for every probe" if door else "plain"
        got = " ".join(repr(adapter).split())
        raise ValueError(f"adapter must be a function, see minisam.oracle.{hint}, got {got:.80}")
    try:
        names = list(inspect.signature(adapter).parameters)
    except (TypeError, ValueError):
        return adapter
    if "grad_fn" in names or len(names) > 2:
        return plain(adapter)
    if any(hasattr(adapter, attribute) for attribute in ("methods", "features", "dtypes")):
        return adapter
    return presumed(adapter)


def presumed(function: Callable[..., Any]) -> Adapter:
    """Return a function that may be an adapter; if it turns out to be none, the error says so."""
    taken = f"it takes {inspect.signature(function)}, so it was called as adapter(params, hp), and"

    @wraps(function)
    def adapter(params: Arrays, hyperparameters: dict[str, Any]) -> Run:
        try:
            run = function(params, hyperparameters)
        except (Unsupported, AdapterError):
            raise
        except Exception as error:
            what = f"raised {in_words(error)}{line_of(error)}"
            door = door_of(error)
        else:
            if callable(run):
                return run
            what = f"returned {type(run).__name__}, which is no function"
            door = door_of(run)
        hint = f"; {DECORATE}" if "*" in taken else ""
        steps = "" if door else f"if it is a step, {WRITE}; "
        raise BadSignature(f"{steps}{wrap_in(door)}{hint}: {taken} {what}")

    return adapter


def door_of(what: Any) -> str:
    """Return which adapter is for an optimizer, its class, or what its maker raised; "" if none is.

    Example:
        >>> door_of(type("SAM", (), {"first_step": print})()), door_of([1.0])
        ('torch', '')
    """
    if isinstance(what, KeyError) and what.args == ("model",):  # which only PyTorch's makers get
        return "torch"
    modules = {base.__module__ for base in what.__mro__} if inspect.isclass(what) else set()
    if isinstance(what, BaseException):
        frames = walk_tb(what.__traceback__)
        modules = {str(frame.f_globals.get("__name__")) for frame, _ in frames}
    rooms = {module.partition(".")[0] for module in modules}
    for door, attributes in DOORS.items():
        several = door == "optax"  # an update alone is what every dict has
        has = [hasattr(what, name) for name in attributes]
        if door in rooms or (all(has) if several else any(has)):
            return door
    return ""


def wrap_in(door: str) -> str:
    """Say what a maker is handed over in; it may be PyTorch's if nothing is known of it."""
    return f"if it makes an optimizer, wrap it in minisam.oracle.{door or 'torch'}(make)"


def plain(step: Callable[..., Arrays]) -> Adapter:
    """Make an adapter of a step function ``step(w, grad_fn, **hyperparameters) -> w``.

    The function names the hyper-parameters that it has, or takes ``**hp`` and reads them; probes
    that need others are not run. One that implements both SAM and ASAM asks for ``method`` or
    ``adaptive``. One that remembers something between steps, such as a momentum buffer, asks for
    ``state``, a dict that is empty at the first step and is then handed on, as a copy where it is
    to be saved and loaded.

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
    signature = inspect.signature(step)
    names = list(signature.parameters)
    accepts = accepted(step, skip=[*names[:2], "state"])
    own = frozenset({"state"} & {*names})

    def arguments_at(hp: ReadingDict, count: int, state: dict) -> dict[str, Any]:
        if accepts is None:
            adaptive = hp.asked.method == "asam"
            return hp.showing(count, adaptive=adaptive, state=state).keywords()
        return known_arguments(hp.asked.at(count), accepts) | ({"state": state} if own else {})

    def adapter(params: Arrays, hyperparameters: Mapping[str, Any]) -> Run:
        hp = ReadingDict.of(hyperparameters)
        state: dict[str, Any] = {}
        if inspect.isclass(step):
            what = "it is a class, and a step is a function that returns a list of arrays"
            door = door_of(step)
            raise BadSignature(f"{'' if door else f'{WRITE}; '}{wrap_in(door)}: {what}")
        check_call(signature, {*DEFAULTS, *hp, "adaptive", "state"})
        arguments_at(hp, 0, state)
        if accepts is not None:
            hp.read_all_but(hp.keys() - accepts)  # its signature says so
        held = copies(params)
        count = 0

        def run(grad_fn: GradFn) -> Arrays:
            nonlocal held, count, state
            given = copies(held)
            returned = called(step, given, grad_fn, arguments_at(hp, count, state))
            if accepts is None:
                mark(adapter, accepts=vars(adapter)["accepts"] | hp.read)
            if not all(
                np.array_equal(a, b, equal_nan=True) for a, b in zip(given, held, strict=True)
            ):
                mark(run, changed_inputs=True)
            held = copies(listed(returned, "the new weights", given))
            count += 1
            if hp.asked.saved:
                state = deepcopy(state)
            return held

        return run

    mark(
        adapter,
        accepts=(accepts or frozenset()) | own,  # of ``**hp``, what it has read so far
        name=getattr(step, "__name__", "step"),
        kind="plain",
        features=frozenset(accepts or ()) & {"frozen", "shards"} | ({"saved"} if own else set()),
    )
    if accepts and accepts & {"method", "adaptive"}:
        mark(adapter, methods=("sam", "asam"))
    return adapter


def called(step: Callable[..., Any], w: Arrays, grad_fn: GradFn, keywords: dict[str, Any]) -> Any:
    """Return what a step returns; an iterator over arrays, or an array of arrays, as a list.

    Raises:
        BadSignature: if it passes a keyword on to something that does not take it.
    """
    try:
        returned = step(w, grad_fn, **keywords)
    except TypeError as error:
        unwanted = UNWANTED.search(str(error))
        if unwanted is None or unwanted[1] not in keywords:
            raise
        raised = f"it takes {inspect.signature(step)}, and raised {in_words(error)}"
        raise BadSignature(f"{raised}; {DECORATE}") from None
    rows = isinstance(returned, np.ndarray) and returned.ndim > 0
    return list(returned) if rows or isinstance(returned, Iterator) else returned
