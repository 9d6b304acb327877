"""Check what a caller's Hessian product returns."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Matvec = Callable[[np.ndarray], np.ndarray]


def checked_product(matvec: Matvec, vector: np.ndarray) -> np.ndarray:
    """Return H v as float64 numbers of their own, of the shape of v.

    Args:
        matvec: v ↦ H v, which may use one array for all results.
        vector: float64 array of shape (n,).

    Raises:
        ValueError: if the product is of another shape, not real, or not finite.

    Example:
        >>> checked_product(lambda v: np.array([1, 2]) * v, np.ones(2))
        array([1., 2.])
    """
    found = np.array(matvec(vector))
    if found.shape != vector.shape or found.dtype.kind not in "fiub":
        raise ValueError(
            f"matvec must return real numbers of shape {vector.shape}, "
            f"got {found.dtype} of shape {found.shape}"
        )
    if not np.all(np.isfinite(found)):
        raise ValueError("the Hessian product is not finite")
    return found.astype(np.float64, copy=False)
