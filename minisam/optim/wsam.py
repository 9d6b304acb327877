"""WSAM: sharpness as a regularizer with a weight of its own.

SAM's loss is L(w) plus the sharpness L(w + ε) − L(w), with weight one. WSAM gives the sharpness
the weight γ/(1 − γ).
"""

from __future__ import annotations

from minisam.checks import check_number
from minisam.optim.optimizer import Optimizer, Step, ValueAndGrad
from minisam.optim.sam import SAMState, sam_parts, two_gradients
from minisam.optim.schedule import Schedule
from minisam.trees import Params, add_scaled, subtract


def wsam(
    base: Optimizer, rho: float | Schedule = 0.05, gamma: float = 0.9, p: float = 2
) -> Optimizer:
    """Weighted SAM, in its coupled form: the base optimizer sees the weighted gradient.

    d = d1 + γ/(1−γ) (d2 − d1).

    The paper's decoupled form lets the base optimizer see d1 alone and subtracts the second term
    beside it; without momentum the two are equal.

    Args:
        base: the optimizer that moves A along d.
        rho: radius ρ ≥ 0, or a function of the step count.
        gamma: γ in [0, 1); 0 is the base optimizer, ½ is SAM.
        p: order of the norm that bounds ε.

    Returns:
        An `Optimizer`; ``Step.descent_gradient`` is d.

    Raises:
        ValueError: naming the argument that is out of range.

    Example:
        >>> import numpy as np
        >>> from minisam.optim.sgd import sgd
        >>> half_square = lambda w: (0.5 * float(w["w"] @ w["w"]), w)
        >>> opt = wsam(sgd(lr=1.0), rho=1.0, gamma=0.75)
        >>> w = {"w": np.array([2.0])}
        >>> opt.step(w, opt.init(w), half_square)[2].descent_gradient["w"]
        array([5.])

    Source:
        Yue et al. 2023, arXiv 2305.15817, eq. (3) and Algorithm 1.
    """
    radius, climb, init = sam_parts(base, rho, p)
    gamma = check_number("gamma", gamma, high=1.0, open_high=True)
    weight = gamma / (1 - gamma)

    def step(
        params: Params, state: SAMState, value_and_grad: ValueAndGrad
    ) -> tuple[Params, SAMState, Step]:
        step = two_gradients(params, value_and_grad, climb, radius(state.count))
        d1, d2 = step.ascent_gradient, step.descent_gradient
        direction = d2 if weight == 1 else add_scaled(d1, weight, subtract(d2, d1))
        params, base_state = base.update(params, state.base, direction)
        step = step._replace(descent_gradient=direction)
        return params, SAMState(state.count + 1, base_state), step

    return Optimizer(init, step)
