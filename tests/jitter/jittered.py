"""Products, sums and functions whose results are moved by one unit in the last place.

In which order a sum is taken, whether a product is fused into it and how eˣ is rounded is decided
by the processor, the number of threads and the versions of BLAS and NumPy. Here every result goes
up or down by one unit in the last place of the sum of its terms' magnitudes, as a hash of the
input says: the same input gives the same result, in every process. What is right on every machine
is left alone: a sum of few bits, a sum of two terms, a single product, exp(0). A matrix is moved
before LAPACK sees it, whose error is as if it had been.
"""

import functools
import math
import operator
import zlib

import numpy as np

FLOATS = (np.dtype(np.float32), np.dtype(np.float64))
EASY = (0, 1, 2, 0.5, -1)  # exponents at which ** multiplies, divides or takes a square root
FEW = 251  # as many entries of an array are hashed, as many signs drawn: a prime, for speed
FEW_TERMS = 9  # of which another order can be no more than a unit away
MANY = 10_000  # entries of which terms that cancel are no longer looked for


def moved(result, size, exact, inputs, error=0.0, most=np.inf):
    """The result, each entry one unit in the last place of its size away unless it is exact.

    An entry whose error is known goes the other way where it would have more than the most.
    """
    key = functools.reduce(lambda crc, x: zlib.crc32(seen(x), crc), inputs, 0)
    hashed = np.arange(key, key + FEW, dtype=np.uint64)
    for factor in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9):
        hashed = (hashed ^ hashed >> np.uint64(29)) * np.uint64(factor)
    outwards = np.resize(np.where(hashed >> np.uint64(63), 1, -1), result.shape)
    step = np.where(exact, 0, outwards * np.copysign(np.spacing(size), result))
    step = np.where(np.abs(step + error) > most, -step, step)
    return np.where(np.isfinite(step), result + step, result).astype(result.dtype)


def sample(x):
    """Some of the entries, from all over the array."""
    return x.flat[:: -(-x.size // FEW) or 1]


def seen(x):
    """What is hashed: no powers of two and no signs, since every order of a sum keeps to them."""
    some = np.abs(np.frexp(sample(x))[0]) if x.dtype in FLOATS else sample(x)
    return some.tobytes() + repr(x.shape).encode()


def grain(x):
    """The largest e of which all entries are multiples of 2ᵉ."""
    mantissa, exponent = np.frexp(x[x != 0].astype(np.float64))
    whole = (mantissa * 2.0**53).astype(np.int64)
    return np.min(exponent + np.frexp((whole & -whole).astype(float))[1] - 54, initial=2000)


def bits(x):
    """The number of bits of a significand."""
    return np.finfo(x.dtype).nmant + 1


def is_short(x):
    """Whether half the bits say it all, as where a function's value is exact."""
    scaled = np.ldexp(np.frexp(x)[0], bits(x) // 2)
    return scaled == np.rint(scaled)


class Function:
    """A function in the place of the real one, which it equals, so that it is the same key."""

    def __init__(self, real, call):
        functools.update_wrapper(self, real)
        self.real, self.call = real, call

    def __call__(self, *args, **kwargs):
        return self.call(*args, **kwargs)

    def __eq__(self, other):
        return other is self or other is self.real

    def __hash__(self):
        return hash(self.real)


def wrapped(real, move):
    """The real function, with results that are float arrays or numbers moved."""

    def function(*args, out=None, **kwargs):
        result = real(*args, **kwargs) if out is None else real(*args, out=out, **kwargs)
        if not isinstance(result, np.ndarray | np.floating | float):  # a box, a bounded number
            return result
        found = np.asarray(result)
        if found.dtype not in FLOATS or not found.size:
            return result
        with np.errstate(all="ignore"):
            found = move(found, real, args, kwargs)
        if out is not None:
            out[...] = found
            return out
        return float(found) if type(result) is float else found[()]

    return Function(real, function)


def of_function(result, real, args, kwargs):
    """Move the values of a function."""
    inputs = [x for x in map(np.asarray, args) if x.dtype.kind in "biuf"]
    return moved(result, np.abs(result), is_short(result), inputs)


def of_sum(result, real, args, kwargs, operands=slice(2), certain=1, mean=False):
    """Move what is linear in its operands: its terms' magnitudes and number come from itself."""
    arrays = [np.asarray(x) for x in args[operands]]

    def applied(change):
        changed = list(args)
        changed[operands] = map(change, arrays)
        return np.asarray(real(*changed, **kwargs))

    def within(size, part):
        return np.frexp(n * size)[1] <= sum(grain(part(x)) for x in arrays) + bits(result)

    n = arrays[0].size / result.size if mean else 1
    size = np.abs(result)
    if sum(x.size for x in arrays) > MANY and not within(size, sample).any():
        return moved(result, size, result == 0, arrays)  # what follows takes thrice the time
    size = applied(np.abs)
    terms = n * applied(lambda x: (x != 0).astype(np.float32))
    short = within(size, sample)
    if short.any():
        short = within(size, np.asarray)
    error = result - applied(lambda x: x.astype(np.longdouble)) if terms.min() < FEW_TERMS else 0.0
    most = (terms + 1 - certain) * 2.0 ** -bits(result) * size  # γₙ: what one order or another has
    return moved(result, size, short | (terms <= certain), arrays, error, most)


def of_einsum(result, real, args, kwargs):
    """Move a sum by letters, or by numbers between the arrays."""
    by_letters = isinstance(args[0], str)
    operands = slice(1, None) if by_letters else slice(0, len(args) // 2 * 2, 2)
    return of_sum(result, real, args, kwargs, operands)


def before(real):
    """The real function of a moved matrix."""

    def function(a, *args, **kwargs):
        if isinstance(a, np.ndarray) and a.dtype in FLOATS:
            with np.errstate(all="ignore"):
                a = of_function(a, None, (a,), {})
        return real(a, *args, **kwargs)

    return Function(real, function)


SUMS = {
    **dict.fromkeys((np.dot, np.matmul, np.vdot, np.inner, np.tensordot), of_sum),
    np.einsum: of_einsum,
    np.sum: functools.partial(of_sum, operands=slice(1), certain=2),
    np.mean: functools.partial(of_sum, operands=slice(1), certain=2, mean=True),
}
FUNCTIONS = [np.exp, np.expm1, np.log, np.log1p, np.tanh, np.sin, np.cos, np.logaddexp, np.power]
FUNCTIONS += [np.hypot, np.var, np.std, np.linalg.norm, math.exp, math.log, math.log1p, math.tanh]
FUNCTIONS += [math.sin, math.cos, math.atan2, math.atanh, math.pow, math.lgamma]
LAPACK = ["eigh", "eigvalsh", "eigvals", "qr", "svd", "lstsq", "solve", "inv", "det", "cholesky"]
JITTERED = (
    {real: wrapped(real, move) for real, move in SUMS.items()}
    | {real: wrapped(real, of_function) for real in FUNCTIONS}
    | {real: before(real) for real in (getattr(np.linalg, name) for name in LAPACK)}
)
matmul = wrapped(operator.matmul, of_sum)
raised = wrapped(operator.pow, of_function)


def power(a, b):
    """``a ** b``; of Python's own numbers, and where it is easy, as ever."""
    arrays = isinstance(a, np.ndarray | np.generic) or isinstance(b, np.ndarray | np.generic)
    easy = isinstance(b, int | float) and b in EASY
    return raised(a, b) if arrays and not easy else a**b


def attribute(owner, name):
    """``owner.name``, moved if it is a function of NumPy's or math's, or an array's method."""
    value = getattr(owner, name)
    if name == "__dict__":  # autograd makes its own NumPy from these
        if owner not in (np, np.linalg):
            return value
        return {k: JITTERED.get(v, v) if callable(v) else v for k, v in value.items()}
    if isinstance(owner, np.ndarray | np.generic) and hasattr(np, name):
        return functools.partial(JITTERED[getattr(np, name)], owner)
    return JITTERED.get(value, value) if callable(value) else value
