"""Nonlinearities as autograd primitives that keep the dtype.

autograd differentiates NumPy, but the backward passes of `maximum`, `where` and `max` turn float32
into float64, and a chain of small operations reads and writes every array several times. Each
nonlinearity here is one primitive, with a derivative written in terms of primitives, so that the
derivative can be differentiated again.
"""

from __future__ import annotations

import autograd.numpy as anp
import numpy as np
from autograd.extend import defjvp, defvjp, primitive

from minisam.threads import over_batch


def _elementwise(function, *arrays):
    """Return ``function(*arrays, out)``'s out, computed part by part."""
    out = np.empty_like(arrays[0])
    views = [np.atleast_1d(array) for array in (*arrays, out)]
    over_batch(lambda part: function(*(v[part] for v in views)), len(views[0]), out.size)
    return out


def positive_part(x, out):
    """Put max(x, 0) into ``out``.

    NumPy takes the maximum of two arrays in a third of the time that it takes with a number.
    """
    np.maximum(x, np.zeros(x.shape[max(1, x.ndim - 2) :], x.dtype), out=out)


@primitive
def relu(x):
    """Return max(x, 0), with derivative 0 at 0.

    Example:
        >>> relu(np.array([-1.0, 0.0, 2.0]))
        array([0., 0., 2.])
    """
    return _elementwise(positive_part, x)


@primitive
def gate(g, y):
    """Return g where y > 0 and 0 elsewhere: relu's derivative, applied to g."""

    def work(g, y, out):
        np.copyto(out, y > 0)  # as numbers: a product with truth values takes longer
        out *= g

    return _elementwise(work, g, y)


defvjp(relu, lambda y, x: lambda g: gate(g, y))
defjvp(relu, lambda t, y, x: gate(t, y))
# The gate opens and closes only where relu has no derivative: with respect to y it is constant.
defvjp(gate, lambda _, g, y: lambda h: gate(h, y), None)
defjvp(gate, lambda t, _, g, y: gate(t, y), None)


@primitive
def gelu(x):
    """Return the Gaussian error linear unit in its tanh form (Hendrycks and Gimpel 2016, sec. 2).

    x σ(2u) with u = √(2/π) (x + 0.044715 x³): within 5e-4 of x Φ(x).

    Example:
        >>> gelu(np.array([0.0, 1.0])).round(4)
        array([0.    , 0.8412])
    """
    return _elementwise(lambda x, out: np.multiply(x, _gelu_gate(x), out=out), x)


@primitive
def gelu_slope(x):
    """Return gelu's derivative: s + 2 x s (1 − s) u′ with s = σ(2u)."""

    def work(x, out):
        s = _gelu_gate(x)
        np.multiply(2 * GELU * x, 1 + 3 * GELU_CUBIC * (x * x), out=out)
        out *= s * (1 - s)
        out += s

    return _elementwise(work, x)


GELU, GELU_CUBIC = 0.7978845608028654, 0.044715  # √(2/π), and the cubic term


def _gelu_gate(x):
    """Return σ(2u) = ½ (1 + tanh u), in plain NumPy or traced."""
    return 0.5 + 0.5 * anp.tanh(GELU * (x + GELU_CUBIC * (x * x * x)))


def _gelu_curvature(x):
    """Return gelu's second derivative: 2 s (1 − s) (2 u′ + x u″ + 2 x (1 − 2 s) u′²)."""
    s = _gelu_gate(x)
    first = GELU * (1 + 3 * GELU_CUBIC * (x * x))
    second = 6 * GELU * GELU_CUBIC * x
    return 2 * s * (1 - s) * (2 * first + x * second + 2 * x * (1 - 2 * s) * (first * first))


defvjp(gelu, lambda y, x: lambda g: g * gelu_slope(x))
defjvp(gelu, lambda t, y, x: t * gelu_slope(x))
defvjp(gelu_slope, lambda y, x: lambda g: g * _gelu_curvature(x))
defjvp(gelu_slope, lambda t, y, x: t * _gelu_curvature(x))


def tanh(x):
    """Return the hyperbolic tangent.

    Example:
        >>> float(tanh(np.array(0.0)))
        0.0
    """
    return anp.tanh(x)


@primitive
def softmax(x):
    """Return softmax over the last axis, computed without overflow.

    Example:
        >>> softmax(np.array([0.0, 0.0, 1000.0]))
        array([0., 0., 1.])
    """
    x = x if x.dtype.kind == "f" else x.astype(np.float64)  # small integers would wrap around
    p = np.exp(x - np.max(x, axis=-1, keepdims=True))
    p /= np.sum(p, axis=-1, keepdims=True)
    return p


def _softmax_derivative(p, t):
    """Return (diag(p) − p pᵀ) t, which is symmetric: its own adjoint."""
    return p * (t - anp.sum(p * t, axis=-1, keepdims=True))


defvjp(softmax, lambda p, x: lambda g: _softmax_derivative(p, g))
defjvp(softmax, lambda t, p, x: _softmax_derivative(p, t))
