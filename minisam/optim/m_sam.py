"""m-sharpness: a climb of its own for every m examples of the batch.

Averaged over a large batch the worst direction is one that hurts everybody a little. Split the
batch into shards of m examples, let every shard climb its own way, and average the gradients
found up there: this measures how sharp the loss is for *few* examples at a time. The paper saw
smaller m generalize better, and the many devices of a data-parallel run do it without being asked
when each computes its own ε.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from minisam.checks import check_number
from minisam.optim.optimizer import Optimizer, Step, ValueAndGrad
from minisam.optim.perturbation import Perturbation
from minisam.optim.sam import SAMState, sam_parts, two_gradients
from minisam.optim.schedule import Schedule
from minisam.trees import Params, add_scaled, scale


class ShardedStep(NamedTuple):
    """The mean losses at A and at the Bs, the mean gradient at the Bs, and each shard's `Step`."""

    loss: Any
    perturbed_loss: Any
    descent_gradient: Params
    shards: tuple[Step, ...]


def m_sam(
    base: Optimizer,
    rho: float | Schedule = 0.05,
    p: float = 2,
    perturb: Perturbation | None = None,
) -> Optimizer:
    """SAM with one climb per shard of the batch.

    d2 = Σ_s n_s ∇L_s(w + ε̂_s(w)) / Σ_s n_s,  with ε̂_s from shard s alone.

    Args:
        base: the optimizer that moves A along d2.
        rho: radius ρ ≥ 0 of every shard's ball, or a function of the step count.
        p: order of the norm that bounds ε.
        perturb: another climb, ``(params, grads, rho) -> ε``.

    Returns:
        An `Optimizer` whose ``step(params, state, shards, sizes=None)`` takes one
        ``value_and_grad`` per shard, and the shards' numbers of examples when they differ. One
        shard is SAM.

    Raises:
        ValueError: if there are no shards, or as many sizes as shards are not given.

    Example:
        >>> import numpy as np
        >>> from minisam.optim.sgd import sgd
        >>> def pull_towards(c):
        ...     return lambda w: (0.5 * float((w["w"] - c) @ (w["w"] - c)), {"w": w["w"] - c})
        >>> opt = m_sam(sgd(lr=1.0), rho=0.5)
        >>> w = {"w": np.array([1.0])}
        >>> w, _, step = opt.step(w, opt.init(w), [pull_towards(0.0), pull_towards(4.0)])
        >>> [shard.perturbation["w"] for shard in step.shards], step.descent_gradient["w"]
        ([array([0.5]), array([-0.5])], array([-1.]))

    Source:
        Foret et al. 2020, arXiv 2010.01412, section 4.1, "m-sharpness".
    """
    radius, climb, init = sam_parts(base, rho, p, perturb)

    def step(
        params: Params,
        state: SAMState,
        shards: Sequence[ValueAndGrad],
        sizes: Sequence[float] | None = None,
    ) -> tuple[Params, SAMState, ShardedStep]:
        sizes = [1] * len(shards) if sizes is None else list(sizes)
        if not shards or len(sizes) != len(shards):
            raise ValueError(
                f"shards must be at least one, with a size each if any, "
                f"got {len(shards)} shards and {len(sizes)} sizes"
            )
        for size in sizes:
            check_number("sizes", size)
        rho = radius(state.count)
        steps = [two_gradients(params, shard, climb, rho) for shard in shards]
        share = [size / sum(sizes) for size in sizes]
        loss = sum(c * one.loss for c, one in zip(share, steps, strict=True))
        perturbed_loss = sum(c * one.perturbed_loss for c, one in zip(share, steps, strict=True))
        descent_gradient = scale(share[0], steps[0].descent_gradient)
        for c, one in zip(share[1:], steps[1:], strict=True):
            descent_gradient = add_scaled(descent_gradient, c, one.descent_gradient)
        params, base_state = base.update(params, state.base, descent_gradient)
        step = ShardedStep(loss, perturbed_loss, descent_gradient, tuple(steps))
        return params, SAMState(state.count + 1, base_state), step

    return Optimizer(init, step)
