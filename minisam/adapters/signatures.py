"""What a function takes: whether it can be called as a step, and with which hyper-parameters."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Sequence
from typing import Any

from minisam.adapters.hyperparameters import HyperParameters
from minisam.adapters.protocol import AdapterError, Unsupported

WRITE = "write step(w, grad_fn, *, rho, lr), with the hyper-parameters that it has, by keyword"
DECORATE = "if a decorator hides what it takes, put @functools.wraps(function) above its wrapper"


class BadSignature(AdapterError):
    """A function cannot be called as a step or as an adapter."""

    cause = "signature"


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


def known_arguments(hp: HyperParameters, accepts: frozenset[str]) -> dict[str, Any]:
    """The arguments for a function that accepts certain hyper-parameters.

    ``adaptive=True`` stands for the method "asam", for functions that ask for it by that name.

    Raises:
        Unsupported: when one that matters is not accepted.

    Example:
        >>> known_arguments(HyperParameters(momentum=0.9), frozenset({"rho", "lr"}))
        Traceback (most recent call last):
        ...
        minisam.adapters.protocol.Unsupported: it does not take momentum
    """
    for key in hp.demanded():
        if key not in accepts:
            raise Unsupported(f"it does not take {key}")
    given = {**hp, "adaptive": hp.method == "asam"}
    return {key: given[key] for key in accepts if key in given}


def check_call(signature: inspect.Signature, known: Collection[str]) -> None:
    """Raise `BadSignature` unless a step can be called at all.

    Args:
        signature: of the step.
        known: the keywords that there are.
    """
    names = list(signature.parameters)
    if "grad_fn" in names[:1] + names[2:]:
        raise BadSignature(f"it takes {signature}, where grad_fn is not the second; {WRITE}")
    takes_all = any(p.kind is p.VAR_KEYWORD for p in signature.parameters.values())
    keywords = set(known) - set(names[:2]) if takes_all else set(known) & set(names[2:])
    try:
        signature.bind([], None, **dict.fromkeys(keywords))
    except TypeError as error:
        raise BadSignature(f"it takes {signature}: {error}; {WRITE}") from None
