"""Search hyper-parameters in the papers' order: SGD's own first, every other method's on top.

SGD tries three learning rates with four weight decays. Its best pair is every other method's pair,
and each of these tries its own hyper-parameter there (ρ; Mixup's α). So a gain is one over an SGD
that had its search, and nothing but the method's own differs. Each candidate is trained with the
same two seeds, of which no reported run uses one, and on other test images. What decides is the
accuracy on held-out images, as noisy as the training images, never on test images. The whole
search is stored with the results, and a choice at the edge of what was tried is named in the table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from minisam.experiments.scale import Cells, Scale
from minisam.experiments.study import FITTED

TUNING_SEEDS = (1000, 1001)  # no seeds of a reported run
RATES = (0.4, 1.0, 2.5)  # learning rates that SGD tries, times the experiment's own
DECAYS = (5e-4, 2e-3, 5e-3, 1e-2)  # weight decays that it tries with each
FEW_TEST_IMAGES = 100  # of a run that is only a search's

Problems = Sequence[tuple[dict[str, Any], Mapping[str, Any]]]


def times(lr: float, factor: float) -> float:
    """Return a multiple of a learning rate, to three digits, as one would write it.

    Example:
        >>> times(0.05, 0.8)
        0.04
    """
    return float(f"{lr * factor:.3g}")


def candidates(
    scale: Scale, *methods: str, radii: Mapping[str, Sequence[float]] | None = None
) -> dict[str, list[dict[str, Any]]]:
    """Return the settings that ``"SAM"`` and ``"ASAM"`` try: an optimizer with each radius.

    Args:
        scale: of the experiment.
        *methods: names in tables.
        radii: other radii than those of `Scale.radii`, by optimizer.

    Example:
        >>> candidates(Scale("toy", (0,)), "SAM")["SAM"][0]
        {'optimizer': 'sam', 'rho': 0.05}
    """
    tried = {}
    for name in ("sam", "asam"):
        values = radii[name] if radii else scale.radii(name)
        tried[name.upper()] = [{"optimizer": name, "rho": rho} for rho in values]
    unknown = [method for method in methods if method not in tried]
    if unknown:
        raise ValueError(f"methods must be of {', '.join(tried)}, got {unknown[0]!r}")
    return {method: tried[method] for method in methods}


def base_candidates(lr: float) -> list[dict[str, Any]]:
    """Return every pair of learning rate and weight decay that SGD tries.

    Example:
        >>> len(base_candidates(0.05)), base_candidates(0.05)[0]
        (12, {'lr': 0.02, 'weight_decay': 0.0005})
    """
    return [{"lr": times(lr, f), "weight_decay": wd} for f in RATES for wd in DECAYS]


def tune(
    cells: Cells,
    scale: Scale,
    problems: Problems,
    candidates: Mapping[str, Sequence[Mapping[str, Any]]],
    base_on: Mapping[str, Any] | None = None,
    fitted: bool = False,
) -> tuple[list[dict[str, dict[str, Any]]], list[dict[str, Any]]]:
    """Choose SGD's learning rate and weight decay, then every method's own hyper-parameter there.

    Args:
        cells: runs trials.
        scale: in a smoke test two candidates of each method and one seed stand for all.
        problems: (labels, settings that all methods share) of each problem; the settings must hold
            out a validation set, and name the learning rate ``lr`` in the middle of SGD's.
        candidates: {method: its settings to try}, SGD not among them.
        base_on: settings with which SGD is searched instead of a problem's own, as
            ``{"noise": 0.0}``: where labels are wrong, the best SGD is one that hardly trains.
        fitted: whether SGD is chosen only among the pairs with which it learns its training
            labels, if there are such: where images are few, the best one may be half trained.

    Returns:
        For each problem {method: the best settings}, SGD's first; and the whole search, one dict
        per candidate with the problem's labels, ``method``, ``settings``, ``validation`` (the mean
        over ``seeds``) and ``seeds``.
    """
    changed = base_on or {}
    places = [({**labels, **changed}, {**shared, **changed}) for labels, shared in problems]
    different = [place for k, place in enumerate(places) if place not in places[:k]]
    found, search = tune_base(cells, scale, different, fitted)
    bases = [found[different.index(place)] for place in places]
    based = [
        (labels, {**shared, **base}) for (labels, shared), base in zip(problems, bases, strict=True)
    ]
    chosen, more = tune_own(cells, scale, based, candidates)
    both = [
        {"SGD": base, **{method: {**base, **own} for method, own in best.items()}}
        for base, best in zip(bases, chosen, strict=True)
    ]
    return both, search + more


def tune_base(
    cells: Cells, scale: Scale, problems: Problems, fitted: bool = False
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Choose SGD's learning rate and weight decay for each problem; return them, and the search."""
    for labels, shared in problems:
        if "lr" not in shared:
            raise ValueError(f"problems must name a learning rate lr, which {labels} does not")
    tries = [
        (k, "SGD", option)
        for k, (_, shared) in enumerate(problems)
        for option in _some(scale, base_candidates(shared["lr"]))
    ]
    chosen, search = _best(cells, scale, problems, tries, fitted)
    return [best["SGD"] for best in chosen], search


def tune_own(
    cells: Cells,
    scale: Scale,
    problems: Problems,
    candidates: Mapping[str, Sequence[Mapping[str, Any]]],
) -> tuple[list[dict[str, dict[str, Any]]], list[dict[str, Any]]]:
    """Choose each method's own settings for each problem; return them, and the search."""
    tries = [
        (k, method, dict(option))
        for k in range(len(problems))
        for method, options in candidates.items()
        for option in _some(scale, options)
    ]
    return _best(cells, scale, problems, tries)


def _some(scale: Scale, options: Sequence[Any]) -> Sequence[Any]:
    return options[1:3] if scale.smoke else options


def _best(
    cells: Cells,
    scale: Scale,
    problems: Problems,
    tries: Sequence[tuple[int, str, dict[str, Any]]],
    fitted: bool = False,
) -> tuple[list[dict[str, dict[str, Any]]], list[dict[str, Any]]]:
    """Train every (problem, method, settings); return {method: best} of each problem, and all."""
    seeds = TUNING_SEEDS[:1] if scale.smoke else TUNING_SEEDS
    grid = []
    for k, _, option in tries:
        settings = {**problems[k][1], **option, "test_size": FEW_TEST_IMAGES}
        grid += [{**settings, "seed": seed} for seed in seeds]
    results = cells(grid)
    search: list[dict[str, Any]] = []
    chosen: list[dict[str, dict[str, Any]]] = [{} for _ in problems]
    best: dict[tuple[int, str], tuple[bool, float]] = {}
    for number, (k, method, option) in enumerate(tries):
        runs = results[number * len(seeds) : (number + 1) * len(seeds)]
        if any(run["validation"] is None for run in runs):
            raise ValueError(
                f"problems must hold out images to choose on, which {problems[k]} does not"
            )
        score = sum(run["validation"] for run in runs) / len(seeds)
        found = {"settings": option, "validation": score, "seeds": list(seeds)}
        search.append({**problems[k][0], "method": method, **found})
        learned = fitted and sum(run["train"] for run in runs) / len(seeds) >= FITTED
        if (learned, score) > best.get((k, method), (False, -1.0)):
            best[k, method], chosen[k][method] = (learned, score), option
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
