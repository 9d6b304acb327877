"""Sharpness-Aware Minimization: climb first, then descend from where you stood.

SGD minimizes L(w). SAM minimizes the worst loss near w,

    min_w  max_{‖ε‖ ≤ ρ}  L(w + ε),

so that a narrow minimum, whose walls are within reach of ρ, does not count as low. The inner
maximum is approximated by one step of length ρ up the gradient, and the gradient of the outer
problem by the gradient at the point reached. Two gradients, one update:

    d1 = ∇L(A)          the slope here
    B  = A + ρ d1/‖d1‖  climb
    d2 = ∇L(B)          the slope up there
    A  ← A − η d2       go down from A, not from B, along d2; η the step size

On a flat stretch d2 ≈ d1 and this is SGD. In a sharp valley B lies further up the wall, d2 is
steeper than d1 and pushes across the floor, and A bounces until it leaves.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from minisam.checks import check_number
from minisam.optim.optimizer import Optimizer, Step, ValueAndGrad, check_base, evaluate
from minisam.optim.perturbation import Perturbation, check_perturbation, sam_perturbation
from minisam.optim.schedule import Schedule, as_schedule
from minisam.trees import Params, add


class SAMState(NamedTuple):
    """Steps taken so far, and the base optimizer's own state, which only ever sees d2."""

    count: int  # type: ignore[assignment]  # a field may shadow tuple.count
    base: Any


def two_gradients(
    params: Params, value_and_grad: ValueAndGrad, perturb: Perturbation, rho: float
) -> Step:
    """Look at A, climb, look at B: SAM's two gradients, before anything moves.

    Args:
        params: w, the point A.
        value_and_grad: ``params -> (loss, grads)`` or ``(loss, grads, auxiliary)``, where
            auxiliary is whatever else it saw, such as batch statistics, and is handed on.
        perturb: the climb, ``(params, grads, rho) -> ε``.
        rho: radius ρ ≥ 0.

    Returns:
        A `Step` with d1, ε, B and d2.

    Example:
        >>> import numpy as np
        >>> half_square = lambda w: (0.5 * float(w["w"] @ w["w"]), w)
        >>> step = two_gradients({"w": np.array([2.0])}, half_square, sam_perturbation, rho=0.5)
        >>> step.ascent_gradient["w"], step.perturbed_params["w"], step.descent_gradient["w"]
        (array([2.]), array([2.5]), array([2.5]))
    """
    loss, ascent_gradient, auxiliary = evaluate(value_and_grad, params)  # d1, at A
    perturbation = perturb(params, ascent_gradient, rho)  # ε: eq. (2) of Foret et al. 2020
    perturbed_params = add(params, perturbation)  # B = A + ε
    perturbed_loss, descent_gradient, perturbed_auxiliary = evaluate(
        value_and_grad, perturbed_params
    )  # d2, at B: eq. (3)
    return Step(
        loss,
        ascent_gradient,
        perturbation,
        perturbed_params,
        perturbed_loss,
        descent_gradient,
        auxiliary,
        perturbed_auxiliary,
    )


class SAMParts(NamedTuple):
    """ρ by the step count, ``climb(params, grads, rho)`` = ε, and ``init(params)``, SAM's state."""

    radius: Schedule
    climb: Perturbation
    init: Callable[[Params], SAMState]


def sam_parts(
    base: Optimizer, rho: float | Schedule, p: float = 2, perturb: Perturbation | None = None
) -> SAMParts:
    """Check the arguments of SAM, which its follow-ups share, and return what they stand for.

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
    p = check_number("p", p, low=1.0)
    climb = partial(sam_perturbation, p=p) if perturb is None else perturb
    check_perturbation(climb)

    def init(params: Params) -> SAMState:
        return SAMState(count=0, base=base.init(params))

    return SAMParts(radius, climb, init)


def sam(
    base: Optimizer,
    rho: float | Schedule = 0.05,
    p: float = 2,
    perturb: Perturbation | None = None,
) -> Optimizer:
    """Minimize the worst loss near w: Sharpness-Aware Minimization, around any base optimizer.

    ∇L_SAM(w) ≈ ∇L(w) at w + ε̂(w),  ε̂(w) = argmax of ⟨∇L(w), ε⟩ over ‖ε‖_p ≤ ρ.

    The second-order term of the exact gradient is dropped, as in the paper; `exact_sam` keeps it.
    Weight decay belongs to the base update at A, and is not part of the climb; `add_l2` puts it
    into the loss, and so into both gradients.

    Args:
        base: the optimizer that moves A along d2, such as ``sgd(lr=0.1, momentum=0.9)``.
        rho: radius ρ ≥ 0 of the ball in units of the weights, or a function of the step count.
            ρ = 0 is the base optimizer, bit for bit.
        p: order of the norm that bounds ε, from 1 to infinity.
        perturb: another climb, ``(params, grads, rho) -> ε``, to take the place of SAM's.

    Returns:
        An `Optimizer` whose ``step`` evaluates two gradients and returns every intermediate.

    Example:
        >>> import numpy as np
        >>> from minisam.optim.sgd import sgd
        >>> opt = sam(sgd(lr=0.5), rho=1.0)
        >>> params = {"w": np.array([3.0, 4.0])}
        >>> half_square = lambda w: (0.5 * float(w["w"] @ w["w"]), w)
        >>> new, state, step = opt.step(params, opt.init(params), half_square)
        >>> step.perturbation["w"], step.descent_gradient["w"], new["w"]
        (array([0.6, 0.8]), array([3.6, 4.8]), array([1.2, 1.6]))

    Source:
        Foret et al. 2020, arXiv 2010.01412, eqs. (2), (3) and Algorithm 1.
    """
    radius, climb, init = sam_parts(base, rho, p, perturb)

    def step(
        params: Params, state: SAMState, value_and_grad: ValueAndGrad
    ) -> tuple[Params, SAMState, Step]:
        seen = two_gradients(params, value_and_grad, climb, radius(state.count))  # d1, ε, B, d2
        d2 = seen.descent_gradient
        new_params, base_state = base.update(params, state.base, d2)  # from A, along d2
        return new_params, SAMState(state.count + 1, base_state), seen

    return Optimizer(init, step)
