"""Numbers that know how wrong they can be.

A property is an equation between real numbers, and an implementation computes with rounded ones.
`Bounded` carries a value together with a bound on its distance from the real number that it stands
for, and every operation carries the bound along: an operation's result is off by what its inputs'
errors do to it and by half a unit in the last place of its own. So an equation written in these
numbers yields its own tolerance, and nobody has to guess one. (`minisam.oracle.rounding` answers
another question: there the optimizer's own arithmetic, in its own precision, carries the errors.)

The standard model (Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., section 2.2
and eqs. 3.3-3.5): fl(x op y) = (x op y)(1 + δ), |δ| ≤ u, and a sum or inner product of n terms, in
any order, is off by at most γₙ Σ|xᵢyᵢ| with γₙ = nu/(1 − nu). Library functions (exp, log, power)
are taken to be good to 4u.
"""

from __future__ import annotations

from typing import Any

import numpy as np

EVALUATION = 2.0**-53  # the equations are evaluated in float64
FUNCTION = 4 * EVALUATION


def unit_roundoff(dtype: Any) -> float:
    """Return u, half the distance from 1 to the next number of the dtype.

    Example:
        >>> unit_roundoff("float32") == 2.0**-24
        True
    """
    return float(np.finfo(dtype).eps) / 2


def gamma(n: int, u: float = EVALUATION) -> float:
    """γₙ = nu/(1 − nu), the relative error that n roundings can add up to.

    Example:
        >>> gamma(4, 0.125)
        1.0
    """
    return n * u / (1 - n * u)


class Bounded:
    """An array of real numbers, known to within ``error`` of ``value``, elementwise.

    Example:
        >>> x = Bounded(3.0, 0.5)
        >>> y = x * x + 1
        >>> float(y.value), float(y.error) >= 3.25
        (10.0, True)
    """

    __array_ufunc__ = None  # so that ndarray * Bounded asks Bounded

    def __init__(self, value: Any, error: Any = None):
        self.value = np.asarray(value, dtype=np.float64)
        if error is None:
            self.error = np.zeros(self.value.shape)
            return
        self.error = np.asarray(error, dtype=np.float64)
        if self.error.shape != self.value.shape:
            self.error = np.broadcast_to(self.error, self.value.shape)

    def __repr__(self) -> str:
        return f"{self.value} ± {self.error}"

    def __getitem__(self, index: Any) -> Bounded:
        return Bounded(self.value[index], self.error[index])

    @property
    def size(self) -> int:
        """The number of entries."""
        return self.value.size

    @property
    def T(self) -> Bounded:
        """The transpose."""
        return Bounded(self.value.T, self.error.T)

    def widened(self, error: Any) -> Bounded:
        """Return the same numbers, ``error`` less certain."""
        return Bounded(self.value, self.error + error)

    def __neg__(self) -> Bounded:
        return Bounded(-self.value, self.error)

    def __abs__(self) -> Bounded:
        return Bounded(np.abs(self.value), self.error)

    def __add__(self, other: Any) -> Bounded:
        other = bounded(other)
        z = self.value + other.value
        return Bounded(z, self.error + other.error + EVALUATION * np.abs(z))

    __radd__ = __add__

    def __sub__(self, other: Any) -> Bounded:
        return self + (-bounded(other))

    def __rsub__(self, other: Any) -> Bounded:
        return bounded(other) - self

    def __mul__(self, other: Any) -> Bounded:
        other = bounded(other)
        z = self.value * other.value
        carried = np.abs(self.value) * other.error + self.error * (
            np.abs(other.value) + other.error
        )
        return Bounded(z, carried + EVALUATION * np.abs(z))

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Bounded:
        other = bounded(other)
        room = np.abs(other.value) - other.error
        with np.errstate(divide="ignore", invalid="ignore"):
            z = self.value / other.value
            carried = (self.error + np.abs(z) * other.error) / room
        error = np.where(room > 0, carried + EVALUATION * np.abs(z), np.inf)
        return Bounded(np.where(room > 0, z, 0.0), error)

    def __rtruediv__(self, other: Any) -> Bounded:
        return bounded(other) / self

    def __matmul__(self, other: Any) -> Bounded:
        other = bounded(other)
        x, y = np.abs(self.value), np.abs(other.value)
        carried = x @ other.error + self.error @ (y + other.error)
        return Bounded(self.value @ other.value, carried + gamma(x.shape[-1]) * (x @ y))

    def __rmatmul__(self, other: Any) -> Bounded:
        return bounded(other) @ self

    def __pow__(self, exponent: float | np.ndarray) -> Bounded:
        """|x|ᵉ for x ≥ 0; the square of any x."""
        if np.ndim(exponent) == 0 and exponent == 2:
            return self * self
        low = np.maximum(self.value - self.error, 0.0)
        z = self.value**exponent
        # monotone in x, so that the interval's ends bound it
        spread = np.maximum((self.value + self.error) ** exponent - z, z - low**exponent)
        return Bounded(z, np.abs(spread) + FUNCTION * z)


def bounded(x: Any) -> Bounded:
    """Return x as a `Bounded`; plain numbers are exact."""
    return x if isinstance(x, Bounded) else Bounded(x)


def total(x: Any) -> Bounded:
    """Σ xᵢ over all entries."""
    x = bounded(x)
    rounding = gamma(max(x.size - 1, 0)) * np.sum(np.abs(x.value))
    return Bounded(np.sum(x.value), np.sum(x.error) + rounding)


def sqrt(x: Any) -> Bounded:
    """√x for x ≥ 0: |√a − √b| ≤ min(|a − b|/√a, √|a − b|)."""
    x = bounded(x)
    z = np.sqrt(np.maximum(x.value, 0.0))
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = np.where(z > 0, x.error / z, np.inf)
    return Bounded(z, np.minimum(relative, np.sqrt(x.error)) + EVALUATION * z)


def exp(x: Any) -> Bounded:
    """eˣ."""
    x = bounded(x)
    z = np.exp(x.value)
    return Bounded(z, z * np.expm1(x.error) + FUNCTION * z)


def sigmoid(x: Any) -> Bounded:
    """1/(1 + e⁻ˣ), whose derivative is at most ¼ and at most its value: |Δ| ≤ min(¼, σe^Δ)Δ."""
    x = bounded(x)
    small = np.exp(-np.abs(x.value))
    z = np.where(x.value >= 0, 1.0, small) / (1 + small)
    carried = np.minimum(0.25, z * np.exp(np.minimum(x.error, 700.0))) * x.error
    return Bounded(z, carried + 3 * FUNCTION * z)


def norm(x: Any, p: float = 2) -> Bounded:
    """‖x‖_p over all entries, p from 1 to infinity, scaled so that nothing over- or underflows."""
    x = bounded(x)
    top = float(np.max(np.abs(x.value), initial=0.0))
    if top == 0:
        return Bounded(0.0, float(np.max(x.error, initial=0.0)) * x.size)
    if p == np.inf:
        return Bounded(top, np.max(x.error))
    s = float(np.ldexp(1.0, min(-int(np.frexp(top)[1]), 1022)))
    y = abs(Bounded(x.value * s, x.error * s))  # exact: s is a power of two
    length = sqrt(total(y * y)) if p == 2 else total(y**p) ** (1 / p)
    return Bounded(length.value / s, length.error / s)


def inner(x: Any, y: Any) -> Bounded:
    """⟨x, y⟩."""
    return bounded(x) @ bounded(y)
