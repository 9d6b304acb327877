"""The dense layer as one autograd primitive, and the few linear ones that its derivatives need.

Product, bias and relu are one pass over memory; the derivative is written in terms of primitives,
so that it can be differentiated again, and stays in float32 for float32 arrays.
"""

from __future__ import annotations

import numpy as np
from autograd.extend import defjvp, defjvp_argnum, defvjp, defvjp_argnums, primitive

from minisam.blas import blas_threads
from minisam.nn.kernels.activations import gate, positive_part
from minisam.threads import over_batch, pays, workers


@primitive
def product(a, b, in_pieces: bool = True):
    """Return the matrix product a b, ``in_pieces`` on threads of ours or else on BLAS's.

    For a large product nothing is faster than BLAS on all of its threads. But then those spin for
    some 100 ms, in the way of kernels that work in parts (`minisam.blas`).
    """
    rows, columns = len(a), b.shape[1]
    size = rows * columns * len(b) // 16
    y = np.empty((rows, columns), np.result_type(a, b))
    if not in_pieces and pays(size):
        with blas_threads():
            return np.matmul(a, b, out=y)

    def work(part):
        if rows > columns:
            np.matmul(a[part], b, out=y[part])
        else:
            np.matmul(a, b[:, part], out=y[:, part])

    over_batch(work, max(rows, columns), size, parts=workers())
    return y


defvjp(
    product,
    lambda y, a, b, in_pieces=True: lambda g: product(g, b.T, in_pieces),
    lambda y, a, b, in_pieces=True: lambda g: product(a.T, g, in_pieces),
)
defjvp(product, "same", "same")


def _rows(x):
    return x.reshape((-1, x.shape[-1]))


@primitive
def affine(x, w, b, in_pieces: bool, rectify: bool = False):
    """Return x w + b or its relu, the dense layer, for x (…, in), w (in, out) and b (out,).

    ``in_pieces`` is that of `product`.

    Example:
        >>> affine(np.ones((1, 2)), np.array([[1.0], [2.0]]), np.array([0.5]), in_pieces=True)
        array([[3.5]])
    """
    y = product(_rows(x), w, in_pieces)
    y += b
    if rectify:
        positive_part(y, out=y)
    return y.reshape((*x.shape[:-1], w.shape[1]))


def define_derivatives(layer, options: int, adjoints, tangents) -> None:
    """Define the derivatives of a layer z(x, w) + b, or of its relu: those of z, and relu's gate.

    Args:
        layer: primitive of x, w, b, the options of z, and ``rectify``.
        options: how many of them there are.
        adjoints: for each of x, w and b, (g, *arguments) → its gradient, of y's gradient g.
        tangents: for each of x, w and b, (t, y, *arguments) → y's tangent, of its tangent t.
    """

    def vjp(argnums, y, args, kwargs):
        def back(g):
            g = gate(g, y) if any(args[3 + options :]) else g
            return tuple(adjoints[k](g, *args) for k in argnums)

        return back

    def jvp(argnum, t, y, args, kwargs):
        tangent = tangents[argnum](t, y, *args)
        return gate(tangent, y) if any(args[3 + options :]) else tangent

    defvjp_argnums(layer, vjp)
    defjvp_argnum(layer, jvp)


define_derivatives(
    affine,
    options=1,
    adjoints=(
        lambda g, x, w, b, in_pieces, *_: product(_rows(g), w.T, in_pieces).reshape(x.shape),
        lambda g, x, w, b, in_pieces, *_: product(_rows(x).T, _rows(g), in_pieces),
        lambda g, *_: total(g),
    ),
    tangents=(
        lambda t, y, x, w, b, in_pieces, *_: product(_rows(t), w, in_pieces).reshape(y.shape),
        lambda t, y, x, w, b, in_pieces, *_: product(_rows(x), t, in_pieces).reshape(y.shape),
        lambda t, y, *_: repeat(t, y.shape),
    ),
)


@primitive
def add_bias(x, b):
    """Return x + b for x (…, channels) and b (channels,)."""
    return x + b


@primitive
def total(x):
    """Return the sum over all axes but the last one."""
    rows = x.reshape(-1, x.shape[-1])
    one = np.ones(len(rows), x.dtype)
    return np.sum(over_batch(lambda part: one[part] @ rows[part], len(rows), x.size), axis=0)


@primitive
def repeat(b, shape):
    """Return b (channels,) at every position of an array of ``shape``: the adjoint of `total`."""
    return np.broadcast_to(b, shape)


defvjp(add_bias, lambda y, x, b: lambda g: g, lambda y, x, b: lambda g: total(g))
defjvp(add_bias, lambda t, y, x, b: t, lambda t, y, x, b: repeat(t, x.shape))
defvjp(total, lambda y, x: lambda g: repeat(g, x.shape))
defjvp(total, "same")
defvjp(repeat, lambda y, b, shape: lambda g: total(g))
defjvp(repeat, "same")
