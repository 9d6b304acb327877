"""An optimizer as pure functions, and the record of one of its steps.

A step is given one function, ``value_and_grad``: ``params -> (loss, grads)``, or with anything else
third, ``(loss, grads, auxiliary)``. Methods that ask for more than gradients find it on the
function, as attributes:

    hessian_product   (params, vector) -> H(params) · vector
    shards            one such function for each part of a batch that is split
    sizes             the parts' numbers of examples, where they differ

`minisam.nn.value_and_grad` and `minisam.nn.training_objective` return functions that carry them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from minisam.trees import Params, check_floating

ValueAndGrad = Callable[[Params], tuple]


class Step(NamedTuple):
    """Everything that one step saw, by the names of the notation table.

    Attributes:
        loss: L(w), the loss at A, before the climb.
        ascent_gradient: d1 = ∇L(w), the gradient at A.
        perturbation: ε = B − A; None for an optimizer that does not climb.
        perturbed_params: B = w + ε; A itself for an optimizer that does not climb.
        perturbed_loss: L(w + ε), the loss at B.
        descent_gradient: d2 = ∇L(w + ε), the gradient that the base update is given.
        auxiliary: what ``value_and_grad`` returned third at A, such as batch statistics.
        perturbed_auxiliary: what ``value_and_grad`` returned third at B.
        shards: the `Step` of each shard, where every part of the batch climbs its own way; the
            fields above are then their means.
    """

    loss: Any
    ascent_gradient: Params
    perturbation: Params | None
    perturbed_params: Params
    perturbed_loss: Any
    descent_gradient: Params
    auxiliary: Any = None
    perturbed_auxiliary: Any = None
    shards: tuple[Step, ...] = ()


class Optimizer(NamedTuple):
    """An optimizer as pure functions.

    Attributes:
        init: ``params -> state``.
        step: ``(params, state, value_and_grad) -> (params, state, Step)``.
        update: ``(params, state, grads) -> (params, state)`` for a base optimizer, which moves by
            a gradient that it is given; None for one that must ask for gradients itself.
    """

    init: Callable[[Params], Any]
    step: Callable[..., tuple[Params, Any, Any]]
    # Typed as what a base optimizer has, so that a type checker lets `base.update` be called.
    update: Callable[[Params, Any, Params], tuple[Params, Any]] = None  # type: ignore[assignment]


def evaluate(value_and_grad: ValueAndGrad, params: Params) -> tuple[Any, Params, Any]:
    """Return (loss, grads, auxiliary), where auxiliary is None if the function returns only two.

    Raises:
        ValueError: naming a parameter or a gradient that is not floating-point.
    """
    check_floating(params, "params")
    loss, grads, *auxiliary = value_and_grad(params)
    check_floating(grads, "grads")
    return loss, grads, auxiliary[0] if auxiliary else None


def carried(value_and_grad: ValueAndGrad, name: str, what: str) -> Any:
    """Return what ``value_and_grad`` carries besides gradients.

    Args:
        value_and_grad: the function that a step was given.
        name: ``"hessian_product"`` or ``"shards"``.
        what: what is to be there, for whoever did not know.

    Raises:
        ValueError: if it is not there.

    Example:
        >>> carried(lambda params: (0.0, params), "shards", "one function for each part")
        Traceback (most recent call last):
        ...
        ValueError: value_and_grad must carry shards, one function for each part: set
        value_and_grad.shards, or take what minisam.nn makes; got <function <lambda> at 0x...>
    """
    found = getattr(value_and_grad, name, None)
    if found is None:
        raise ValueError(
            f"value_and_grad must carry {name}, {what}: set value_and_grad.{name}, or take what "
            f"minisam.nn makes; got {value_and_grad!r}"
        )
    return found


def check_base(base: Any) -> None:
    """Raise ValueError unless ``base`` is an optimizer with an ``update``, as `sgd` returns."""
    if not isinstance(base, Optimizer) or base.update is None:
        raise ValueError(f"base must be a base optimizer such as sgd(lr=0.1), got {base!r}")
