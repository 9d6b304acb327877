"""Find the formula of a step by regression on the vectors that were at hand.

The new weights are a sum of A, d1, d2, ε and a few more, with factors made of the hyper-parameters
and of norms. Which vectors they are is found in one step, by least squares, the fewest first; what
the factors are is found from several steps, in which the hyper-parameters and the norms differ.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from minisam.anatomy.sums import ODD, Term, simple

ACCURACY = 1e-7  # relative; what is right to seven digits is right but for an epsilon
UNNAMED = 100.0  # the cost of a factor that is no number times a scalar
MANY = 3  # the steps that bear out a number that nobody would write
CANCEL = 100  # times the sum: terms that are longer cancel each other, as collinear ones can
LIKELY = {"A": "λ", "v": "μ"}  # what belongs to the factor of a vector

Vector = np.ndarray
Scalars = Mapping[tuple[str, str], tuple[float, float]]


class Sample(NamedTuple):
    """One step: what is to be explained, and what by.

    Attributes:
        target: the vector.
        basis: the vectors at hand, by name; one that is zero says nothing.
        scalars: the numbers at hand, as {(numerator, denominator): (value, how unlikely)}.
        shares: those that two factors may have between them.
        alone: the vectors that are part of no longer sum.
    """

    target: Vector
    basis: dict[str, Vector]
    scalars: Scalars
    shares: Scalars = MappingProxyType({("", ""): (1.0, 0.0)})
    alone: frozenset[str] = frozenset()


def find_formula(
    samples: Sequence[Sample], most: int = 3, accuracy: float = ACCURACY
) -> list[Term]:
    """Return the shortest sum that is the target in every sample; none if there is none.

    Args:
        samples: steps in which the same formula is at work.
        most: terms.
        accuracy: the relative error of the sum that is left to rounding, and to epsilons.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> d1, d2 = rng.normal(size=(2, 9))
        >>> scalars = {("lr", ""): (0.1, 0.0), ("", ""): (1.0, 1.0)}
        >>> sample = Sample(-0.1 * (d1 + d2), {"d1": d1, "d2": d2}, scalars)
        >>> from minisam.anatomy.sums import sum_in_words
        >>> sum_in_words(find_formula([sample]))
        '−lr (d1 + d2)'
    """
    ordered = sorted(samples, key=lambda one: -one.target.size)
    spare = 1 if len(samples) > 1 else 2  # entries that are left over, to show that it fits
    common = [name for name in samples[0].basis if all(name in one.basis for one in samples)]
    for count in range(1, most + 1):
        told = [one for one in ordered if one.target.size >= count + spare]
        found = []
        several = [name for name in common if name not in samples[0].alone]
        for names in combinations(common if count == 1 else several, count):
            factors = factors_together(told, names, accuracy)
            if factors:
                terms = [
                    named_factor(name, [one[k] for one in factors], told, accuracy)
                    for k, name in enumerate(names)
                ]
                found.append((sum(term.cost for term in terms), terms))
        if found:
            return min(found, key=lambda one: one[0])[1]
    return []


def find_direction(samples: Sequence[Sample]) -> list[Term]:
    """Return two vectors along whose sum the target is, but for its length; none if there are none.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> steps = [rng.normal(size=(2, 9)) for _ in range(3)]
        >>> several = [Sample((x + 9 * y) / abs(x @ y), {"x": x, "y": y}, {}) for x, y in steps]
        >>> from minisam.anatomy.sums import sum_in_words
        >>> sum_in_words(find_direction(several))
        'x + 9 y'
    """
    several = [name for name in samples[0].basis if name not in samples[0].alone]
    for one, other in combinations(several, 2):
        factors = factors_together(samples, (one, other))
        if factors and all(first for first, _ in factors):
            shares = [second / first for first, second in factors]
            only = [sample._replace(scalars=sample.shares) for sample in samples]
            term = named_factor(other, shares, only)
            if term.cost < UNNAMED:
                both = [Term("", "", "", "", one, 0.0), term]
                against = all(first < 0 for first, _ in factors)
                return [x._replace(sign="" if x.sign else "−") for x in both] if against else both
    return []


def factors_together(
    samples: Sequence[Sample], names: Sequence[str], accuracy: float = ACCURACY
) -> list[list[float]]:
    """Return the factors in every sample; none if one is not explained, or a vector never needed.

    Example:
        >>> x, y = np.eye(3)[:2]
        >>> sample = Sample(2 * x, {"x": x, "y": y}, {})
        >>> [factors_together([sample], names) for names in (["x"], ["x", "y"], ["y"])]
        [[[2.0]], [], []]
    """
    found = []
    for sample in samples:
        factors = fitted_factors(sample, names, accuracy)
        if not factors:
            return []
        found.append(factors)
    needed = found and all(
        any(one[k] > 0 or one[k] < 0 for one in found) for k in range(len(names))
    )
    return found if needed else []


def fitted_factors(sample: Sample, names: Sequence[str], accuracy: float) -> list[float]:
    """Return the factors with which the vectors add up to the target; none if they do not.

    NaN stands for the factor of a vector that is zero.
    """
    size = float(np.linalg.norm(sample.target))
    there = [name for name in names if np.any(sample.basis[name])]
    if not there or not size:
        return [] if size else [np.nan] * len(names)
    matrix = np.stack([sample.basis[name] for name in there], axis=1)
    if not (np.isfinite(size) and np.isfinite(matrix).all()):  # there is no best fit
        return []
    lengths = np.linalg.norm(matrix, axis=0)
    solution, *_ = np.linalg.lstsq(matrix / lengths, sample.target, rcond=None)
    error = float(np.linalg.norm(matrix / lengths @ solution - sample.target))
    if not error <= accuracy * size or np.max(np.abs(solution)) > CANCEL * size:
        return []
    shares = np.where(np.abs(solution) <= 10 * accuracy * size, 0.0, solution)
    factors = dict(zip(there, (shares / lengths).tolist(), strict=True))
    return [factors.get(name, np.nan) for name in names]


def named_factor(
    vector: str, factors: Sequence[float], samples: Sequence[Sample], accuracy: float = ACCURACY
) -> Term:
    """Name the factor of a vector by what it is in every sample: a number times a scalar."""
    pairs = [(f, s) for f, s in zip(factors, samples, strict=True) if not np.isnan(f)]
    there = [(f, s) for f, s in pairs if f]
    sign = "−" if there[0][0] < 0 else ""
    best = None
    for scalar, (_, unlikely) in there[0][1].scalars.items():
        values = [(f, s.scalars.get(scalar, (np.nan,))[0]) for f, s in pairs]
        ratios = [f / value for f, value in values if f and value]
        if any((not f) != (not value) for f, value in values):
            continue
        if np.ptp(ratios) <= 10 * accuracy * abs(ratios[0]):
            number, cost = simple(abs(ratios[0]), 10 * accuracy)
            if cost >= ODD and (len(ratios) < MANY or accuracy > ACCURACY):
                continue  # any factor is some number times any scalar
            odd = "lr" in scalar[0] and LIKELY.get(vector, "") not in scalar[0]
            cost += len(vector) / 8 + unlikely + odd
            if best is None or cost < best.cost:
                best = Term(sign, number, *scalar, vector, cost)
    if best is not None:
        return best
    several = sorted(abs(f) for f, _ in there)
    return Term(sign, f"({several[0]:.3g} … {several[-1]:.3g})", "", "", vector, UNNAMED)
