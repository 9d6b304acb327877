"""m-SAM: every m examples of the batch climb their own way.

Averaged over a large batch the worst direction is one that hurts everybody a little. Split the
batch into shards of m examples, let every shard climb its own way, and average the gradients
found up there: this measures how sharp the loss is for *few* examples at a time. The paper saw
smaller m generalize better, and the many devices of a data-parallel run do it without being asked
when each computes its own ε.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minisam.checks import check_number
from minisam.optim.optimizer import Optimizer, Step, ValueAndGrad, carried
from minisam.optim.perturbation import Perturbation
from minisam.optim.sam import SAMState, sam_parts, two_gradients
from minisam.optim.schedule import Schedule
from minisam.trees import Params, map_leaves


def m_sam(
    base: Optimizer,
    rho: float | Schedule = 0.05,
    p: float = 2,
    perturb: Perturbation | None = None,
) -> Optimizer:
    """Let each shard of the batch climb its own way, and average what they find: m-SAM.

    d2 = Σ_s n_s ∇L_s(w + ε̂_s(w)) / Σ_s n_s,  with ε̂_s from shard s alone.

    Args:
        base: the optimizer that moves A along d2.
        rho: radius ρ ≥ 0 of every shard's ball, or a function of the step count.
        p: order of the norm that bounds ε.
        perturb: another climb, ``(params, grads, rho) -> ε``.

    Returns:
        An `Optimizer` whose ``step`` asks ``value_and_grad.shards``, one function for each shard,
        and takes ``value_and_grad.sizes`` for their numbers of examples if it is there. The
        `Step`'s fields are the means over the shards, but for ``shards``, the `Step` of each. One
        shard is SAM.

    Raises:
        ValueError: from ``step``, if ``value_and_grad`` carries no ``shards``, or not one of the
            ``sizes`` for each.

    Example:
        >>> import numpy as np
        >>> from minisam.optim.sgd import sgd
        >>> def pull_towards(c):
        ...     return lambda w: (0.5 * float((w["w"] - c) @ (w["w"] - c)), {"w": w["w"] - c})
        >>> batch = pull_towards(2.0)
        >>> batch.shards = [pull_towards(0.0), pull_towards(4.0)]
        >>> opt = m_sam(sgd(lr=1.0), rho=0.5)
        >>> w = {"w": np.array([1.0])}
        >>> w, _, step = opt.step(w, opt.init(w), batch)
        >>> [shard.perturbation["w"] for shard in step.shards], step.descent_gradient["w"]
        ([array([0.5]), array([-0.5])], array([-1.]))

    Source:
        Foret et al. 2020, arXiv 2010.01412, section 4.1, "m-sharpness".
    """
    radius, climb, init = sam_parts(base, rho, p, perturb)

    def step(
        params: Params, state: SAMState, value_and_grad: ValueAndGrad
    ) -> tuple[Params, SAMState, Step]:
        shards = carried(value_and_grad, "shards", "one value_and_grad for each part of the batch")
        shares = shares_of(shards, getattr(value_and_grad, "sizes", None))
        ρ = radius(state.count)
        seen = mean_step([two_gradients(params, shard, climb, ρ) for shard in shards], shares)
        new_params, base_state = base.update(params, state.base, seen.descent_gradient)
        return new_params, SAMState(state.count + 1, base_state), seen

    return Optimizer(init, step)


def shares_of(shards: Sequence[ValueAndGrad], sizes: Sequence[float] | None) -> list[float]:
    """Return each shard's share of the batch; all alike without ``sizes``.

    Raises:
        ValueError: if there are no shards, not as many sizes, or only sizes of 0.

    Example:
        >>> shares_of([abs, abs], sizes=[3, 1])
        [0.75, 0.25]
    """
    sizes = [1] * len(shards) if sizes is None else list(sizes)
    if not shards or len(sizes) != len(shards):
        raise ValueError(
            f"shards must be at least one, with a size each if any, "
            f"got {len(shards)} shards and {len(sizes)} sizes"
        )
    numbers = [check_number("sizes", size, open_high=True) for size in sizes]
    if not sum(numbers):
        raise ValueError(f"sizes must hold a number above 0, got {sizes}")
    return [number / sum(numbers) for number in numbers]


def mean_step(steps: Sequence[Step], shares: Sequence[float]) -> Step:
    """Return the `Step` whose fields are the means of those of ``steps``.

    The auxiliary values are averaged where they are dicts of arrays, as batch statistics are, and
    left out where they are anything else.

    Args:
        steps: one for each shard.
        shares: how much each counts; they add up to 1.
    """
    if len(steps) == 1:
        return steps[0]._replace(shards=tuple(steps))

    def weighted(*values: Any) -> Any:
        total = shares[0] * values[0]
        for share, value in zip(shares[1:], values[1:], strict=True):
            total += share * value  # in place, for there may be many shards
        return total

    def mean(field: str) -> Any:
        values = [getattr(one, field) for one in steps]
        if isinstance(values[0], dict):
            return map_leaves(weighted, *values)
        return None if field.endswith("auxiliary") else weighted(*values)

    return Step(*map(mean, Step._fields[:-1]))._replace(shards=tuple(steps))
