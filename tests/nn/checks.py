"""Checks that every differentiable function of the networks must pass, with derived bounds.

The function is reduced to a scalar s(x) = ⟨u, f(x)⟩ + ½‖f(x)‖² with a random u (the square gives
linear functions a Hessian too), and compared along a random direction v:

- ⟨∇s, v⟩ with the central difference D(h) = (s(x + hv) − s(x − hv)) / 2h. Its truncation error is
  h²/6 s‴ + O(h⁴), so that D(2h) − D(h) is three times that error, and its rounding error at most
  `OPERATIONS` roundings of each term of s, divided by h.
- ⟨∇s, v⟩ with the forward mode's ⟨u + f, J v⟩;
- the Hessian product H v by reverse over reverse with forward over reverse, and with the central
  difference of ∇s;
- the dtype of every array that forward, backward and Hessian products give, for float32 input.
"""

from __future__ import annotations

import numpy as np
from autograd.core import make_jvp, make_vjp
from hypothesis import reject

EPS = np.finfo(np.float64).eps
OPERATIONS = 200
STEP = EPS ** (1 / 3)


def rng_for(name: str) -> np.random.Generator:
    return np.random.default_rng(sum(map(ord, name)))


def dot(xs, ys) -> float:
    return sum(float(np.vdot(x, y)) for x, y in zip(xs, ys, strict=True))


def magnitude(xs, ys) -> float:
    return sum(float(np.vdot(np.abs(x), np.abs(y))) for x, y in zip(xs, ys, strict=True))


def moved(xs, h, vs):
    return tuple(x + h * v for x, v in zip(xs, vs, strict=True))


def random_like(rng, xs):
    return tuple(rng.standard_normal(np.shape(x)).astype(np.asarray(x).dtype) for x in xs)


def central_difference(function, xs, vs):
    """Return D(h) and a bound on its error, for a function whose value is an array."""
    difference = {
        h: (function(moved(xs, h, vs)) - function(moved(xs, -h, vs))) / (2 * h)
        for h in (STEP, 2 * STEP)
    }
    truncation = np.abs(difference[2 * STEP] - difference[STEP])
    return difference[STEP], truncation


def scalar_and_gradient(function, args, u):
    def scalar(xs):
        f = function(*xs)
        return (f * u).sum() + 0.5 * (f * f).sum()

    def gradient(xs):
        vjp, _ = make_vjp(scalar, xs)
        return vjp(np.ones((), np.asarray(u).dtype))

    return scalar, gradient


def steps_over_a_kink(kinks, args, vs):
    """Whether an entry of ``kinks`` changes its sign between the points of a central difference."""
    points = [kinks(*moved(args, h * STEP, vs)) for h in (-2, -1, 0, 1, 2)]
    return np.ptp(np.sign(points), axis=0).any()


def check_derivatives(function, *args, name="case", kinks=None):
    """Check first and second derivatives of ``function`` at float64 arrays ``args``.

    Where an entry of ``kinks(*args)`` is zero there is no derivative; a hypothesis example that is
    too near for a difference is rejected.
    """
    rng = rng_for(name)
    args = tuple(np.asarray(x, np.float64) for x in args)
    value = function(*args)
    u = rng.standard_normal(np.shape(value))
    vs = random_like(rng, args)
    if kinks is not None and steps_over_a_kink(kinks, args, vs):
        reject()
    scalar, gradient = scalar_and_gradient(function, args, u)
    size = float(np.sum(np.abs(u) * (1 + np.abs(value)) + value * value))

    grads = gradient(args)
    assert [np.shape(g) for g in grads] == [x.shape for x in args]
    slope = dot(grads, vs)
    rounding = OPERATIONS * EPS * (size + magnitude(grads, vs))
    numeric, truncation = central_difference(scalar, args, vs)
    assert abs(slope - numeric) <= truncation + rounding / STEP, (slope, numeric, truncation)

    _, forward = make_jvp(lambda xs: function(*xs), args)(vs)
    terms = np.vdot(np.abs(u + value), np.abs(forward))
    assert abs(slope - np.vdot(u + value, forward)) <= rounding + OPERATIONS * EPS * terms

    hessian_product = make_vjp(gradient, args)[0](vs)
    _, forward_over_reverse = make_jvp(gradient, args)(vs)
    for k in range(len(args)):
        numeric, truncation = central_difference(lambda xs, k=k: gradient(xs)[k], args, vs)
        scale = np.max(np.abs(grads[k]), initial=0) + np.max(np.abs(hessian_product[k]), initial=0)
        bound = truncation + OPERATIONS * EPS * (scale + size) / STEP
        assert np.all(np.abs(hessian_product[k] - numeric) <= bound)
        assert np.all(
            np.abs(hessian_product[k] - forward_over_reverse[k])
            <= OPERATIONS * EPS * (scale + size)
        )


def check_float32(function, *args):
    """Check that values, gradients and Hessian products of float32 arrays are float32.

    One argument at a time: autograd adds a tuple's gradients into zeros of the arguments' dtype,
    which would hide a leak.
    """
    args = tuple(np.asarray(x, np.float32) for x in args)
    value = function(*args)
    for k, arg in enumerate(args):

        def of_one(xs, k=k):
            return function(*args[:k], xs, *args[k + 1 :])

        def gradient(x, of_one=of_one):
            vjp, _ = make_vjp(lambda x: (of_one(x) * of_one(x)).sum(), x)
            return vjp(np.ones((), np.float32))

        v = np.ones_like(arg)
        results = {
            "value": value,
            "gradient": gradient(arg),
            "forward": make_jvp(of_one, arg)(v)[1],
            "Hessian product": make_vjp(gradient, arg)[0](v),
            "forward over reverse": make_jvp(gradient, arg)(v)[1],
        }
        for what, array in results.items():
            dtype = np.asarray(array).dtype
            assert dtype == np.float32, f"{what} of argument {k} is {dtype}"


def check_repeats(correlate, kernel_gradient, channels: int):
    """Check that 3×3 convolutions give the same bits twice, and leave their arguments alone.

    Args:
        correlate: (x, w) → y of x's height and width.
        kernel_gradient: (x, y) → gradient by w.
        channels: of x and of y.
    """
    rng = np.random.default_rng(0)
    x = rng.standard_normal((40, 16, 16, channels)).astype(np.float32)
    w = rng.standard_normal((3, 3, channels, channels)).astype(np.float32)
    y = correlate(x.copy(), w.copy())
    for function, args in (correlate, (x, w)), (kernel_gradient, (x, y)):
        before = [a.copy() for a in args]
        np.testing.assert_array_equal(*(function(*args) for _ in range(2)))
        for arg, kept in zip(args, before, strict=True):
            np.testing.assert_array_equal(arg, kept)
