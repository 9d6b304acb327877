"""A landscape: an analytic loss, turned in space, and the paths that SGD and SAM take on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from autograd import value_and_grad as autograd_value_and_grad

from minisam.trees import Params


class Minimum(NamedTuple):
    """A minimum: its point (n,), the eigenvalues of the Hessian there (n,), its value."""

    point: np.ndarray
    curvature: np.ndarray
    value: float = 0.0


class Landscape(NamedTuple):
    """An analytic loss of n variables.

    Attributes:
        loss: L, from an array of shape (..., n) to one of shape (...), so that a whole grid is
            evaluated at once; differentiable by autograd.
        slope: ∇L in closed form, from shape (..., n) to (..., n).
        minima: the known minima.

    Example:
        >>> from minisam.landscapes import quadratic
        >>> bowl = quadratic([4.0, 1.0])
        >>> w = np.array([1.0, 2.0])
        >>> float(bowl.loss(w)), bowl.slope(w), bowl.gradient(w)
        (4.0, array([4., 2.]), array([4., 2.]))
    """

    loss: Callable[[Any], Any]
    slope: Callable[[Any], Any]
    minima: tuple[Minimum, ...] = ()

    def gradient(self, w: np.ndarray) -> np.ndarray:
        """Return ∇L(w) by autograd, for w of shape (n,)."""
        return autograd_value_and_grad(self.loss)(w)[1]

    def value_and_grad(self, params: Params) -> tuple[float, Params]:
        """Return the loss and its gradient by autograd, as every optimizer wants them.

        Args:
            params: ``{"w": ndarray of shape (n,)}``.
        """
        value, gradient = autograd_value_and_grad(self.loss)(params["w"])
        return float(value), {"w": gradient}


def random_rotation(n: int, rng: np.random.Generator) -> np.ndarray:
    """Return an orthogonal (n, n) matrix, uniformly distributed.

    Example:
        >>> Q = random_rotation(3, np.random.default_rng(0))
        >>> bool(np.allclose(Q.T @ Q, np.eye(3)))
        True
    """
    Q, R = np.linalg.qr(rng.normal(size=(n, n)))
    return Q * np.sign(np.diag(R))  # without the signs QR's own convention would favour some


def lifted(landscape: Landscape, basis: np.ndarray) -> Landscape:
    """Return L(Uᵀw): the landscape turned into the directions U, flat in all directions across.

    SAM with p = 2 commutes with this: Uᵀw moves as in the small space, and the part of w across U
    never moves. So each statement in one dimension is one in n, in any direction.

    Args:
        landscape: a loss of k variables.
        basis: U of shape (n, k) with orthonormal columns; square, it is a rotation.

    Example:
        >>> from minisam.landscapes import kinked_well
        >>> u = np.full((4, 1), 0.5)
        >>> well = lifted(kinked_well(sharp=4.0, flat=1.0, wall=1.0), u)
        >>> well.minima[1].point
        array([1.5, 1.5, 1.5, 1.5])
        >>> float(well.loss(well.minima[1].point))
        0.0
    """
    n, k = basis.shape
    return Landscape(
        loss=lambda w: landscape.loss(w @ basis),
        slope=lambda w: landscape.slope(w @ basis) @ basis.T,
        minima=tuple(
            Minimum(basis @ low.point, np.append(low.curvature, np.zeros(n - k)), low.value)
            for low in landscape.minima
        ),
    )


def sgd_path(landscape: Landscape, start: np.ndarray, lr: float, steps: int) -> np.ndarray:
    """Return w₀ … w_T of w ← w − η ∇L(w), of shape (steps + 1, ..., n).

    Example:
        >>> from minisam.landscapes import quadratic
        >>> sgd_path(quadratic([1.0]), [4.0], lr=0.5, steps=2).tolist()
        [[4.0], [2.0], [1.0]]
    """
    path = [np.asarray(start, dtype=float)]
    for _ in range(steps):
        path.append(path[-1] - lr * landscape.slope(path[-1]))
    return np.stack(path)


def sam_path(
    landscape: Landscape,
    start: np.ndarray,
    lr: float | np.ndarray,
    rho: float | np.ndarray,
    steps: int,
) -> np.ndarray:
    """Return w₀ … w_T of SAM, many independent runs at a time.

    w ← w − η ∇L(w + ρ ∇L(w)/‖∇L(w)‖): `minisam.optim.sam` over `minisam.optim.sgd`, written for
    rows, where thousands of runs are wanted at once.

    Args:
        landscape: the loss of n variables.
        start: w₀ of shape (..., n), a run for each leading index.
        lr: step size η, a number or one for each run.
        rho: radius ρ, a number or one for each run.
        steps: T.

    Returns:
        ndarray of shape (steps + 1, ..., n).

    Example:
        >>> from minisam.landscapes import quadratic
        >>> sam_path(quadratic([1.0]), np.array([2.0]), lr=0.5, rho=1.0, steps=3).ravel()
        array([ 2.   ,  0.5  , -0.25 ,  0.375])
    """
    lr, rho = np.expand_dims(lr, -1), np.expand_dims(rho, -1)
    path = [np.asarray(start, dtype=float)]
    for _ in range(steps):
        w = path[-1]
        g = landscape.slope(w)
        length = np.linalg.norm(g, axis=-1, keepdims=True)
        climb = rho * g / np.where(length > 0, length, 1.0)
        path.append(w - lr * landscape.slope(w + climb))
    return np.stack(path)
