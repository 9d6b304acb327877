"""Stochastic gradient descent: the base update that SAM moves with.

SGD walks straight downhill, from A along −d1. Momentum lets it remember where it was going, and
weight decay pulls it towards the origin. In every line below g stands for the gradient that the
update is *given*: plain SGD gives it the gradient at A, SAM the gradient at B.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from minisam.checks import check_choice, check_number
from minisam.optim.optimizer import Optimizer, Step, ValueAndGrad, evaluate
from minisam.optim.schedule import Schedule, as_schedule
from minisam.trees import Params, add_scaled, check_same_structure, scale


class SGDState(NamedTuple):
    """Steps taken so far, and the velocity v (None before the first step or without momentum)."""

    count: int  # type: ignore[assignment]  # a field may shadow tuple.count
    velocity: Params | None


def sgd(
    lr: float | Schedule,
    momentum: float = 0.0,
    nesterov: bool = False,
    weight_decay: float = 0.0,
    decay: Literal["coupled", "decoupled"] = "coupled",
) -> Optimizer:
    """Descend along the gradient, with momentum, Nesterov's variant and weight decay: SGD.

    g ← g + λw (coupled),  v ← μv + g,  w ← w − η v,  or with Nesterov  w ← w − η (g + μv);
    decoupled decay leaves g alone and takes ηλw from w beside the step. The velocity starts as
    the first gradient (no dampening), and the learning rate stays outside it, as in PyTorch.

    Args:
        lr: step size η ≥ 0, or a function of the step count (from 0).
        momentum: μ in [0, 1).
        nesterov: whether to look ahead along the velocity; needs momentum > 0.
        weight_decay: λ ≥ 0.
        decay: ``"coupled"`` adds λw to the gradient (L2 regularization of the base step at A),
            ``"decoupled"`` shrinks w beside it (Loshchilov and Hutter, arXiv 1711.05101).

    Returns:
        An `Optimizer` whose ``step`` evaluates one gradient.

    Example:
        >>> import numpy as np
        >>> opt = sgd(lr=0.5)
        >>> params = {"w": np.array([2.0, -4.0])}
        >>> half_square = lambda w: (0.5 * float(w["w"] @ w["w"]), w)
        >>> params, state, step = opt.step(params, opt.init(params), half_square)
        >>> params["w"], step.loss
        (array([ 1., -2.]), 10.0)

    Source:
        Sutskever et al. 2013, "On the importance of initialization and momentum", eqs. (1)-(4),
        with the learning rate taken out of the velocity.
    """
    learning_rate = as_schedule("lr", lr)
    momentum = check_number("momentum", momentum, high=1.0, open_high=True)
    weight_decay = check_number("weight_decay", weight_decay, open_high=True)
    check_choice("decay", decay, ("coupled", "decoupled"))
    if nesterov and momentum == 0:
        raise ValueError(f"nesterov needs momentum in (0, 1), got momentum={momentum!r}")

    def init(params: Params) -> SGDState:
        return SGDState(count=0, velocity=None)

    def update(params: Params, state: SGDState, grads: Params) -> tuple[Params, SGDState]:
        check_same_structure(params, grads, "grads")
        rate = learning_rate(state.count)
        velocity = state.velocity
        direction = grads
        if weight_decay and decay == "coupled":
            direction = add_scaled(direction, weight_decay, params)  # g ← g + λw
        if momentum:
            if velocity is None:
                velocity = direction  # v ← g
            else:
                velocity = add_scaled(direction, momentum, velocity)  # v ← μv + g
            if nesterov:
                direction = add_scaled(direction, momentum, velocity)  # g + μv
            else:
                direction = velocity
        w = params
        if weight_decay and decay == "decoupled":
            w = scale(1 - rate * weight_decay, w)  # w ← w − ηλw
        w = add_scaled(w, -rate, direction)  # w ← w − ηv
        return w, SGDState(state.count + 1, velocity)

    def step(
        params: Params, state: SGDState, value_and_grad: ValueAndGrad
    ) -> tuple[Params, SGDState, Step]:
        loss, gradient, auxiliary = evaluate(value_and_grad, params)  # d1, at A
        new_params, new_state = update(params, state, gradient)  # from A, along d1
        seen = Step(loss, gradient, None, params, loss, gradient, auxiliary)
        return new_params, new_state, seen

    return Optimizer(init, step, update)
