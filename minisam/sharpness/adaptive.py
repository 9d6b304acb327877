"""Sharpness in a ball that is stretched with the weights, so that rescaling cannot change it.

A ReLU network computes the same function when the weights into a node are multiplied by a and those
out of it divided by a, but the loss rise in a round ball can be made as large as one likes that
way. ASAM's ball ‖T_w⁻¹ε‖₂ ≤ ρ, T_w = |w| + η, moves with such a rescaling (for η = 0), and with it

    max_{‖T_w⁻¹ε‖₂ ≤ ρ} L(w + ε) − L(w)

stays what it was: a quantity of the function, not of how it is written down.
"""

from __future__ import annotations

import numpy as np

from minisam.optim.perturbation import Granularity, Scope, scaling
from minisam.sharpness.hessian import Loss
from minisam.sharpness.worst_case import WorstCase, worst_case
from minisam.trees import Params


def adaptive_sharpness(
    loss: Loss,
    params: Params,
    rho: float,
    eta: float = 0.0,
    scope: Scope = "all",
    granularity: Granularity = "element",
    steps: int = 20,
    restarts: int = 0,
    rng: np.random.Generator | None = None,
) -> WorstCase:
    """Maximize the loss in ASAM's normalized ball around the parameters.

    Args:
        loss: params -> scalar, differentiable by autograd.
        params: dict of arrays, the centre w.
        rho: radius ρ of the ball, relative to the size of the weights.
        eta: η of T_w. The default 0 is exactly invariant under node-wise rescaling; ASAM's own
            0.01 is so only nearly.
        scope: which tensors are rescaled, ``"all"`` or ``"weights"``; with ``"weights"`` a bias,
            which a rescaling changes too, spoils the invariance.
        granularity: which entries share one scale: ``"element"``, ``"filter"`` or ``"layer"``.
        steps: evaluations per start.
        restarts: random starts besides the centre.
        rng: generator of the random starts.

    Example:
        >>> loss = lambda p: 0.5 * (p["u"] * p["v"]).sum() ** 2
        >>> balanced = {"u": np.array([1.0]), "v": np.array([1.0])}
        >>> rescaled = {"u": np.array([100.0]), "v": np.array([0.01])}
        >>> [round(adaptive_sharpness(loss, w, rho=0.1).rise, 6) for w in (balanced, rescaled)]
        [0.157141, 0.157141]

    Source:
        Kwon et al. 2021, arXiv 2102.11600, section 3.
    """
    return worst_case(
        loss, params, rho, steps, restarts, rng, scaling(params, eta, scope, granularity)
    )
