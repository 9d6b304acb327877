"""GSAM: keep SAM's perturbed loss going down, and close the gap to the loss itself.

SAM lowers L(w + ε), which can stay the same while the gap L(w + ε) − L(w), the sharpness, grows.
GSAM splits d1 along and across d2 and takes a step against the part across: it lowers the gap
without, to first order, changing the perturbed loss.
"""

from __future__ import annotations

from minisam.checks import check_number
from minisam.optim.optimizer import Optimizer, Step, ValueAndGrad
from minisam.optim.sam import SAMState, sam_parts, two_gradients
from minisam.optim.schedule import Schedule
from minisam.trees import Params, add_scaled, inner, well_scaled


def orthogonal_part(x: Params, y: Params) -> Params:
    """Return the part of x orthogonal to y, x − y ⟨x, y⟩/‖y‖²; x itself where y is zero.

    Example:
        >>> import numpy as np
        >>> orthogonal_part({"w": np.array([1.0, 2.0])}, {"w": np.array([0.0, 4.0])})
        {'w': array([1., 0.])}
    """
    y, _, square = well_scaled(y)  # y times a power of two, and ‖y‖²: the quotient is the same
    return add_scaled(x, -inner(x, y) / square, y) if square != 0 else x


def gsam(
    base: Optimizer, rho: float | Schedule = 0.05, alpha: float = 0.2, p: float = 2
) -> Optimizer:
    """Lower the loss at B and its gap to the loss at A: surrogate-gap guided SAM.

    d = d2 − α (d1 − d2 ⟨d1, d2⟩/‖d2‖²).

    Args:
        base: the optimizer that moves A along d.
        rho: radius ρ ≥ 0, or a function of the step count (the paper ties it to the learning rate).
        alpha: α ≥ 0; 0 is SAM.
        p: order of the norm that bounds ε.

    Returns:
        An `Optimizer`; ``Step.descent_gradient`` is d.

    Example:
        >>> import numpy as np
        >>> from minisam.optim.sgd import sgd
        >>> opt = gsam(sgd(lr=1.0), rho=1.0, alpha=0.5)
        >>> h = np.array([1.0, 2.0])
        >>> loss = lambda w: (0.5 * float(h @ w["w"] ** 2), {"w": h * w["w"]})
        >>> w = {"w": np.array([3.0, 2.0])}
        >>> _, _, step = opt.step(w, opt.init(w), loss)
        >>> d, d2 = step.descent_gradient["w"], loss(step.perturbed_params)[1]["w"]
        >>> bool(np.isclose(d @ d2, d2 @ d2))
        True

    Source:
        Zhuang et al. 2022, arXiv 2203.08065, Algorithm 1.
    """
    radius, climb, init = sam_parts(base, rho, p)
    alpha = check_number("alpha", alpha, open_high=True)

    def step(
        params: Params, state: SAMState, value_and_grad: ValueAndGrad
    ) -> tuple[Params, SAMState, Step]:
        seen = two_gradients(params, value_and_grad, climb, radius(state.count))
        d2 = seen.descent_gradient
        across = orthogonal_part(seen.ascent_gradient, d2)  # d1 − d2 ⟨d1, d2⟩/‖d2‖²
        direction = add_scaled(d2, -alpha, across) if alpha else d2
        new_params, base_state = base.update(params, state.base, direction)
        seen = seen._replace(descent_gradient=direction)
        return new_params, SAMState(state.count + 1, base_state), seen

    return Optimizer(init, step)
