"""What the follow-ups share with SAM: the radius, the climb and the state to start from."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from minisam.checks import check_number
from minisam.optim.perturbation import Perturbation, check_perturbation, sam_perturbation
from minisam.optim.sam import SAMState
from minisam.optim.types import Optimizer, Schedule, as_schedule, check_base
from minisam.trees import Params


class Parts(NamedTuple):
    """ρ by the step count, ``climb(params, grads, rho)`` = ε, and ``init(params)``, SAM's state."""

    radius: Schedule
    climb: Perturbation
    init: Callable[[Params], SAMState]


def sam_parts(
    base: Optimizer, rho: float | Schedule, p: float = 2, perturb: Perturbation | None = None
) -> Parts:
    """Check SAM's own arguments, as `minisam.optim.sam` does, and return what they stand for.

    Raises:
        ValueError: naming the argument that is out of range.

    Example:
        >>> import numpy as np
        >>> from minisam.optim.sgd import sgd
        >>> radius, climb, init = sam_parts(sgd(lr=0.1), rho=0.5)
        >>> w = {"w": np.array([4.0])}
        >>> climb(w, w, radius(0)), init(w).count
        ({'w': array([0.5])}, 0)
    """
    check_base(base)
    radius = as_schedule("rho", rho)
    check_number("p", p, low=1.0)
    climb = partial(sam_perturbation, p=p) if perturb is None else perturb
    check_perturbation(climb)

    def init(params: Params) -> SAMState:
        return SAMState(count=0, base=base.init(params))

    return Parts(radius, climb, init)
