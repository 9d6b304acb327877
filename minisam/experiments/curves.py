"""A method's gain over SGD at every ρ, not only at the one that was chosen.

A single ρ is one lucky or unlucky draw of a search; the curve of gains shows what its neighbours
do. All points come from the reported seeds, the choice from others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from minisam.experiments.runs import by_seed, labelled
from minisam.experiments.scale import Cells, Scale, over_seeds
from minisam.experiments.search import Problems
from minisam.experiments.statistics import paired_difference
from minisam.plots import BLACK, colour, curve_with_interval

KEPT = ("last", "train", "validation", "diverged")  # of each run; the chosen ones are kept whole


def at_every_radius(
    cells: Cells,
    scale: Scale,
    problems: Problems,
    bases: Sequence[Mapping[str, Any]],
    candidates: Mapping[str, Sequence[Mapping[str, Any]]],
) -> list[dict[str, Any]]:
    """Run every candidate with every seed; return what curves need of each run.

    Args:
        cells: runs trials.
        scale: its seeds.
        problems: (labels, shared settings).
        bases: SGD's settings for each problem, under all candidates.
        candidates: {method: settings}, each with a ``rho``.
    """
    entries = [
        ({**labels, "method": method, "rho": option["rho"]}, {**shared, **base, **option})
        for (labels, shared), base in zip(problems, bases, strict=True)
        for method, options in candidates.items()
        for option in (options[1:3] if scale.smoke else options)
    ]
    names = {name for label, _ in entries for name in label} | {"seed", *KEPT}
    runs = over_seeds(cells, scale, entries)
    return [{name: value for name, value in run.items() if name in names} for run in runs]


def gains_by_radius(
    curve: Sequence[Mapping[str, Any]],
    runs: Sequence[Mapping[str, Any]],
    method: str,
    **labels: Any,
) -> dict[float, Any]:
    """Return {ρ: interval of the method's paired gain over SGD}, ascending.

    Args:
        curve: what `at_every_radius` returned.
        runs: with those of SGD among them.
        method: such as ``"SAM"``.
        **labels: of the problem.
    """
    plain = by_seed(runs, method="SGD", **labels)
    ours = labelled(curve, method=method, **labels)
    return {
        rho: paired_difference(by_seed(ours, rho=rho), plain)
        for rho in sorted({run["rho"] for run in ours})
    }


def draw_gains(
    axes: Any, gains: Mapping[float, Any], method: str, chosen: float | None = None, **options: Any
) -> None:
    """Draw gains against ρ, with a ring around the one that was chosen.

    Args:
        axes: Matplotlib axes.
        gains: what `gains_by_radius` returned.
        method: sets the colour and the label.
        chosen: the ρ that is judged.
        **options: for ``axes.errorbar``.
    """
    curve_with_interval(axes, list(gains), list(gains.values()), method, **options)
    if chosen is not None and chosen in gains:
        shade = options.get("color", colour(method))
        axes.plot(
            [chosen], [gains[chosen].value], "o", markersize=15, markerfacecolor="none",
            markeredgecolor=shade, markeredgewidth=2,
        )  # fmt: skip
    axes.axhline(0, color=BLACK, linewidth=1)
    axes.set_xscale("log", base=2)
    axes.set_xticks(list(gains), [f"{rho:g}" for rho in gains])
    axes.minorticks_off()
    axes.set_xlabel("ρ")
