"""The reference: the library's own optimizers, for given hyper-parameters and conventions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minisam.optim.asam import asam
from minisam.optim.l2 import add_l2
from minisam.optim.optimizer import Optimizer
from minisam.optim.sam import sam
from minisam.oracle.protocol import Adapter, Arrays, GradFn, Run, Unsupported, copies, described
from minisam.oracle.recipe import Change, base_of, build, recipe_of

Make = Callable[[dict[str, Any]], Optimizer]
METHODS = ("sgd", "sam", "asam")


def optimizer(hp: dict[str, Any], changes: Sequence[Change] = ()) -> Optimizer:
    """The optimizer that hyper-parameters describe, with some pieces changed.

    Without changes (and on one batch) it is `minisam.optim`'s own; with changes it is built from
    the same pieces by `minisam.oracle.recipe`.

    Args:
        hp: hyper-parameters, see `minisam.oracle.protocol.HYPERPARAMETERS`.
        changes: functions ``Recipe -> Recipe``: conventions or mutants.

    Example:
        >>> from minisam.oracle.protocol import HYPERPARAMETERS
        >>> opt = optimizer(HYPERPARAMETERS)
        >>> w = {"w": np.array([3.0])}
        >>> half_square = lambda w: (0.5 * float(w["w"] @ w["w"]), w)
        >>> opt.step(w, opt.init(w), half_square)[0]["w"]
        array([2.695])
    """
    if hp["method"] not in METHODS:
        raise Unsupported(f"the reference has no method {hp['method']!r}")
    if changes or hp.get("shards", 1) > 1:
        return build(recipe_of(hp, *changes))
    base = base_of(hp)
    if hp["method"] == "sgd":
        chosen = base
    else:
        rho = hp["rho"]
        if isinstance(rho, list | tuple):
            values = list(rho)
            rho = lambda count: values[min(count, len(values) - 1)]  # noqa: E731
        if hp["method"] == "sam":
            chosen = sam(base, rho, hp["p"])
        else:
            chosen = asam(base, rho, hp["eta"], hp["scope"], p=hp["p"])
    if hp["decay"] != "in_loss" or not hp["weight_decay"]:
        return chosen

    def step(params: Any, state: Any, value_and_grad: Any) -> tuple:
        return chosen.step(params, state, add_l2(value_and_grad, hp["weight_decay"]))

    return Optimizer(chosen.init, step, chosen.update)


def names_of(hp: dict[str, Any], params: Sequence[Any]) -> list[str]:
    """The tensors' names, or made-up ones."""
    return list(hp.get("names") or (f"tensor{i}.weight" for i in range(len(params))))


def adapter_of(make: Make) -> Adapter:
    """Make an adapter of a function from hyper-parameters to a `minisam.optim` optimizer.

    Example:
        >>> from minisam.oracle.protocol import HYPERPARAMETERS
        >>> run = adapter_of(optimizer)([np.array([3.0])], {**HYPERPARAMETERS, "lr": 1.0})
        >>> run(lambda point: [point[0]])
        [array([-0.05])]
    """

    def adapter(params: Arrays, hp: dict[str, Any]) -> Run:
        names = names_of(hp, params)
        held = dict(zip(names, copies(params), strict=True))
        frozen = {name: held[name] for name in hp.get("frozen", ())}
        opt = make(hp)
        trained = {name: held[name] for name in names if name not in frozen}
        state = opt.init(trained)

        def run(grad_fn: GradFn) -> Arrays:
            nonlocal trained, state

            def value_and_grad(point: Any, **which: Any) -> tuple:
                whole = {**frozen, **point}
                grads = grad_fn([whole[name] for name in names], **which)
                return 0.0, {
                    name: np.zeros_like(whole[name]) if grad is None else grad
                    for name, grad in zip(names, grads, strict=True)
                    if name in trained
                }

            with np.errstate(all="ignore"):
                trained, state, _ = opt.step(trained, state, value_and_grad)
            whole = {**frozen, **trained}
            return [whole[name] for name in names]

        return run

    features = frozenset({"frozen", "shards", "missing-gradient"})
    return described(adapter, methods=METHODS, features=features)


reference: Adapter = adapter_of(optimizer)
