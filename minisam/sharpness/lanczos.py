"""The largest eigenvalues of a Hessian, from products alone: Lanczos' iteration.

From a start vector q₁, k products build an orthonormal basis Q of span{q₁, Hq₁, …, Hᵏ⁻¹q₁} in which
H is tridiagonal; from a block of b vectors Q₁ one in which it is a band of width b:

    H Q = Q T + R Eᵀ,        T = Qᵀ H Q,   R = (I − Q Qᵀ) H Q_last,   E = the last b columns of I.

The eigenvalues θ of T (Ritz values) converge to H's extreme eigenvalues first. If T s = θ s, then
y = Q s is an approximate eigenvector, and its residual is known without another product:

    ‖H y − θ y‖ = ‖R Eᵀs‖,               so some eigenvalue of H lies within ‖R Eᵀs‖ of θ.

One start has one direction in each eigenspace, its projection, which the iteration never leaves: it
finds an eigenvalue once, whatever its multiplicity. A random block has b directions there and finds
b copies, so `top_eigenvalues` takes as many starts as it seeks eigenvalues.

In floating point the basis loses its orthogonality as soon as a Ritz value converges, and copies of
it appear that are none ("ghosts"). Each new vector is therefore orthogonalized against all earlier
ones, twice, which costs little beside a network's Hessian product.

Sources: Parlett, "The Symmetric Eigenvalue Problem", 1998, chapters 4 (bounds by residuals) and 13
(Lanczos, ghosts, blocks); Golub and Underwood, "The block Lanczos method", 1977.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from minisam.checks import check_number, check_whole
from minisam.sharpness.products import Matvec, checked_product


class Lanczos(NamedTuple):
    """The eigenpairs that Lanczos' iteration found.

    Attributes:
        eigenvalues: Ritz values, shape (k,).
        eigenvectors: Ritz vectors as columns, shape (n, k).
        residuals: ‖H y − θ y‖ of each pair, shape (k,).
        weights: ⟨q₁, y⟩² of each pair, shape (k,); those of a whole basis sum to 1 and, for one
            start, are Gauss quadrature weights.
        steps: vectors in the basis, fewer than asked for when it could not grow (an invariant
            subspace) or had met the tolerance.
    """

    eigenvalues: np.ndarray
    eigenvectors: np.ndarray
    residuals: np.ndarray
    weights: np.ndarray
    steps: int


def lanczos(matvec: Matvec, start: np.ndarray, steps: int) -> Lanczos:
    """Run Lanczos' iteration with full re-orthogonalization; the eigenvalues ascend.

    Args:
        matvec: v ↦ H v for a symmetric H, over float64 vectors of shape (n,).
        start: vector of shape (n,), not zero; a random one reaches every eigenspace, once.
        steps: largest number of products.

    Returns:
        A `Lanczos` with as many pairs as products. An eigenvalue is in it once, however often it
        occurs, unless rounding errors bring in another direction of its eigenspace; the residuals
        are without the rounding of the products themselves.

    Raises:
        ValueError: if a product is not finite.

    Example:
        >>> spectrum = np.array([1.0, 2.0, 10.0])
        >>> lanczos(lambda v: spectrum * v, np.ones(3), steps=3).eigenvalues.round(6)
        array([ 1.,  2., 10.])
    """
    start = np.asarray(start)
    largest = np.max(np.abs(start), initial=0) if start.dtype.kind in "fiub" else np.nan
    if start.ndim != 1 or not 0 < largest < np.inf:
        raise ValueError(
            f"start must be a finite vector other than zero, got {start.dtype} of shape "
            f"{start.shape} with entries up to {largest}"
        )
    starts = (start[None] / largest).astype(np.float64)
    theta, s, residuals, basis = _iterate(matvec, starts, steps)
    return Lanczos(theta, basis.T @ s, residuals, s[0] ** 2, len(basis))


def top_eigenvalues(
    matvec: Matvec,
    size: int,
    rng: np.random.Generator,
    count: int = 1,
    steps: int | None = None,
    tolerance: float = 1e-3,
) -> Lanczos:
    """Return the ``count`` largest eigenvalues, each as often as it occurs, largest first.

    Each residual is measured by one more product, and includes the rounding of products as far as
    it differs from one to the next. What is rounded once for all of them, such as the activations
    of a float32 network, is not seen: little, but where weights are very large. Float64 has none.

    A residual tells that an eigenvalue is near, not which one. Starts may be so unlucky that the
    next eigenvalue is taken for the last one asked for; in a dense spectrum, with a probability of
    about the tolerance. One eigenvalue more, or a smaller tolerance, makes that rare.

    Args:
        matvec: v ↦ H v for a symmetric H, over float64 vectors of shape (size,).
        size: number of parameters n.
        rng: generator of the start vectors, one for each eigenvalue.
        count: how many.
        steps: largest number of products, rounded down to a multiple of ``count``, besides the
            residuals'; 40 + 20 · count by default. They take steps · size numbers of memory.
        tolerance: residual, relative to its eigenvalue, at which to stop.

    Raises:
        ValueError: if a product is not finite.

    Example:
        >>> spectrum = np.array([5.0, 5.0, 1.0, 0.5])
        >>> top = top_eigenvalues(lambda v: spectrum * v, 4, np.random.default_rng(0), count=2)
        >>> top.eigenvalues.round(6)
        array([5., 5.])
    """
    check_whole("size", size, low=1)
    check_whole("count", count, low=1, high=size)
    steps = products_for(count) if steps is None else steps
    check_number("tolerance", tolerance)
    starts = rng.standard_normal((count, size))
    theta, s, foreseen, basis = _iterate(matvec, starts, steps, tolerance)
    top = np.arange(len(basis))[::-1][:count]
    theta, vectors = theta[top], basis.T @ s[:, top]
    images = np.stack([checked_product(matvec, y) for y in vectors.T], axis=1)
    seen = np.linalg.norm(images - theta * vectors, axis=0)
    # What was not foreseen is rounding in this product, and H y may be as far from it again.
    rounding = np.sqrt(np.abs(seen**2 - foreseen[top] ** 2))
    return Lanczos(theta, vectors, seen + rounding, s[0, top] ** 2, len(basis))


def products_for(count: int) -> int:
    """Return the most Hessian products that `top_eigenvalues` takes for a basis by default.

    Networks of 5,000 to 100,000 weights took 10 to 15 for each eigenvalue, to a tolerance of 1e-3.
    """
    return 40 + 20 * count


def _iterate(
    matvec: Matvec, starts: np.ndarray, steps: int, tolerance: float = 0.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return T's eigenvalues and eigenvectors, the residuals, and the basis by rows.

    The iteration ends early once as many of the largest Ritz values as there are starts have
    residuals of at most ``tolerance`` times their own magnitude.
    """
    check_whole("steps", steps, low=1)
    count = len(starts)
    rows = min(max(steps, count), starts.shape[1])
    basis, T, k = np.empty((rows, starts.shape[1])), np.zeros((rows, rows)), 0
    block = _orthonormal(starts, basis[:0], starts)
    while True:
        last, k = slice(k, k + len(block)), k + len(block)
        basis[last] = block
        images = np.stack([checked_product(matvec, q) for q in block])
        T[:k, last] = basis[:k] @ images.T
        T[last, :k] = T[:k, last].T
        rest = images  # R, by rows
        for _ in range(2):  # once is not enough in floating point
            rest = rest - (rest @ basis[:k].T) @ basis[:k]
        block = _orthonormal(rest, basis[:k], images)
        ended = len(block) == 0 or k + len(block) > rows
        if ended or tolerance > 0:
            theta, s = np.linalg.eigh(T[:k, :k])
            residuals = np.linalg.norm(rest.T @ s[last], axis=0)
            met = residuals[-count:] <= tolerance * np.abs(theta[-count:])
            if ended or (k > count and np.all(met)):
                return theta, s, residuals, basis[:k]


def _orthonormal(vectors: np.ndarray, basis: np.ndarray, before: np.ndarray) -> np.ndarray:
    """Return orthonormal rows for what vectors add to a basis beyond rounding errors.

    The vectors are orthogonal to the basis up to rounding; ``before`` is what they were until then.
    """
    kept = np.empty((0, vectors.shape[1]))
    for vector, scale in zip(vectors, np.linalg.norm(before, axis=1), strict=True):
        for _ in range(2 if len(kept) else 0):  # the first is orthogonal as it comes
            vector = vector - (basis @ vector) @ basis
            vector = vector - (kept @ vector) @ kept
        length = np.linalg.norm(vector)
        if length > 8 * np.finfo(np.float64).eps * scale:
            kept = np.concatenate([kept, vector[None] / length])
    return kept
