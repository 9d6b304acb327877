"""Adaptive SAM: the same two steps, in a ball that stretches with the weights.

ASAM is SAM with another climb; see `minisam.optim.perturbation` for the climb itself and for why
a round ball is not a fair one.
"""

from __future__ import annotations

from functools import partial

from minisam.checks import check_number
from minisam.optim.optimizer import Optimizer
from minisam.optim.perturbation import Granularity, Scope, asam_perturbation, scaling
from minisam.optim.sam import sam
from minisam.optim.schedule import Schedule


def asam(
    base: Optimizer,
    rho: float | Schedule = 0.5,
    eta: float = 0.01,
    scope: Scope = "weights",
    granularity: Granularity = "element",
    p: float = 2,
) -> Optimizer:
    """Minimize the worst loss in a ball that stretches with the weights: Adaptive SAM.

    min_w  max_{‖T⁻¹ε‖_p ≤ ρ}  L(w + ε),  T = |w| + η;  for p = 2,  ε = ρ T² g / ‖T g‖₂,  g = ∇L(w).

    T is a diagonal matrix: each entry of g is multiplied by its own entry of T.

    Args:
        base: the optimizer that moves A along d2, such as ``sgd(lr=0.1, momentum=0.9)``.
        rho: radius ρ ≥ 0 relative to the weights (about ten times SAM's), or a function of the
            step count.
        eta: stabilizer η ≥ 0 of T; not a step size.
        scope: ``"weights"`` rescales the tensors whose name ends in ``weight`` (the authors' code),
            ``"all"`` rescales every tensor.
        granularity: ``"element"``, ``"filter"`` or ``"layer"``, see `scaling`.
        p: order of the norm, from 1 to infinity.

    Returns:
        An `Optimizer` whose ``step`` evaluates two gradients and returns every intermediate.

    Example:
        >>> import numpy as np
        >>> from minisam.optim.sgd import sgd
        >>> opt = asam(sgd(lr=0.5), rho=1.0, eta=0.0)
        >>> params = {"weight": np.array([2.0, 0.5])}
        >>> linear = lambda w: (float(w["weight"] @ [3.0, 16.0]), {"weight": np.array([3.0, 16.0])})
        >>> params, state, step = opt.step(params, opt.init(params), linear)
        >>> step.perturbation["weight"], params["weight"]
        (array([1.2, 0.4]), array([ 0.5, -7.5]))

    Source:
        Kwon et al. 2021, arXiv 2102.11600, eqs. (4)-(6) and Algorithm 1.
    """
    check_number("p", p, low=1.0)
    scaling({}, eta, scope, granularity)  # refuses a bad argument here, not at the first step
    climb = partial(asam_perturbation, p=p, eta=eta, scope=scope, granularity=granularity)
    return sam(base, rho, perturb=climb)
