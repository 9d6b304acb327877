"""Friendly SAM: climb along what is particular to this batch.

A batch's gradient is the full gradient plus the batch's own noise. Climbing along the full
gradient fights the descent, so Friendly SAM takes a running mean of gradients, an estimate of the
full one, away from d1 and climbs along the rest.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from minisam.checks import check_number
from minisam.optim.optimizer import Optimizer, Step, ValueAndGrad
from minisam.optim.sam import sam_parts, two_gradients
from minisam.optim.schedule import Schedule
from minisam.trees import Params, add_scaled, scale, zeros_like


class FriendlyState(NamedTuple):
    """Steps taken so far, the running mean m of the ascent gradients, the base's own state."""

    count: int  # type: ignore[assignment]  # a field may shadow tuple.count
    mean: Params
    base: Any


def friendly_sam(
    base: Optimizer,
    rho: float | Schedule = 0.05,
    sigma: float = 1.0,
    decay: float = 0.9,
    p: float = 2,
) -> Optimizer:
    """Climb along what is left of d1 without its running mean: Friendly SAM.

    m ← λ m + (1 − λ) d1,  ε = ρ (d1 − σ m) / ‖d1 − σ m‖,  d2 = ∇L(w + ε).

    Args:
        base: the optimizer that moves A along d2.
        rho: radius ρ ≥ 0, or a function of the step count.
        sigma: σ ≥ 0, how much of the mean is taken away; 0 is SAM.
        decay: λ in [0, 1), the mean's memory.
        p: order of the norm that bounds ε.

    Returns:
        An `Optimizer` whose ``step`` evaluates two gradients.

    Example:
        >>> import numpy as np
        >>> from minisam.optim.sgd import sgd
        >>> half_square = lambda w: (0.5 * float(w["w"] @ w["w"]), w)
        >>> opt = friendly_sam(sgd(lr=1.0), rho=0.5)
        >>> w = {"w": np.array([2.0])}
        >>> w, state, step = opt.step(w, opt.init(w), half_square)
        >>> step.perturbation["w"], state.mean["w"]
        (array([0.5]), array([0.2]))

    Source:
        Li et al. 2024, arXiv 2403.12350, Algorithm 1.
    """
    radius, climb, _ = sam_parts(base, rho, p)
    sigma = check_number("sigma", sigma, open_high=True)
    decay = check_number("decay", decay, high=1.0, open_high=True)

    def init(params: Params) -> FriendlyState:
        return FriendlyState(count=0, mean=zeros_like(params), base=base.init(params))

    def step(
        params: Params, state: FriendlyState, value_and_grad: ValueAndGrad
    ) -> tuple[Params, FriendlyState, Step]:
        def running_mean(d1: Params) -> Params:
            return add_scaled(scale(1 - decay, d1), decay, state.mean)  # m ← λ m + (1 − λ) d1

        def perturb(params: Params, d1: Params, rho: float) -> Params:
            particular = add_scaled(d1, -sigma, running_mean(d1)) if sigma else d1
            return climb(params, particular, rho)

        seen = two_gradients(params, value_and_grad, perturb, radius(state.count))
        new_params, base_state = base.update(params, state.base, seen.descent_gradient)
        mean = running_mean(seen.ascent_gradient)
        return new_params, FriendlyState(state.count + 1, mean, base_state), seen

    return Optimizer(init, step)
