"""List what may stand for ASAM's operator T_w: what is one slip away from T = |w| + η."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from minisam.adapters.hyperparameters import HyperParameters
from minisam.optim.perturbation import scaling
from minisam.trees import Params


def row_lengths(w: np.ndarray) -> np.ndarray:
    """Return the length of every row, that is of all with one first index, in its entries."""
    length = np.sqrt(np.sum(w * w, axis=tuple(range(1, w.ndim)), keepdims=True))
    return length + np.zeros_like(w)


OF_WEIGHTS: dict[str, Callable[[np.ndarray, float], np.ndarray]] = {
    "|A|": lambda w, eta: np.abs(w),
    "max(|A|, η)": lambda w, eta: np.maximum(np.abs(w), eta),
    "√(A² + η²)": lambda w, eta: np.hypot(w, eta),
    "√(A² + η)": lambda w, eta: np.sqrt(w * w + eta),
    "(A + η)": lambda w, eta: w + eta,
    "(√|A| + η)": lambda w, eta: np.sqrt(np.abs(w)) + eta,
    "(‖Aᵢ‖ + η)": lambda w, eta: np.full_like(w, np.linalg.norm(w) + eta),
    "(‖row of A‖ + η)": lambda w, eta: row_lengths(w) + eta,
    "(T/its mean)": lambda w, eta: (np.abs(w) + eta) / np.mean(np.abs(w) + eta),
    "(1/T)": lambda w, eta: 1.0 / np.where(np.abs(w) + eta, np.abs(w) + eta, 1.0),
}


def operators(params: Params, hp: HyperParameters) -> dict[str, Params]:
    """Return what may stand for T, by name.

    Example:
        >>> found = operators({"weight": np.array([-2.0])}, HyperParameters(eta=0.5))
        >>> found["(A + η)"], found["√(A² + η)"].keys()
        ({'weight': array([-1.5])}, dict_keys(['weight']))
    """

    def in_scope(key: str) -> bool:
        return hp.scope == "all" or key.endswith("weight")

    ones = {key: np.ones_like(w) for key, w in params.items()}
    found = {
        name: {key: of(w, hp.eta) if in_scope(key) else ones[key] for key, w in params.items()}
        for name, of in OF_WEIGHTS.items()
    }
    found["(|A| of all tensors)"] = {key: np.abs(w) for key, w in params.items()}
    found["(|A| + η of all tensors)"] = scaling(params, hp.eta, "all")
    found["(T of several axes)"] = {
        key: np.abs(w) + hp.eta if w.ndim > 1 else ones[key] for key, w in params.items()
    }
    found["(T without biases)"] = {
        key: np.abs(w) + hp.eta if in_scope(key) else np.zeros_like(w) for key, w in params.items()
    }
    return found
