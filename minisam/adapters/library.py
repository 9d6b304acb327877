"""Adapt the library's own optimizers, and make one of hyper-parameters.

The base update is `minisam.optim.sgd`; what is around it is the row of `minisam.optim.methods` with
the method's name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from functools import partial
from typing import Any

import numpy as np

from minisam.adapters.hyperparameters import HyperParameters
from minisam.adapters.losses import ScriptedLoss
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
from minisam.trees import Params, add_scaled

Make = Callable[[HyperParameters], Optimizer]
OFFERED = frozenset(FEATURES) - {"scheduler"}  # a schedule here is a function of the step


def base_of(hp: Mapping[str, Any], **changed: Any) -> Optimizer:
    """Return the base update that hyper-parameters ask for, but for the arguments ``changed``.

    Example:
        >>> from minisam.adapters.protocol import HYPERPARAMETERS
        >>> base_of(HYPERPARAMETERS, momentum=0.5).update is not None
        True
    """
    hp = HyperParameters.of(hp)
    if hp.groups:
        return _by_group(hp, changed)
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


def _by_group(hp: HyperParameters, changed: Mapping[str, Any]) -> Optimizer:
    """Return the base update that moves every parameter group by its own base update."""
    parts = [(names, base_of(own, **changed)) for names, own in hp.by_group(hp.names)]

    def update(params: Params, state: Any, grads: Params) -> tuple:
        new = dict(params)
        velocity: dict[str, Any] = {}
        for names, base in parts:
            before = _some(state.velocity, names) if state.velocity else None
            moved, own = base.update(
                _some(params, names), state._replace(velocity=before), _some(grads, names)
            )
            new.update(moved)
            velocity.update(own.velocity or {})
        return new, state._replace(count=state.count + 1, velocity=velocity or None)

    return parts[0][1]._replace(update=update)


def _some(tree: Params, names: Iterable[str]) -> Params:
    """Return the tensors of these names."""
    return {name: tree[name] for name in names if name in tree}


def with_loss_decay(hp: HyperParameters, value_and_grad: ValueAndGrad) -> ValueAndGrad:
    """Return the function with the weight decay in its loss, if that is where it belongs."""
    if hp.decay != "in_loss":
        return value_and_grad
    if not hp.groups:
        return add_l2(value_and_grad, hp.weight_decay) if hp.weight_decay else value_and_grad

    def by_tensor(params: Params) -> tuple:
        loss, grads, *rest = value_and_grad(params)
        for names, own in hp.by_group(params):
            grads = {
                **grads,
                **add_scaled(_some(grads, names), own.weight_decay, _some(params, names)),
            }
        return loss, grads, *rest

    return by_tensor


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
    row = METHODS[hp.method]
    if hp.method != "sgd" and hp.p != 2 and "p" not in row.own:
        raise Unsupported(f"{hp.method} has no p but 2")
    if any("rho" in group for group in hp.groups):
        raise Unsupported(f"{hp.method} has no rho by group")
    chosen = row.optimizer(base_of(hp), hp.rho, hp)
    if hp.decay != "in_loss":
        return chosen

    def step(params: Params, state: Any, value_and_grad: ValueAndGrad) -> tuple:
        return chosen.step(params, state, with_loss_decay(hp, value_and_grad))

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
        losses = ScriptedLoss()

        def run(grad_fn: GradFn) -> Arrays:
            nonlocal opt, trained, state
            value_and_grad = of_trees(grad_fn, held, tuple(trained), losses)
            with np.errstate(all="ignore"):
                trained, state, _ = opt.step(trained, state, value_and_grad)
            if hp.saved:  # all that a step remembers is in its state
                opt, state = make(hp), deepcopy(state)
            held.update(trained)
            return copies(list(held.values()))

        return run

    return mark(adapter, methods=tuple(methods or METHODS), features=OFFERED)


def of_trees(
    grad_fn: Any, held: Params, trained: Sequence[str], losses: ScriptedLoss
) -> ValueAndGrad:
    """Return the oracle's gradient function, of lists of all tensors, as one of dicts of some.

    Hessian products and shards that it has go along; a batch that is not split is one shard. What
    is not trained is in its ``fixed``, and the last gradients there in ``slopes``.

    Args:
        grad_fn: list of arrays -> list of arrays or None.
        held: every tensor by its name, in the lists' order.
        trained: names of those that the optimizer knows of.
        losses: what the loss is.
    """

    def arrays(point: Params) -> Arrays:
        return list({**held, **point}.values())

    def tree(gradients: Sequence[Any]) -> Params:
        return {
            name: np.zeros_like(held[name]) if one is None else one
            for name, one in zip(held, gradients, strict=True)
            if name in trained
        }

    slopes: Params = {}

    def value_and_grad(point: Params, **which: Any) -> tuple:
        whole = arrays(point)
        loss, gradients = losses.at(whole), grad_fn(whole, **which)
        losses.learn(whole, gradients)
        slopes.update({k: g for k, g in zip(held, gradients, strict=True) if k not in trained})
        return loss, tree(gradients)

    def hessian_product(point: Params, vector: Params) -> Params:
        still = {name: np.zeros_like(leaf) for name, leaf in held.items()}
        return tree(grad_fn.hessian_product(arrays(point), list({**still, **vector}.values())))

    parts = getattr(grad_fn, "shards", None)
    shards = (
        [of_trees(part, held, trained, losses) for part in parts]
        if parts
        else [partial(value_and_grad)]
    )
    fixed = {name: leaf for name, leaf in held.items() if name not in trained}
    mark(value_and_grad, shards=shards, fixed=fixed, slopes=slopes)
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
