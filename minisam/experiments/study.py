"""Run an experiment over seeds, compare two methods, and judge a claim.

An experiment is a module in `minisam.experiments.claims` with

    CLAIM, PUBLISHED        what is claimed, and the published figures, in a sentence each
    run(cells, scale)       the grid: calls ``cells`` with lists of settings, returns its results
    table(results)          the results as rows of text, the first one the heading
    headline(results)       what is judged, chosen before any run: a `Headline`
    verdict(results)        one of the `VERDICTS`, or a text that begins with one
    draw(results, figure)   the results as a picture, of SIZE inches if the module says so

where results are plain JSON, so that table, verdict and picture can be made again from the file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from minisam.experiments.statistics import Interval, mean_interval, paired_difference
from minisam.experiments.trial import trial

VERDICTS = ("shows", "opposite", "no more than δ", "undecided", "under-fitted", "not run")
FITTED = 90.0  # percent of its training labels that SGD must have learned, or nothing is judged
# Every ρ that is tried, ascending, in steps of √2 to 2. The toy problem's loss is smoother, so its
# radii are larger; a search whose best value lies at the edge of its grid has not found it.
TOY_RADII = {"sam": (0.05, 0.1, 0.2, 0.28, 0.4, 0.57), "asam": (0.5, 1.0, 2.0, 2.8, 4.0, 5.7)}
RADII = {"sam": (0.05, 0.1, 0.14, 0.2, 0.28, 0.4), "asam": (0.5, 1.0, 1.4, 2.0, 2.8, 4.0)}
# `minisam compare` tries few, so that its default run takes less than 90 s on two cores. They are
# SAM's; another method's are as many times larger as its row in `minisam.optim.METHODS` says.
FEW_TOY_RADII = (0.2, 0.4, 0.6)
FEW_RADII = (0.025, 0.05, 0.1, 0.2)
LR = 0.02  # in the middle of what SGD tries, in an experiment that does not say another
Cells = Callable[..., list[Any]]  # (list of settings, function=trial) -> list of results


class Scale(NamedTuple):
    """How large to make an experiment.

    Attributes:
        data: ``"toy"``, ``"cifar10"`` or ``"cifar100"``.
        seeds: the seeds of the reported runs.
        smoke: only to see that everything runs: one epoch of a small network on a hundred images.
    """

    data: str
    seeds: tuple[int, ...]
    smoke: bool = False

    def radii(self, optimizer: str) -> tuple[float, ...]:
        """Return the values of ρ to try with ``"sam"`` or ``"asam"`` on this data, ascending.

        Example:
            >>> Scale("toy", (0,)).radii("sam")
            (0.05, 0.1, 0.2, 0.28, 0.4, 0.57)
        """
        return (TOY_RADII if self.data == "toy" else RADII)[optimizer]

    def settings(self, **special: Any) -> dict[str, Any]:
        """Return the settings that every trial of this scale shares, with the experiment's own.

        Images are 16 × 16. The learning rate warms up in a tenth of the steps, ρ in a quarter, and
        SGD looks ahead (Nesterov). Thousands of held-out images choose, 10,000 judge.

        Example:
            >>> Scale("toy", (0,)).settings(epochs=3)["epochs"]
            3
        """
        sizes: dict[str, Any] = {"train_size": 4000, "validation_size": 10_000}
        if self.data == "toy":
            sizes = {"train_size": 2000, "validation_size": 5000}
        sizes |= {"test_size": 10_000, "side": 16, "epochs": 20, "batch_size": 64}
        hidden = [8, 8] if self.smoke else [128, 128]
        model = {"model": "mlp", "model_options": {"hidden": hidden}, "lr": LR}
        model |= {"nesterov": True, "lr_warmup": 0.1, "rho_warmup": 0.25}
        if self.smoke:
            special |= {"train_size": 100, "test_size": 100, "validation_size": 50, "epochs": 1}
        return {"data": self.data} | sizes | model | special


class Headline(NamedTuple):
    """What a study says in one word and one number.

    Attributes:
        word: one of the `VERDICTS`.
        number: the difference that it was judged by, with its interval and its unit.
        difference: the same as an interval, of what the claim says is positive; None if not run.
        rho: the ρ that was judged, as text.
        train: SGD's training accuracy in percent.
        share: for accuracies, the share of SGD's errors that SAM removes, in percent.
        beside: what speaks against it, or another answer to the question, to be told in one breath.

    Example:
        >>> Headline.of(Interval(3.0, 1.0, 5.0, 5), "points")[:2]
        ('shows', '+3.0 ± 2.0 points')
    """

    word: str
    number: str
    difference: Interval | None = None
    rho: str = ""
    train: float | None = None
    share: Interval | None = None
    beside: str = ""

    @classmethod
    def of(
        cls, difference: Interval, unit: str, digits: int = 1, delta: float = 1.0,
        train: float | None = None, **more: Any,
    ) -> Headline:  # fmt: skip
        """Judge a difference that the claim says is positive, and write it down."""
        number = f"{difference:+.{digits}f}".removesuffix(f" (n={difference.count})")
        word = weigh(difference, delta, train)
        return cls(word, f"{number} {unit}", difference, train=train, **more)


def over_seeds(
    cells: Cells, scale: Scale, entries: Sequence[tuple[dict[str, Any], dict[str, Any]]],
    function: Callable[..., Any] = trial,
) -> list[dict[str, Any]]:  # fmt: skip
    """Run each (label, settings) with every seed of the scale; return label + seed + result."""
    grid = [{**settings, "seed": seed} for seed in scale.seeds for _, settings in entries]
    results = cells(grid, function)  # seed by seed, so that its data need be made but once
    return [
        {**label, "seed": seed, **results[row * len(entries) + column]}
        for column, (label, _) in enumerate(entries)
        for row, seed in enumerate(scale.seeds)
    ]


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
    """Return {network: SAM's ρ}, in the order of the runs; empty where none was searched.

    Example:
        >>> chosen_radii({"runs": [{"model": "MLP"}], "chosen": [{"SAM": {"rho": 0.1}}]})
        {'MLP': 0.1}
    """
    chosen = zip(models(results), results.get("chosen", []), strict=False)
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


def middle_radius(runs: Sequence[Mapping[str, Any]], method: str = "SAM") -> float:
    """Return the ρ that is judged: the one in the middle of those tried.

    Example:
        >>> middle_radius([{"method": "SAM", "rho": rho} for rho in (0.4, 0.1, 0.2)])
        0.2
    """
    radii = sorted({run["rho"] for run in labelled(runs, method=method)})
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


def removed(
    runs: Sequence[Mapping[str, Any]], method: str, over: str = "SGD", **labels: Any
) -> Interval:
    """Return the share of the errors of one method that another removes, in percent, by seed.

    Example:
        >>> runs = [
        ...     {"method": m, "seed": s, "last": v + s}
        ...     for m, v in (("SGD", 80.0), ("SAM", 90.0))
        ...     for s in (0, 1)
        ... ]
        >>> f"{removed(runs, 'SAM').value:.1f}"
        '51.3'
    """
    ours, theirs = (by_seed(runs, method=name, **labels) for name in (method, over))
    return mean_interval(
        [100 * (ours[seed] - theirs[seed]) / (100 - theirs[seed]) for seed in sorted(ours)]
    )


def half_published(share: float, accuracy: float) -> float:
    """Return δ in points: half of the published share of errors, of the errors that there are here.

    Args:
        share: of the errors of SGD that the paper's SAM removes, in percent.
        accuracy: of SGD here, in percent.

    Example:
        >>> half_published(20.0, accuracy=90.0)
        1.0
    """
    return share / 100 / 2 * (100 - accuracy)


def weigh(difference: Interval, delta: float = 1.0, train: float | None = None) -> str:
    """Turn a difference that a claim says is positive into a verdict.

    Args:
        difference: its estimate and interval.
        delta: a difference of at most δ either way is less than half of what was published.
        train: SGD's training accuracy in percent, None where it tells nothing. Where SGD has not
            learned its training set, a difference is one of speed.

    Returns:
        ``"under-fitted"`` where the training accuracy is below `FITTED`; ``"shows"`` if the
        interval lies above 0; ``"opposite"`` if it lies below; ``"no more than δ"`` if it lies
        within ± δ; else ``"undecided"``.

    Example:
        >>> weigh(Interval(3.0, 1.0, 5.0, 5)), weigh(Interval(3.0, 1.0, 5.0, 5), train=60.0)
        ('shows', 'under-fitted')
        >>> weigh(Interval(0.1, -0.2, 0.4, 5)), weigh(Interval(3.0, -1.0, 7.0, 3))
        ('no more than δ', 'undecided')
    """
    if train is not None and train < FITTED:
        return "under-fitted"
    if difference.low > 0:
        return "shows"
    if difference.high < 0:
        return "opposite"
    return "no more than δ" if max(-difference.low, difference.high) <= delta else "undecided"
