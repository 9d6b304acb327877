"""See which hyper-parameters a function takes, and whether it can be called at all."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from minisam.adapters.hyperparameters import DEFAULTS, HyperParameters
from minisam.adapters.protocol import (
    ALL_DTYPES,
    Adapter,
    AdapterError,
    Arrays,
    Run,
    Unsupported,
    mark,
)
from minisam.adapters.reading import ReadingDict
from minisam.isolation.child import in_words

WRITE = "write step(w, grad_fn, *, rho, lr), with the hyper-parameters that it has, by keyword"
DECORATE = "if a decorator hides what it takes, put @functools.wraps(function) above its wrapper"


class BadSignature(AdapterError):
    """A function cannot be called as a step or as an adapter."""

    cause = "signature"


def accepted(function: Callable[..., Any], skip: Sequence[str] = ()) -> frozenset[str] | None:
    """Return the hyper-parameters that a function names; None if it takes whatever it is given.

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
    """Return the arguments for a function that accepts certain hyper-parameters.

    ``adaptive=True`` stands for the method "asam", for functions that ask for it by that name.

    Raises:
        Unsupported: when one that matters is not accepted.
        BadSignature: when ``eta`` is accepted for the step size, as the papers call it.

    Example:
        >>> known_arguments(HyperParameters(momentum=0.9), frozenset({"rho", "lr"}))
        Traceback (most recent call last):
        ...
        minisam.adapters.reason.Unsupported: it does not take momentum
    """
    if hp.method in ("sgd", "sam") and "eta" in accepts and "lr" not in accepts:
        raise BadSignature("eta is ASAM's stabilizer; call the step size lr")
    for key in hp.demanded():
        if key not in accepts:
            raise Unsupported("it does not take", key)
    given = {**DEFAULTS, **hp, "adaptive": hp.method == "asam"}
    return {key: value for key, value in given.items() if key in accepts}  # in an order of ours


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


def adapter_of_maker(
    make: Callable[..., Any], begin: Callable[[Arrays, ReadingDict], Run], *features: str
) -> Adapter:
    """Return an adapter of a function that makes a framework's optimizers.

    Args:
        make: the function, by whose name the adapter is known.
        begin: calls it, and returns the function that does one step.
        *features: what the adapter can, see `minisam.adapters.protocol`.

    Raises:
        ValueError: if ``make`` cannot be called with two arguments.
    """
    wanted = "make must be a function (params, hp) -> optimizer"
    if not callable(make):
        raise ValueError(f"{wanted}, got {' '.join(repr(make).split()):.80}")
    name = getattr(make, "__name__", "make")
    try:
        inspect.signature(make).bind(None, None)
    except TypeError as error:
        raise ValueError(f"{wanted}, got {name}{inspect.signature(make)}: {error}") from None
    except ValueError:  # it is not written in Python, and has no signature
        pass

    def adapter(params: Arrays, hyperparameters: Mapping[str, Any]) -> Run:
        try:
            return begin(params, ReadingDict.of(hyperparameters))
        except (Unsupported, AdapterError):
            raise
        except Exception as error:
            if not inspect.isclass(make):
                raise
            hint = f"write lambda params, hp: {name}(params, …), with what it takes of hp"
            raised = f"{name}(params, hp) raised {in_words(error)}"
            raise BadSignature(f"{wanted}; {hint}: {raised}") from None

    return mark(adapter, features=frozenset(features), dtypes=ALL_DTYPES, name=name)
