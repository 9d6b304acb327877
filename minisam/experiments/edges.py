"""Name choices of a search at the edge of what was tried, which so may not be the best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def at_the_edge(search: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the choices that are the smallest or largest tried, and so may not be the best.

    Args:
        search: what `minisam.experiments.search.tune` returned.

    Returns:
        A text per method and hyper-parameter.

    Example:
        >>> tried = [
        ...     {"method": "SAM", "noise": 0.4, "settings": {"rho": v}, "validation": 100 * v}
        ...     for v in (0.1, 0.2, 0.4)
        ... ]
        >>> at_the_edge(tried)
        ['SAM, noise 0.4: rho = 0.4']
    """
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for entry in search:
        labels = [
            f", {key} {value}" for key, value in entry.items()
            if key not in ("method", "settings", "validation", "seeds")
        ]  # fmt: skip
        groups.setdefault(entry["method"] + "".join(labels), []).append(entry)
    found = []
    for name, entries in groups.items():
        tried: dict[str, set[float]] = {}
        for entry in entries:
            for key, value in numbers(entry["settings"]).items():
                tried.setdefault(key, set()).add(value)
        best = max(entries, key=lambda entry: entry["validation"])
        for key, value in numbers(best["settings"]).items():
            if len(tried[key]) > 1 and value in (min(tried[key]), max(tried[key])):
                found.append(f"{name}: {key} = {value:g}")
    return found


def numbers(settings: Mapping[str, Any]) -> dict[str, float]:
    """Return the numbers among settings, those of nested settings too.

    Example:
        >>> numbers({"loss": "gce", "loss_options": {"q": 0.7}, "lr": 0.1})
        {'q': 0.7, 'lr': 0.1}
    """
    found: dict[str, float] = {}
    for key, value in settings.items():
        if isinstance(value, Mapping):
            found |= numbers(value)
        elif isinstance(value, int | float):
            found[key] = value
    return found
