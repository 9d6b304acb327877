"""Run an experiment over seeds, compare two methods, and judge a claim.

An experiment is a module in `minisam.experiments.claims` with

    CLAIM, PUBLISHED        what is claimed, and the published figures, in a sentence each
    run(cells, scale)       the grid: calls ``cells`` with lists of settings, returns its results
    table(results)          the results as rows of text, the first one the heading
    headline(results)       the same in one word and one number, a `Headline`
    verdict(results)        one of the `VERDICTS`, or a text that begins with one
    draw(results, figure)   the results as a picture, of SIZE inches if the module says so

where results are plain JSON, so that table, verdict and picture can be made again from the file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from minisam.experiments.statistics import Interval, mean_interval, paired_difference
from minisam.experiments.trial import trial

VERDICTS = ("shows", "does not show", "too small to tell")
# Every ρ that is tried, ascending. The toy problem's loss is smoother, so its radii are larger; a
# search whose best value lies at the edge of its grid has not found it.
TOY_RADII = {"sam": (0.05, 0.1, 0.2, 0.4, 0.8), "asam": (0.5, 1.0, 2.0, 4.0, 8.0)}
RADII = {"sam": (0.0125, 0.05, 0.1, 0.2, 0.4), "asam": (0.125, 0.5, 1.0, 2.0, 4.0)}
# `minisam compare` tries few, so that its default run takes less than 90 s on two cores. They are
# SAM's; another method's are as many times larger as its row in `minisam.optim.METHODS` says.
FEW_TOY_RADII = (0.2, 0.4, 0.8)
FEW_RADII = (0.025, 0.05, 0.1, 0.2)
LR = 0.02  # the learning rate of an experiment that does not say another
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
            (0.05, 0.1, 0.2, 0.4, 0.8)
        """
        return (TOY_RADII if self.data == "toy" else RADII)[optimizer]

    def settings(self, **special: Any) -> dict[str, Any]:
        """Return the settings that every trial of this scale shares, with the experiment's own.

        Example:
            >>> Scale("toy", (0,)).settings(epochs=3)["epochs"]
            3
        """
        sizes = {"train_size": 5000, "test_size": 2000, "validation_size": 1000, "epochs": 20}
        if self.data == "toy":
            sizes = {"train_size": 1000, "test_size": 1000, "validation_size": 500, "epochs": 20}
        hidden = [8, 8] if self.smoke else [64, 64]
        model = {"model": "mlp", "model_options": {"hidden": hidden}, "lr": LR}
        if self.smoke:
            special |= {"train_size": 100, "test_size": 100, "validation_size": 50, "epochs": 1}
        return {"data": self.data} | sizes | model | special


class Headline(NamedTuple):
    """What a study says in one word and one number.

    Attributes:
        word: one of the `VERDICTS`.
        number: the difference that it was judged by, with its interval and its unit.

    Example:
        >>> Headline.of(Interval(3.0, 1.0, 5.0, 5), "points")
        Headline(word='shows', number='+3.0 ± 2.0 points')
    """

    word: str
    number: str

    @classmethod
    def of(cls, difference: Interval, unit: str, digits: int = 1, matters: float = 1.0) -> Headline:
        """Judge a difference that the claim says is positive, and write it down."""
        number = f"{difference:+.{digits}f}".removesuffix(f" (n={difference.count})")
        return cls(weigh(difference, matters), f"{number} {unit}")


def over_seeds(
    cells: Cells, scale: Scale, entries: Sequence[tuple[dict[str, Any], dict[str, Any]]],
    function: Callable[..., Any] = trial,
) -> list[dict[str, Any]]:  # fmt: skip
    """Run each (label, settings) with every seed of the scale; return label + seed + result."""
    jobs = [(label, settings, seed) for label, settings in entries for seed in scale.seeds]
    results = cells([{**settings, "seed": seed} for _, settings, seed in jobs], function)
    return [
        {**label, "seed": seed, **result}
        for (label, _, seed), result in zip(jobs, results, strict=True)
    ]


def labelled(runs: Sequence[Mapping[str, Any]], **labels: Any) -> list[Mapping[str, Any]]:
    """Return the runs that carry all these labels.

    Example:
        >>> labelled([{"method": "SGD", "last": 1.0}, {"method": "SAM", "last": 2.0}], method="SAM")
        [{'method': 'SAM', 'last': 2.0}]
    """
    return [run for run in runs if all(run[key] == value for key, value in labels.items())]


def mean(runs: Sequence[Mapping[str, Any]], value: str = "last", **labels: Any) -> Interval:
    """Return mean and interval over seeds of one value of the runs that carry these labels."""
    return mean_interval([run[value] for run in labelled(runs, **labels)])


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

    Example:
        >>> by_seed([{"method": "SAM", "seed": 0, "last": 2.0}], method="SAM")
        {0: 2.0}
    """
    return {run["seed"]: run[value] for run in labelled(runs, **labels)}


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


def weigh(difference: Interval, matters: float = 1.0) -> str:
    """Turn a difference that a claim says is positive into a verdict.

    Args:
        difference: its estimate and interval.
        matters: a difference smaller than this would not count as the claimed effect.

    Returns:
        ``"shows"`` if the interval lies above 0; ``"does not show"`` if it lies below ``matters``;
        else ``"too small to tell"``.

    Example:
        >>> weigh(Interval(3.0, 1.0, 5.0, 5)), weigh(Interval(0.1, -0.2, 0.4, 5))
        ('shows', 'does not show')
        >>> weigh(Interval(3.0, -1.0, 7.0, 3))
        'too small to tell'
    """
    if difference.low > 0:
        return "shows"
    return "does not show" if difference.high < matters else "too small to tell"
