"""m-sharpness: the worst loss in a ball, with a direction of its own for every m examples.

    s_m(w) = mean over shards S of m examples of  max_{‖ε‖₂ ≤ ρ} L_S(w + ε) − L_S(w).

The smaller the shards the larger s_m (the mean of the maxima is at least the maximum of the mean).
Foret et al. found that it also predicts generalization better the smaller m is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from minisam.checks import check_whole
from minisam.sharpness.worst_case import worst_case
from minisam.trees import Params


class MSharpness(NamedTuple):
    """The mean sharpness over shards.

    Attributes:
        value: s_m, the mean rise, shards weighted by their number of examples.
        standard_error: of that mean, from the spread between shards; NaN for a single shard.
        shards: each shard's rise, shape (shards,).
        m: examples per shard; the last one holds what is left.
    """

    value: float
    standard_error: float
    shards: np.ndarray
    m: int


def m_sharpness(
    loss: Callable[..., Any],
    params: Params,
    examples: Sequence[np.ndarray],
    m: int,
    rho: float,
    steps: int = 1,
    scaling: Params | None = None,
) -> MSharpness:
    """Average the sharpness of shards of ``m`` examples.

    Args:
        loss: (params, *arrays) -> scalar, the mean loss over the examples that it is given.
        params: dict of arrays, the point w.
        examples: arrays with the examples along their first axis, such as (images, labels); the
            shards are consecutive, so shuffle before if the order means something.
        m: examples per shard, from 1 to all of them.
        rho: radius ρ of each shard's ball.
        steps: steps of projected ascent; 1 is SAM's own first-order perturbation.
        scaling: the diagonal of T for ASAM's ball, see `worst_case`.

    Example:
        >>> loss = lambda p, c: (0.5 * (p["w"] - c) ** 2).mean()
        >>> centres, w = np.array([-1.0, 1.0]), {"w": np.array([0.0])}
        >>> [m_sharpness(loss, w, [centres], m, rho=0.5, steps=9).value for m in (1, 2)]
        [0.625, 0.0]

    Source:
        Foret et al. 2020, arXiv 2010.01412, section 4.1.
    """
    lengths = [len(array) for array in examples]
    if len(set(lengths)) != 1 or lengths[0] == 0:
        raise ValueError(f"examples must be arrays of one length, at least 1, got {lengths}")
    count = lengths[0]
    check_whole("m", m, low=1, high=count)

    def rise(shard: list[np.ndarray]) -> float:
        return worst_case(lambda w: loss(w, *shard), params, rho, steps, scaling=scaling).rise

    shards = [[array[k : k + m] for array in examples] for k in range(0, count, m)]
    rises = np.array([rise(shard) for shard in shards])
    share = np.array([len(shard[0]) for shard in shards]) / count
    mean = float(share @ rises)
    error = float(np.sqrt(share**2 @ (rises - mean) ** 2 * len(rises) / max(len(rises) - 1, 1)))
    return MSharpness(mean, error if len(rises) > 1 else float("nan"), rises, m)
