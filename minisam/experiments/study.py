"""What the experiments have in common: scales, the search for hyper-parameters, verdicts, reports.

An experiment is a module with

    CLAIM, PUBLISHED        what is claimed, and the published figures, in a sentence each
    run(cells, scale)       the grid: calls ``cells`` with lists of settings, returns its results
    table(results)          the results as rows of text, the first one the heading
    verdict(results)        one of the `VERDICTS`, or a text that begins with one
    draw(results, figure)   the results as a picture

where results are plain JSON, so that table, verdict and picture can be made again from the file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from minisam.experiments.trial import trial
from minisam.statistics import Interval, mean_interval, paired_difference

VERDICTS = ("shows", "does not show", "too small to tell")
TUNING_SEEDS = (1000, 1001)  # no seeds of a reported run
# Every ρ that is tried, ascending. The toy problem's loss is smoother, so that its are larger; a
# search whose best value lies at the edge of its grid has not found it.
TOY_RADII = {"sam": (0.05, 0.1, 0.2, 0.4, 0.8), "asam": (0.5, 1.0, 2.0, 4.0, 8.0)}
RADII = {"sam": (0.0125, 0.05, 0.1, 0.2, 0.4), "asam": (0.125, 0.5, 1.0, 2.0, 4.0)}
RATES = (0.25, 0.5, 1.0, 2.5, 5.0)  # learning rates to try, times the experiment's own: as many
LR = 0.02  # the learning rate of an experiment that does not say another
NEARER = (0.6, 0.8, 1.25, 1.6)  # times the best of them, for whom the learning rate is all there is
Cells = Callable[..., list[Any]]  # (list of settings, function=trial) -> list of results


class Scale(NamedTuple):
    """How large to make an experiment.

    Attributes:
        data: ``"toy"``, ``"cifar10"`` or ``"cifar100"``.
        seeds: the seeds of the reported runs.
        smoke: only to see that everything runs: one epoch on a hundred images.
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

    def candidates(
        self, *methods: str, lr: float = LR, radii: Mapping[str, Sequence[float]] | None = None
    ) -> dict[str, list[dict[str, Any]]]:
        """Return five settings for each method: SGD's learning rates, SAM's and ASAM's radii.

        Args:
            *methods: of ``"SGD"``, ``"SAM"`` and ``"ASAM"``.
            lr: the middle one of SGD's learning rates.
            radii: other radii than those of `Scale.radii`, by optimizer.

        Example:
            >>> Scale("toy", (0,)).candidates("SGD", "SAM")["SAM"][0]
            {'optimizer': 'sam', 'rho': 0.05}
        """
        tried: dict[str, list[dict[str, Any]]] = {"SGD": [{"lr": times(lr, f)} for f in RATES]}
        for name in ("sam", "asam"):
            values = radii[name] if radii else self.radii(name)
            tried[name.upper()] = [{"optimizer": name, "rho": rho} for rho in values]
        return {method: tried[method] for method in methods}

    def settings(self, **special: Any) -> dict[str, Any]:
        """Return the settings that every trial of this scale shares, with the experiment's own.

        Example:
            >>> Scale("toy", (0,)).settings(epochs=3)["epochs"]
            3
        """
        sizes = {"train_size": 5000, "test_size": 2000, "validation_size": 1000, "epochs": 20}
        if self.data == "toy":
            sizes = {"train_size": 1000, "test_size": 1000, "validation_size": 500, "epochs": 20}
        model = {"model": "mlp", "model_options": {"hidden": [64, 64]}, "lr": LR}
        if self.smoke:
            special |= {"train_size": 100, "test_size": 100, "validation_size": 50, "epochs": 1}
        return {"data": self.data} | sizes | model | special


def times(lr: float, factor: float) -> float:
    """Return a multiple of a learning rate, to three digits, as one would write it.

    Example:
        >>> times(0.05, 0.8)
        0.04
    """
    return float(f"{lr * factor:.3g}")


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
    seeds = TUNING_SEEDS[:1] if scale.smoke else TUNING_SEEDS
    search: list[dict[str, Any]] = []
    chosen: list[dict[str, dict[str, Any]]] = [{} for _ in problems]
    best: dict[tuple[int, str], float] = {}

    def attempt(entries: list[tuple[int, str, dict[str, Any]]]) -> None:
        grid = [{**problems[k][1], **option} for k, _, option in entries]
        results = cells([{**settings, "seed": seed} for settings in grid for seed in seeds])
        for number, (k, method, option) in enumerate(entries):
            runs = results[number * len(seeds) : (number + 1) * len(seeds)]
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


def select(runs: Sequence[Mapping[str, Any]], **labels: Any) -> list[Mapping[str, Any]]:
    """Return the runs that carry all these labels.

    Example:
        >>> select([{"method": "SGD", "last": 1.0}, {"method": "SAM", "last": 2.0}], method="SAM")
        [{'method': 'SAM', 'last': 2.0}]
    """
    return [run for run in runs if all(run[key] == value for key, value in labels.items())]


def mean(runs: Sequence[Mapping[str, Any]], value: str = "last", **labels: Any) -> Interval:
    """Return mean and interval over seeds of one value of the runs that carry these labels."""
    return mean_interval([run[value] for run in select(runs, **labels)])


def gain(
    runs: Sequence[Mapping[str, Any]],
    method: str,
    over: str = "SGD",
    value: str = "last",
    **labels: Any,
) -> Interval:
    """Return the seed-by-seed difference of a value between two methods, with its interval."""
    sides = (
        {run["seed"]: run[value] for run in select(runs, method=name, **labels)}
        for name in (method, over)
    )
    return paired_difference(*sides)


def judge(difference: Interval, matters: float = 1.0) -> str:
    """Turn a difference that a claim says is positive into a verdict.

    Args:
        difference: its estimate and interval.
        matters: a difference smaller than this would not count as the claimed effect.

    Returns:
        ``"shows"`` if the interval lies above 0; ``"does not show"`` if it lies below ``matters``;
        else ``"too small to tell"``.

    Example:
        >>> judge(Interval(3.0, 1.0, 5.0, 5)), judge(Interval(0.1, -0.2, 0.4, 5))
        ('shows', 'does not show')
        >>> judge(Interval(3.0, -1.0, 7.0, 3))
        'too small to tell'
    """
    if difference.low > 0:
        return "shows"
    return "does not show" if difference.high < matters else "too small to tell"
