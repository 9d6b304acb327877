"""Loss and gradient at once, for a loss that is a function of a dict of parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from autograd.builtins import dict as autograd_dict
from autograd.core import VJPNode, add_outgrads
from autograd.tracer import getval, isbox, new_box, trace_stack
from autograd.util import toposort

from minisam.blas import own_threads
from minisam.checks import check_whole, is_real
from minisam.trees import Params, check_floating


def value_and_grad(loss: Callable[[Params], Any], auxiliary: bool = False) -> Callable:
    """Return the function params → (loss, gradient), computed by one forward and backward pass.

    The same as ``autograd.value_and_grad(loss)``, but each tensor is an input of its own: autograd
    would make the dict one input, and add up a dict of zeros for every tensor that is used.

    Args:
        loss: params → scalar, written with `minisam.nn` and `autograd.numpy`; or, with
            ``auxiliary``, params → (scalar, anything else).
        auxiliary: whether ``loss`` returns a second value, which is handed on without gradient.

    Returns:
        A function from params to (float, dict of arrays), or (float, dict of arrays, auxiliary).
        Each gradient has the dtype of its parameter. The function can itself be
        differentiated, in reverse mode. It carries ``hessian_product``, the function (params,
        vector) → H(params) · vector, which `minisam.optim.exact_sam` asks for.

    Raises:
        TypeError: from the returned function, if the loss is not a real scalar.
        ValueError: from the returned function, if a parameter is not floating-point.

    Example:
        >>> half_square = lambda params: 0.5 * (params["w"] ** 2).sum()
        >>> w, v = {"w": np.array([3.0, 4.0])}, {"w": np.array([1.0, 0.0])}
        >>> value_and_grad(half_square)(w)
        (12.5, {'w': array([3., 4.])})
        >>> value_and_grad(half_square).hessian_product(w, v)
        {'w': array([1., 0.])}
    """

    @own_threads()
    def evaluate(params: Params):
        check_parameters(params)
        result, roots = _trace(loss, params)
        value, extra = _pair(result) if auxiliary else (result, None)
        number = real_scalar(value)
        grads = _backward(value, np.ones((), np.result_type(number)), roots, params)
        if any(map(isbox, grads.values())):  # someone differentiates the gradient: tell autograd
            grads = autograd_dict(grads)
        return (float(number), grads, extra) if auxiliary else (float(number), grads)

    def hessian_product(params: Params, vector: Params) -> Params:
        scalar = (lambda w: loss(w)[0]) if auxiliary else loss
        return derivative_of_gradient(scalar, params)(vector)

    vars(evaluate)["hessian_product"] = hessian_product
    return evaluate


def _pair(result) -> tuple[Any, Any]:
    try:
        value, extra = result
    except (TypeError, ValueError):
        got = type(result).__name__
        raise TypeError(f"with auxiliary=True the loss must return two values, got {got}") from None
    return value, extra


def check_parameters(params) -> None:
    """Raise ValueError unless parameters, traced or not, are a dict of floating-point arrays."""
    plain = getval(params)
    is_dict = isinstance(plain, Mapping)
    check_floating({k: getval(v) for k, v in plain.items()} if is_dict else plain, "params")


def real_scalar(value) -> Any:
    """Return the plain number behind a loss, or raise TypeError saying what it is instead."""
    number = getval(value)
    if not is_real(number):
        array = isinstance(number, np.ndarray | np.generic)
        kind = f"{number.dtype} of shape {number.shape}" if array else f"a {type(number).__name__}"
        raise TypeError(f"the loss must be a scalar, one real number, got {kind}")
    return number


def derivative_of_gradient(loss: Callable[[Params], Any], params: Params) -> Callable:
    """Return the function v ↦ ∇⟨∇loss(w), v⟩ at w = ``params``, whose first half is done once.

    The same as ``autograd.core.make_vjp(autograd.grad(loss), params)[0]``, with each tensor an
    input of its own.

    Example:
        >>> w = {"w": np.array([3.0, 4.0])}
        >>> derivative_of_gradient(lambda params: (params["w"] ** 3).sum(), w)(w)
        {'w': array([54., 96.])}
    """
    check_parameters(params)
    evaluate = value_and_grad(loss)
    gradient, roots = _trace(lambda params: evaluate(params)[1], params)

    @own_threads()
    def product(vector: Params) -> Params:
        return _backward(gradient, vector, roots, params)

    return product


def _trace(function: Callable, params: Params) -> tuple[Any, dict[str, VJPNode]]:
    """Return ``function(params)``, traced, and the node at which each parameter begins."""
    roots = {name: VJPNode.new_root() for name in params}
    with trace_stack.new_trace() as trace:
        return function({k: new_box(v, trace, roots[k]) for k, v in params.items()}), roots


def _backward(end, weight, roots: Mapping[str, VJPNode], params: Params) -> Params:
    """Return the gradient of ⟨end, weight⟩, with the structure and dtypes of ``params``."""
    names = {node: name for name, node in roots.items()}
    grads = {}
    pending = {end._node: (weight, False)} if isbox(end) else {}
    for node in toposort(end._node) if isbox(end) else ():
        gradient, _ = pending.pop(node)
        if node in names:
            grads[names[node]] = gradient
        for parent, part in zip(node.parents, node.vjp(gradient), strict=False):
            pending[parent] = add_outgrads(pending.get(parent), part)

    def matching(name: str, parameter):
        if name not in grads:
            return np.zeros_like(getval(parameter))
        gradient, dtype = grads[name], np.result_type(getval(parameter))
        return gradient if np.result_type(getval(gradient)) == dtype else gradient.astype(dtype)

    return {name: matching(name, parameter) for name, parameter in params.items()}


def training_objective(
    model, loss: Callable, images, targets, statistics, m: int | None = None
) -> Callable:
    """Return params → (loss, gradient, new statistics) of a model on one mini-batch.

    This is what an optimizer's ``step`` takes; the new statistics are the pass's auxiliary value.
    It carries ``hessian_product``, as `value_and_grad`'s do, and with ``m`` also ``shards``, such
    a function for every m examples, and ``sizes``, their numbers.

    Args:
        model: a `minisam.nn.models.Model`.
        loss: (logits, targets) → scalar, for example `minisam.nn.losses.cross_entropy`.
        images: ndarray of shape (batch, height, width, channels).
        targets: what the loss takes, for example integers of shape (batch,).
        statistics: batch norm's running statistics before the step, a dict of arrays.
        m: examples per shard, for `minisam.optim.m_sam`; the last shard may have fewer.

    Raises:
        ValueError: if ``m`` is less than 1.

    Example:
        >>> from minisam.nn.losses import cross_entropy
        >>> from minisam.nn.models import mlp
        >>> model = mlp(hidden=(4,), input_shape=(2, 2, 1), classes=3)
        >>> params = model.init(0)
        >>> images, labels = np.ones((5, 2, 2, 1), np.float32), np.arange(5) % 3
        >>> value, grads, _ = training_objective(model, cross_entropy, images, labels, {})(params)
        >>> sorted(grads) == sorted(params), grads["fc1.weight"].dtype.name
        (True, 'float32')
    """

    def objective(params: Params):
        logits, new_statistics = model.apply_training(params, images, statistics)
        return loss(logits, targets), new_statistics

    whole = value_and_grad(objective, auxiliary=True)
    if m is not None:
        check_whole("m", m, low=1)
        cuts = [slice(first, first + m) for first in range(0, len(images), m)]
        vars(whole)["shards"] = [
            training_objective(model, loss, images[cut], targets[cut], statistics) for cut in cuts
        ]
        vars(whole)["sizes"] = [len(images[cut]) for cut in cuts]
    return whole
