"""The families of losses that problems are drawn from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from minisam.landscapes import (
    Landscape,
    curved_valley,
    hessian_product,
    logistic_regression,
    random_rotation,
    rayleigh_quotient,
)
from minisam.rounding import Rounded, exact, gamma, sigmoid, unit_roundoff
from minisam.specification.problem import (
    DTYPES,
    Problem,
    Source,
    Unsuitable,
    draw_size,
    make_problem,
    power_of_ten,
    real,
    rounded,
)


class Quadratic(NamedTuple):
    """H = Q diag(λ) Qᵀ; the rotation is None for the axes."""

    spectrum: np.ndarray
    rotation: np.ndarray | None

    def coordinates(self, w: Any) -> Any:
        """Qᵀw, the eigenvectors' coordinates."""
        return w if self.rotation is None else self.rotation.T @ w

    def rotated(self, coordinates: Any) -> Any:
        """Q times the eigenvectors' coordinates."""
        return coordinates if self.rotation is None else self.rotation @ coordinates

    def product(self, w: Any) -> Any:
        """Hw."""
        return hessian_product(w, self.spectrum, self.rotation)

    @property
    def defect(self) -> float:
        """How far Q is from orthogonal."""
        return 0.0 if self.rotation is None else defect(self.rotation)


def defect(rotation: np.ndarray) -> float:
    """How far Q is from orthogonal, ‖QᵀQ − I‖, with what rounding may hide of it.

    Each of the n² entries of QᵀQ is off by at most γₙ, since Q's columns have length 1.
    """
    n = len(rotation)
    hidden = n * float(gamma(n, unit_roundoff(rotation.dtype)))
    return float(np.linalg.norm(rotation.T @ rotation - np.eye(n))) + hidden


def draw_spectrum(
    source: Source, n: int, signed: bool, kinds: Sequence[str] = ("equal", "tame", "wide", "close")
) -> np.ndarray:
    """Curvatures up to 1e2: all equal, over one order of magnitude, over twelve, or all but equal.

    The largest is always there; with ``signed`` each is of either sign.
    """
    top, kind = power_of_ten(source, -2, 2), source.choice(kinds)
    if kind == "equal":
        spectrum: np.ndarray = np.full(n, top)
    elif kind == "close":
        spectrum = top * (1 - 1e-9 * source.reals(0, 1, n))
    else:
        spectrum = top * 10.0 ** source.reals(-12 if kind == "wide" else -1, 0, n)
    first = source.integer(0, n - 1)
    spectrum[first - 1] = spectrum[first - 1] if kind != "wide" else 1e-12 * top
    spectrum[first] = top
    if signed:
        spectrum = spectrum * np.where(source.reals(-1, 1, n) < 0, -1.0, 1.0)
    return spectrum


def draw_point(source: Source, n: int, low: float = -3, high: float = 3) -> np.ndarray:
    """Coordinates of either sign, of size 10^low to 10^high; some of them zero."""
    size = 10.0 ** source.reals(low, high, n)
    sign = np.sign(source.reals(-1, 1, n))
    point = size * sign
    if not np.any(point):
        point[0] = size[0]
    return point


def draw_quadratic(
    source: Source,
    signed: bool = False,
    stable: float = 1.95,
    largest: int = 50,
    kinds: Sequence[str] = ("equal", "tame", "wide", "close"),
    rotated: bool = True,
) -> Problem:
    """A bowl (or saddle) of n in 1..50 dimensions, η max|λ| ≤ ``stable``, ρ in 1e-4..1e2."""
    dtype = source.choice(DTYPES)
    n = draw_size(source, largest)
    spectrum = draw_spectrum(source, n, signed, kinds)
    rotation = None
    if n > 1 and rotated and source.choice((False, True)):
        rotation = random_rotation(n, np.random.default_rng(source.integer(0, 2**32 - 1)))
    facts = Quadratic(spectrum, rotation)
    return make_problem(
        source,
        facts.rotated(draw_point(source, n)),
        facts.product,
        facts,
        dtype,
        rho=power_of_ten(source, -4, 2),
        lr=real(source, 0.01, stable) / float(np.max(np.abs(spectrum))),
    )


class Scripted(NamedTuple):
    """Gradients from no loss at all: g at the start, d2 everywhere else."""

    ascent_gradient: np.ndarray
    descent_gradient: np.ndarray


def draw_gradient(source: Source, n: int, dtype: str, widest: float = 3) -> np.ndarray:
    """A gradient that is not zero, with zeros, ties and sizes over many orders of magnitude."""
    kind = source.choice(("sizes", "ties", "one"))
    if kind == "one":
        g = np.zeros(n)
        g[source.integer(0, n - 1)] = source.choice((1.0, -1.0))
    elif kind == "ties":
        g = np.array([source.choice((1.0, -1.0, 0.5, 0.0)) for _ in range(n)])
    else:
        g = draw_point(source, n, -widest, widest)
    if not np.any(g):
        g[0] = 1.0
    return rounded(g, dtype)


def draw_scripted(source: Source, p: float = 2, method: str = "sam", largest: int = 50) -> Problem:
    """Any point, any gradient there, any other gradient at B."""
    dtype = source.choice(DTYPES)
    n = draw_size(source, largest)
    point = rounded(draw_point(source, n, -2, 2), dtype)
    g, d2 = draw_gradient(source, n, dtype), draw_gradient(source, n, dtype)

    def field(w: Rounded) -> Rounded:
        return exact(g if np.array_equal(w.value, point) else d2)

    return make_problem(
        source,
        point,
        field,
        Scripted(g, d2),
        dtype,
        method=method,
        p=p,
        rho=power_of_ten(source, -2, 1),
        lr=power_of_ten(source, -3, 0),
    )


class Logistic(NamedTuple):
    """Σ log(1 + exp(−xₖᵀw)) + ½α‖w‖²: its inputs (with their labels), α, and what bounds it."""

    inputs: np.ndarray
    l2: float

    @property
    def squares(self) -> Rounded:
        """‖xₖ‖² for each example."""
        return exact(self.inputs) ** 2 @ np.ones(self.inputs.shape[1])

    @property
    def smoothness(self) -> Rounded:
        """β = α + ¼ Σ‖xₖ‖²."""
        return self.l2 + 0.25 * np.sum(self.squares)

    @property
    def third_derivative(self) -> Rounded:
        """Σ ‖xₖ‖³/(6√3) bounds the third derivative in every direction."""
        return np.sum(self.squares**1.5) / (6 * exact(3.0) ** 0.5)

    @property
    def landscape(self) -> Landscape:
        """The loss and its gradient."""
        return logistic_regression(self.inputs, self.l2)

    def hessian_product(self, w: Any, v: Any) -> Rounded:
        """αv + Σ σ(z)σ(−z) xₖ (xₖᵀv)."""
        z = self.inputs @ w
        return self.l2 * v + self.inputs.T @ (sigmoid(z) * sigmoid(-z) * (self.inputs @ v))


def draw_logistic(source: Source, examples: int = 6, l2: bool = True) -> Problem:
    """Logistic regression of up to ``examples`` examples in n in 1..12 dimensions."""
    dtype = source.choice(DTYPES)
    n, k = source.integer(1, 12), source.integer(1, examples)
    inputs = np.stack([draw_point(source, n, -1.5, 0.5) for _ in range(k)])
    alpha = power_of_ten(source, -3, 0) if l2 else 0.0
    facts = Logistic(inputs, alpha)
    return make_problem(
        source,
        draw_point(source, n, -2, 0.3),
        facts.landscape.slope,
        facts,
        dtype,
        rho=power_of_ten(source, -3, 0.3),
        lr=real(source, 0.01, 1.9) / float(facts.smoothness.value),
    )


class Ridge(NamedTuple):
    """ℓ(uᵀw) for a direction u: ½(t − y)², log(1 + e⁻ᵗ) or ¼t⁴."""

    direction: np.ndarray
    kind: str
    target: float

    def slope(self, t: Rounded) -> Rounded:
        """ℓ'(t)."""
        if self.kind == "square":
            return t - self.target
        if self.kind == "logistic":
            return -sigmoid(-t)
        return t * t * t

    def gradient(self, w: Rounded) -> Rounded:
        """ℓ'(uᵀw) u."""
        return self.slope(exact(self.direction) @ w) * self.direction


def draw_ridge(source: Source, kind: str, p: float = 2) -> Problem:
    """A loss of one direction in n in 1..50 dimensions, its slope not too near zero."""
    dtype = source.choice(DTYPES)
    n = draw_size(source)
    u = rounded(draw_gradient(source, n, dtype, widest=1), dtype)
    w = rounded(draw_point(source, n, -1, 0.5), dtype)
    facts = Ridge(u, kind, rounded(real(source, -3, 3), dtype))
    slope = facts.slope(exact(u) @ exact(w))
    if kind != "logistic" and abs(slope.value) < 1e-3 * max(1.0, float(np.abs(u) @ np.abs(w))):
        raise Unsuitable("the slope is too small to have a certain sign")
    if kind == "logistic" and abs(float(u @ w)) > 30:
        raise Unsuitable("the slope is all but zero, or one")
    return make_problem(
        source,
        w,
        facts.gradient,
        facts,
        dtype,
        p=p,
        rho=power_of_ten(source, -3, 0.5),
        lr=real(source, 0.01, 1.0) / float(u @ u),
    )


def draw_quotient(source: Source) -> Problem:
    """A Rayleigh quotient in n in 2..12 dimensions.

    Far from its critical points: ‖∇L‖‖w‖ is the standard deviation of λ with weights wᵢ²/‖w‖², two
    λ are ±3, and no weight is below 1/1200.
    """
    dtype = source.choice(DTYPES)
    n = source.integer(2, source.choice((2, 6, 12)))
    spectrum = source.reals(-3, 3, n)
    spectrum[:2] = 3, -3
    spectrum = rounded(spectrum, dtype)
    w = draw_point(source, n, -0.5, 0.5)
    w = np.where(w == 0, 1.0, w)
    length = float(np.linalg.norm(w))
    return make_problem(
        source,
        w,
        rayleigh_quotient(spectrum).slope,
        spectrum,
        dtype,
        rho=length * power_of_ten(source, -3, -0.5),
        lr=length**2 * power_of_ten(source, -2, 0),
    )


class TwoLayers(NamedTuple):
    """½(u·v − y)² for a point (u, v), a two-layer linear network with k hidden nodes."""

    target: float


def draw_two_layers(source: Source) -> Problem:
    """A two-layer linear network with 1 to 12 hidden nodes, away from its minima and from 0."""
    dtype = source.choice(DTYPES)
    k = source.integer(1, source.choice((1, 3, 12)))
    w = rounded(draw_point(source, 2 * k, -1, 0.5), dtype)
    facts = TwoLayers(rounded(real(source, -2, 2), dtype))
    size = float(np.linalg.norm(w))
    if abs(w[:k] @ w[k:] - facts.target) < 1e-2 or size < 0.1:
        raise Unsuitable("near a minimum, or near the origin")
    return make_problem(
        source,
        w,
        curved_valley(k, facts.target).slope,
        facts,
        dtype,
        rho=power_of_ten(source, -3, 0),
        lr=power_of_ten(source, -3, 0) / size**2,
    )
