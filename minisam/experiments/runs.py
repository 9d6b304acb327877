"""Choose runs by their labels, and compare two methods seed by seed.

A run is a dict: labels that say which one it is (``method``, ``seed``, ``rho``, those of the
problem), and what was measured, such as ``last``, the test accuracy after the last epoch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from minisam.experiments.statistics import Interval, mean_interval, paired_difference


def labelled(runs: Sequence[Mapping[str, Any]], **labels: Any) -> list[Mapping[str, Any]]:
    """Return the runs that carry all these labels.

    Example:
        >>> labelled([{"method": "SGD", "last": 1.0}, {"method": "SAM", "last": 2.0}], method="SAM")
        [{'method': 'SAM', 'last': 2.0}]
    """
    return [run for run in runs if all(run[key] == value for key, value in labels.items())]


def models(results: Mapping[str, Any]) -> list[str]:
    """Return the names of the networks that were trained, in the order of the runs.

    Example:
        >>> models({"runs": [{"model": "MLP"}, {"model": "CNN"}, {"model": "MLP"}]})
        ['MLP', 'CNN']
    """
    return list(dict.fromkeys(run["model"] for run in results["runs"]))


def chosen_radii(results: Mapping[str, Any]) -> dict[str, float]:
    """Return {network: SAM's ρ that was chosen}, in the order of the runs.

    Example:
        >>> chosen_radii({"runs": [{"model": "MLP"}], "chosen": [{"SAM": {"rho": 0.1}}]})
        {'MLP': 0.1}
    """
    chosen = zip(models(results), results["chosen"], strict=True)
    return {model: best["SAM"]["rho"] for model, best in chosen}


def mean(runs: Sequence[Mapping[str, Any]], value: str = "last", **labels: Any) -> Interval:
    """Return mean and interval over seeds of one value of the runs that carry these labels."""
    return mean_interval([run[value] for run in labelled(runs, **labels)])


def best_elsewhere(runs: Sequence[Mapping[str, Any]], seed: int, value: str) -> float:
    """Return the ρ with the best mean of a value over all seeds but one; of equals the smaller.

    Example:
        >>> runs = [{"rho": r, "seed": s, "validation": r * s} for r in (1, 2) for s in (-1, 5)]
        >>> best_elsewhere(runs, -1, "validation"), best_elsewhere(runs, 5, "validation")
        (2, 1)
    """
    means = {}
    for rho in sorted({run["rho"] for run in runs}):
        found = [run[value] for run in labelled(runs, rho=rho) if run["seed"] != seed]
        means[rho] = sum(found) / max(1, len(found))
    return max(means, key=means.__getitem__)


def middle_radius(runs: Sequence[Mapping[str, Any]]) -> float:
    """Return the ρ of SAM that is judged: the one in the middle of those tried.

    Example:
        >>> middle_radius([{"method": "SAM", "rho": rho} for rho in (0.4, 0.1, 0.2)])
        0.2
    """
    radii = sorted({run["rho"] for run in labelled(runs, method="SAM")})
    return radii[len(radii) // 2]


def by_seed(
    runs: Sequence[Mapping[str, Any]], value: str = "last", **labels: Any
) -> dict[int, float]:
    """Return {seed: value} of the runs that carry these labels.

    Raises:
        ValueError: if two of them have one seed, so that the labels are those of two problems.

    Example:
        >>> by_seed([{"method": "SAM", "seed": 0, "last": 2.0}], method="SAM")
        {0: 2.0}
    """
    found = labelled(runs, **labels)
    values = {run["seed"]: run[value] for run in found}
    if len(values) < len(found):
        raise ValueError(f"labels must leave one run a seed, got {labels} with {len(found)} runs")
    return values


def gains(
    runs: Sequence[Mapping[str, Any]], method: str = "SAM", over: str = "SGD", **labels: Any
) -> dict[int, float]:
    """Return {seed: difference of the last accuracy between two methods}.

    Example:
        >>> runs = [{"method": m, "seed": 0, "last": v} for m, v in (("SGD", 1.0), ("SAM", 3.0))]
        >>> gains(runs)
        {0: 2.0}
    """
    ours, theirs = (by_seed(runs, method=name, **labels) for name in (method, over))
    return {seed: ours[seed] - theirs[seed] for seed in ours}


def gain(
    runs: Sequence[Mapping[str, Any]],
    method: str,
    over: str = "SGD",
    value: str = "last",
    **labels: Any,
) -> Interval:
    """Return the seed-by-seed difference of a value between two methods, with its interval."""
    ours, theirs = (by_seed(runs, value, method=name, **labels) for name in (method, over))
    return paired_difference(ours, theirs)


def shares_removed(
    runs: Sequence[Mapping[str, Any]], method: str = "SAM", over: str = "SGD", **labels: Any
) -> dict[int, float]:
    """Return {seed: share of the errors of one method that another removes, in percent}."""
    ours, theirs = (by_seed(runs, method=name, **labels) for name in (method, over))
    return {seed: 100 * (ours[seed] - theirs[seed]) / (100 - theirs[seed]) for seed in sorted(ours)}


def removed(
    runs: Sequence[Mapping[str, Any]], method: str, over: str = "SGD", **labels: Any
) -> Interval:
    """Return the mean of `shares_removed` over the seeds, with its interval.

    Example:
        >>> runs = [
        ...     {"method": m, "seed": s, "last": v + s}
        ...     for m, v in (("SGD", 80.0), ("SAM", 90.0))
        ...     for s in (0, 1)
        ... ]
        >>> f"{removed(runs, 'SAM').value:.1f}"
        '51.3'
    """
    return mean_interval(list(shares_removed(runs, method, over, **labels).values()))
