"""Draw problems whose loss is one of a linear model: logistic regression, and single examples."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from minisam.landscapes import Landscape, logistic_regression
from minisam.rounding import Rounded, exact, sigmoid
from minisam.specification.problem import Problem, UnsuitableProblem, make_problem
from minisam.specification.source import (
    DTYPES,
    NumberSource,
    draw_gradient,
    draw_point,
    draw_size,
    power_of_ten,
    real,
    rounded,
)


class Logistic(NamedTuple):
    """Σ log(1 + exp(−xₖᵀw)) + ½α‖w‖²: its inputs, each times its label ±1, and α."""

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
        """Return Hv = αv + Σ σ(z)σ(−z) xₖ (xₖᵀv) at w."""
        z = self.inputs @ w
        return self.l2 * v + self.inputs.T @ (sigmoid(z) * sigmoid(-z) * (self.inputs @ v))


def draw_logistic(source: NumberSource) -> Problem:
    """Draw logistic regression of up to 6 examples in 1 to 12 dimensions."""
    dtype = source.choice(DTYPES)
    n, k = source.integer(1, 12), source.integer(1, 6)
    inputs = np.stack([draw_point(source, n, -1.5, 0.5) for _ in range(k)])
    facts = Logistic(inputs, power_of_ten(source, -3, 0))
    w, rho = draw_point(source, n, -2, 0.3), power_of_ten(source, -3, 0.3)
    lr = real(source, 0.01, 1.9) / float(facts.smoothness.value)
    return make_problem(source, w, facts.landscape.slope, facts, dtype, rho=rho, lr=lr)


class Ridge(NamedTuple):
    """ℓ(uᵀw) for a direction u: ½(t − y)², log(1 + e⁻ᵗ) or ¼t⁴."""

    direction: np.ndarray
    kind: str
    target: float

    def slope(self, t: Rounded) -> Rounded:
        """Return ℓ'(t)."""
        if self.kind == "square":
            return t - self.target
        if self.kind == "logistic":
            return -sigmoid(-t)
        return t * t * t

    def gradient(self, w: Rounded) -> Rounded:
        """Return ℓ'(uᵀw) u."""
        return self.slope(exact(self.direction) @ w) * self.direction


def draw_ridge(source: NumberSource, kind: str, p: float = 2) -> Problem:
    """Draw a loss of one direction in 1 to 50 dimensions, its slope not too near zero."""
    dtype = source.choice(DTYPES)
    n = draw_size(source)
    u = draw_gradient(source, n, dtype, widest=1)
    w = rounded(draw_point(source, n, -1, 0.5), dtype)
    facts = Ridge(u, kind, rounded(real(source, -3, 3), dtype))
    slope = facts.slope(exact(u) @ exact(w))
    if kind != "logistic" and abs(slope.value) < 1e-3 * max(1.0, float(np.abs(u) @ np.abs(w))):
        raise UnsuitableProblem("the slope is too small to have a certain sign")
    if kind == "logistic" and abs(float(u @ w)) > 30:
        raise UnsuitableProblem("the slope is all but zero, or one")
    rho, lr = power_of_ten(source, -3, 0.5), real(source, 0.01, 1.0) / float(u @ u)
    return make_problem(source, w, facts.gradient, facts, dtype, p=p, rho=rho, lr=lr)
