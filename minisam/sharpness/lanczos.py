"""The largest eigenvalues of a Hessian, from products alone: Lanczos' iteration.

From a start vector q₁, k products build an orthonormal basis Q of span{q₁, Hq₁, …, Hᵏ⁻¹q₁} in which
H is tridiagonal,

    H Q = Q T + β_k q_{k+1} e_kᵀ,        T = tridiag(β, α, β).

The eigenvalues θ of T (Ritz values) converge to H's extreme eigenvalues first. If T s = θ s, then
y = Q s is an approximate eigenvector and its residual is known without another product:

    ‖H y − θ y‖ = β_k |s_k|,             so some eigenvalue of H lies within β_k |s_k| of θ.

In floating point the basis loses its orthogonality as soon as a Ritz value converges, and copies of
it appear ("ghosts"). Each new vector is therefore orthogonalized against all earlier ones, twice,
which costs little beside a network's Hessian product.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np


class Lanczos(NamedTuple):
    """What k steps of Lanczos found; the eigenvalues ascend.

    Attributes:
        eigenvalues: Ritz values, shape (k,).
        eigenvectors: Ritz vectors as columns, shape (n, k).
        residuals: ‖H y − θ y‖ of each pair, shape (k,).
        weights: ⟨q₁, y⟩² of each pair, shape (k,); they sum to 1 and are Gauss quadrature weights.
        steps: k, smaller than asked for when the start vector lay in an invariant subspace.
    """

    eigenvalues: np.ndarray
    eigenvectors: np.ndarray
    residuals: np.ndarray
    weights: np.ndarray
    steps: int


def lanczos(
    matvec: Callable[[np.ndarray], np.ndarray],
    start: np.ndarray,
    steps: int,
    tolerance: float = 0.0,
    count: int = 1,
) -> Lanczos:
    """Run Lanczos' iteration with full re-orthogonalization.

    Args:
        matvec: v ↦ H v for a symmetric H, over float64 vectors of shape (n,).
        start: vector of shape (n,), not zero; a random one reaches every eigenspace.
        steps: largest number of products.
        tolerance: stop early once the ``count`` largest Ritz values have residuals of at most
            ``tolerance`` times the largest magnitude.
        count: how many of the largest eigenvalues ``tolerance`` speaks of.

    Returns:
        A `Lanczos` with at most ``steps`` pairs.

    Example:
        >>> spectrum = np.array([1.0, 2.0, 10.0])
        >>> lanczos(lambda v: spectrum * v, np.ones(3), steps=3).eigenvalues.round(6)
        array([ 1.,  2., 10.])

    Reference:
        Golub and Van Loan, "Matrix Computations", 4th edition, section 10.1 and 10.3.
    """
    n, length = start.size, np.linalg.norm(start)
    if steps < 1:
        raise ValueError(f"steps must be at least 1, got {steps}")
    if not (np.isfinite(length) and length > 0):
        raise ValueError(f"start must be a finite vector other than zero, its norm is {length}")

    steps = min(steps, n)
    basis = np.empty((steps, n))  # rows q₁, q₂, …
    alphas, betas = [], []
    q = start / length
    for k in range(steps):
        basis[k] = q
        r = np.asarray(matvec(q), dtype=np.float64)
        if not np.all(np.isfinite(r)):
            raise ValueError(f"the Hessian product is not finite at step {k + 1} of Lanczos")
        alphas.append(float(q @ r))  # α_k = ⟨q_k, H q_k⟩
        scale = float(np.linalg.norm(r))
        for _ in range(2):  # r ← (I − Q Qᵀ) r; once is not enough in floating point
            r = r - (basis[: k + 1] @ r) @ basis[: k + 1]
        beta = float(np.linalg.norm(r))  # β_k
        betas.append(beta)
        invariant = beta <= 8 * np.finfo(np.float64).eps * max(scale, abs(alphas[-1]))
        if invariant or k + 1 == steps or _converged(alphas, betas, tolerance, count):
            break
        q = r / beta

    eigenvalues, s = _tridiagonal_eigen(alphas, betas)
    k = len(alphas)
    return Lanczos(eigenvalues, basis[:k].T @ s, betas[-1] * np.abs(s[-1]), s[0] ** 2, k)


def _tridiagonal_eigen(alphas: list[float], betas: list[float]) -> tuple[np.ndarray, np.ndarray]:
    off = betas[: len(alphas) - 1]
    return np.linalg.eigh(np.diag(alphas) + np.diag(off, 1) + np.diag(off, -1))


def _converged(alphas: list[float], betas: list[float], tolerance: float, count: int) -> bool:
    if tolerance <= 0 or len(alphas) < count + 1:
        return False
    eigenvalues, s = _tridiagonal_eigen(alphas, betas)
    residuals = betas[-1] * np.abs(s[-1, -count:])
    return bool(np.all(residuals <= tolerance * np.max(np.abs(eigenvalues))))


def top_eigenvalues(
    matvec: Callable[[np.ndarray], np.ndarray],
    size: int,
    rng: np.random.Generator,
    count: int = 1,
    steps: int = 60,
    tolerance: float = 1e-3,
) -> Lanczos:
    """Return the ``count`` largest eigenvalues with their vectors and residuals, largest first.

    Args:
        matvec: v ↦ H v over float64 vectors of shape (size,).
        size: number of parameters n.
        rng: generator of the start vector.
        count: how many.
        steps: largest number of Hessian products.
        tolerance: a relative residual at which to stop.

    Example:
        >>> spectrum = np.linspace(0.0, 1.0, 50) ** 4
        >>> top = top_eigenvalues(lambda v: spectrum * v, 50, np.random.default_rng(0), count=2)
        >>> top.eigenvalues.round(3)
        array([1.   , 0.921])
    """
    if not 1 <= count <= size:
        raise ValueError(f"count must be from 1 to the number of parameters {size}, got {count}")
    found = lanczos(matvec, rng.standard_normal(size), max(steps, count), tolerance, count)
    top = np.arange(found.steps)[::-1][:count]
    return Lanczos(
        found.eigenvalues[top],
        found.eigenvectors[:, top],
        found.residuals[top],
        found.weights[top],
        found.steps,
    )
