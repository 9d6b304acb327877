"""Adapt the library's own optimizers, and make one of hyper-parameters.

The base update is `minisam.optim.sgd`; what is around it is the row of `minisam.optim.methods` with
the method's name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from minisam.adapters.hyperparameters import HyperParameters
from minisam.adapters.protocol import (
    FEATURES,
    Adapter,
    Arrays,
    GradFn,
    Run,
    Unsupported,
    copies,
    mark,
)
from minisam.optim.l2 import add_l2
from minisam.optim.methods import METHODS
from minisam.optim.optimizer import Optimizer, ValueAndGrad
from minisam.optim.sgd import sgd
from minisam.trees import Params

Make = Callable[[HyperParameters], Optimizer]
ZERO = 0.0  # a loss that nothing depends on


def base_of(hp: Mapping[str, Any], **changed: Any) -> Optimizer:
    """Return the base update that hyper-parameters ask for, but for the arguments ``changed``.

    Example:
        >>> from minisam.adapters.protocol import HYPERPARAMETERS
        >>> base_of(HYPERPARAMETERS, momentum=0.5).update is not None
        True
    """
    hp = HyperParameters.of(hp)
    in_loss = hp.decay == "in_loss"
    arguments = {
        "lr": hp.lr,
        "momentum": hp.momentum,
        "nesterov": hp.nesterov,
        "weight_decay": 0.0 if in_loss else hp.weight_decay,
        "decay": "coupled" if in_loss else hp.decay,
        **changed,
    }
    return sgd(**arguments)


def optimizer_of(hp: Mapping[str, Any]) -> Optimizer:
    """Make the optimizer that hyper-parameters describe.

    Args:
        hp: see `HyperParameters`; what is missing of the method's own has the default of
            `minisam.optim.methods`.

    Raises:
        Unsupported: if there is no such method, or it has no norm but p = 2.

    Example:
        >>> from minisam.adapters.protocol import HYPERPARAMETERS
        >>> opt = optimizer_of({**HYPERPARAMETERS, "method": "gsam", "alpha": 0.5})
        >>> w = {"w": np.array([3.0])}
        >>> half_square = lambda w: (0.5 * float(w["w"] @ w["w"]), w)
        >>> opt.step(w, opt.init(w), half_square)[0]["w"]
        array([2.695])
    """
    hp = HyperParameters.of(hp)
    if hp.method not in METHODS:
        raise Unsupported(f"the library has no method {hp.method!r}")
    row, decay = METHODS[hp.method], hp.weight_decay
    if hp.method != "sgd" and hp.p != 2 and "p" not in row.own:
        raise Unsupported(f"{hp.method} has no p but 2")
    chosen = row.optimizer(base_of(hp), hp.rho, hp)
    if hp.decay != "in_loss" or not decay:
        return chosen

    def step(params: Params, state: Any, value_and_grad: ValueAndGrad) -> tuple:
        return chosen.step(params, state, add_l2(value_and_grad, decay))

    return chosen._replace(step=step)


def adapter_of(make: Make, methods: Sequence[str] = ()) -> Adapter:
    """Make an adapter of a function from hyper-parameters to a `minisam.optim` optimizer.

    Args:
        make: hyper-parameters -> optimizer.
        methods: what the adapter claims to have; by default every method there is.

    Example:
        >>> from minisam.adapters.protocol import HYPERPARAMETERS
        >>> run = adapter_of(optimizer_of)([np.array([3.0])], {**HYPERPARAMETERS, "lr": 1.0})
        >>> run(lambda point: [point[0]])
        [array([-0.05])]
    """

    def adapter(params: Arrays, hyperparameters: Mapping[str, Any]) -> Run:
        hp = HyperParameters.of(hyperparameters)
        held = hp.named(params)
        trained = {name: leaf for name, leaf in held.items() if name not in hp.frozen}
        opt = make(hp)
        state = opt.init(trained)

        def run(grad_fn: GradFn) -> Arrays:
            nonlocal trained, state
            value_and_grad = of_trees(grad_fn, held, tuple(trained))
            with np.errstate(all="ignore"):
                trained, state, _ = opt.step(trained, state, value_and_grad)
            held.update(trained)
            return copies(list(held.values()))

        return run

    return mark(adapter, methods=tuple(methods or METHODS), features=frozenset(FEATURES))


def of_trees(grad_fn: Any, held: Params, trained: Sequence[str]) -> ValueAndGrad:
    """Return the oracle's gradient function, of lists of all tensors, as one of dicts of some.

    Hessian products and shards that it has go along; a batch that is not split is one shard.

    Args:
        grad_fn: list of arrays -> list of arrays or None.
        held: every tensor by its name, in the lists' order.
        trained: names of those that the optimizer knows of.
    """

    def arrays(point: Params) -> Arrays:
        return list({**held, **point}.values())

    def tree(gradients: Sequence[Any]) -> Params:
        return {
            name: np.zeros_like(held[name]) if one is None else one
            for name, one in zip(held, gradients, strict=True)
            if name in trained
        }

    def value_and_grad(point: Params, **which: Any) -> tuple:
        return ZERO, tree(grad_fn(arrays(point), **which))

    def hessian_product(point: Params, vector: Params) -> Params:
        still = {name: np.zeros_like(leaf) for name, leaf in held.items()}
        return tree(grad_fn.hessian_product(arrays(point), list({**still, **vector}.values())))

    parts = getattr(grad_fn, "shards", None)
    shards = (
        [of_trees(part, held, trained) for part in parts] if parts else [partial(value_and_grad)]
    )
    mark(value_and_grad, shards=shards)
    if hasattr(grad_fn, "hessian_product"):
        mark(value_and_grad, hessian_product=hessian_product)
    return value_and_grad


def own() -> Adapter:
    """Return an adapter of `minisam.optim`: any method, in float64 and float32.

    Example:
        >>> from minisam.adapters.protocol import HYPERPARAMETERS, observe
        >>> w = [np.array([3.0, 4.0])]
        >>> run = own()(w, {**HYPERPARAMETERS, "rho": 1.0, "names": ("w",)})
        >>> observe(run, w, lambda point: [point[0] / 5]).queries[1]
        [array([3.6, 4.8])]
    """
    return adapter_of(optimizer_of)


library: Adapter = own()
