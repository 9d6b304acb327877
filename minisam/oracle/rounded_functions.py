"""What NumPy's functions do with `minisam.oracle.rounding.Rounded` arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from minisam.oracle.rounding import (
    Rounded,
    add,
    divide,
    exact,
    is_exact,
    multiply,
    operand,
    power,
    unit_of,
    value_of,
)


def spread(bound: Any, shape: tuple[int, ...]) -> np.ndarray:
    """A bound as an array of the value's shape."""
    return np.broadcast_to(bound, shape)


def sqrt(x: Rounded) -> Rounded:
    """The square root: the interval's ends, and one rounding."""
    with np.errstate(all="ignore"):
        value = np.sqrt(x.value)
        low = np.sqrt(np.maximum(x.value - x.bound, 0.0))
        carried: Any = np.where(value > 0, x.bound / (value + low), np.sqrt(x.bound))
    if is_exact(x.bound):
        carried = 0.0
    return Rounded(value, carried + x.unit.u * (value + carried), x.unit)


def sign(x: Rounded) -> Rounded:
    """The sign, exact unless x may be on either side of zero."""
    unsure = (np.abs(x.value) <= x.bound) & (np.asarray(x.bound) > 0)
    return Rounded(np.sign(x.value), np.where(unsure, 2.0, 0.0) if np.any(unsure) else 0.0, x.unit)


def extreme(choose: Any) -> Any:
    """np.maximum or np.minimum: each result is as uncertain as the less certain operand."""

    def function(x: Any, y: Any) -> Rounded:
        unit = unit_of(x, y)
        (a, ea), (b, eb) = operand(x, unit), operand(y, unit)
        bound = 0.0 if is_exact(ea) and is_exact(eb) else np.maximum(ea, eb)
        return Rounded(choose(a, b), bound, unit)

    return function


def extreme_of(choose: Any) -> Any:
    """np.max or np.min."""

    def function(x: Rounded, axis: Any = None) -> Rounded:
        bound = 0.0 if is_exact(x.bound) else np.max(spread(x.bound, x.shape), axis=axis)
        return Rounded(choose(x.value, axis=axis), bound, x.unit)

    return function


def total(x: Rounded, axis: Any = None, keepdims: bool = False) -> Rounded:
    """The sum Σ x in any order: γ Σ|x|, where zeros do not count."""
    value = np.sum(x.value, axis=axis, keepdims=keepdims)
    size = np.sum(np.abs(x.value) + x.bound, axis=axis, keepdims=keepdims)
    carried = np.sum(spread(x.bound, x.shape), axis=axis, keepdims=keepdims)
    terms = (np.abs(x.value) + x.bound) != 0
    n = np.sum(terms, axis=axis, keepdims=keepdims)
    nu = np.maximum(n - 1, 0) * x.unit.u
    gamma = np.where(nu < 1, nu / np.where(nu < 1, 1 - nu, 1.0), np.inf)
    grown = np.where(nu > 0, gamma * size, 0.0)
    return Rounded(value, carried + grown, x.unit)


def vdot(x: Any, y: Any) -> Rounded:
    """The inner product Σ x y."""
    product = multiply(x, y)
    return product if product.ndim == 0 else total(product)


def ldexp(x: Any, exponent: Any) -> Rounded:
    """Scale by 2^exponent, exactly."""
    bound = 0.0 if is_exact(x.bound) else np.ldexp(x.bound, exponent)
    return Rounded(np.ldexp(x.value, exponent), bound, x.unit)


def where(condition: Any, x: Any, y: Any) -> Rounded:
    """Entries of x or of y."""
    unit = unit_of(x, y)
    (a, ea), (b, eb) = operand(x, unit), operand(y, unit)
    condition = value_of(condition)
    return Rounded(np.where(condition, a, b), np.where(condition, ea, eb), unit)


def broadcast_to(x: Rounded, shape: tuple[int, ...]) -> Rounded:
    """Repeat x to a shape."""
    bound = x.bound if is_exact(x.bound) else np.broadcast_to(x.bound, shape)
    return Rounded(np.broadcast_to(x.value, shape), bound, x.unit)


def on_values(ufunc: Any) -> Any:
    """A ufunc that answers about the values alone."""
    return lambda *inputs: ufunc(*map(value_of, inputs))


UFUNCS: dict[Any, Any] = {
    np.add: add,
    np.subtract: lambda x, y: add(x, -y),
    np.multiply: multiply,
    np.divide: divide,
    np.power: power,
    np.square: lambda x: multiply(x, x),
    np.sqrt: sqrt,
    np.sign: sign,
    np.negative: lambda x: -x,
    np.absolute: abs,
    np.maximum: extreme(np.maximum),
    np.minimum: extreme(np.minimum),
    np.ldexp: ldexp,
    **{
        ufunc: on_values(ufunc)
        for ufunc in (
            np.frexp,
            np.isfinite,
            np.isnan,
            np.equal,
            np.not_equal,
            np.less,
            np.less_equal,
            np.greater,
            np.greater_equal,
        )
    },
}

FUNCTIONS: dict[Any, Any] = {
    np.vdot: vdot,
    np.sum: total,
    np.max: extreme_of(np.max),
    np.min: extreme_of(np.min),
    np.where: where,
    np.broadcast_to: broadcast_to,
    np.any: lambda x: np.any(x.value),
    np.all: lambda x: np.all(x.value),
    np.shape: lambda x: x.shape,
    np.size: lambda x: x.size,
    np.ndim: lambda x: x.ndim,
    np.zeros_like: lambda x: exact(np.zeros(x.shape), x.unit),
    np.ones_like: lambda x: exact(np.ones(x.shape), x.unit),
}
