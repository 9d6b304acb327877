"""Draw problems from families of losses: quadratic, scripted, a quotient, two linear layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from minisam.landscapes import curved_valley, hessian_product, random_rotation, rayleigh_quotient
from minisam.rounding import Rounded, exact, gamma, inner, unit_roundoff
from minisam.specification.problem import Problem, UnsuitableProblem, make_problem
from minisam.specification.source import (
    DTYPES,
    NumberSource,
    draw_gradient,
    draw_point,
    draw_signs,
    draw_size,
    generator,
    power_of_ten,
    real,
    rounded,
)


class Quadratic(NamedTuple):
    """H = Q diag(λ) Qᵀ; the rotation is None for the axes."""

    spectrum: np.ndarray
    rotation: np.ndarray | None

    def coordinates(self, w: Any) -> Any:
        """Return Qᵀw, the coordinates along the eigenvectors."""
        return w if self.rotation is None else self.rotation.T @ w

    def rotated(self, coordinates: Any) -> Any:
        """Return Q times coordinates along the eigenvectors."""
        return coordinates if self.rotation is None else self.rotation @ coordinates

    def product(self, w: Any) -> Any:
        """Return Hw."""
        return hessian_product(w, self.spectrum, self.rotation)

    @property
    def defect(self) -> float:
        """How far Q is from orthogonal."""
        return 0.0 if self.rotation is None else defect(self.rotation)


def defect(rotation: np.ndarray) -> float:
    """Return ‖QᵀQ − I‖, how far Q is from orthogonal, and what rounding may hide of it.

    Each of the n² entries of QᵀQ is off by at most γₙ, since Q's columns have length 1.
    """
    n = len(rotation)
    hidden = n * float(gamma(n, unit_roundoff(rotation.dtype)))
    return float(np.linalg.norm(rotation.T @ rotation - np.eye(n))) + hidden


def draw_spectrum(
    source: NumberSource,
    n: int,
    signed: bool,
    kinds: Sequence[str],
) -> np.ndarray:
    """Draw curvatures up to 1e2: equal, over one order of magnitude, over twelve, or all but equal.

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
        spectrum = spectrum * draw_signs(source, n)
    return spectrum


def draw_quadratic(
    source: NumberSource,
    signed: bool = False,
    stable: float = 1.95,
    largest: int = 50,
    kinds: Sequence[str] = ("equal", "tame", "wide", "close"),
    rotated: bool = True,
) -> Problem:
    """Draw a bowl or saddle of 1 to 50 dimensions, η max|λ| ≤ ``stable``, ρ in 1e-4..1e2."""
    dtype = source.choice(DTYPES)
    n = draw_size(source, largest)
    spectrum = draw_spectrum(source, n, signed, kinds)
    rotation = None
    if n > 1 and rotated and source.choice((False, True)):
        rotation = random_rotation(n, generator(source))
    facts = Quadratic(spectrum, rotation)
    w, rho = facts.rotated(draw_point(source, n)), power_of_ten(source, -4, 2)
    lr = real(source, 0.01, stable) / float(np.max(np.abs(spectrum)))
    return make_problem(source, w, facts.product, facts, dtype, rho=rho, lr=lr)


class Scripted(NamedTuple):
    """Gradients of no loss at all: d1 at one point, d2 everywhere else."""

    point: np.ndarray
    ascent_gradient: np.ndarray
    descent_gradient: np.ndarray

    def field(self, w: Rounded) -> Rounded:
        """Return the gradient at w."""
        at_start = np.array_equal(w.value, self.point)
        return exact(self.ascent_gradient if at_start else self.descent_gradient)

    def put_on(self, problem: Problem) -> Problem:
        """Return a problem with these gradients, from their point."""
        return problem.at(self.point)._replace(field=self.field, facts=self)


def draw_scripted(source: NumberSource, p: float = 2, method: str = "sam") -> Problem:
    """Draw any point, any gradient there, any other gradient at B."""
    dtype = source.choice(DTYPES)
    n = draw_size(source)
    point = rounded(draw_point(source, n, -2, 2), dtype)
    facts = Scripted(point, draw_gradient(source, n, dtype), draw_gradient(source, n, dtype))
    hp = {"rho": power_of_ten(source, -2, 1), "lr": power_of_ten(source, -3, 0)}
    return make_problem(source, point, facts.field, facts, dtype, method=method, p=p, **hp)


def draw_quotient(source: NumberSource) -> Problem:
    """Draw a Rayleigh quotient in 2 to 12 dimensions, far from its critical points.

    ‖∇L‖‖w‖ is the standard deviation of λ with weights wᵢ²/‖w‖², two
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
    rho, lr = length * power_of_ten(source, -3, -0.5), length**2 * power_of_ten(source, -2, 0)
    slope = rayleigh_quotient(spectrum).slope
    return make_problem(source, w, slope, spectrum, dtype, rho=rho, lr=lr)


def layers_product(w: Rounded) -> Rounded:
    """Return u·v of a point (u, v)."""
    k = w.size // 2
    return inner(w[:k], w[k:])


class TwoLayers(NamedTuple):
    """½(u·v − y)² for a point (u, v), a two-layer linear network with k hidden nodes."""

    target: float

    def at_b(self, w: Rounded, rho: float) -> tuple[Rounded, Rounded]:
        """Return s = ρ sgn r/‖w‖ with which B = (u + sv, v + su), and the residual there."""
        product, square = layers_product(w), inner(w, w)
        s = (rho * float(np.sign((product - self.target).value))) / square**0.5
        return s, product * (1 + s * s) + s * square - self.target


def draw_two_layers(source: NumberSource) -> Problem:
    """Draw a two-layer linear network of 1 to 12 hidden nodes, not near a minimum or 0."""
    dtype = source.choice(DTYPES)
    k = source.integer(1, source.choice((1, 3, 12)))
    w = rounded(draw_point(source, 2 * k, -1, 0.5), dtype)
    facts = TwoLayers(rounded(real(source, -2, 2), dtype))
    size = float(np.linalg.norm(w))
    if abs(w[:k] @ w[k:] - facts.target) < 1e-2 or size < 0.1:
        raise UnsuitableProblem("near a minimum, or near the origin")
    rho, lr = power_of_ten(source, -3, 0), power_of_ten(source, -3, 0) / size**2
    slope = curved_valley(k, facts.target).slope
    return make_problem(source, w, slope, facts, dtype, rho=rho, lr=lr)
