"""Tell what `minisam compare` found: a table with intervals over seeds, and three curves each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from minisam.experiments.runs import gain
from minisam.experiments.statistics import Interval, by_epoch, mean_interval
from minisam.optim.methods import title_of
from minisam.plots import curve_with_band, picture

COLUMNS = {
    "last": ("test last", ".1f"),
    "best": ("test best", ".1f"),
    "train": ("train noisy", ".1f"),
    "train_true": ("train true", ".1f"),
    "memorized": ("memorized", ".1f"),
    "curvature": ("λ_max", ".2f"),
    "rise": ("loss rise", ".3f"),
    "seconds": ("seconds", ".1f"),
}


def table(results: dict[str, Any]) -> str:
    """Return the results as text: mean ± half-width of the 95 % interval over seeds, by method.

    Args:
        results: what ``results.json`` holds.
    """
    settings, runs = results["settings"], results["runs"]
    rows = [["", "ρ", *(title for title, _ in COLUMNS.values())]]
    names = [title_of(name) for name in settings["methods"]]
    for name, title in zip(settings["methods"], names, strict=True):
        cells = []
        for key, (_, spec) in COLUMNS.items():
            known = [r[key] for r in runs if r["method"] == title and r[key] is not None]
            cells.append(_plus_minus(mean_interval(known), spec) if known else "–")
        rows.append([title, f"{settings['rho'].get(name, 0):g}", *cells])
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    lines = ["  ".join(f"{c:>{w}}" for c, w in zip(row, widths, strict=True)) for row in rows]
    for title in names:
        if title != "SGD" and "SGD" in names:
            last = _plus_minus(gain(runs, title, value="last"), "+.1f")
            best = _plus_minus(gain(runs, title, value="best"), "+.1f")
            lines.append(f"{title} − SGD, paired by seed: last {last}, best {best} points")
    for title in names:
        diverged = [run for run in runs if run["method"] == title and "diverged" in run]
        if diverged:
            lines.append(
                f"{title}: {len(diverged)} of {settings['seeds']} diverged, which counts as a "
                f"guess and has no sharpness; seed {diverged[0]['seed']}: {diverged[0]['diverged']}"
            )
    several = f"± half of the 95 % Student interval over {settings['seeds']} seeds; "
    lines.append(
        f"% of examples; {several if settings['seeds'] > 1 else ''}"
        f"loss rise at ρ = {results['radius']:g}"
    )
    return "\n".join(lines)


def _plus_minus(interval: Interval, spec: str) -> str:
    if interval.count == 1:  # one seed has no interval
        return f"{interval.value:{spec}}"
    return interval.plus_minus(spec)


def draw(results: dict[str, Any], path: Path) -> None:
    """Draw test accuracy, memorization and sharpness by epoch, from what ``results.json`` holds."""
    settings = results["settings"]
    panels = (
        ("test", 100, "Accuracy on clean test labels (%)"),
        ("memorized", 100, "Wrong labels memorized (%)"),
        ("rise", 1, f"Loss rise at ρ = {results['radius']:g}"),
    )
    with picture(path, 13.5, 4.8) as figure:
        for axes, (key, factor, title) in zip(figure.subplots(1, 3), panels, strict=True):
            for name in settings["methods"]:
                runs = [run for run in results["runs"] if run["method"] == title_of(name)]
                histories = [run["history"] for run in runs if run["history"]]  # none: it diverged
                known = (r.get(key) is not None for history in histories for r in history)
                if histories and all(known):
                    lines = [[factor * record[key] for record in h] for h in histories]
                    curve_with_band(axes, by_epoch(lines), title_of(name))
            # A symmetric interval may reach where no accuracy and no rise can be.
            axes.set_ylim(0, min(102, axes.get_ylim()[1]) if factor == 100 else None)
            axes.set_title(title)
            axes.set_xlabel("Epoch")
            axes.xaxis.get_major_locator().set_params(integer=True)
        if figure.axes[0].lines:
            figure.axes[0].legend()
        figure.suptitle(
            f"{100 * settings['noise']:.0f} % of {settings['train_size']} {settings['data']} "
            f"training labels are wrong ({settings['model']}, mean and 95 % interval over "
            f"{settings['seeds']} seeds)",
            fontsize=14,
        )
