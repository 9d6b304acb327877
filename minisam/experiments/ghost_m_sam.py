"""m-SAM of an MLP at SAM's price, as an optimizer for training: see `minisam.nn.shard_climbs`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from minisam.nn.gradients import training_objective
from minisam.nn.shard_climbs import m_sam_gradient
from minisam.optim import Optimizer
from minisam.optim.optimizer import Step, carried
from minisam.optim.sam import SAMState, sam_parts
from minisam.optim.schedule import Schedule
from minisam.train import check_finite
from minisam.trees import Params


def ghost_objective(
    model: Any, loss: Callable, images: Any, labels: Any, statistics: Any, m: int
) -> Callable:
    """Return a batch's `training_objective` that carries what `ghost_m_sam` asks for."""
    whole = training_objective(model, loss, images, labels, statistics)
    vars(whole)["ghost"] = partial(m_sam_gradient, images=images, labels=labels, m=m)
    return whole


def ghost_m_sam(base: Optimizer, rho: float | Schedule) -> Optimizer:
    """Return `minisam.optim.m_sam` for MLPs and the cross-entropy, at the price of SAM.

    Args:
        base: the optimizer that moves A along d2.
        rho: radius ρ ≥ 0 of every shard's ball, or a function of the step count.

    Returns:
        An `Optimizer` whose ``step`` asks ``value_and_grad.ghost``, see `ghost_objective`. Its
        `Step` has the losses and d2; what it never computes is empty.
    """
    radius, _, init = sam_parts(base, rho)

    def step(params: Params, state: SAMState, value_and_grad: Callable) -> tuple:
        ghost = carried(value_and_grad, "ghost", "the mean gradient where the shards climbed to")
        loss, perturbed_loss, d2 = ghost(params, radius(state.count))
        check_finite(loss + perturbed_loss, d2, f"step {state.count}")
        new_params, base_state = base.update(params, state.base, d2)
        seen = Step(loss, {}, None, {}, perturbed_loss, d2, {})
        return new_params, SAMState(state.count + 1, base_state), seen

    return Optimizer(init, step)
