"""Products with the Hessian of a loss, without ever forming the Hessian.

The Hessian H = ∇²L(w) of a network with n parameters has n² entries, but its product with a vector
needs none of them. With g(w) = ∇L(w), one more reverse pass through the *computation of g* gives

    H v = ∇_w ⟨g(w), v⟩                        (Pearlmutter 1994; reverse over reverse)

because H is symmetric. The forward half of that pass does not depend on v: `hessian_product` does
it once, and each product afterwards costs little more than one gradient.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from minisam.nn.gradients import derivative_of_gradient
from minisam.trees import Params, check_floating, check_same_structure, flatten, unflatten

Loss = Callable[[Params], Any]


class FlatHessian(NamedTuple):
    """A Hessian as a linear map between vectors, for algorithms that speak of vectors.

    Attributes:
        matvec: maps a float64 vector of shape (size,) to H v, of the same shape and dtype.
        size: number of parameters.
    """

    matvec: Callable[[np.ndarray], np.ndarray]
    size: int


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

    Source:
        Pearlmutter, "Fast exact multiplication by the Hessian", Neural Computation 6, 1994.
    """
    symmetric_product = derivative_of_gradient(loss, params)  # v ↦ ∇⟨g, v⟩ = Hᵀ v = H v

    def product(vector: Params) -> Params:
        check_same_structure(params, vector, "vector")
        check_floating(vector, "vector", integers=True)
        return symmetric_product(vector)

    return product


def flat_hessian(product: Callable[[Params], Params], params: Params) -> FlatHessian:
    """View a Hessian product over dicts as a linear map over vectors.

    Args:
        product: v ↦ H v over dicts, from `hessian_product`.
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
