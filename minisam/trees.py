"""Parameters as vectors: a flat dict of arrays, and the few operations an optimizer needs.

A network's parameters are one flat dict from a dotted name to an array, ``{"conv1.weight": …,
"conv1.bias": …}``. SAM's equations treat them as *one* vector w: w + ε, ρ g / ‖g‖. This module is
that point of view: addition, scaling, the inner product and the norm of such a dict, each leaf by
leaf and never in place, and the vector itself where an algorithm asks for one (`flatten`). Weights
are real numbers: the arrays are floating-point, and gradients, optimizers and measures of sharpness
refuse integers and truth values by name (`check_floating`).

Only the norm needs thought. ‖g‖₂ = √Σ gᵢ² squares its entries, so that a gradient of 1e-200 (in
float32: 1e-23) vanishes and one of 1e200 overflows, and ρ g / ‖g‖ becomes inf or NaN although the
direction of g is perfectly well defined. `power_of_two_scale` finds a power of two that brings the
largest entry near 1; multiplying by a power of two is exact, so the direction has the same bits
whatever the gradient's scale.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from minisam.blas import own_threads

Params = dict[str, np.ndarray]


def check_same_structure(expected: Mapping[str, Any], actual: Mapping[str, Any], name: str) -> None:
    """Raise unless two trees have the same keys and shapes.

    Args:
        expected: the tree that sets the structure, usually the parameters.
        actual: the tree to check.
        name: what to call ``actual`` in the error.

    Raises:
        ValueError: naming the missing or extra keys, or the first tensor whose shape differs.

    Example:
        >>> check_same_structure({"w": np.zeros(2)}, {"v": np.zeros(2)}, "grads")
        Traceback (most recent call last):
        ...
        ValueError: grads do not match the parameters: missing 'w'; unexpected 'v'
    """
    if not isinstance(actual, Mapping):
        raise ValueError(f"{name} must be a dict of arrays, got {type(actual).__name__}")
    if expected.keys() != actual.keys():
        missing = [f"missing {key!r}" for key in expected if key not in actual]
        extra = [f"unexpected {key!r}" for key in actual if key not in expected]
        raise ValueError(f"{name} do not match the parameters: {'; '.join(missing + extra)}")
    for key, leaf in expected.items():
        if np.shape(leaf) != np.shape(actual[key]):
            raise ValueError(
                f"{name}[{key!r}] has shape {np.shape(actual[key])}, "
                f"the parameter has shape {np.shape(leaf)}"
            )


def check_floating(tree: Mapping[str, Any], name: str, integers: bool = False) -> None:
    """Raise unless a tree's tensors hold floating-point numbers.

    Integers are refused rather than converted: a gradient has the dtype of its parameter, and one
    that is rounded to integers points elsewhere.

    Args:
        tree: the tree to check.
        name: what to call it in the error.
        integers: whether integers and truth values are fine, too, as for a direction to move in.

    Raises:
        ValueError: naming the first tensor of another dtype, and what to write.

    Example:
        >>> check_floating({"w": np.array([1, 2])}, "params")
        Traceback (most recent call last):
        ...
        ValueError: params['w'] must be floating-point, got int64: write it as .astype(float)
    """
    if not isinstance(tree, Mapping):
        raise ValueError(f"{name} must be a dict of arrays, got {type(tree).__name__}")
    for key, leaf in tree.items():
        kind = leaf.dtype.kind if hasattr(leaf, "dtype") else "f" if type(leaf) is float else "?"
        if kind not in ("fiub" if integers else "f"):
            got = getattr(leaf, "dtype", f"a {type(leaf).__name__}")
            wanted = "real numbers" if integers else "floating-point"
            advice = ": write it as .astype(float)" if kind in "iub" else ""
            raise ValueError(f"{name}[{key!r}] must be {wanted}, got {got}{advice}")


def map_leaves(function: Callable[..., Any], *trees: Mapping[str, Any]) -> Params:
    """Apply ``function`` to corresponding leaves of trees of the same structure.

    Example:
        >>> map_leaves(np.maximum, {"w": np.array([1.0, 5.0])}, {"w": np.array([3.0, 2.0])})
        {'w': array([3., 5.])}
    """
    first, *others = trees
    for other in others:
        if other.keys() != first.keys():
            check_same_structure(first, other, "a tree's keys")
    return {key: function(*(tree[key] for tree in trees)) for key in first}


def add(x: Params, y: Params) -> Params:
    """Return x + y.

    Example:
        >>> add({"w": np.array([1.0, 2.0])}, {"w": np.array([3.0, 4.0])})
        {'w': array([4., 6.])}
    """
    return map_leaves(lambda a, b: a + b, x, y)


def subtract(x: Params, y: Params) -> Params:
    """Return x − y.

    Example:
        >>> subtract({"w": np.array([1.0, 2.0])}, {"w": np.array([3.0, 4.0])})
        {'w': array([-2., -2.])}
    """
    return map_leaves(lambda a, b: a - b, x, y)


def scale(c: float, x: Params) -> Params:
    """Return c · x.

    Example:
        >>> scale(2.0, {"w": np.array([1.0, 2.0])})
        {'w': array([2., 4.])}
    """
    return map_leaves(lambda a: c * a, x)


def add_scaled(x: Params, c: float, y: Params) -> Params:
    """Return x + c · y.

    Example:
        >>> add_scaled({"w": np.array([1.0, 2.0])}, -0.5, {"w": np.array([2.0, 2.0])})
        {'w': array([0., 1.])}
    """
    return map_leaves(lambda a, b: a + c * b, x, y)


def multiply(x: Params, y: Params) -> Params:
    """Return the elementwise product x ⊙ y.

    Example:
        >>> multiply({"w": np.array([1.0, 2.0])}, {"w": np.array([3.0, 4.0])})
        {'w': array([3., 8.])}
    """
    return map_leaves(lambda a, b: a * b, x, y)


def zeros_like(x: Params) -> Params:
    """Return a tree of zeros with the shapes and dtypes of ``x``.

    Example:
        >>> zeros_like({"w": np.array([1.0, 2.0])})
        {'w': array([0., 0.])}
    """
    return map_leaves(np.zeros_like, x)


@own_threads()  # all of BLAS's would be no faster here, and spin beside what comes next
def inner(x: Params, y: Params) -> Any:
    """Return the inner product ⟨x, y⟩ = Σ xᵢ yᵢ over all tensors.

    Example:
        >>> float(inner({"w": np.array([1.0, 2.0])}, {"w": np.array([3.0, 4.0])}))
        11.0
    """
    return sum(map_leaves(np.vdot, x, y).values())


def largest(x: Params) -> Any:
    """Return the largest magnitude maxᵢ |xᵢ|, which is NaN when any entry is.

    Example:
        >>> float(largest({"w": np.array([1.0, -2.0]), "b": np.array([0.5])}))
        2.0
    """
    magnitudes = [np.maximum(np.max(leaf), -np.min(leaf)) for leaf in x.values() if np.size(leaf)]
    if not magnitudes:
        return 0.0
    total = magnitudes[0]
    for magnitude in magnitudes[1:]:
        total = np.maximum(total, magnitude)
    return total


def power_of_two_scale(x: Params) -> Any:
    """Return the power of two s for which the largest entry of s · x lies in [½, 1).

    Where s itself would overflow (subnormal entries) the largest representable power short of
    overflow is taken, which is enough: squares of s · x still neither overflow nor all vanish.
    A tree of zeros, and one with an entry that is not finite, has scale 1.

    Example:
        >>> float(power_of_two_scale({"w": np.array([3e-300])})) == 2.0**994
        True
    """
    magnitude = largest(x)
    if not (np.isfinite(magnitude) and magnitude > 0):
        return 1.0
    _, exponent = np.frexp(magnitude)
    smallest_exponent = np.finfo(np.asarray(magnitude).dtype).minexp
    return np.ldexp(np.ones_like(magnitude), -np.maximum(exponent, smallest_exponent))


def well_scaled(x: Params) -> tuple[Params, Any, Any]:
    """Return (s · x, s, ‖s · x‖²) with s a power of two such that no Σ (s xᵢ)² over- or underflows.

    s is 1, and ``x`` is returned as it is, whenever the plain sum of squares is safe: above
    tiny/u² the squares that underflow are too small to change a bit of the sum. So the choice of
    s never shows in the bits of a direction, only in whether there is one.

    Example:
        >>> y, s, square = well_scaled({"w": np.array([3.0, 4.0])})
        >>> y, s, float(square)
        ({'w': array([3., 4.])}, 1.0, 25.0)
        >>> y, s, square = well_scaled({"w": np.array([3e300, 4e300])})
        >>> float(square) < 1.0
        True
    """
    with np.errstate(over="ignore"):
        square = inner(x, x)
    limits = np.finfo(np.asarray(square).dtype if np.any(square) else np.float64)
    if limits.tiny / limits.eps**2 <= square < np.inf:
        return x, 1.0, square
    s = power_of_two_scale(x)
    y = scale(s, x)
    return y, s, inner(y, y)


def norm(x: Params, p: float = 2) -> Any:
    """Return the global norm ‖x‖_p = (Σ |xᵢ|^p)^(1/p) over all tensors, without over- or underflow.

    Args:
        x: dict of arrays of any shapes.
        p: order of the norm, from 1 to infinity.

    Returns:
        The norm, a scalar of the arrays' dtype: 0 for a tree of zeros, NaN when an entry is NaN.

    Example:
        >>> x = {"w": np.array([3e-300, 4e-300]), "b": np.array([0.0])}
        >>> print(f"{norm(x):.3g} {norm(x, p=1):.3g} {norm(x, p=np.inf):.3g}")
        5e-300 7e-300 4e-300
    """
    if p == 2:
        _, s, square = well_scaled(x)
        return np.sqrt(square) / s
    if p == np.inf:
        return largest(x)
    s = power_of_two_scale(x)
    return sum(np.sum(np.abs(s * leaf) ** p) for leaf in x.values()) ** (1 / p) / s


def flatten(params: Params) -> np.ndarray:
    """Lay the entries of all tensors, in the dict's order, in one float64 vector.

    Example:
        >>> flatten({"w": np.array([[1.0, 2.0]]), "b": np.array(3.0)})
        array([1., 2., 3.])
    """
    check_floating(params, "params", integers=True)
    return np.concatenate([*map(np.ravel, params.values()), []]).astype(np.float64)


def unflatten(vector: np.ndarray, like: Params) -> Params:
    """Cut a vector into tensors with the shapes and dtypes of ``like``.

    Args:
        vector: real numbers, as many as ``like`` has entries.
        like: dict of floating-point arrays.

    Example:
        >>> unflatten(np.array([1.0, 2.0, 3.0]), {"w": np.zeros((1, 2)), "b": np.zeros(1)})
        {'w': array([[1., 2.]]), 'b': array([3.])}
    """
    check_floating(like, "like")
    sizes = [np.size(leaf) for leaf in like.values()]
    vector = np.asarray(vector)
    if vector.dtype.kind not in "fiub":
        raise ValueError(f"vector must hold real numbers, got {vector.dtype}")
    if vector.shape != (sum(sizes),):
        raise ValueError(
            f"vector has shape {vector.shape}, the parameters have {sum(sizes)} entries"
        )
    parts = iter(np.split(vector, np.cumsum(sizes, dtype=int)))  # the last one is empty
    return map_leaves(
        lambda leaf: next(parts).reshape(np.shape(leaf)).astype(np.asarray(leaf).dtype), like
    )
