"""Student's distribution: how far the mean of a few normal numbers may stray from the true one."""

from __future__ import annotations

import math


def t_cdf(t: float, degrees: int) -> float:
    """Return P(T ≤ t) of Student's distribution with a whole number of degrees of freedom.

    With θ = arctan(t/√ν) and c = cos² θ, P(|T| ≤ t) is a finite sum:

        ν even:  sin θ · (1 + c/2 + c²·(1·3)/(2·4) + … up to c^{(ν−2)/2})
        ν odd:   (2/π) (θ + sin θ cos θ · (1 + c·2/3 + c²·(2·4)/(3·5) + … up to c^{(ν−3)/2}))

    Args:
        t: where.
        degrees: ν ≥ 1.

    Example:
        >>> round(t_cdf(1.0, 1), 6)
        0.75

    Source:
        Abramowitz and Stegun, "Handbook of Mathematical Functions", 26.7.3 and 26.7.4.
    """
    if degrees != int(degrees) or degrees < 1:
        raise ValueError(f"degrees must be a whole number of at least 1, got {degrees}")
    theta = math.atan2(abs(t), math.sqrt(degrees))
    c, odd = math.cos(theta) ** 2, degrees % 2
    term, total = 1.0, 1.0 if degrees > 1 else 0.0
    for k in range(1, (degrees - odd) // 2):
        term *= c * (2 * k - 1 + odd) / (2 * k + odd)
        total += term
    if odd:
        central = 2 / math.pi * (theta + math.sin(theta) * math.cos(theta) * total)
    else:
        central = math.sin(theta) * total
    return 0.5 + math.copysign(central / 2, t)


def t_quantile(probability: float, degrees: int) -> float:
    """Return the t below which Student's distribution has the given probability, by bisection.

    Args:
        probability: strictly between 0 and 1.
        degrees: degrees of freedom ν ≥ 1.

    Example:
        >>> round(t_quantile(0.975, 4), 3)
        2.776
    """
    if not 0 < probability < 1:
        raise ValueError(f"probability must lie strictly between 0 and 1, got {probability}")
    if probability < 0.5:
        return -t_quantile(1 - probability, degrees)
    low, high = 0.0, 1.0
    while t_cdf(high, degrees) < probability:
        low, high = high, 2 * high
    while low < (middle := (low + high) / 2) < high:
        if t_cdf(middle, degrees) < probability:
            low = middle
        else:
            high = middle
    return high
