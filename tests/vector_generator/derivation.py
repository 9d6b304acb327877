"""The expected values of the exact vectors, derived a second time, in rational numbers.

Nothing of `minisam.optim` is used here. The equations are written out over lists of
`fractions.Fraction`, so that there is no rounding at all, and every number on the way is entered
in a `Ledger`, in each order in which an honest implementation may compute it. A vector is good for
a floating-point format exactly when all numbers of its ledger are numbers of that format: then
every order of operations gives the same bits.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from math import isqrt
from typing import Any, NamedTuple

Flat = list[Fraction]
FORMATS = {  # bits of the significand, smallest and largest binary exponent of a normal number
    "float64": (53, -1022, 1023),
    "float32": (24, -126, 127),
    "bfloat16": (8, -126, 127),
}


class Ledger:
    """The numbers that an implementation may meet on its way, and the largest partial sums.

    ``either`` holds, by name, those that only one order of operations meets: a vector may be exact
    in one order alone, and is flagged then.
    """

    def __init__(self) -> None:
        self.seen: set[Fraction] = set()
        self.sums: list[tuple[Fraction, Fraction]] = []  # unit and total of |terms|
        self.either: dict[str, set[Fraction]] = {}
        self.norms: list[Fraction] = []

    def enter(self, values: Iterable[Fraction], order: str | None = None) -> Flat:
        """Note ``values`` (for one order of operations, if it is named) and return them."""
        values = list(values)
        (self.seen if order is None else self.either.setdefault(order, set())).update(values)
        return values

    def total(self, terms: Iterable[Fraction]) -> Fraction:
        """Return Σ terms, noting what is needed for the sum to be exact in any order."""
        terms = self.enter(terms)
        if any(terms):
            unit = min(Fraction(x.numerator & -x.numerator, x.denominator) for x in terms if x)
            self.sums.append((unit, sum(map(abs, terms), Fraction(0))))
        return self.enter([sum(terms, Fraction(0))])[0]

    def formats(self, order: str | None = None) -> list[str]:
        """Return the formats in which everything noted so far (and in that order) is exact."""
        values = self.seen | self.either.get(order or "", set())
        return [
            name
            for name, (bits, low, high) in FORMATS.items()
            if all(representable(x, bits, low, high) for x in values)
            and all(total <= unit * 2**bits for unit, total in self.sums)
        ]


def representable(x: Fraction, bits: int, low: int, high: int) -> bool:
    """Return whether x is zero or a normal number of a binary format.

    Example:
        >>> representable(Fraction(255, 2), 8, -126, 127)
        True
        >>> representable(Fraction(257, 2), 8, -126, 127), representable(Fraction(1, 3), 53, -9, 9)
        (False, False)
    """
    if x == 0:
        return True
    if x.denominator & (x.denominator - 1):
        return False
    odd = abs(x.numerator) // (x.numerator & -x.numerator)
    return odd.bit_length() <= bits and Fraction(2) ** low <= abs(x) < Fraction(2) ** (high + 1)


def nearest(x: Fraction, bits: int) -> Fraction:
    """Return x rounded to ``bits`` significant bits, ties to even.

    Example:
        >>> nearest(2 + Fraction(1, 2**60), 53)
        Fraction(2, 1)
    """
    if x == 0:
        return x
    exponent = abs(x.numerator).bit_length() - x.denominator.bit_length() - bits
    while abs(x) >= Fraction(2) ** (exponent + bits):
        exponent += 1
    unit = Fraction(2) ** exponent
    return round(x / unit) * unit


def root(x: Fraction) -> Fraction:
    """Return √x where it is rational, and raise ValueError where it is not.

    Example:
        >>> root(Fraction(9, 4))
        Fraction(3, 2)
    """
    r = Fraction(isqrt(x.numerator), isqrt(x.denominator))
    if r * r != x:
        raise ValueError(f"the square root of {x} is irrational")
    return r


class State(NamedTuple):
    """What a method remembers: steps taken, velocity, and LookSAM's v or Friendly SAM's m."""

    taken: int = 0
    velocity: list[Flat] | None = None
    memory: list[Flat] | None = None


def flat(tensors: list[Flat]) -> Flat:
    """Return the entries of all tensors in one list."""
    return [x for tensor in tensors for x in tensor]


def split(values: Iterable[Any], like: Sequence[Sequence[Any]]) -> list[list[Any]]:
    """Return ``values`` cut into tensors of the lengths of ``like``."""
    values = iter(values)
    return [[next(values) for _ in tensor] for tensor in like]


def square_of(tensor: Flat) -> Fraction:
    """Return Σ x²."""
    return sum((x * x for x in tensor), Fraction(0))


def euclidean(ledger: Ledger, tensors: list[Flat], naive: bool) -> Fraction:
    """Return ‖·‖₂ over all tensors; exact also as the norm of the tensors' own norms."""
    squares = [square_of(tensor) for tensor in tensors]
    if naive:
        ledger.total(x * x for x in flat(tensors))
        ledger.total(squares)
        try:
            ledger.enter([root(square) for square in squares])
        except ValueError:
            ledger.enter([Fraction(1, 3)], "norm of norms")  # in no format
    return ledger.enter([root(sum(squares, Fraction(0)))])[0]


def operator(w: list[Flat], shapes: list[tuple], h: dict[str, Any]) -> list[Flat]:
    """Return T: |w| + η (or a filter's or a tensor's length + η) in scope, 1 elsewhere."""
    result = []
    for name, shape, tensor in zip(h["names"], shapes, w, strict=True):
        granularity = h.get("granularity", "element")
        if h["method"] != "asam" or (h["scope"] == "weights" and not name.endswith("weight")):
            result.append([Fraction(1)] * len(tensor))
        elif granularity == "layer":
            result.append([root(square_of(tensor)) + h["eta"]] * len(tensor))
        elif granularity == "filter" and len(shape) == 4:
            filters = [tensor[k :: shape[3]] for k in range(shape[3])]
            lengths = [root(square_of(one)) + h["eta"] for one in filters]
            result.append([lengths[k % shape[3]] for k in range(len(tensor))])
        else:
            result.append([abs(x) + h["eta"] for x in tensor])
    return result


def climb(
    ledger: Ledger, w: list[Flat], g: list[Flat], shapes: list[tuple], h: dict[str, Any]
) -> Flat:
    """Return ε = ρ T² g / ‖T g‖, with T = 1 for SAM, and its relatives for p = 1 and p = ∞."""
    T = flat(operator(w, shapes, h))
    rho, p = h["rho"], h["p"]
    Tg = ledger.enter(t * x for t, x in zip(T, flat(g), strict=True))
    top = max(map(abs, Tg))
    if top == 0 or rho == 0:
        return [Fraction(0)] * len(Tg)
    if p == "inf":
        return ledger.enter(rho * t * ((x > 0) - (x < 0)) for t, x in zip(T, Tg, strict=True))
    if p == 1:
        share = rho / sum(abs(x) == top for x in Tg)
        return ledger.enter(
            share * t * ((x > 0) - (x < 0)) * (abs(x) == top) for t, x in zip(T, Tg, strict=True)
        )
    n = euclidean(ledger, split(Tg, g), naive=not h.get("extreme"))
    ledger.norms.append(n)
    ledger.enter([rho / n], "coefficient")  # (ρ/‖Tg‖) · T²g
    ledger.enter((rho / n * x for x in Tg), "coefficient")
    ledger.enter((x / n for x in Tg), "unit")  # ρ · (T²g / ‖Tg‖)
    ledger.enter((t * x / n for t, x in zip(T, Tg, strict=True)), "unit")
    ledger.enter((rho * x for x in Tg), "divide last")  # (ρ T²g) / ‖Tg‖
    ledger.enter((rho * t * x for t, x in zip(T, Tg, strict=True)), "divide last")
    ledger.enter(t * t for t in T)
    ledger.enter(t * x for t, x in zip(T, Tg, strict=True))
    return ledger.enter(rho * t * x / n for t, x in zip(T, Tg, strict=True))


def descend(
    ledger: Ledger, w: list[Flat], state: State, d: Flat, h: dict[str, Any]
) -> tuple[list[Flat], list[Flat] | None]:
    """Return (new w, new velocity): momentum, Nesterov and decay of the base update at A."""
    enter, lr, mu, decay = ledger.enter, h["lr"], h["momentum"], h["weight_decay"]
    W = flat(w)
    if h["decay"] == "coupled" and decay:
        enter(decay * x for x in W)
        d = enter(x + decay * y for x, y in zip(d, W, strict=True))
    velocity = None
    move = d
    if mu:
        old = flat(state.velocity) if state.velocity else [Fraction(0)] * len(d)
        enter(mu * v for v in old)
        velocity = enter(mu * v + x for v, x in zip(old, d, strict=True))
        enter(mu * v for v in velocity)
        move = velocity
        if h["nesterov"]:
            move = enter(x + mu * v for x, v in zip(d, velocity, strict=True))
        enter(lr * x for x in d)
        enter(lr * v for v in velocity)
    enter(lr * x for x in move)
    shrink = lr * decay if h["decay"] == "decoupled" else Fraction(0)
    if shrink:
        enter([shrink, 1 - shrink])
        enter(shrink * x for x in W)
        enter(decay * x for x in W)
        enter(x + decay * y for x, y in zip(move, W, strict=True))
        enter((1 - shrink) * x for x in W)
        enter(y - lr * x for x, y in zip(move, W, strict=True))
    new = enter((1 - shrink) * y - lr * x for x, y in zip(move, W, strict=True))
    return split(new, w), split(velocity, w) if velocity is not None else None


def inner(ledger: Ledger, x: Flat, y: Flat) -> Fraction:
    """Return ⟨x, y⟩."""
    return ledger.total(a * b for a, b in zip(x, y, strict=True))


def combine(ledger: Ledger, x: Flat, c: Fraction, y: Flat) -> Flat:
    """Return x + c · y."""
    ledger.enter([c])
    ledger.enter(c * b for b in y)
    return ledger.enter(a + c * b for a, b in zip(x, y, strict=True))


def plus(ledger: Ledger, w: list[Flat], epsilon: Flat) -> list[Flat]:
    """Return B = A + ε, rounded once; raise where the formats would round it differently."""
    exact = [x + e for x, e in zip(flat(w), epsilon, strict=True)]
    rounded = [{nearest(x, bits) for bits, _, _ in FORMATS.values()} for x in exact]
    if any(len(values) > 1 for values in rounded):
        raise ValueError("A + ε rounds differently in different formats")
    return split(ledger.enter(min(values) for values in rounded), w)


def step(
    ledger: Ledger,
    w: list[Flat],
    state: State,
    script: dict[str, Any],
    shapes: list[tuple],
    h: dict[str, Any],
) -> tuple[list[list[Flat]], list[Flat], State]:
    """Return (points asked at, new w, new state) of one step of any method.

    Args:
        ledger: collects every number met.
        w: A, a list of tensors, each a list of its entries.
        state: what the method remembers.
        script: ``gradients``, the answers in the order of the questions; with ``shards`` a list of
            such lists; with ``hessian`` the matrix H(A).
        shapes: the tensors' shapes.
        h: hyper-parameters as fractions, with the step's own ``lr`` and ``rho``.
    """
    method = h["method"]
    if method == "m_sam":
        points, mean = [], [Fraction(0)] * len(flat(w))
        for d1, d2 in script["shards"]:
            B = plus(ledger, w, climb(ledger, w, d1, shapes, h))
            points += [w, B]
            mean = combine(ledger, mean, Fraction(1, len(script["shards"])), flat(d2))
        new, velocity = descend(ledger, w, state, mean, h)
        return points, new, State(state.taken + 1, velocity)

    shards = script.get("shards")
    if shards:  # a split batch: the mean of the shards' gradients is the batch's
        share = Fraction(1, len(shards))
        script = {"gradients": [_mean(ledger, share, parts) for parts in zip(*shards, strict=True)]}
    gradients = [[list(map(Fraction, tensor)) for tensor in g] for g in script["gradients"]]
    for gradient in gradients:
        ledger.enter(flat(gradient))
    d1, memory = gradients[0], state.memory
    if h["decay"] == "in_loss":
        d1 = split(combine(ledger, flat(d1), h["weight_decay"], flat(w)), w)
    if method == "sgd":
        new, velocity = descend(ledger, w, state, flat(d1), h)
        return [w], new, State(state.taken + 1, velocity)
    if method == "looksam" and state.taken % h["every"]:
        assert memory is not None  # the first step climbs
        length = euclidean(ledger, [flat(memory)], naive=True)
        G = euclidean(ledger, d1, naive=True)
        ledger.enter([h["alpha"] * G])
        c = h["alpha"] * G / length if length else Fraction(0)
        d = combine(ledger, flat(d1), c, flat(memory))
        new, velocity = descend(ledger, w, state, d, h)
        return [w], new, State(state.taken + 1, velocity, memory)

    upward = d1
    if method == "friendly_sam":
        old = flat(memory) if memory else [Fraction(0)] * len(flat(w))
        ledger.enter([1 - h["memory"]])
        kept = ledger.enter((1 - h["memory"]) * x for x in flat(d1))
        memory = split(combine(ledger, kept, h["memory"], old), w)
        upward = split(combine(ledger, flat(d1), -h["sigma"], flat(memory)), w)
    B = plus(ledger, w, climb(ledger, w, upward, shapes, h))
    d2 = gradients[1]
    if h["decay"] == "in_loss":
        d2 = split(combine(ledger, flat(d2), h["weight_decay"], flat(B)), w)
    d, e = flat(d2), flat(d1)
    if method == "gsam" and h["alpha"]:
        square = inner(ledger, d, d)
        across = combine(ledger, e, -inner(ledger, e, d) / square, d) if square else e
        d = combine(ledger, d, -h["alpha"], across)
    if method == "wsam":
        ledger.enter(x - y for x, y in zip(d, e, strict=True))
        weight = ledger.enter([h["gamma"] / (1 - h["gamma"])])[0]
        d = combine(ledger, e, weight, [x - y for x, y in zip(d, e, strict=True)])
    if method == "looksam":
        memory = split(combine(ledger, d, -inner(ledger, e, d) / inner(ledger, e, e), e), w)
    if method == "exact_sam":
        G = euclidean(ledger, d1, naive=True)
        unit = ledger.enter(x / G for x in e)
        turning = combine(ledger, d, -inner(ledger, unit, d), unit)
        product = [inner(ledger, [Fraction(x) for x in row], turning) for row in script["hessian"]]
        d = combine(ledger, d, h["rho"] / G, product)
    new, velocity = descend(ledger, w, state, d, h)
    points = [w, B] * (len(shards) if shards else 1)
    return points, new, State(state.taken + 1, velocity, memory)


def _mean(ledger: Ledger, share: Fraction, gradients: Iterable[list[Flat]]) -> list[Flat]:
    """Return the mean of gradients, noting it both as a mean of parts and as a part of the sum."""
    gradients = list(gradients)
    columns = list(zip(*map(flat, gradients), strict=True))
    sums = [ledger.total(column) for column in columns]
    parts = [ledger.total(share * x for x in column) for column in columns]
    assert [share * x for x in sums] == parts
    return split(parts, gradients[0])
