"""Search hyper-parameters, with the same budget for every method.

Each method tries five values of its own hyper-parameter (ρ; Mixup's α; for SGD the learning rate
itself) and four other learning rates at the best of them (SGD: nearer ones), and each candidate is
trained with the same two seeds, of which no reported run uses one. What decides is the accuracy on
held-out images, never on test images. The whole search is stored with the results, and a choice at
the edge of what was tried is named in the table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from minisam.experiments.study import LR, Cells, Scale

TUNING_SEEDS = (1000, 1001)  # no seeds of a reported run
RATES = (0.25, 0.5, 1.0, 2.5, 5.0)  # learning rates to try, times the experiment's own
NEARER = (0.6, 0.8, 1.25, 1.6)  # times the best, for SGD, whose only one is the learning rate


def times(lr: float, factor: float) -> float:
    """Return a multiple of a learning rate, to three digits, as one would write it.

    Example:
        >>> times(0.05, 0.8)
        0.04
    """
    return float(f"{lr * factor:.3g}")


def candidates(
    scale: Scale,
    *methods: str,
    lr: float = LR,
    radii: Mapping[str, Sequence[float]] | None = None,
) -> dict[str, list[dict[str, Any]]]:
    """Return five settings for each method: SGD's learning rates, SAM's and ASAM's radii.

    Args:
        scale: of the experiment.
        *methods: of ``"SGD"``, ``"SAM"`` and ``"ASAM"``.
        lr: the middle one of SGD's learning rates.
        radii: other radii than those of `Scale.radii`, by optimizer.

    Example:
        >>> candidates(Scale("toy", (0,)), "SGD", "SAM")["SAM"][0]
        {'optimizer': 'sam', 'rho': 0.05}
    """
    tried: dict[str, list[dict[str, Any]]] = {"SGD": [{"lr": times(lr, f)} for f in RATES]}
    for name in ("sam", "asam"):
        values = radii[name] if radii else scale.radii(name)
        tried[name.upper()] = [{"optimizer": name, "rho": rho} for rho in values]
    unknown = [method for method in methods if method not in tried]
    if unknown:
        raise ValueError(f"methods must be of {', '.join(tried)}, got {unknown[0]!r}")
    return {method: tried[method] for method in methods}


def tune(
    cells: Cells,
    scale: Scale,
    problems: Sequence[tuple[dict[str, Any], Mapping[str, Any]]],
    candidates: Mapping[str, Sequence[Mapping[str, Any]]],
) -> tuple[list[dict[str, dict[str, Any]]], list[dict[str, Any]]]:
    """Choose each method's settings, problem by problem, by validation accuracy after training.

    Two rounds: a method's own hyper-parameter at the problem's learning rate; then other learning
    rates at the best of it. A method whose own hyper-parameter is the learning rate tries nearer
    ones in the second round. The accuracy is the mean over seeds that no reported run uses.

    Args:
        cells: runs trials.
        scale: in a smoke test two candidates of each method, one other learning rate and one seed
            stand for all.
        problems: (labels, settings that all methods share) of each problem; the settings must hold
            out a validation set, and name the learning rate ``lr``.
        candidates: {method: its settings to try}, of equal number for every method, so that none
            has the larger budget.

    Returns:
        For each problem {method: the best settings}; and the whole search, one dict per candidate
        with the problem's labels, ``method``, ``settings``, ``validation`` (the mean over
        ``seeds``) and ``seeds``.
    """
    if len({len(options) for options in candidates.values()}) != 1:
        raise ValueError("candidates must be as many for every method")
    for labels, shared in problems:
        if "lr" not in shared:
            raise ValueError(f"problems must name a learning rate lr, which {labels} does not")
    seeds = TUNING_SEEDS[:1] if scale.smoke else TUNING_SEEDS
    search: list[dict[str, Any]] = []
    chosen: list[dict[str, dict[str, Any]]] = [{} for _ in problems]
    best: dict[tuple[int, str], float] = {}

    def attempt(entries: list[tuple[int, str, dict[str, Any]]]) -> None:
        grid = [{**problems[k][1], **option} for k, _, option in entries]
        results = cells([{**settings, "seed": seed} for settings in grid for seed in seeds])
        for number, (k, method, option) in enumerate(entries):
            runs = results[number * len(seeds) : (number + 1) * len(seeds)]
            if any(run["validation"] is None for run in runs):
                raise ValueError(
                    f"problems must hold out images to choose on, which {problems[k]} does not"
                )
            score = sum(run["validation"] for run in runs) / len(seeds)
            found = {"settings": option, "validation": score, "seeds": list(seeds)}
            search.append({**problems[k][0], "method": method, **found})
            if score > best.get((k, method), -1.0):
                best[k, method], chosen[k][method] = score, option

    attempt(
        [
            (k, method, dict(option))
            for k in range(len(problems))
            for method, options in candidates.items()
            for option in (options[1:3] if scale.smoke else options)
        ]
    )
    second = []
    for k, (_, shared) in enumerate(problems):
        for method, option in chosen[k].items():
            factors = NEARER if "lr" in option else [f for f in RATES if f != 1.0]
            lr = option.get("lr", shared["lr"])
            rates = [times(lr, f) for f in (factors[1:2] if scale.smoke else factors)]
            second += [(k, method, {**option, "lr": rate}) for rate in rates]
    attempt(second)
    return chosen, search


def with_best(
    problems: Sequence[tuple[dict[str, Any], Mapping[str, Any]]],
    chosen: Sequence[Mapping[str, Mapping[str, Any]]],
) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Return (labels, settings) of every method on every problem, with what `tune` chose for it.

    Example:
        >>> with_best([({"noise": 0.4}, {"epochs": 5})], [{"SAM": {"rho": 0.1}}])
        [({'method': 'SAM', 'noise': 0.4}, {'epochs': 5, 'rho': 0.1})]
    """
    return [
        ({"method": method, **labels}, {**shared, **options})
        for (labels, shared), best in zip(problems, chosen, strict=True)
        for method, options in best.items()
    ]


def at_the_edge(search: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the choices that are the smallest or largest tried, and so may not be the best.

    Args:
        search: what `tune` returned.

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
