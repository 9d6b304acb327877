"""The library's own optimizers as an adapter."""

from __future__ import annotations

from typing import Any

import numpy as np

from minisam import optim
from minisam.oracle.protocol import Adapter, Arrays, Run, copies, described

ZERO = 0.0  # a loss that nothing depends on


def optimizer(h: dict[str, Any]) -> optim.Optimizer:
    """Return the optimizer of `minisam.optim` that hyper-parameters describe.

    Example:
        >>> from minisam.oracle.protocol import HYPERPARAMETERS
        >>> isinstance(optimizer({**HYPERPARAMETERS, "method": "asam"}), optim.Optimizer)
        True
    """
    lr, rho = (_schedule(h[key]) for key in ("lr", "rho"))
    decay: Any = h["decay"] if h["decay"] != "in_loss" else "coupled"
    weight_decay = h["weight_decay"] if h["decay"] != "in_loss" else 0.0
    base = optim.sgd(lr, h["momentum"], h["nesterov"], weight_decay, decay)
    method, p = h["method"], h["p"]
    if method == "sgd":
        return base
    if method == "asam":
        granularity = h.get("granularity", "element")
        return optim.asam(base, rho, h["eta"], h["scope"], granularity, p)
    if method == "looksam":
        return optim.looksam(base, rho, h["every"], h["alpha"], p)
    if method == "friendly_sam":
        return optim.friendly_sam(base, rho, h["sigma"], h["memory"], p)
    if method == "exact_sam":
        return optim.exact_sam(base, rho)
    extra = {"gsam": ("alpha",), "wsam": ("gamma",)}.get(method, ())
    return getattr(optim, method)(base, rho, p=p, **{key: h[key] for key in extra})


def own() -> Adapter:
    """Return an adapter of `minisam.optim`: any method, in float64 and float32.

    Example:
        >>> from minisam.oracle.protocol import HYPERPARAMETERS, observe
        >>> w = [np.array([3.0, 4.0])]
        >>> run = own()(w, {**HYPERPARAMETERS, "rho": 1.0, "names": ("w",)})
        >>> observe(run, w, lambda point: [point[0] / 5]).queries[1]
        [array([3.6, 4.8])]
    """

    def adapter(params: Arrays, hyperparameters: dict[str, Any]) -> Run:
        h = hyperparameters
        names = h.get("names") or tuple(f"w{k}" for k in range(len(params)))
        held = dict(zip(names, copies(params), strict=True))
        active = [name for name in names if name not in h.get("frozen", ())]
        opt = optimizer(h)
        state = opt.init({name: held[name] for name in active})

        def tree(arrays: Arrays) -> dict[str, np.ndarray]:
            return {
                name: np.zeros_like(held[name]) if x is None else x
                for name, x in zip(names, arrays, strict=True)
                if name in active
            }

        def whole(params: dict[str, np.ndarray]) -> Arrays:
            return [{**held, **params}[name] for name in names]

        def loss(grad_fn: Any) -> Any:
            def value_and_grad(params: dict[str, np.ndarray]) -> tuple:
                return ZERO, tree(grad_fn(whole(params)))

            more: dict[str, Any] = {}
            if hasattr(grad_fn, "shards"):
                more["shards"] = [loss(shard) for shard in grad_fn.shards]
            if hasattr(grad_fn, "hessian_product"):
                more["hessian_product"] = lambda w, v: tree(
                    grad_fn.hessian_product(whole(w), [v[n] for n in names])
                )
            vars(value_and_grad).update(more)
            if h["decay"] == "in_loss":
                return optim.add_l2(value_and_grad, h["weight_decay"])
            return value_and_grad

        def run(grad_fn: Any) -> Arrays:
            nonlocal state
            params = {name: held[name] for name in active}
            params, state, _ = opt.step(params, state, loss(grad_fn))
            held.update(params)
            return copies(list(held.values()))

        return run

    features = frozenset({"frozen", "missing-gradient", "shards", "hessian-product"})
    return described(adapter, features=features)


def _schedule(value: Any) -> Any:
    """Return a list of values as a function of the step count."""
    if isinstance(value, list | tuple):
        return lambda count: value[min(count, len(value) - 1)]
    return value
