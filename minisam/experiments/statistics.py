"""Say how far to trust a mean over seeds: intervals, paired differences, rank correlation.

A run with another seed gives another accuracy; two methods are compared on the *same* seeds (same
data, same flipped labels, same start), and what counts is the mean of the differences d_s and its
Student interval

    d̄ ± t_{n−1, (1+c)/2} · s / √n,        s² = Σ (d_s − d̄)² / (n − 1),

which knows that five seeds are few: t is 2.78 for them, not 1.96.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from minisam.experiments.student import t_cdf, t_quantile

CONFIDENCE = 0.95  # of every interval, unless `mean_interval` is asked for another


class Interval(NamedTuple):
    """An estimate with its confidence interval and the number of observations behind it.

    Attributes:
        value: the estimate.
        low: lower end.
        high: upper end; NaN, like ``low``, when a single observation tells nothing of the spread.
        count: number of observations n.
    """

    value: float
    low: float
    high: float
    count: int  # type: ignore[assignment]  # a field may shadow tuple.count

    def plus_minus(self, spec: str) -> str:
        """Write as ``value ± half-width`` with a number format such as ``.1f``."""
        half = (self.high - self.low) / 2
        return f"{self.value:{spec}} ± {half:{spec.lstrip('+')}}"

    def __format__(self, spec: str) -> str:
        """Write as ``value ± half-width (n=count)`` with a number format such as ``.1f``."""
        return f"{self.plus_minus(spec)} (n={self.count})" if spec else str(self)


def mean_interval(values: Sequence[float], confidence: float = CONFIDENCE) -> Interval:
    """Return the mean of independent values with its Student interval.

    The sum is rounded once: in whatever order a machine would add, equal means are equal, and a
    mean that ends in 5 is printed alike.

    Args:
        values: n ≥ 1 finite numbers, shape (n,).
        confidence: probability that the interval holds the true mean, if values are normal.

    Example:
        >>> f"{mean_interval([70.0, 72.0, 74.0]):.2f}"
        '72.00 ± 4.97 (n=3)'
    """
    x = np.asarray(values, dtype=np.float64)
    if x.ndim != 1 or x.size == 0 or not np.all(np.isfinite(x)):
        raise ValueError(f"values must be a non-empty sequence of finite numbers, got {values!r}")
    n = x.size
    mean = math.fsum(x) / n
    if n == 1:
        return Interval(mean, math.nan, math.nan, 1)
    half = t_quantile((1 + confidence) / 2, n - 1) * float(x.std(ddof=1)) / math.sqrt(n)
    return Interval(mean, mean - half, mean + half, n)


def by_epoch(curves: Sequence[Sequence[float]]) -> list[Interval]:
    """Return mean and interval over seeds of every epoch, of curves of shape (seeds, epochs).

    Example:
        >>> [interval.value for interval in by_epoch([[1.0, 2.0], [3.0, 4.0]])]
        [2.0, 3.0]
    """
    return [mean_interval(values) for values in zip(*curves, strict=True)]


def paired_difference(ours: Mapping[int, float], theirs: Mapping[int, float]) -> Interval:
    """Return the mean of ours − theirs over the seeds that both have, with its Student interval.

    Args:
        ours: {seed: value}.
        theirs: {seed: value}; seeds that only one side has are left out.

    Example:
        >>> paired_difference({0: 75.0, 1: 65.0}, {0: 74.0, 1: 64.0, 2: 0.0})
        Interval(value=1.0, low=1.0, high=1.0, count=2)
    """
    seeds = sorted(ours.keys() & theirs.keys())
    if not seeds:
        raise ValueError(f"no seed is in both {sorted(ours)} and {sorted(theirs)}")
    return mean_interval([ours[seed] - theirs[seed] for seed in seeds])


def p_value(difference: Interval) -> float:
    """Return Student's two-sided p of a difference from 0, which its interval tells.

    Where all n observations are equal it is that of the sign test, 2 · 2⁻ⁿ.

    Example:
        >>> round(p_value(mean_interval([1.0, 2.0, 3.0])), 4)
        0.0742
    """
    value, low, high, n = difference
    if n < 2 or math.isnan(low):
        return math.nan
    error = (high - low) / 2 / t_quantile((1 + CONFIDENCE) / 2, n - 1)
    if error == 0:
        return 2.0 ** (1 - n) if value else 1.0
    return 2 * (1 - t_cdf(abs(value) / error, n - 1))


def holm(values: Sequence[float], level: float = 0.05) -> list[bool]:
    """Return which of several p-values stand when all of them are asked at once.

    The smallest of n must lie below level/n, the next below level/(n − 1), and so on up to the
    first that does not. Then with probability 1 − level none is called different from 0 that is
    not. NaN, of a question that no run answers, does not count.

    Example:
        >>> holm([0.02, 0.001, 0.03, math.nan])
        [True, True, True, False]

    Source:
        Holm, "A simple sequentially rejective multiple test procedure", 1979.
    """
    order = sorted((p, k) for k, p in enumerate(values) if not math.isnan(p))
    stands = [False] * len(values)
    for left, (p, k) in zip(range(len(order), 0, -1), order, strict=True):
        if p >= level / left:
            break
        stands[k] = True
    return stands


def kendall(x: Sequence[float], y: Sequence[float]) -> Interval:
    """Return Kendall's τ-b: concordant minus discordant pairs over the geometric mean of untied.

    The interval is Fieller's, with the standard error √(0.437/(n − 4)) of artanh τ; it is NaN for
    n ≤ 4, and no more than a rule of thumb below n = 10.

    Args:
        x: shape (n,).
        y: shape (n,).

    Example:
        >>> round(kendall([1, 2, 3, 4], [1, 3, 2, 4]).value, 4)
        0.6667

    Source:
        Kendall, "The treatment of ties in ranking problems", 1945; Fieller, Hartley and Pearson,
        "Tests for rank correlation coefficients I", 1957.
    """
    a, b = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if a.ndim != 1 or a.shape != b.shape or a.size < 2:
        raise ValueError(f"x and y must be of one length of at least 2, got {a.shape}, {b.shape}")
    if not (np.all(np.isfinite(a)) and np.all(np.isfinite(b))):
        raise ValueError("x and y must be finite")
    i, j = np.triu_indices(a.size, k=1)
    s, t = np.sign(a[i] - a[j]), np.sign(b[i] - b[j])
    untied = math.sqrt(float(s @ s) * float(t @ t))
    tau, n = float(s @ t) / untied if untied else math.nan, a.size
    if math.isnan(tau) or n <= 4:
        return Interval(tau, math.nan, math.nan, n)
    if abs(tau) == 1:
        return Interval(tau, tau, tau, n)
    half = NormalDist().inv_cdf((1 + CONFIDENCE) / 2) * math.sqrt(0.437 / (n - 4))
    z = math.atanh(tau)
    return Interval(tau, math.tanh(z - half), math.tanh(z + half), n)
