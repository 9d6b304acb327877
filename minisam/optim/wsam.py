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
    """Weigh the sharpness by γ/(1 − γ): WSAM, in its coupled form.

    d = d1 + γ/(1−γ) (d2 − d1).

    The base optimizer sees d. In the paper's decoupled form it sees d1 alone, and the second term
    is subtracted beside it; without momentum the two are equal.

    Args:
        base: the optimizer that moves A along d.
        rho: radius ρ ≥ 0, or a function of the step count.
        gamma: γ in [0, 1); 0 is the base optimizer, ½ is SAM.
        p: order of the norm that bounds ε.

    Returns:
        An `Optimizer`; ``Step.descent_gradient`` is d.

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
        seen = two_gradients(params, value_and_grad, climb, radius(state.count))
        d1, d2 = seen.ascent_gradient, seen.descent_gradient
        direction = d2 if weight == 1 else add_scaled(d1, weight, subtract(d2, d1))
        new_params, base_state = base.update(params, state.base, direction)
        seen = seen._replace(descent_gradient=direction)
        return new_params, SAMState(state.count + 1, base_state), seen

    return Optimizer(init, step)
