"""Products with the Hessian of a loss, without ever forming the Hessian.

The Hessian H = ∇²L(w) of a network with n parameters has n² entries, but its product with a vector
needs none of them. With g(w) = ∇L(w), one more reverse pass through the *computation of g* gives

    H v = ∇_w ⟨g(w), v⟩                        (Pearlmutter 1994; reverse over reverse)

because H is symmetric. The forward half of that pass does not depend on v: `hessian_product` does
it once, and each product afterwards costs little more than one gradient.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np

from minisam.nn.gradients import derivative_of_gradient
from minisam.trees import Params, add, check_floating, check_same_structure, map_leaves

Loss = Callable[[Params], Any]


class FlatHessian(NamedTuple):
    """The Hessian as a linear map between vectors, for algorithms that speak of vectors.

    Attributes:
        matvec: maps a float64 vector of shape (size,) to H v, of the same shape and dtype.
        size: number of parameters.
        flatten: maps a dict of arrays to its vector.
        unflatten: maps a vector to a dict of arrays with the parameters' shapes and dtypes.
    """

    matvec: Callable[[np.ndarray], np.ndarray]
    size: int
    flatten: Callable[[Params], np.ndarray]
    unflatten: Callable[[np.ndarray], Params]


def flatten(params: Params) -> np.ndarray:
    """Lay the entries of all tensors, in the dict's order, in one float64 vector.

    Example:
        >>> flatten({"w": np.array([[1.0, 2.0]]), "b": np.array(3.0)})
        array([1., 2., 3.])
    """
    check_floating(params, "params", integers=True)
    leaves = [np.ravel(leaf) for leaf in params.values()]
    return np.concatenate([np.zeros(0), *leaves]).astype(np.float64)


def unflatten(vector: np.ndarray, like: Params) -> Params:
    """Cut a vector into tensors with the shapes and dtypes of ``like``.

    Raises:
        ValueError: if the vector is not as long, or ``like`` is not floating-point.

    Example:
        >>> unflatten(np.array([1.0, 2.0, 3.0]), {"w": np.zeros((1, 2)), "b": np.zeros(1)})
        {'w': array([[1., 2.]]), 'b': array([3.])}
    """
    check_floating(like, "like")
    total = sum(np.size(leaf) for leaf in like.values())
    vector = np.asarray(vector)
    if vector.dtype.kind not in "fiub":
        raise ValueError(f"vector must hold real numbers, got {vector.dtype}")
    if vector.shape != (total,):
        raise ValueError(f"vector has shape {vector.shape}, the parameters have {total} entries")
    tree, start = {}, 0
    for key, leaf in like.items():
        stop = start + np.size(leaf)
        tree[key] = vector[start:stop].reshape(np.shape(leaf)).astype(np.asarray(leaf).dtype)
        start = stop
    return tree


def hessian_product(loss: Loss, params: Params) -> Callable[[Params], Params]:
    """Return the function v ↦ H v with H the Hessian of ``loss`` at ``params``.

    Args:
        loss: params -> scalar, twice differentiable by autograd.
        params: dict of arrays, the point w.

    Returns:
        A function from a dict of arrays to a dict of arrays of the same structure. It holds the
        traced gradient, and with it the network's activations, for as long as it lives.

    Raises:
        ValueError: if a parameter is not floating-point; from the product, if the vector's
            structure is another.

    Example:
        >>> product = hessian_product(lambda p: 0.5 * p["a"] ** 2 * p["b"], {"a": 3.0, "b": 2.0})
        >>> {key: float(leaf) for key, leaf in product({"a": 1.0, "b": 0.0}).items()}
        {'a': 2.0, 'b': 3.0}

    Reference:
        Pearlmutter, "Fast exact multiplication by the Hessian", Neural Computation 6, 1994.
    """
    symmetric_product = derivative_of_gradient(loss, params)  # v ↦ ∇⟨g, v⟩ = Hᵀ v = H v

    def product(vector: Params) -> Params:
        check_same_structure(params, vector, "vector")
        check_floating(vector, "vector", integers=True)
        return symmetric_product(vector)

    return product


def mean_hessian_product(
    loss: Callable[[Params, Any], Any], params: Params, batches: Iterable[Any]
) -> Callable[[Params], Params]:
    """Return v ↦ mean over batches of H_batch v, holding one batch's activations at a time.

    The Hessian of a mean is the mean of the Hessians; where the whole data set's activations do not
    fit in memory this traces each batch anew for each product, at about twice the time.

    Args:
        loss: (params, batch) -> scalar.
        params: dict of arrays, the point w.
        batches: whatever ``loss`` takes as its second argument; batches of equal size, for the mean
            to be the loss over all of them.

    Example:
        >>> loss = lambda p, x: 0.5 * (p["w"] * x) ** 2
        >>> float(mean_hessian_product(loss, {"w": 1.0}, [1.0, 3.0])({"w": 1.0})["w"])
        5.0
    """
    batches = list(batches)
    if not batches:
        raise ValueError("batches must not be empty")

    def product_on(batch: Any) -> Callable[[Params], Params]:
        return hessian_product(lambda p: loss(p, batch), params)

    def product(vector: Params) -> Params:
        total = product_on(batches[0])(vector)
        for batch in batches[1:]:
            total = add(total, product_on(batch)(vector))
        return map_leaves(lambda leaf: leaf / len(batches), total)

    return product


def flat_hessian(product: Callable[[Params], Params], params: Params) -> FlatHessian:
    """View a Hessian product over dicts as a linear map over vectors.

    Args:
        product: v ↦ H v over dicts, from `hessian_product` or `mean_hessian_product`.
        params: dict of arrays that gives order, shapes and dtypes.

    Example:
        >>> params = {"w": np.array([1.0, 2.0])}
        >>> hessian = flat_hessian(hessian_product(lambda p: (p["w"] ** 2).sum(), params), params)
        >>> hessian.matvec(np.array([1.0, 0.5]))
        array([2., 1.])
    """
    check_floating(params, "params")
    return FlatHessian(
        matvec=lambda vector: flatten(product(unflatten(vector, params))),
        size=sum(np.size(leaf) for leaf in params.values()),
        flatten=flatten,
        unflatten=lambda vector: unflatten(vector, params),
    )


def dense_hessian(loss: Loss, params: Params) -> np.ndarray:
    """Return H as an array of shape (n, n), by n products: for tiny networks only.

    Example:
        >>> dense_hessian(lambda p: (p["a"] ** 2 * p["b"]).sum(), {k: np.ones(1) for k in "ab"})
        array([[2., 2.],
               [2., 0.]])
    """
    hessian = flat_hessian(hessian_product(loss, params), params)
    rows = [hessian.matvec(row) for row in np.eye(hessian.size)]
    return np.array(rows).reshape(hessian.size, hessian.size)
