"""SAM's exact gradient: the second-order term that the paper drops, kept.

ε̂ depends on w through ∇L(w), so the derivative of L(w + ε̂(w)) has a term through ε̂:

    ∇ L(w + ε̂(w)) = d2 + (∂ε̂/∂w)ᵀ d2,   ∂ε̂/∂w = (ρ/G) (I − ĝĝᵀ) H(w),   G = ‖d1‖, ĝ = d1/G.

The projection I − ĝĝᵀ is there because ε̂ has constant length: it can only turn. The paper drops
the term because it costs a Hessian product, about one more SAM step. On a quadratic it vanishes
whenever the gradient is an eigenvector of H.
"""

from __future__ import annotations

import numpy as np

from minisam.optim.optimizer import Optimizer, Step, ValueAndGrad, carried
from minisam.optim.sam import SAMState, sam_parts, two_gradients
from minisam.optim.schedule import Schedule
from minisam.trees import Params, add, add_scaled, inner, scale, well_scaled


def exact_sam(base: Optimizer, rho: float | Schedule = 0.05) -> Optimizer:
    """Follow the exact gradient of L(w + ε̂(w)), of which SAM (p = 2) drops a term.

    ∇ L(w + ε̂(w)) = d2 + (ρ/G) H(w) (d2 − ĝ⟨ĝ, d2⟩).

    Args:
        base: the optimizer that moves A along the exact gradient.
        rho: radius ρ ≥ 0, or a function of the step count.

    Returns:
        An `Optimizer` whose ``step`` also asks ``value_and_grad.hessian_product``, the function
        ``(params, vector) -> H(params) · vector``. ``Step.descent_gradient`` is the exact gradient.

    Raises:
        ValueError: from ``step``, if ``value_and_grad`` carries no ``hessian_product``.

    Example:
        >>> from minisam.optim.sgd import sgd
        >>> curvature = np.array([1.0, 4.0])
        >>> loss = lambda w: (0.5 * float(curvature @ w["w"] ** 2), {"w": curvature * w["w"]})
        >>> loss.hessian_product = lambda w, v: {"w": curvature * v["w"]}
        >>> opt = exact_sam(sgd(lr=1.0), rho=0.5)
        >>> w = {"w": np.array([3.0, 1.0])}
        >>> _, _, step = opt.step(w, opt.init(w), loss)
        >>> step.descent_gradient["w"]
        array([3.2424, 5.7728])

    Source:
        Foret et al. 2020, arXiv 2010.01412, the equation above eq. (3).
    """
    radius, climb, init = sam_parts(base, rho)

    def step(
        params: Params, state: SAMState, value_and_grad: ValueAndGrad
    ) -> tuple[Params, SAMState, Step]:
        hessian_product = carried(
            value_and_grad, "hessian_product", "the function (params, vector) -> H(params) · vector"
        )
        ρ = radius(state.count)
        seen = two_gradients(params, value_and_grad, climb, ρ)  # d1, ε, B, d2
        exact = seen.descent_gradient
        g, s, square = well_scaled(seen.ascent_gradient)  # s d1, s a power of two, and ‖s d1‖²
        G = np.sqrt(square)  # s times the G above
        if ρ > 0 and G > 0:
            unit = scale(1 / G, g)  # ĝ
            turning = add_scaled(exact, -inner(unit, exact), unit)  # (I − ĝĝᵀ) d2
            # (ρ/G) goes in before H: of a tiny gradient, H · turning alone would underflow.
            exact = add(exact, hessian_product(params, scale(ρ * s / G, turning)))
        new_params, base_state = base.update(params, state.base, exact)
        seen = seen._replace(descent_gradient=exact)
        return new_params, SAMState(state.count + 1, base_state), seen

    return Optimizer(init, step)
