"""Which known wrong SAMs a vector rejects, found by running them all."""

from __future__ import annotations

from typing import Any

import numpy as np

from minisam.adapters.protocol import Adapter
from minisam.variants.mutants import MUTANTS, mutant_adapter
from minisam.vectors import replay

DTYPES = ("float64", "float32")  # those that NumPy has
LAST = {"M": 50, "R": 16, "A": 16}  # the mutants that the vectors list: those met later are not


def is_listed(name: str) -> bool:
    """Return whether a mutant was known when the vectors were written, whose bytes stay.

    Example:
        >>> is_listed("M50-stale-copy"), is_listed("M111-rate-ignored")
        (True, False)
    """
    return int(name.split("-")[0][1:]) <= LAST[name[0]]


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
            if is_listed(name)
            and method in mutant.methods
            and not mutant.equivalent
            and rejects(vector, mutant.adapter)
        ]
