"""LookSAM: SAM's second gradient only every k steps.

What SAM adds to SGD is the part of d2 that is orthogonal to d1. It changes slowly, so LookSAM
computes it every k-th step and reuses its direction in between, at the price of SGD.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from minisam.checks import check_number
from minisam.optim.gsam import orthogonal_part
from minisam.optim.optimizer import Optimizer, Step, ValueAndGrad, evaluate
from minisam.optim.sam import sam_parts, two_gradients
from minisam.optim.schedule import Schedule
from minisam.trees import Params, add_scaled, norm, zeros_like


class LookSAMState(NamedTuple):
    """Steps taken so far, the orthogonal part v found last, the base's own state."""

    count: int  # type: ignore[assignment]  # a field may shadow tuple.count
    orthogonal: Params
    base: Any


def looksam(
    base: Optimizer,
    rho: float | Schedule = 0.05,
    every: int = 5,
    alpha: float = 0.7,
    p: float = 2,
) -> Optimizer:
    """Take SAM's second gradient only every ``every`` steps: LookSAM.

    Every k-th step  d = d2,  v ← d2 − d1 ⟨d1, d2⟩/‖d1‖²;  in between  d = d1 + α (‖d1‖/‖v‖) v.

    Args:
        base: the optimizer that moves A along d.
        rho: radius ρ ≥ 0, or a function of the step count.
        every: k ≥ 1; 1 is SAM.
        alpha: α ≥ 0, how much of the orthogonal part is added in between.
        p: order of the norm that bounds ε.

    Returns:
        An `Optimizer`; ``Step.descent_gradient`` is d, and ``Step.perturbation`` is None on the
        steps that do not climb.

    Example:
        >>> import numpy as np
        >>> from minisam.optim.sgd import sgd
        >>> h = np.array([1.0, 4.0])
        >>> loss = lambda w: (0.5 * float(h @ w["w"] ** 2), {"w": h * w["w"]})
        >>> opt = looksam(sgd(lr=0.1), rho=0.5, every=2)
        >>> w = {"w": np.array([4.0, 1.0])}
        >>> w, state, first = opt.step(w, opt.init(w), loss)
        >>> w, state, second = opt.step(w, state, loss)
        >>> first.perturbation is None, second.perturbation is None
        (False, True)

    Source:
        Liu et al. 2022, arXiv 2203.02714, Algorithm 1.
    """
    radius, climb, _ = sam_parts(base, rho, p)
    check_number("every", every, low=1, open_high=True)
    if every != int(every):
        raise ValueError(f"every must be a whole number of steps, got {every!r}")
    alpha = check_number("alpha", alpha, open_high=True)

    def init(params: Params) -> LookSAMState:
        return LookSAMState(count=0, orthogonal=zeros_like(params), base=base.init(params))

    def step(
        params: Params, state: LookSAMState, value_and_grad: ValueAndGrad
    ) -> tuple[Params, LookSAMState, Step]:
        v = state.orthogonal
        if state.count % every == 0:
            seen = two_gradients(params, value_and_grad, climb, radius(state.count))
            direction = seen.descent_gradient
            v = orthogonal_part(direction, seen.ascent_gradient)
        else:
            loss, d1, auxiliary = evaluate(value_and_grad, params)
            length = norm(v)
            direction = add_scaled(d1, alpha * norm(d1) / length, v) if length > 0 else d1
            seen = Step(loss, d1, None, params, loss, direction, auxiliary)
        new_params, base_state = base.update(params, state.base, direction)
        return new_params, LookSAMState(state.count + 1, v, base_state), seen

    return Optimizer(init, step)
