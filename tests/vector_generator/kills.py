"""Which known wrong SAMs a vector rejects, found by running them all."""

from __future__ import annotations

from typing import Any

import numpy as np

from minisam.adapters.protocol import Adapter
from minisam.variants.mutants import MUTANTS, mutant_adapter
from minisam.vectors import replay

DTYPES = ("float64", "float32")  # those that NumPy has


def rejects(vector: dict[str, Any], adapter: Adapter) -> bool:
    """Return whether an implementation fails a vector in some format, or raises."""
    for dtype in DTYPES:
        try:
            if replay(adapter, vector, dtype).passed is False:
                return True
        except (ArithmeticError, ValueError):
            return True
    return False


def kills(vector: dict[str, Any]) -> list[str]:
    """Return the names of the mutants that a vector rejects.

    None, for a vector that has something that the mutants' own machinery does not know, such as a
    follow-up method: what does not run is not rejected. Nor is what is equivalent listed: it is
    right, and whether its detour rounds back to the last bit is up to the machine.

    Example:
        >>> from minisam.vectors import load_vectors
        >>> "M03-not-normalized" in kills(load_vectors(["sam"])[0])
        True
    """
    method = vector["hyperparameters"]["method"]
    with np.errstate(all="ignore"):
        if rejects(vector, mutant_adapter(lambda recipe: recipe)):
            return []
        return [
            name
            for name, mutant in MUTANTS.items()
            if method in mutant.methods
            and not mutant.equivalent
            and rejects(vector, mutant.adapter)
        ]
